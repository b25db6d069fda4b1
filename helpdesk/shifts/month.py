"""A month as people draw it: weeks of seven days, Monday first, and in each day its slots; pure.

A shift stands on the day on which it begins, also if it ends in the night; one of a day or longer stands on each of its
days.  Gaps are slots too.
"""

from calendar import Calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from helpdesk.shifts.problems import SHORT
from helpdesk.shifts.rota import Rota
from helpdesk.shifts.values import Shift, Window

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """One line of a day: its hours ("06-14", "all day"), who has it (nobody has a gap), and whether that is now."""

    hours: str
    shift: Shift | None
    now: bool


@dataclass(frozen=True, slots=True)
class Day:
    """One day; `inside` tells whether it is of the month itself."""

    date: date
    inside: bool
    today: bool
    slots: tuple[Slot, ...]


Week = tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Month:
    """Which month, as somebody in `zone` sees it."""

    year: int
    number: int
    zone: ZoneInfo

    @property
    def weeks(self) -> Sequence[Sequence[date]]:
        """Its days, with those that fill up the first and the last week."""
        return Calendar().monthdatescalendar(self.year, self.number)

    @property
    def window(self) -> Window:
        """The time from its first to its last moment."""
        following = date(self.year, self.number, 28) + timedelta(days=4)
        return Window(
            self._midnight(date(self.year, self.number, 1)), self._midnight(following.replace(day=1))
        )

    @property
    def drawn(self) -> Window:
        """The time that its weeks cover."""
        weeks = self.weeks
        return Window(self._midnight(weeks[0][0]), self._midnight(weeks[-1][-1] + _DAY))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


def drawn(rota: Rota, month: Month, now: datetime) -> Sequence[Week]:
    """The weeks of a month; what the rota does not know is empty."""
    gaps = [one for one in rota.gaps(rota.window) if one.end - one.start >= SHORT]
    times: list[Shift | Window] = [*rota.within(month.drawn), *gaps]
    times.sort(key=lambda one: (one.start, one.end))
    today = now.astimezone(month.zone).date()
    first = month.weeks[0][0]
    return [
        tuple(
            Day(
                day,
                day.month == month.number,
                day == today,
                tuple(_slots(times, day, month.zone, first, now)),
            )
            for day in week
        )
        for week in month.weeks
    ]


def _slots(
    times: Sequence[Shift | Window], day: date, zone: ZoneInfo, first: date, now: datetime
) -> Iterator[Slot]:
    for one in times:
        start, end = (moment.astimezone(zone).replace(tzinfo=None) for moment in (one.start, one.end))
        long = end - start >= _DAY
        hours = _hours(start, end, day, long=long, first=first)
        if hours:
            running = one.start <= now < one.end and (not long or day == now.astimezone(zone).date())
            yield Slot(hours, one if isinstance(one, Shift) else None, running)


def _hours(start: datetime, end: datetime, day: date, *, long: bool, first: date) -> str:
    """The hours of a time on a day, by the clocks of the zone; "" if it does not stand there."""
    midnight = datetime.combine(day, time())
    if not (start < midnight + _DAY and midnight < end):
        return ""
    if start < midnight and not (long or day == first):  # it stands on the day before
        return ""
    if start <= midnight and midnight + _DAY <= end and long:
        return "all day"
    begins = "" if start < midnight else _clock(start)
    ends = "" if end > midnight + _DAY and long else "24" if end == midnight + _DAY else _clock(end)
    return f"{begins}-{ends}"


def _clock(moment: datetime) -> str:
    return f"{moment:%H%M}" if moment.minute else f"{moment:%H}"
