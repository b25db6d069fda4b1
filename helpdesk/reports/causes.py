"""What there is to fix: failures that are alike (phase and native code), those that cost most job-hours first.

A cluster is to fix if it has three failures or more and is more than bad luck: the chance of so many, if jobs failed in that way as often as
at the peers (at least one in a hundred), is below `LEVEL`.  Also if all jobs failed so, or if most of what put the site out was it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from helpdesk.reports.counting import end_of
from helpdesk.reports.nodes import Nodes, concentrated
from helpdesk.reports.rates import tail
from helpdesk.robots.record import JobState, Record
from helpdesk.sites import Example, example

LEVEL = 0.01
LEAST = 3
USUAL = 0.01
"""The share of jobs that fails in any one way at a good site."""

LOG_LINES = 6

Way = tuple[str, str]
"""How a job failed: the phase (of a lost job: lost), and the native code."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Failures that are alike."""

    way: Way
    words: str  # of the latest
    failed: int
    ended: int  # counted jobs of the experiments in which it occurs
    experiments: tuple[str, ...]
    hours: float  # job-hours lost
    first: datetime
    last: datetime
    since: int  # counted jobs that ended after the last of these failures
    usual: float  # the share of jobs that is expected to fail so
    took_out: bool  # most of what put the site out
    nodes: Nodes | None
    only: str  # template X, queue Y: where all of them are, though others were tested too
    example: Example | None

    @property
    def is_to_fix(self) -> bool:
        """Whether it is more than bad luck."""
        if self.took_out or self.failed == self.ended >= 2:
            return True
        return self.failed >= LEAST and tail(self.failed, self.ended, self.usual) < LEVEL


@dataclass(frozen=True, slots=True)
class Around:
    """What a cluster is held against."""

    jobs: Sequence[Record]  # every counted job of the week, oldest first
    usual: Callable[[Way, tuple[str, ...]], float]  # of a way in experiments, at the peers
    outages: Sequence[tuple[datetime, datetime]]  # from the onset of its failures until a site was out


def way_of(record: Record) -> Way:
    """How a job failed."""
    if record.state is JobState.LOST:
        return record.state.value, record.native_code
    return (record.phase or record.state).value, record.native_code


def clusters(failed: Sequence[Record], around: Around) -> list[Cluster]:
    """The failures of a week, clustered; the most job-hours lost first."""
    alike: defaultdict[Way, list[Record]] = defaultdict(list)
    for one in failed:
        alike[way_of(one)].append(one)
    typical = _typical(around.jobs)
    blamed = {_blamed(failed, start, end) for start, end in around.outages}
    found = [_cluster(way, mine, around, typical, took_out=way in blamed) for way, mine in alike.items()]
    return sorted(found, key=lambda one: (-one.hours, -one.failed, one.way))


def _cluster(
    way: Way, mine: Sequence[Record], around: Around, typical: Mapping[str, float], *, took_out: bool
) -> Cluster:
    experiments = tuple(sorted({one.experiment for one in mine}))
    jobs = [one for one in around.jobs if one.experiment in experiments]
    usual = max(USUAL, around.usual(way, experiments))
    ends = [at for one in mine if (at := end_of(one)) is not None]
    nodes = concentrated(_by(jobs, "node"), _by(mine, "node"), usual)
    shown = [one for one in mine if nodes is not None and one.node in nodes.names] or mine
    return Cluster(
        way=way,
        words=mine[-1].native_text,
        failed=len(mine),
        ended=len(jobs),
        experiments=experiments,
        hours=sum(_lost(one, typical) for one in mine) / 3600,
        first=ends[0],
        last=ends[-1],
        since=sum((end_of(one) or ends[-1]) > ends[-1] for one in jobs),
        usual=usual,
        took_out=took_out,
        nodes=nodes,
        only=_only(jobs, mine),
        example=example(shown, LOG_LINES),
    )


def _by(records: Iterable[Record], column: str) -> Counter[str]:
    return Counter(name for one in records if (name := str(getattr(one, column))))


def _only(jobs: Sequence[Record], failed: Sequence[Record]) -> str:
    """The one template or queue that all failures are of, if so many failures there and none elsewhere are no chance."""
    for column in ("template", "queue"):
        tested, hit = _by(jobs, column), _by(failed, column)
        if len(tested) > 1 and len(hit) == 1 and sum(hit.values()) == len(failed):
            (name,) = hit
            if (tested[name] / sum(tested.values())) ** len(failed) < LEVEL:
                return f"{column} {name}"
    return ""


def _typical(jobs: Sequence[Record]) -> Mapping[str, float]:
    """How long good jobs take, by template: the median of their seconds."""
    walls: defaultdict[str, list[float]] = defaultdict(list)
    for one in jobs:
        if one.state is JobState.SUCCESS and one.wall_s is not None:
            walls[one.template].append(one.wall_s)
    return {name: median(found) for name, found in walls.items()}


def _lost(one: Record, typical: Mapping[str, float]) -> float:
    """What a failed job costs: the work that it did not do, as long as a good job of its template, or its own time if that was longer."""
    own = one.wall_s or 0.0
    if one.wall_s is None and one.t_started is not None and one.t_final is not None:
        own = (one.t_final - one.t_started).total_seconds()
    return max(own, typical.get(one.template, 0.0)) * max(1, one.cores)


def _blamed(failed: Sequence[Record], start: datetime, end: datetime) -> Way | None:
    """The way in which most of what failed before a site went out failed, three jobs or more."""
    mine = [one for one in failed if (at := end_of(one)) is not None and start <= at <= end]
    way, times = max(Counter(map(way_of, mine)).items(), key=lambda one: one[1], default=(None, 0))
    return way if times >= LEAST and 2 * times > len(mine) else None
