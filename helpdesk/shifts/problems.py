"""What is wrong with a rota, in sentences: each says when, who, and if possible what to do; pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta, tzinfo
from itertools import islice

from helpdesk.shifts.names import Team, hint
from helpdesk.shifts.values import Origin, Overlap, Shift, Window
from helpdesk.shifts.wording import age, at, counted, day, listed, span

SHORT = timedelta(minutes=5)
"""A gap or overlap that is shorter is none: some calendars end the day at 23:59."""

MAX_LINES = 20  # of one kind: a foreign calendar has hundreds of unknown names


def of_calendar(origin: Origin, zone: tzinfo) -> Iterator[str]:
    """The calendar could not be read, or something in it was left out."""
    if origin.trouble:
        yield (
            f"the calendar cannot be read ({origin.trouble}): a copy of {at(origin.read_at, zone)} is used,"
            f" {age(origin.age)} old"
        )
    yield from origin.notes


def of_names(shifts: Iterable[Shift], team: Team, zone: tzinfo) -> Iterator[str]:
    """Names that fit nobody, or several."""
    by_name: dict[str, list[Shift]] = {}
    for one in shifts:
        for name in one.unknown:
            by_name.setdefault(name, []).append(one)
    for name, found in islice(by_name.items(), MAX_LINES):
        remark = hint(name, team)
        where = f"{span(found[0], zone)}{_more(len(found), 'shift')}"
        yield f'"{name}" is nobody in [[people]] ({where})' + (f": {remark}" if remark else "")


def of_roles(shifts: Sequence[Shift], zone: tzinfo) -> Iterator[str]:
    """People who have shifts and whom the board does not take for shifters."""
    first = {person: one for one in reversed(shifts) for person in one.people if not person.shifter}
    for person, one in islice(first.items(), MAX_LINES):
        yield f"{person.name} has a shift ({span(one, zone)}) without the role shifter in [[people]]"


def of_gaps(gaps: Iterable[Window], known: Window, zone: tzinfo) -> Iterator[str]:
    """Times without anybody; the same hours of several days are one sentence.  `known` is what the calendar was asked for."""
    alike: dict[object, list[Window]] = {}
    for one in gaps:
        if one.end - one.start >= SHORT:
            alike.setdefault(_hours(one, known, zone), []).append(one)
    for found in islice(alike.values(), MAX_LINES):
        days = f", nor at these hours on {counted(len(found) - 1, 'more day')} until {day(found[-1].start, zone)}"
        yield _gap(found[0], known, zone) + (days if len(found) > 1 else "")


def _hours(gap: Window, known: Window, zone: tzinfo) -> object:
    """What two gaps have in common that one sentence tells of: the hours, if it is less than a day."""
    if gap.end - gap.start >= timedelta(days=1) or gap.start == known.start or gap.end == known.end:
        return gap
    return gap.start.astimezone(zone).time(), gap.end.astimezone(zone).time()


def _gap(gap: Window, known: Window, zone: tzinfo) -> str:
    if gap == known:
        return f"nobody has a shift from {day(known.start, zone)} to {day(known.end, zone)}"
    if gap.end == known.end:
        return f"nobody has a shift from {at(gap.start, zone)} on"
    if gap.start == known.start:
        return f"nobody has a shift until {at(gap.end, zone)}"
    return f"nobody has a shift {span(gap, zone)}"


def of_overlaps(overlaps: Iterable[Overlap], zone: tzinfo) -> Iterator[str]:
    """Shifts that run at the same time without being one shared shift."""
    by_names: dict[tuple[str, ...], list[Overlap]] = {}
    for one in overlaps:
        if one.end - one.start >= SHORT:
            names = tuple(dict.fromkeys(name for shift in one.shifts for name in shift.names))
            by_names.setdefault(tuple(sorted(names)), []).append(one)
    for names, found in islice(by_names.items(), MAX_LINES):
        who = f"{names[0]} has several shifts at once" if len(names) == 1 else f"{listed(names)} overlap"
        yield f"{who}: {span(found[0], zone)}{_more(len(found), 'time')}"


def _more(number: int, name: str) -> str:
    """How many more there are, after the first one was told."""
    if number == 1:
        return ""
    return f" and {number - 1} more {name}" + ("" if number == 2 else "s")
