"""Working hours and moments of the week, as people write them."""

import re
from dataclasses import dataclass
from datetime import time
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """The same hours on some days of the week; `opens` and `closes` are minutes after local midnight."""

    days: frozenset[int]  # Monday is 0, as in datetime
    opens: int
    closes: int  # up to 1440: midnight at the end of the day
    timezone: str = ""  # "" is the board's


@dataclass(frozen=True, slots=True)
class WeekMoment:
    """One moment of every week, in the board's time zone; Monday is 0, and 1440 minutes is the end of the day."""

    weekday: int
    minutes: int

    @property
    def at(self) -> time:
        """The wall clock of the moment; the end of a day reads 00:00 (of the next one)."""
        return time(self.minutes // 60 % 24, self.minutes % 60)


def _day(word: str) -> int:
    matches = [number for number, day in enumerate(DAYS) if len(word) >= 3 and day.startswith(word.lower())]
    if len(matches) != 1:
        raise ValueError(f"{word!r} is not a day of the week")
    return matches[0]


def _minutes(word: str) -> int:
    found = re.fullmatch(r"(\d\d?):(\d\d)", word, re.ASCII)
    minutes = int(found[1]) * 60 + int(found[2]) if found else DAY_MINUTES + 1
    if found is None or int(found[2]) > 59 or minutes > DAY_MINUTES:
        raise ValueError(f"{word!r} is not a time of the day (00:00 to 24:00)")
    return minutes


def _days(word: str) -> frozenset[int]:
    """`Mon-Fri`, `Sat,Sun`, `Sun-Thu` (over the end of the week) or `daily`."""
    if word.lower() == "daily":
        return frozenset(range(7))
    days: set[int] = set()
    for part in word.split(","):
        first, dash, last = part.partition("-")
        start = _day(first)
        length = (_day(last) - start) % 7 if dash else 0
        days.update((start + step) % 7 for step in range(length + 1))
    return frozenset(days)


def working_hours(value: object) -> WorkingHours:
    """Read `Mon-Fri 09:00-17:00 Europe/Zurich`; without a time zone the board's holds."""
    if isinstance(value, WorkingHours):
        return value
    words = value.split() if isinstance(value, str) else []
    if len(words) not in (2, 3):
        raise ValueError("is not days, hours and (if you like) a time zone")
    opens, _, closes = words[1].partition("-")
    hours = WorkingHours(_days(words[0]), _minutes(opens), _minutes(closes), *words[2:])
    if hours.opens >= hours.closes:
        raise ValueError("opens after it closes")
    if hours.timezone:
        known_zone(hours.timezone)
    return hours


def week_moment(value: object) -> WeekMoment:
    """Read `Monday 08:00`; a day alone means its end."""
    if isinstance(value, WeekMoment):
        return value
    words = value.split() if isinstance(value, str) else []
    if len(words) not in (1, 2):
        raise ValueError("is not a day of the week with (if you like) a time")
    return WeekMoment(_day(words[0]), _minutes(words[1]) if len(words) == 2 else DAY_MINUTES)


def known_zone(name: str) -> str:
    """Refuse a time zone that the IANA database does not know."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:  # unknown names are a KeyError, "" and "../x" the others
        raise ValueError(f"{name!r} is not a time zone of the IANA database") from error
    return name


WorkTime = Annotated[WorkingHours, BeforeValidator(working_hours)]
Moment = Annotated[WeekMoment, BeforeValidator(week_moment)]
