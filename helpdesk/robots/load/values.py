"""What a load test is, and how it went: values alone."""

from dataclasses import dataclass
from datetime import datetime

from helpdesk.robots.record import JobState, Record


@dataclass(frozen=True, slots=True)
class Step:
    """From `began` on so many jobs were kept at the site."""

    concurrency: int
    began: datetime


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
