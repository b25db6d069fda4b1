"""Who is on duty when: questions about the shifts in a window of time; pure, every time aware.

A rota knows nothing outside its window (`Rota.window`): gaps, overlaps and covered time are told of its inside only.  A
shift whose names fit nobody covers its time all the same, as somebody has it; `on_duty` is then empty, and whoever mails
the shifter needs another plan (all shifters).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from helpdesk.shifts import problems
from helpdesk.shifts.names import Team, shift
from helpdesk.shifts.values import Expanded, Origin, Overlap, Person, Shift, Window

_Turn = tuple[datetime, datetime]
"""The start and end that one or more shifts have."""


@dataclass(slots=True)
class _Run:
    """A time in which several turns overlap, as it grows."""

    start: datetime
    end: datetime
    turns: dict[_Turn, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rota:
    """The shifts that touch a window, by start and end; `zone` is the board's (an IANA name)."""

    window: Window
    shifts: tuple[Shift, ...]
    team: Team
    zone: str
    origin: Origin

    # -- at a moment ------------------------------------------------------------------------------------------------

    def current(self, now: datetime) -> tuple[Shift, ...]:
        """The shifts that run; several where they are shared or overlap, none in a gap."""
        return tuple(one for one in self.shifts if one.start <= now < one.end)

    def on_duty(self, now: datetime) -> tuple[Person, ...]:
        """The people of the shifts that run, each once; names that fit nobody are not among them."""
        return tuple(dict.fromkeys(person for one in self.current(now) for person in one.people))

    def previous(self, now: datetime) -> tuple[Shift, ...]:
        """The shifts that began together last before those that run; in a gap, the last that began."""
        before = max((one.start for one in self.current(now)), default=now)
        return self._starting(max((one.start for one in self.shifts if one.start < before), default=None))

    def following(self, now: datetime) -> tuple[Shift, ...]:
        """The shifts that begin together next."""
        return self._starting(self.next_start(now))

    def next_start(self, now: datetime) -> datetime | None:
        """When the next shift begins, later than `now`; None if none is known."""
        return min((one.start for one in self.shifts if one.start > now), default=None)

    def next_edge(self, now: datetime) -> datetime | None:
        """When the next shift begins or ends, later than `now`; None if nothing is known."""
        edges = (moment for one in self.shifts for moment in (one.start, one.end))
        return min((moment for moment in edges if moment > now), default=None)

    def first_start(self, moment: datetime) -> datetime | None:
        """When the first shift begins, at this moment or later; None if none is known."""
        return min((one.start for one in self.shifts if one.start >= moment), default=None)

    def _starting(self, start: datetime | None) -> tuple[Shift, ...]:
        return tuple(one for one in self.shifts if one.start == start)

    # -- in a window ------------------------------------------------------------------------------------------------

    def within(self, window: Window) -> tuple[Shift, ...]:
        """The shifts that have a part in the window, uncut."""
        return tuple(one for one in self.shifts if _touches(one, window))

    def gaps(self, window: Window) -> tuple[Window, ...]:
        """The times in which nobody has a shift, cut to both windows, in order."""
        part = self._inside(window)
        edges = [moment for one in self._covered(part) for moment in (one.start, one.end)]
        edges = [part.start, *edges, part.end]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return tuple(Window(start, end) for start, end in pairs if start < end)

    def covered(self, window: Window) -> timedelta:
        """For how much of the window somebody has a shift."""
        return sum((one.end - one.start for one in self._covered(self._inside(window))), timedelta(0))

    def covered_for(self, start: datetime, length: timedelta) -> datetime | None:
        """The moment by which shifts have covered `length` since `start`; None if the rota does not reach so far."""
        left = length
        for one in self._covered(self._inside(Window(start, self.window.end))):
            if one.end - one.start >= left:
                return one.start + left
            left -= one.end - one.start
        return None

    def overlaps(self, window: Window) -> tuple[Overlap, ...]:
        """The times that several shifts cover, cut to both windows; shifts of the same start and end are one, shared."""
        part = self._inside(window)
        turns: dict[_Turn, list[Shift]] = {}
        for one in self.within(part):
            turns.setdefault((max(one.start, part.start), min(one.end, part.end)), []).append(one)
        return tuple(
            Overlap(run.start, run.end, tuple(one for turn in run.turns for one in turns[turn]))
            for run in _overlapping(sorted(turns))
        )

    def unknown(self, window: Window) -> tuple[Shift, ...]:
        """The shifts with a name that fits nobody of the team, or more than one."""
        return tuple(one for one in self.within(window) if one.unknown)

    def problems(self, now: datetime, days: int = 7, zone: str = "") -> tuple[str, ...]:
        """What somebody should put right: sentences about the calendar and the coming days, in the board's zone or another.

        Sentences begin with a small letter or a name and have no full stop.
        """
        soon = Window(now, now + timedelta(days=days))
        where = ZoneInfo(zone or self.zone)
        return (
            *problems.of_calendar(self.origin, where),
            *problems.of_names(self.unknown(soon), self.team, where),
            *problems.of_roles(self.within(soon), where),
            *problems.of_gaps(
                [one for one in self.gaps(self.window) if _touches(one, soon)], self.window, where
            ),
            *problems.of_overlaps([one for one in self.overlaps(self.window) if _touches(one, soon)], where),
        )

    def _inside(self, window: Window) -> Window:
        start = max(window.start, self.window.start)
        return Window(start, max(start, min(window.end, self.window.end)))

    def _covered(self, part: Window) -> Sequence[Window]:
        """The times that shifts cover, cut to `part`, in order, and none touches the next."""
        runs: list[Window] = []
        for one in self.within(part):
            start, end = max(one.start, part.start), min(one.end, part.end)
            if runs and start <= runs[-1].end:
                runs[-1] = Window(runs[-1].start, max(runs[-1].end, end))
            else:
                runs.append(Window(start, end))
        return runs


def rota(expanded: Expanded, window: Window, team: Team, zone: str, origin: Origin) -> Rota:
    """Match the names of a calendar's events, and order them."""
    shifts = {shift(one, team) for one in expanded.occurrences}
    ordered = sorted(shifts, key=lambda one: (one.start, one.end, one.names))
    return Rota(window, tuple(ordered), team, zone, origin)


def _touches(time: Shift | Window | Overlap, window: Window) -> bool:
    return time.start < window.end and window.start < time.end


def _overlapping(turns: Iterable[_Turn]) -> Sequence[_Run]:
    """When more than one of some times run, and which; the times are different and ordered."""
    runs: list[_Run] = []
    longest: _Turn | None = None  # of those so far, the one that ends last
    for turn in turns:
        if longest is not None and turn[0] < longest[1]:
            if not runs or runs[-1].end < turn[0]:
                runs.append(_Run(turn[0], turn[0]))
            runs[-1].end = max(runs[-1].end, min(turn[1], longest[1]))
            runs[-1].turns.update({longest: None, turn: None})
        if longest is None or longest[1] < turn[1]:
            longest = turn
    return runs
