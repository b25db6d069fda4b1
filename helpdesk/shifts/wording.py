"""Times as people say them, in a zone that they choose; pure.  English, whatever the locale of the process."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from helpdesk.shifts.values import Overlap, Shift, Window

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(moment: datetime, zone: tzinfo) -> str:
    """Mon 8 Jun."""
    local = moment.astimezone(zone)
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}"


def clock(moment: datetime, zone: tzinfo) -> str:
    """06:00."""
    return f"{moment.astimezone(zone):%H:%M}"


def at(moment: datetime, zone: tzinfo) -> str:
    """Mon 8 Jun 06:00."""
    return f"{day(moment, zone)} {clock(moment, zone)}"


def span(time: Window | Shift | Overlap, zone: tzinfo) -> str:
    """Mon 8 Jun 06:00-14:00; the second day only where it is not the same night."""
    start, end = time.start.astimezone(zone), time.end.astimezone(zone)
    if end.replace(tzinfo=None) - start.replace(tzinfo=None) < timedelta(days=1):
        return f"{at(start, zone)}-{clock(end, zone)}"
    return f"{at(start, zone)} - {at(end, zone)}"


def age(length: timedelta) -> str:
    """3 days, 5 hours, 10 minutes: the largest unit of which there is one."""
    seconds = max(0, int(length.total_seconds()))
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit:
            return counted(seconds // unit, name)
    return "less than a minute"


def counted(number: int, name: str) -> str:
    """1 shift, 2 shifts."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def listed(names: Sequence[str], most: int = 6) -> str:
    """Aiden, Sergey and Alden; of very many the first ones and how many more."""
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
