"""Ctrl-C and its kin, seen between two steps: whatever is going on ends in order, and leaves nothing behind."""

import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 3.0
"""Seconds after which a second Ctrl-C means it: what hangs is interrupted where it is."""

PREFIX = "helpdesk-demo-"
SLICE = 0.05


class StoppedError(Exception):
    """Somebody wants the demo to end."""


class Stop:
    """Listens for signals as long as a `with` lasts, in the main thread."""

    def __init__(self) -> None:
        self.signal = 0  # 0: nobody asked
        self._asked_at = 0.0
        self._deaf = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():  # who was told to end, and does, need not be told again
            signal.signal(number, signal.SIG_IGN if self.signal else handler)

    def check(self) -> None:
        """Raise StoppedError if somebody asked."""
        if self.signal:
            raise StoppedError

    def wait(self, seconds: float, meanwhile: Callable[[], None]) -> None:
        """Let real time go by, or raise StoppedError; `meanwhile` is called every now and then."""
        end = time.monotonic() + seconds
        self.check()
        while (left := end - time.monotonic()) > 0:
            meanwhile()
            time.sleep(min(SLICE, left))
            self.check()

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder that is gone afterwards; while it goes, no signal is heard."""
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        try:
            yield path
        finally:
            self._deaf = True
            rmtree(path, ignore_errors=True)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if self._deaf:
            return
        if not self.signal:
            self.signal, self._asked_at = number, time.monotonic()
        elif time.monotonic() - self._asked_at > PATIENCE:
            raise KeyboardInterrupt
