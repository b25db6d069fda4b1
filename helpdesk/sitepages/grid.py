"""A day of a site as a cell: how many of its jobs succeeded, in a number and a shade, and how long it was out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from helpdesk.reports.counting import ENOUGH, Count
from helpdesk.reports.outages import Span
from helpdesk.reports.rates import percent
from helpdesk.reports.week import Day, SiteWeek
from helpdesk.reports.wording import length
from helpdesk.shifts.wording import counted, day, listed

SHADES = ((0.95, "good"), (0.8, "fair"), (0.5, "poor"), (0.0, "bad"))
"""From which share on a day has which shade; the number stands in it too."""

UNSEEN, AHEAD = "unseen", "ahead"


@dataclass(frozen=True, slots=True)
class Cell:
    """One day."""

    shade: str
    text: str
    says: str  # in full
    out: bool


def cells(running: SiteWeek, before: SiteWeek) -> tuple[Cell, ...]:
    """The week before and the running one, fourteen days."""
    out = [*before.outages, *running.outages]
    return tuple(_cells(running, out))


def _cells(week: SiteWeek, out: Sequence[tuple[str, Span]]) -> Iterator[Cell]:
    ends = [one.start for one in week.days[1:]] + [week.week.end]
    zone = ZoneInfo(week.week.zone)
    for one, end in zip(week.days, ends, strict=True):
        if one.start > week.now:
            yield Cell(AHEAD, "", "", out=False)
        else:
            yield _cell(one, _spent(one.start, end, out), zone)


def _cell(one: Day, spent: dict[str, timedelta], zone: ZoneInfo) -> Cell:
    told = [f"out of {name} for {length(total)}" for name, total in spent.items()]
    aside = one.count.central + one.count.down + one.count.others + one.count.cancelled
    told += [f"{counted(aside, 'job')} not counted"] if aside else []
    jobs = (
        f"{one.count.good} of {counted(one.count.ended, 'job')} succeeded"
        if one.count.ended
        else "no job that counts"
    )
    says = f"{day(one.start, zone)}: {'; '.join([jobs, *told])}"
    return Cell(_shade(one.count), _text(one.count), says, out=bool(spent))


def _shade(count: Count) -> str:
    if not count.ended:
        return UNSEEN
    return next(name for least, name in SHADES if count.share >= least)


def _text(count: Count) -> str:
    """98; of few jobs how many."""
    if not count.ended:
        return ""
    if count.ended < ENOUGH:
        return f"{count.good}/{count.ended}"
    return percent(count.good, count.ended).partition(" ")[0].partition(".")[0]


def _spent(start: datetime, end: datetime, out: Sequence[tuple[str, Span]]) -> dict[str, timedelta]:
    """How long it was out on a day, by experiment."""
    found: dict[str, timedelta] = {}
    for name, one in out:
        within = min(one.end, end) - max(one.start, start)
        if within > timedelta():
            found[name] = found.get(name, timedelta()) + within
    return found


def headings(week: SiteWeek) -> tuple[str, ...]:
    """The days above the cells: Mo 8."""
    zone = ZoneInfo(week.week.zone)
    found = [one.start.astimezone(zone) for one in week.days]
    return tuple(f"{f'{one:%a}'[:2]} {one.day}" for one in found)


def standing(week: SiteWeek) -> str:
    """In, or out of what."""
    return f"OUT of {listed(week.out_now)}" if week.out_now else "in"
