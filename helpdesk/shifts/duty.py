"""The shifts as a board knows them: read beside its decisions, frozen when they are used.

Whoever runs cycles calls `read` once, or keeps a `DutyThread`; a command that may change nothing calls `recall`.  A decision takes
`known` and waits for nobody.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from helpdesk.errors import HelpdeskError
from helpdesk.shifts import noted
from helpdesk.shifts.keeper import Keeper
from helpdesk.shifts.rota import Rota

LOOK_SECONDS = 60.0
"""How often the thread asks the keeper, who asks the source seldom."""


@dataclass(frozen=True, slots=True)
class Shifts:
    """What is known now: without a calendar, or before it was ever read, there is no rota."""

    rota: Rota | None = None
    trouble: str = ""  # why there is none, although a calendar is configured
    noted: str = ""  # the rota as a decision remembers it
    problems: tuple[str, ...] = ()  # what is wrong with the week ahead, in sentences


class Duty:
    """One board's shifts; `known` is replaced as a whole, so any thread may take it."""

    def __init__(self, keeper: Keeper | None = None) -> None:
        self._keeper = keeper
        self.known = Shifts()

    @property
    def configured(self) -> bool:
        """Whether there is a calendar at all."""
        return self._keeper is not None

    def read(self, now: datetime, *, asked_at: datetime) -> bool:
        """Ask the source for the rota around `now`; tells whether anything is different.  Never raises: `trouble` says why.

        A rota that was known stays, whatever is wrong with its calendar.
        """
        return self._take(now, lambda keeper: keeper.read(now, asked_at=asked_at).rota)

    def refresh(self, now: datetime) -> bool:
        """The same for a daemon: the source is asked when it is time."""
        return self._take(now, lambda keeper: keeper.refresh(now))

    def recall(self, now: datetime, *, asked_at: datetime) -> bool:
        """The same from the kept copy alone; nobody is asked, nothing is written, and that there is no copy is no trouble."""
        return self._take(now, lambda keeper: keeper.recall(now, asked_at=asked_at), quiet=True)

    def _take(self, now: datetime, ask: Callable[[Keeper], Rota], *, quiet: bool = False) -> bool:
        if self._keeper is None:
            return False
        before = self.known
        try:
            rota = ask(self._keeper)
        except (HelpdeskError, OSError) as error:
            trouble = "" if quiet or before.rota else str(error) or type(error).__name__
            self.known = replace(before, trouble=trouble)
        else:
            if rota != before.rota:
                self.known = Shifts(rota, "", noted.written(rota), rota.problems(now))
        return (self.known.trouble, self.known.noted) != (before.trouble, before.noted)


class DutyThread:
    """Reads the calendar now and then, in a thread that nobody waits for: a slow server stops neither cycles nor a stop."""

    def __init__(self, duty: Duty, wall: Callable[[], datetime], changed: Callable[[], None]) -> None:
        self._duty = duty
        self._wall = wall
        self._changed = changed
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="calendar", daemon=True)

    def start(self) -> None:
        """Begin, if there is a calendar."""
        if self._duty.configured:
            self._thread.start()

    def stop(self) -> None:
        """Ask it to end; it is not waited for."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.is_set():
            if self._duty.refresh(self._wall()) and not self._over.is_set():
                self._changed()
            self._over.wait(LOOK_SECONDS)
