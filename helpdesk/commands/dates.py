"""Until when, as people write it in a mail: `18 Jun`, `tomorrow 14:00`, `2026-06-18`, `3 days`.

A day without a time is meant to its end.  What can be read in two ways (`6/7`) is not read at all.  Pure; whether a moment is
past or too far away is its user's business.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from helpdesk.commands import Mistake

EXAMPLES = "write it as in 18 Jun, 18 Jun 14:00, 2026-06-18, tomorrow, or 3 days"
MAX_TEXT = 60

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")  # fmt: skip
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LENGTH = re.compile(r"(?:for )?([0-9]{1,4}) ?(h|d|w|hour|day|week)s?")
_TIME = re.compile(
    r"(?:^|(?<=[0-9a-z]) |(?<=[0-9])t|(?<=\.) )(?:at )?([0-9]{1,2}):([0-9]{2})(?::00)?(?: ?(utc|z))?$"
)
_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_DOTTED = re.compile(r"([0-9]{1,2})\. ?([0-9]{1,2})\. ?([0-9]{4})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th|\.)? ([a-z]{3,9})\.?(?: ([0-9]{4}))?")
_MONTH_FIRST = re.compile(r"([a-z]{3,9})\.? ([0-9]{1,2})(?:st|nd|rd|th)?(?: ([0-9]{4}))?")


def until(text: str, said: datetime, zone: ZoneInfo) -> datetime | Mistake:
    """The moment that is meant, in UTC, by somebody who wrote at `said`; days and hours are those of `zone`."""
    clean = " ".join(text.lower().replace(",", " ").split()).strip(" .;:!")
    wrong = Mistake(f"{text[:MAX_TEXT]!r} is no date: {EXAMPLES}")
    if not clean:
        return wrong
    length = _LENGTH.fullmatch(clean)
    try:
        if length is not None:
            return (said + int(length[1]) * _UNITS[length[2][0]]).astimezone(UTC)
        return _moment(clean, said.astimezone(zone), zone) or wrong
    except (ValueError, OverflowError):
        return wrong


def _moment(text: str, now: datetime, zone: ZoneInfo) -> datetime | Mistake | None:
    """A day and perhaps a time of it; ValueError: there is no such day."""
    found = _TIME.search(text)
    day = _day(text[: found.start()].strip() if found else text, now.date())
    if day is None or isinstance(day, Mistake):
        return day
    if found is None:
        return _at(day + timedelta(days=1), time(), zone)
    if (found[1], found[2]) == ("24", "00"):
        return _at(day + timedelta(days=1), time(), zone)
    return _at(day, time(int(found[1]), int(found[2])), ZoneInfo("UTC") if found[3] else zone)


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)


def _day(text: str, today: date) -> date | Mistake | None:
    """The day that is meant; nothing but a time is today's."""
    if text in {"", "today", "tonight"}:
        return today
    if text == "tomorrow":
        return today + timedelta(days=1)
    first, _, rest = text.partition(" ")
    weekday = _index(first.rstrip("."), _DAYS)
    if weekday is None:
        return _date(text, today)
    if not rest:  # the next one: on a Monday, Monday is a week away
        return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)
    day = _date(rest, today)
    if day is not None and day.weekday() != weekday:
        return Mistake(
            f"{day.day} {_MONTHS[day.month - 1].title()} {day.year} is a {_DAYS[day.weekday()].title()}"
        )
    return day


def _date(text: str, today: date) -> date | None:
    """A date; without a year the next one."""
    if found := _ISO.fullmatch(text):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := _DOTTED.fullmatch(text):
        return date(int(found[3]), int(found[2]), int(found[1]))
    day_first, month_first = _DAY_FIRST.fullmatch(text), _MONTH_FIRST.fullmatch(text)
    if day_first is not None:
        month, number, year = _index(day_first[2], _MONTHS), day_first[1], day_first[3]
    elif month_first is not None:
        month, number, year = _index(month_first[1], _MONTHS), month_first[2], month_first[3]
    else:
        return None
    return None if month is None else _in_year(today, month + 1, int(number), year)


def _in_year(today: date, month: int, day: int, year: str | None) -> date:
    if year is not None:
        return date(int(year), month, day)
    found = date(today.year, month, day)
    return found if found >= today else date(today.year + 1, month, day)


def _index(word: str, names: tuple[str, ...]) -> int | None:
    """The name that the word is, or begins: three letters or more."""
    return next((n for n, name in enumerate(names) if len(word) >= 3 and name.startswith(word)), None)
