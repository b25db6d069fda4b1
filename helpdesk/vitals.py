"""Is the daemon well?  How long ago a poll succeeded, and whether the clock can be believed.  Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from helpdesk.report import Hold, utc

MAX_DRIFT = timedelta(minutes=5)
"""So far may the wall clock leave the steady one, or step back, before nothing that depends on time is done."""

SHORTEST_SILENCE = timedelta(minutes=10)
POLLS = 10


def longest_silence(poll_seconds: float) -> timedelta:
    """How long no poll may succeed before the daemon says that it is ill."""
    return max(SHORTEST_SILENCE, POLLS * timedelta(seconds=poll_seconds))


@dataclass(slots=True)
class Pulse:
    """How long ago a poll succeeded, by the steady clock; the start of the process counts as one."""

    limit: float  # seconds
    last: float
    news: float = float("-inf")  # when the running poll last got anything from the server
    polling: bool = False
    failing: bool = False
    refused: bool = False  # the last poll ended with a login that was refused
    began: float = float("-inf")  # the running poll, or the last one

    def begin(self, tick: float) -> None:
        """A poll begins."""
        self.polling, self.news, self.began = True, float("-inf"), tick

    def end(self, *, refused: bool = False) -> None:
        """It is over, one way or the other."""
        self.polling, self.refused = False, refused

    def wants_restart(self, tick: float) -> bool:
        """Whether a new process may help.

        Not while logins are refused: it would begin with the short waits again, and so lock the account at servers that count.
        """
        waits = self.refused and not (self.polling and tick - self.began > self.limit)
        return self.failing and not waits

    def beat(self, tick: float) -> bool:
        """A poll succeeded; tells whether that is a recovery."""
        recovered, self.failing = self.failing, False
        self.last = tick
        return recovered

    def check(self, tick: float) -> bool:
        """Whether the daemon has become ill just now; it stays so until a poll succeeds.

        A first look at a large mailbox may take longer than the limit: while its mail keeps coming in, all is well.
        """
        reading = self.polling and tick - self.news <= self.limit
        if self.failing or reading or tick - self.last <= self.limit:
            return False
        self.failing = True
        return True


@dataclass(slots=True)
class ClockGuard:
    """Compares the wall clock with a steady one that counts from some moment of its own."""

    wall: datetime
    steady: float

    def drift(self, now: datetime, tick: float) -> timedelta:
        """How far the wall clock has gone ahead of the steady one (or, below zero, stayed behind)."""
        return (now - self.wall) - timedelta(seconds=tick - self.steady)

    def doubt(self, now: datetime, tick: float) -> Hold | None:
        """Why the time cannot be believed, if so."""
        drift = self.drift(now, tick)
        if abs(drift) <= MAX_DRIFT:
            return None
        way = "ahead of" if drift > timedelta() else "behind"
        minutes = round(abs(drift).total_seconds() / 60)
        return Hold(
            "clock", f"within this process the wall clock went {minutes} minutes {way} the steady one"
        )

    def accept(self, now: datetime, tick: float) -> None:
        """Count from here on: what was found is held until a person approves it."""
        self.wall, self.steady = now, tick


def after(now: datetime, last: datetime | None) -> tuple[datetime, Hold | None]:
    """The time of a cycle that follows one at `last`: time stands still for a small step back, a large one is held."""
    if last is None or now >= last:
        return now, None
    if last - now <= MAX_DRIFT:
        return last, None
    return now, Hold("clock", f"{utc(now)} is before the last cycle at {utc(last)}")


@dataclass(frozen=True, slots=True)
class Clocks:
    """The two clocks of the process, as `helpdesk.app` hands them out."""

    wall: Callable[[], datetime]
    steady: Callable[
        [], float
    ]  # seconds from some moment; never set, and it goes on while the machine sleeps
