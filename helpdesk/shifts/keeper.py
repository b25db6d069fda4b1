"""Keeps the rota: reads the calendar when it is time, and falls back on the last good copy.

A command calls `read` and shows what comes; a daemon calls `refresh` now and then, in a thread that may wait and has no
event loop, and takes `latest` wherever it decides something.  Nothing that is wrong with a calendar takes away a rota
that is there.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from helpdesk.errors import HelpdeskError, UnreachableError, UsageError
from helpdesk.shifts import bounded, kept
from helpdesk.shifts.kept import Copy
from helpdesk.shifts.names import Team
from helpdesk.shifts.rota import Rota, rota
from helpdesk.shifts.source import Source, Validators
from helpdesk.shifts.values import CalendarError, Expanded, Origin, Window

REACH = timedelta(days=40)
"""How far a rota looks back and ahead: the month around today is inside, and the digest's week."""

REFRESH = timedelta(minutes=15)
"""How often `refresh` asks the source."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The rota around a moment, and the calendar's octets for questions about other times."""

    rota: Rota
    octets: bytes


@dataclass
class Keeper:
    """One board's calendar; `path` is where its last good copy is kept, or None; `zone` is the board's (IANA).

    Without `keep` a copy is used and none is written: for commands that change nothing.
    """

    source: Source
    path: Path | None
    team: Team
    zone: str
    keep: bool = True
    latest: Rota | None = None
    """The rota of the last `refresh` that found one; frozen, so any thread may take it."""

    _copy: Copy | None = field(default=None, repr=False)
    _asked_at: datetime | None = None
    _expanded: tuple[bytes, Window, Expanded] | None = field(default=None, repr=False)

    def refresh(self, now: datetime) -> Rota:
        """The rota around `now`; the source is asked if that was long ago, or the day is another.

        What cannot be read while there is no copy either is an `UnreachableError` or a `UsageError`; `latest` stays.
        """
        if self.latest is None or self.latest.window != around(now) or self._due(now):
            self.latest = self.read(now, asked_at=now).rota
        return self.latest

    def _due(self, now: datetime) -> bool:
        return self._asked_at is None or not timedelta(0) <= now - self._asked_at < REFRESH

    def read(self, now: datetime, *, asked_at: datetime) -> Reading:
        """Ask the source, whose clock says `asked_at`, for the rota around `now`; keep a good copy or use the last one.

        The two times differ where `now` is simulated.  Errors as in `refresh`.
        """
        self._asked_at = asked_at
        copy = kept.load(self.path, self.source) or self._copy
        window = around(now)
        try:
            fresh, expanded = self._fresh(copy, window, asked_at)
        except (UnreachableError, UsageError) as error:
            if copy is None:
                raise
            origin = Origin(copy.read_at, max(asked_at - copy.read_at, timedelta(0)), str(error))
            return self._reading(copy.octets, self._expand(copy.octets, window, error), window, origin)
        notes = self._keep(copy, fresh)
        return self._reading(fresh.octets, expanded, window, Origin(asked_at, notes=notes))

    def recall(self, now: datetime, *, asked_at: datetime) -> Rota:
        """The rota around `now` from the kept copy; nobody is asked and nothing is written.

        UsageError where there is no copy, or none that can be used.
        """
        copy = kept.load(self.path, self.source) or self._copy
        if copy is None:
            raise UsageError(f"{self.source.shown}: the calendar was never read")
        window = around(now)
        expanded = self._expand(copy.octets, window, UsageError(self.source.shown))
        origin = Origin(copy.read_at, max(asked_at - copy.read_at, timedelta(0)), notes=expanded.notes)
        return rota(expanded, window, self.team, self.zone, origin)

    def elsewhere(self, reading: Reading, window: Window) -> Rota:
        """What the same calendar says about another time; errors as in `refresh`."""
        expanded = self._expand(reading.octets, window, self._refused(self.source.shown))
        origin = replace(reading.rota.origin, notes=expanded.notes)
        return rota(expanded, window, self.team, self.zone, origin)

    def _fresh(self, copy: Copy | None, window: Window, asked_at: datetime) -> tuple[Copy, Expanded]:
        """What the source says now, if it can be used; a server may say that the copy still holds."""
        answer = self.source.read(Validators() if copy is None else copy.validators)
        octets = copy.octets if answer.octets is None and copy is not None else answer.octets or b""
        expanded = self._expand(octets, window, self._refused(self.source.shown))
        return Copy(octets, asked_at, answer.validators), expanded

    def _refused(self, words: str) -> HelpdeskError:
        """A server that gives what is no calendar is as good as none; a file that is none is a mistake of ours."""
        return UnreachableError(words) if self.source.remote else UsageError(words)

    def _expand(self, octets: bytes, window: Window, error: HelpdeskError) -> Expanded:
        """Expand; what was expanded last is remembered.  What cannot be is the given error, with the reason."""
        if self._expanded is None or self._expanded[:2] != (octets, window):
            try:
                self._expanded = (octets, window, bounded.expand(octets, self.zone, window))
            except CalendarError as reason:
                raise type(error)(f"{error}: {reason}") from reason
        return self._expanded[2]

    def _keep(self, old: Copy | None, new: Copy) -> tuple[str, ...]:
        """Remember the copy; a sentence if it cannot be kept."""
        self._copy = new
        if self.path is None or not self.keep:
            return ()
        try:
            if (
                old is None
                or (old.octets, old.validators) != (new.octets, new.validators)
                or not self.path.exists()
            ):
                kept.save(self.path, self.source, new)
            else:
                kept.renew(self.path, new.read_at)
        except OSError as error:
            return (f"the copy of the calendar cannot be kept ({self.path}: {error.strerror})",)
        return ()

    def _reading(self, octets: bytes, expanded: Expanded, window: Window, origin: Origin) -> Reading:
        whole = replace(origin, notes=(*expanded.notes, *origin.notes))
        return Reading(rota(expanded, window, self.team, self.zone, whole), octets)


def around(now: datetime) -> Window:
    """The window of a rota: whole days of UTC around a moment, so that it is the same all day."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(midnight - REACH, midnight + REACH)
