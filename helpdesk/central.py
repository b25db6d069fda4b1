"""What the admins are told of a failure of many sites: one mail an incident; pure (docs/robots.md)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from helpdesk.robots.record import JobState, Record
from helpdesk.sites import Example, Failures, example, failures

MOST_SITES = 20
MOST_EXAMPLES = 3
LOG_LINES = 4


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the jobs of a template, or in all, failed."""

    name: str
    failed: int
    ended: int


@dataclass(frozen=True, slots=True)
class Common:
    """What failures have in common, in which experiment and since when."""

    what: str
    experiment: str
    since: datetime


@dataclass(frozen=True, slots=True)
class AtSite:
    """One job that failed, and where."""

    site: str
    job: Example


@dataclass(frozen=True, slots=True)
class IncidentMail:
    """To the admins: test jobs fail at many sites at once, so it is nobody's own failure."""

    kind: ClassVar[str] = "incident"

    what: tuple[Common, ...]
    failing: int  # sites
    tested: int  # sites, since the incident began
    sites: tuple[str, ...]  # those with the most failures
    more: int  # failing sites that are not named
    templates: tuple[Share, ...]
    failures: tuple[Failures, ...]
    examples: tuple[AtSite, ...]
    ended: datetime | None = None  # it was over before the mail was written


class Explaining(Protocol):
    """An incident that knows its failures (`helpdesk.store.incidents`)."""

    def explains(self, one: Record) -> bool:
        """Whether a failed job belongs to it."""


def tell(
    incident: Explaining, what: tuple[Common, ...], ended: datetime | None, records: Sequence[Record]
) -> IncidentMail:
    """What the mail says, from all records since it began."""
    experiments = {one.experiment for one in what}
    mine = [one for one in records if one.experiment in experiments]
    failed = [one for one in mine if one.state is not JobState.SUCCESS and incident.explains(one)]
    worst = [name for name, _ in Counter(one.site for one in failed).most_common()]
    return IncidentMail(
        what=what,
        failing=len(worst),
        tested=len({one.site for one in mine}),
        sites=tuple(worst[:MOST_SITES]),
        more=max(0, len(worst) - MOST_SITES),
        templates=tuple(_shares(mine, failed)),
        failures=tuple(failures(failed)),
        examples=tuple(_examples(failed, worst[:MOST_EXAMPLES])),
        ended=ended,
    )


def _shares(mine: Sequence[Record], failed: Sequence[Record]) -> Iterator[Share]:
    """Every template of the experiments, so that those which work are seen too; the worst first."""
    ended = Counter(one.template for one in mine)
    bad = Counter(one.template for one in failed)
    for name in sorted(ended, key=lambda one: (-bad[one] / ended[one], one)):
        yield Share(name, bad[name], ended[name])


def _examples(failed: Sequence[Record], sites: Sequence[str]) -> Iterator[AtSite]:
    for site in sites:
        one = example([record for record in failed if record.site == site], LOG_LINES)
        if one is not None:
            yield AtSite(site, one)
