"""Whoever asks for something by command rings: a running daemon looks at once, and not with its next poll.

The bell is a number in the database that a request raises in its own transaction; the daemon compares it once a second.  That
works on SQLite and on PostgreSQL alike, needs no right and no file that a command does not need anyway, and loses nothing: a ring
that nobody hears is a request that the next look carries out.
"""

import threading
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from helpdesk.errors import HelpdeskError
from helpdesk.store import requests
from helpdesk.store.db import reading

SECONDS = 1.0


class Bell:
    """Compares in a thread of its own, because the worker may be at work."""

    def __init__(self, engine: Engine, ring: Callable[[], None], seconds: float = SECONDS) -> None:
        self._engine = engine
        self._ring = ring
        self._seconds = seconds  # between two looks at the number
        self._heard: int | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bell", daemon=True)

    def start(self) -> None:
        """Begin to listen; what was asked before is for the first look."""
        self._heard = self._rings()
        self._thread.start()

    def stop(self) -> None:
        """End; a database that does not answer is not waited for."""
        self._over.set()
        self._thread.join(SECONDS)

    def _run(self) -> None:
        while not self._over.wait(self._seconds):
            rings = self._rings()
            if rings is not None and rings != self._heard:
                self._heard = rings
                self._ring()

    def _rings(self) -> int | None:
        """The number; None while the database cannot be asked, of which the looks will tell."""
        try:
            with reading(self._engine) as conn:
                return requests.rings(conn)
        except (SQLAlchemyError, HelpdeskError):
            return None
