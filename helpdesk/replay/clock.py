"""When each mail came, as far as an archive can say: Date headers are written by whoever sent the mail.

A board takes the time from its server; an archive has the Date, mostly a Received or a postmark, and its own order.  So a
Date is believed unless

- it is before 1980 or more than a day after `now`, or
- it sticks out: it is more than 90 days, and more than six times the usual distance, away from the median of the mails that
  lie around it (ten on each side, at least five), and no server's time agrees with it to two days.

Where the Dates of an archive never run backwards, none sticks out; where they lie in no order at all, the usual distance is so
large that none does either.  A mail without a Date to believe came when its newest Received says, else its postmark (or the
time of delivery of a Maildir), unless that is impossible or sticks out as well; else with the mail before it.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from helpdesk.replay.book import NEVER, RECEIVED, Book, seconds

DAY = 24 * 3600
EARLIEST = (10 * 365 + 2) * DAY  # 1980: there was hardly any mail, and broken clocks start there or before
TOLERATED = 90 * DAY
USUAL = 6  # times the median distance from the median
AROUND = 10
AT_LEAST = 5
AGREES = 2 * DAY


class Source(StrEnum):
    """What a mail's time was taken from."""

    DATE = "date"
    RECEIVED = "received"
    POSTMARK = "postmark"  # of a Maildir: the time of delivery
    NEIGHBOUR = "neighbour"


@dataclass(slots=True)
class Clock:
    """The time of every row, in seconds since 1970, and how it was found."""

    times: "array[int]" = field(default_factory=lambda: array("q"))
    sources: dict[Source, int] = field(default_factory=lambda: dict.fromkeys(Source, 0))
    without_date: int = 0
    too_early: int = 0
    in_the_future: int = 0
    sticking_out: int = 0


def read_clock(book: Book, now: datetime) -> Clock:
    """Find the time of every mail; an archive in which nothing tells a time is one moment, `now`."""
    clock = Clock()
    latest = seconds(now) + DAY
    line = _line(book, latest, clock)
    previous = NEVER
    for row in range(len(book)):
        time, source = _time(book, row, line, clock)
        previous = previous if time == NEVER else time
        clock.times.append(previous)
        clock.sources[source] += 1
    _fill_beginning(clock.times, seconds(now))
    return clock


class _Line:
    """The Dates that are possible, in the order of the archive."""

    def __init__(self, latest: int) -> None:
        self.latest = latest
        self.rows = array("Q")
        self.dates = array("q")

    def sticks_out(self, row: int, time: int) -> bool:
        """Whether a time does not fit to where its mail lies."""
        start = bisect_left(self.rows, row)
        end = start + (start < len(self.rows) and self.rows[start] == row)
        many = min(AROUND, start, len(self.rows) - end)
        if many < AT_LEAST:
            return False
        around = self.dates[start - many : end + many]
        middle = _median(around)
        distance = abs(time - middle)
        return distance > TOLERATED and distance > USUAL * _median([abs(one - middle) for one in around])


def _median(numbers: Sequence[int]) -> int:
    return sorted(numbers)[len(numbers) // 2]


def _line(book: Book, latest: int, clock: Clock) -> _Line:
    line = _Line(latest)
    for row, date in enumerate(book.date):
        if date == NEVER:
            clock.without_date += 1
        elif date < EARLIEST:
            clock.too_early += 1
        elif date > latest:
            clock.in_the_future += 1
        else:
            line.rows.append(row)
            line.dates.append(date)
    return line


def _time(book: Book, row: int, line: _Line, clock: Clock) -> tuple[int, Source]:
    date, witness = book.date[row], book.witness[row]
    if EARLIEST <= date <= line.latest:
        if abs(witness - date) <= AGREES or not line.sticks_out(row, date):
            return date, Source.DATE
        clock.sticking_out += 1
    if EARLIEST <= witness <= line.latest and not line.sticks_out(row, witness):
        return witness, Source.RECEIVED if book.witness_kind[row] == RECEIVED else Source.POSTMARK
    return NEVER, Source.NEIGHBOUR


def _fill_beginning(times: "array[int]", now: int) -> None:
    """What lies before the first mail with a time came with it."""
    first = next((time for time in times if time != NEVER), now)
    for row, time in enumerate(times):
        if time != NEVER:
            return
        times[row] = first
