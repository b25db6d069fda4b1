"""Weeks of a site: from Monday to Monday by ISO 8601, in the site's own time; one in which clocks change has 167 or 169 hours."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from helpdesk.errors import UsageError
from helpdesk.settings.times import WeekMoment
from helpdesk.shifts.wording import day as said_day

_WEEK = re.compile(r"(?:([0-9]{4})-?)?W?([0-9]{1,2})", re.IGNORECASE)
_OLDEST = 1970
"""No job ran before; where the calendar ends, days cannot be reckoned with."""


@dataclass(frozen=True, slots=True)
class Week:
    """One ISO week in a zone; `year` is the ISO year, which may differ from the calendar's around New Year."""

    year: int
    number: int
    zone: str  # IANA

    @property
    def name(self) -> str:
        """2026-W24."""
        return f"{self.year}-W{self.number:02}"

    @property
    def start(self) -> datetime:
        """Its first moment, in UTC."""
        return self.days[0]

    @property
    def end(self) -> datetime:
        """The first moment of the next one, in UTC."""
        return self.days[-1]

    @property
    def days(self) -> Sequence[datetime]:
        """The eight midnights that bound its days, in UTC."""
        return [_midnight(self._monday + timedelta(days=number), self.zone) for number in range(8)]

    @property
    def before(self) -> "Week":
        """The week before it."""
        return _week(self._monday - timedelta(days=7), self.zone)

    @property
    def dates(self) -> str:
        """Mon 8 Jun - Sun 14 Jun 2026."""
        zone = ZoneInfo(self.zone)
        sunday = self._monday + timedelta(days=6)
        return f"{said_day(self.days[0], zone)} - {said_day(self.days[6], zone)} {sunday.year}"

    @property
    def _monday(self) -> date:
        return date.fromisocalendar(self.year, self.number, 1)


def complete(now: datetime, zone: str) -> Week:
    """The last week that is over."""
    return running(now, zone).before


def running(now: datetime, zone: str) -> Week:
    """The week that a moment lies in."""
    return _week(now.astimezone(ZoneInfo(zone)).date(), zone)


def asked(text: str, now: datetime, zone: str) -> Week:
    """The week that somebody writes: 2026-W24, 2026W24, W24 or 24 (the latest that has begun).  UsageError: there is none such."""
    found = _WEEK.fullmatch(text.strip())
    latest = running(now, zone)
    years = [int(found[1])] if found and found[1] else [latest.year, latest.year - 1]
    for year in years if found else []:
        if not _OLDEST <= year <= latest.year:
            continue
        try:
            week = _week(date.fromisocalendar(year, int(found[2]) if found else 0, 1), zone)
        except ValueError:
            continue
        if week.start <= now:
            return week
    raise UsageError(
        f"--week: {text!r} is no week that has begun; for example {latest.before.name} or {latest.before.number}"
    )


def due(weekly: WeekMoment, now: datetime, zone: str) -> tuple[Week, datetime]:
    """The report that fell due last: its week, and when it was due."""
    local = now.astimezone(ZoneInfo(zone))
    for back in range(9):
        day = local.date() - timedelta(days=back)
        if day.weekday() == weekly.weekday:
            at = datetime.combine(day + timedelta(days=weekly.minutes // 1440), weekly.at, ZoneInfo(zone))
            if at.astimezone(UTC) <= now:
                return complete(at, zone), at.astimezone(UTC)
    raise AssertionError("every week has its moment")  # pragma: no cover


def told(week: Week, weekly: WeekMoment) -> datetime:
    """When the report of a week is due."""
    moment = week.end
    while due(weekly, moment, week.zone)[0] != week:
        moment += timedelta(hours=1)
    return due(weekly, moment, week.zone)[1]


def _week(day: date, zone: str) -> Week:
    year, number, _ = day.isocalendar()
    return Week(year, number, zone)


def _midnight(day: date, zone: str) -> datetime:
    """Where a day begins; where clocks skip midnight it begins when they do."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
