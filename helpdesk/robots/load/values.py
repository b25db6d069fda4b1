"""What a load test is, and how it went: values alone."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from helpdesk.robots.record import JobState, Record
from helpdesk.robots.schedule import Lane


@dataclass(frozen=True, slots=True)
class Step:
    """From `began` on so many jobs were kept at the site."""

    concurrency: int
    began: datetime
    first: int = 0  # how many jobs had been sent before it


@dataclass(frozen=True, slots=True)
class Course:
    """How a test went: `steps` of a closed model or a ramp; none of an open one."""

    began: datetime
    steps: tuple[Step, ...] = ()
    filled_until: datetime | None = None  # no job was sent later: from here on the site runs empty
    stopped: datetime | None = None  # what was still there then was cancelled by us

    def cut_off(self, record: Record) -> bool:
        """Whether we ended this job ourselves: it says nothing about the site."""
        end = record.t_final or record.t_observed
        return (
            record.state is JobState.CANCELLED
            and self.stopped is not None
            and (end is None or end >= self.stopped)
        )


def failed(record: Record) -> bool:
    """Whether an attempt ended otherwise than with the right answer."""
    return record.state is not JobState.SUCCESS


def events_of(record: Record) -> float:
    """Events that count: those of a job that succeeded."""
    return 0.0 if failed(record) else float(record.events_processed or 0)


def seconds_between(first: datetime | None, last: datetime | None) -> float | None:
    """A duration; None where an end is missing or the clocks of two machines disagree."""
    if first is None or last is None:
        return None
    found = (last - first).total_seconds()
    return found if found >= 0 else None


class Kind(StrEnum):
    """How jobs are sent."""

    CLOSED = "closed"  # so many at the site, all the time
    RAMP = "ramp"  # steps of that
    OPEN = "open"  # by the clock, whatever the site does


@dataclass(frozen=True, slots=True)
class Shape:
    """What is asked of a site; two tests of one shape and template can be compared."""

    kind: Kind
    steps: tuple[int, ...] = ()  # jobs at once: one number, or those of a ramp
    per_hour: float = 0.0  # of an open model
    even: bool = False  # a drum; else Poisson: the gaps are exponential

    @property
    def key(self) -> str:
        """As it is kept: closed:4, ramp:1,2,4, open:60:poisson."""
        if self.kind is Kind.OPEN:
            return f"open:{self.per_hour:g}:{'even' if self.even else 'poisson'}"
        return f"{self.kind}:{','.join(map(str, self.steps))}"

    @property
    def words(self) -> str:
        """As people say it."""
        if self.kind is Kind.OPEN:
            return f"{self.per_hour:g} jobs an hour by the clock ({'evenly' if self.even else 'Poisson'})"
        if self.kind is Kind.RAMP:
            return f"a ramp of {', '.join(map(str, self.steps))} jobs at once"
        return f"{self.steps[0]} job{'s' if self.steps[0] > 1 else ''} at once"


def shape_of(key: str) -> Shape:
    """Back from how it is kept."""
    kind, _, rest = key.partition(":")
    if kind == Kind.OPEN:
        rate, _, how = rest.partition(":")
        return Shape(Kind.OPEN, (), float(rate), how == "even")
    return Shape(Kind(kind), tuple(map(int, rest.split(","))))


class State(StrEnum):
    """Where a test stands."""

    ASKED = "asked"  # nobody has begun
    RUNNING = "running"
    STOPPING = "stopping"  # nothing more is sent, what is there is cancelled
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class LoadTest:
    """A load test: what was asked, and how far it is; a row."""

    id: str  # the campaign of its records
    lane: Lane
    template: str
    version: str  # of the template
    shape: Shape
    most: int  # jobs
    hours: float
    by: str
    asked: datetime
    state: State = State.ASKED
    began: datetime | None = None
    steps: tuple[Step, ...] = ()
    filled_until: datetime | None = None
    stopped: datetime | None = None
    stop_by: str = ""  # who wants it stopped
    reason: str = ""  # why it ended as it did
    ended: datetime | None = None
    looked: datetime | None = None
    skipped: int = 0  # arrivals that were due while nobody looked
    gaps: tuple[tuple[datetime, datetime], ...] = ()  # when nobody looked after it

    @property
    def course(self) -> Course:
        """What the figures need to know of it."""
        return Course(self.began or self.asked, self.steps, self.filled_until, self.stopped)
