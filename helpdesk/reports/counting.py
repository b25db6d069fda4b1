"""Which jobs count for a site: each that ended in the week is good, bad, or not the site's (docs/reports.md)."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from helpdesk.robots.record import Blame, JobState, Record, TestKind, is_foreign

ENOUGH = 10
"""From so many jobs on a share is told; of fewer the jobs are (JobRobot and DIRAC ask for as many)."""


class Fate(StrEnum):
    """What became of a job, as far as its site is concerned."""

    GOOD = "good"
    BAD = "bad"
    CENTRAL = "central"  # failed for what fails at many sites, or by a central service
    DOWN = (
        "down"  # failed while the site was out by its own word: a declared downtime, or a person's decision
    )
    OTHERS = "others"  # failed by the experiment, the user or the robot
    CANCELLED = "cancelled"


Excuse = Callable[[Record], Fate | None]
"""Why a failure is not the site's, from what is known beside its record (`CENTRAL`, `DOWN`); None: it may be."""

_NOT_ITS_OWN = {
    Blame.CENTRAL: Fate.CENTRAL,
    Blame.EXPERIMENT: Fate.OTHERS,
    Blame.USER: Fate.OTHERS,
    Blame.ROBOT: Fate.OTHERS,
}
"""The same failures weigh nothing in a verdict (docs/verdicts.md section 2)."""


@dataclass(frozen=True, slots=True)
class Count:
    """The jobs of some time, each once."""

    good: int = 0
    bad: int = 0
    central: int = 0
    down: int = 0
    others: int = 0
    cancelled: int = 0

    @property
    def ended(self) -> int:
        """The denominator: what the site can answer for."""
        return self.good + self.bad

    @property
    def share(self) -> float:
        """Of those, how many succeeded; ZeroDivisionError without any."""
        return self.good / self.ended


def is_ours(record: Record) -> bool:
    """Whether a record is of a functional test of our own: load tests and what others measured never count."""
    return record.test_kind is TestKind.FUNCTIONAL and not is_foreign(record)


def end_of(record: Record) -> datetime | None:
    """When a job ended: by that it belongs to a week, whenever its record came."""
    return record.t_final or record.t_observed


def fate(record: Record, excuse: Excuse) -> Fate:
    """What a job that has ended says of its site."""
    if record.state is JobState.SUCCESS:
        return Fate.GOOD
    if record.state is JobState.CANCELLED:
        return Fate.CANCELLED
    if (excused := excuse(record)) is not None:
        return excused
    return Fate.BAD if record.blame is None else _NOT_ITS_OWN.get(record.blame, Fate.BAD)


def count(records: Iterable[Record], excuse: Excuse) -> Count:
    """These jobs, by what became of them."""
    return counted(Counter(fate(one, excuse) for one in records))


def counted(found: Counter[Fate]) -> Count:
    """Numbers by fate as a count."""
    return Count(**{one.value: found[one] for one in Fate})


def within(records: Iterable[Record], start: datetime, end: datetime) -> list[Record]:
    """Those that ended between two moments, oldest first."""
    found = [(at, one) for one in records if (at := end_of(one)) is not None and start <= at < end]
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]
