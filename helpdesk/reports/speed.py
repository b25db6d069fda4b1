"""Events a second of a core: Σ events / Σ core seconds of jobs that succeeded, at one mix of templates.

Templates differ in speed more than sites do, so weeks and sites are compared at the same mix: that of the site's own events of the
week (an index with a fixed basket).  Who lacks a template of the mix has no figure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from helpdesk.robots.record import JobState, Record


@dataclass(frozen=True, slots=True)
class Work:
    """What the good jobs of one template did; only jobs that tell both figures."""

    events: int
    core_s: float


def work(records: Iterable[Record]) -> Mapping[str, Work]:
    """The work of good jobs, by template."""
    events: defaultdict[str, int] = defaultdict(int)
    seconds: defaultdict[str, float] = defaultdict(float)
    for one in records:
        if one.state is JobState.SUCCESS and one.events_processed and one.wall_s:
            events[one.template] += one.events_processed
            seconds[one.template] += one.wall_s * max(1, one.cores)
    return {name: Work(events[name], seconds[name]) for name in events}


def rate(done: Mapping[str, Work], mix: Mapping[str, Work]) -> float | None:
    """Events a second of a core at a mix; None: there is no mix, or a template of it was not run."""
    total = sum(one.events for one in mix.values())
    if not total or any(name not in done for name in mix):
        return None
    seconds = sum(one.events / total * done[name].core_s / done[name].events for name, one in mix.items())
    return 1 / seconds
