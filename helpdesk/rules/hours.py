"""Working hours: when somebody who has them is there, and what so many of them later is; across zones and clock changes.

All sums are of real time: a day on which the clocks go back has an hour more, if it falls into the hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

_MIDNIGHT = 24 * 60  # minutes
_DAY = timedelta(days=1)
_FOR_EVER = timedelta(days=3660)


@dataclass(frozen=True)
class Hours:
    """The same hours on some days of the week, less holidays; the default is around the clock, in UTC."""

    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)  # Monday is 0
    opens: int = 0  # minutes after local midnight
    closes: int = _MIDNIGHT  # later than `opens`, up to the end of the day
    zone: str = "UTC"
    holidays: tuple[date, ...] = ()

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @cached_property
    def _free(self) -> frozenset[date]:
        return frozenset(self.holidays)

    @property
    def limited(self) -> bool:
        """Whether there are times at which nobody works."""
        return bool(self.holidays) or len(self.days) < 7 or self.closes - self.opens < _MIDNIGHT

    @property
    def working_day(self) -> timedelta:
        """The working time of an ordinary day."""
        return timedelta(minutes=self.closes - self.opens)

    def local_date(self, at: datetime) -> date:
        """The date there."""
        return at.astimezone(self._zone).date()

    def after(self, start: datetime, amount: timedelta) -> datetime:
        """The first working moment at which so much working time has passed since `start`; UTC.

        Who works so little that it takes longer than ten years is taken to need ten.
        """
        start = start.astimezone(UTC)
        left = amount
        intervals = self._intervals(self.local_date(start))
        opening, closing = next(intervals)
        while max(opening, start) + left >= closing:
            left -= max(closing - max(opening, start), timedelta())
            left = timedelta() if opening > start + _FOR_EVER else left
            opening, closing = next(intervals)
        return max(opening, start) + left

    def at_work(self, at: datetime) -> datetime:
        """The first working moment from `at` on: `at` itself, if it is one; UTC."""
        return self.after(at, timedelta())

    def closes_at(self, at: datetime) -> datetime | None:
        """When the working time ends in which this moment lies; None outside of working hours; UTC."""
        first = self.local_date(at) - _DAY
        opening, closing = next(span for span in self._intervals(first) if at < span[1])
        return closing if opening <= at else None

    def next_day(self, at: datetime) -> datetime:
        """When the next working day begins: the first after the date that it is there; UTC."""
        return next(opening for opening, _ in self._intervals(self.local_date(at) + _DAY))

    def _intervals(self, first: date) -> Iterator[tuple[datetime, datetime]]:
        """The working times from a local date on, in UTC."""
        day = first
        while True:
            if day.weekday() in self.days and day not in self._free:
                opening, closing = self._moment(day, self.opens), self._moment(day, self.closes)
                if opening < closing:  # not where the clocks leap over it
                    yield opening, closing
            day += _DAY

    def _moment(self, day: date, minutes: int) -> datetime:
        """A wall-clock time as UTC; one that a clock change leaves out is the moment of the change, or as much after it."""
        if minutes == _MIDNIGHT:
            day, minutes = day + _DAY, 0
        wall = datetime.combine(day, time(minutes // 60, minutes % 60), self._zone)
        return wall.astimezone(UTC)


AROUND_THE_CLOCK = Hours()
