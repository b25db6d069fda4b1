"""A rota as the store remembers it, to tell whether another one says anything else about the time that both know; pure."""

import json
from datetime import datetime

from helpdesk.shifts.rota import Rota
from helpdesk.shifts.values import Window

Turn = tuple[str, str, tuple[str, ...]]
"""The start, the end and the addresses of a shift."""


def written(rota: Rota) -> str:
    """The rota's window and shifts, as JSON."""
    shifts = [
        [one.start.isoformat(), one.end.isoformat(), *sorted(who.address for who in one.people)]
        for one in rota.shifts
    ]
    return json.dumps([rota.window.start.isoformat(), rota.window.end.isoformat(), shifts])


def differ(one: str, other: str) -> bool:
    """Whether two such texts say different things; "" is no rota.  That another day is known is no difference."""
    if not one or not other:
        return one != other
    first, second = _read(one), _read(other)
    both = Window(max(first[0].start, second[0].start), min(first[0].end, second[0].end))
    return _within(first[1], both) != _within(second[1], both)


def _read(text: str) -> tuple[Window, list[Turn]]:
    start, end, shifts = json.loads(text)
    window = Window(datetime.fromisoformat(start), datetime.fromisoformat(end))
    return window, [(begin, close, tuple(who)) for begin, close, *who in shifts]


def _within(turns: list[Turn], window: Window) -> set[Turn]:
    """Those that begin in the window and end in it: the others may have been cut."""
    return {
        turn
        for turn in turns
        if window.start <= datetime.fromisoformat(turn[0]) and datetime.fromisoformat(turn[1]) <= window.end
    }
