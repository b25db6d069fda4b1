"""What all benchmarks stand on: one private server, filled mailboxes, and boards on them."""

import itertools
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.benchmarks.site import PROJECT, Site
from tests.servers import dovecot


class Lab:
    """The server and what lies on it; use it as a context manager, at the end all is gone."""

    def __init__(self, messages: int, rounds: int, say: Callable[[str], None]) -> None:
        self.messages = messages
        self.rounds = rounds
        self.say = say
        self._ends = ExitStack()
        self._numbers = itertools.count(1)
        self._server: dovecot.Dovecot | None = None
        self._filled: dict[int, str] = {}
        self._synced: dict[int, Site] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    @property
    def port(self) -> int:
        """Where the server listens; it is started when it is needed."""
        if self._server is None:
            self._server = dovecot.start()
            self._ends.callback(self._server.stop)
        return self._server.port

    def user(self) -> str:
        """Somebody who has no mail yet."""
        return f"user{next(self._numbers)}"

    def filled(self, count: int) -> str:
        """The owner of a mailbox with so many mails, which no benchmark changes."""
        if count not in self._filled:
            self._filled[count] = self.fill(count)
        return self._filled[count]

    def fill(self, count: int) -> str:
        """The same, but a mailbox that may be changed."""
        user = self.user()
        started = time.perf_counter()
        command = [sys.executable, "-m", "tests.benchmarks.filling", str(self.port), user, str(count)]
        subprocess.run(command, check=True, cwd=PROJECT)
        self.say(f"  {count:,} mails stored in {time.perf_counter() - started:.0f} s")
        return user

    def folder(self) -> Path:
        """An empty folder."""
        folder = Path(tempfile.mkdtemp(prefix="helpdesk-bench-"))
        self._ends.callback(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def site(self, user: str) -> Site:
        """A board on somebody's mailbox, with an empty database."""
        return Site(self.folder(), self.port, user).write()

    def synced(self, count: int) -> Site:
        """A board that knows its mailbox; benchmarks may change both, and leave them at rest."""
        if count not in self._synced:
            site = self.site(self.fill(count))
            ran = site.run()
            self.say(f"  {count:,} mails known after {ran.seconds:.1f} s")
            self._synced[count] = site
        return self._synced[count]

    @property
    def little(self) -> int:
        """How many mails a small mailbox has."""
        return max(self.messages // 100, 200)
