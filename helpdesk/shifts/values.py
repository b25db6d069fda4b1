"""The words of a rota, frozen; every time is aware and in UTC."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from helpdesk.errors import HelpdeskError


class CalendarError(HelpdeskError):
    """What was read is no calendar that we can use: a sentence says why."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time from `start` up to, and without, `end`."""

    start: datetime
    end: datetime

    def contains(self, other: "Window") -> bool:
        """Whether no part of the other lies outside."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Person:
    """One of the team; `addresses` are lower-case and the first gets the mail, `zone` is an IANA name."""

    name: str
    addresses: tuple[str, ...]
    zone: str
    shifter: bool = True

    @property
    def address(self) -> str:
        """Where mail to the person goes."""
        return self.addresses[0]


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody whom an event invites; either may be empty."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event of the calendar at one time, as it was written."""

    start: datetime
    end: datetime
    summary: str
    attendees: tuple[Attendee, ...] = ()


@dataclass(frozen=True, slots=True)
class Expanded:
    """What a calendar says about a window, by start; `notes` are sentences about what was left out."""

    occurrences: tuple[Occurrence, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """Who has which time; `unknown` are names that fit nobody of the team, or more than one."""

    start: datetime
    end: datetime
    people: tuple[Person, ...]
    unknown: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Everybody who has it; an unknown name ends in a question mark."""
        return (*(person.name for person in self.people), *(f"{name}?" for name in self.unknown))


@dataclass(frozen=True, slots=True)
class Overlap:
    """A time that several different shifts cover."""

    start: datetime
    end: datetime
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a rota comes from: when the calendar was read, and what is wrong with it.

    `age` is how old the copy was when it was used; `trouble` says why the calendar itself could not be read ("" if it
    could); `notes` are sentences about what is in the calendar and not in the rota.
    """

    read_at: datetime
    age: timedelta = timedelta(0)
    trouble: str = ""
    notes: tuple[str, ...] = ()
