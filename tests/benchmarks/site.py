"""A board on a private server: its configuration, and its runs in a process of their own or in this one."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from helpdesk import app, cycle
from helpdesk.board import Board
from helpdesk.model import Place
from helpdesk.ports import Mailbox
from helpdesk.report import Report
from helpdesk.store.core import COPY, FOLDER, MESSAGE
from tests.benchmarks.letters import SHIFTERS, address
from tests.servers.dovecot import PASSWORD

PROJECT: Final = Path(__file__).parent.parent.parent
RULE: Final = "stage-in timeout"
"""The one rule of ours and of all peers: mails with this in the subject get the label `docs`."""

_SECRET: Final = "HELPDESK_BENCH_PASSWORD"
_PEOPLE: Final = "".join(
    f'[[people]]\nname = "{name.capitalize()}"\naddresses = ["{address(name)}"]\nroles = ["shifter"]\n'
    for name in SHIFTERS
)
_CONFIG: Final = """\
[board]
name = "dast"
list_address = "dast@lists.example.org"
list_ids = ["dast.lists.example.org"]
act = "act"
[imap]
host = "127.0.0.1"
port = {port}
security = "none"
username = "{user}"
password_env = "{secret}"
[smtp]
host = "127.0.0.1"
port = 9
security = "none"
sender = "dast-board@example.org"
[daemon]
poll_seconds = 3600
[policy]
settle_seconds = 0
{people}
[[destination]]
label = "GGUS"
address = "ggus@tracker.example.net"
mode = "mail"
[[label]]
name = "docs"
meaning = "should go into the documentation"
[[rule]]
name = "timeouts"
when = {{ subject = "{rule}" }}
add = ["docs"]
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """One process: how long it took, and what it said."""

    seconds: float
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lying:
    """A thread, and those of its mails that lie in one folder."""

    uids: Sequence[int]
    ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Keeper:
    """A board with its database and its connection open, as in the daemon."""

    board: Board
    mailbox: Mailbox

    def run(self) -> tuple[float, Report]:
        """Cycles until nothing is left to do, as the daemon does them, and how long they took."""
        started = time.perf_counter()
        now, allowed = app.clock(), cycle.budget(self.board)
        total = last = cycle.cycle(self.board, self.mailbox, now, allowed)
        while last.again:
            last = cycle.cycle(self.board, self.mailbox, now, allowed)
            total.add(last)
        seconds = time.perf_counter() - started
        if total.held:
            raise RuntimeError(f"the board holds something: {total.held}")
        return seconds, total

    def threads(self, place: Place) -> Sequence[Lying]:
        """The threads of which all mails lie in this place (copies in Sent do not count), those with the oldest mail first."""
        query = select(MESSAGE.c.thread, FOLDER.c.place, COPY.c.uid, MESSAGE.c.message_id)
        rows = query.join(COPY, COPY.c.message == MESSAGE.c.id).join(FOLDER, FOLDER.c.id == COPY.c.folder)
        here: dict[int, list[tuple[int, str]]] = {}
        elsewhere: set[int] = set()
        with self.board.engine.connect() as conn:
            for thread, lies, uid, own in conn.execute(rows.order_by(MESSAGE.c.time, MESSAGE.c.id)):
                if lies == place.value:
                    here.setdefault(thread, []).append((uid, own))
                elif lies != Place.SENT.value:
                    elsewhere.add(thread)
        return [
            Lying([uid for uid, _ in mails], [own for _, own in mails])
            for thread, mails in here.items()
            if thread not in elsewhere
        ]


@dataclass(frozen=True, slots=True)
class Site:
    """A board's folder, and whose mailbox it keeps."""

    folder: Path
    port: int
    user: str

    def write(self) -> "Site":
        """Write the configuration."""
        values = {"port": self.port, "user": self.user, "secret": _SECRET, "people": _PEOPLE, "rule": RULE}
        self._config.write_text(_CONFIG.format_map(values))
        return self

    def process(self, *args: str) -> "subprocess.Popen[str]":
        """A command of ours, started as a process."""
        command = [sys.executable, "-m", "helpdesk"]
        environment = {**os.environ, _SECRET: PASSWORD}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed is compiled once
        with (self.folder / "stderr").open("w") as errors:
            return subprocess.Popen(
                [*command, "--config", str(self._config), *args],
                env=environment,
                cwd=PROJECT,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def run(self) -> Ran:
        """`helpdesk run --once`."""
        started = time.perf_counter()
        process = self.process("run", "--once", "--json")
        said, _ = process.communicate()
        seconds = time.perf_counter() - started
        if process.returncode:
            raise RuntimeError(
                f"helpdesk run ended with {process.returncode}: {self.said[-2000:]}{said[-2000:]}"
            )
        return Ran(seconds, json.loads(said))

    def weigh(self) -> int:
        """The most memory that a run and its helpers have together, in octets; a page that several share counts once (PSS)."""
        process = self.process("run", "--once", "--json")
        reader = threading.Thread(target=process.communicate)
        reader.start()
        most = 0
        while reader.is_alive():
            most = max(most, sum(map(_weight, _family(process.pid))))
            reader.join(0.1)
        if process.returncode:
            raise RuntimeError(f"helpdesk run ended with {process.returncode}: {self.said[-2000:]}")
        return most

    @property
    def said(self) -> str:
        """What the last process had to say besides its output."""
        return (self.folder / "stderr").read_text()

    @contextmanager
    def open(self) -> Iterator[Keeper]:
        """Keep the board in this process."""
        os.environ[_SECRET] = PASSWORD
        settings = app.load(self._config)
        with app.opened(settings, writing=True) as engine, app.mailbox(settings) as mailbox:
            yield Keeper(app.board(settings, engine, sending=None, create=True), mailbox)

    @property
    def _config(self) -> Path:
        return self.folder / "helpdesk.toml"


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):  # it has ended
        yield from map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def _weight(pid: int) -> int:
    with suppress(OSError):
        found = re.search(r"^Pss:\s*(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        return 1024 * int(found[1]) if found else 0
    return 0
