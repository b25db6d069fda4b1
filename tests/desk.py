"""A board, its mailbox in memory or on a real server, and somebody who types commands."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from helpdesk import app
from helpdesk.cli import commands
from helpdesk.ports import Mailbox
from helpdesk.settings import Settings
from tests.conftest import Login
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.world import mail

T0: Final = "2026-06-08T08:00Z"
T1: Final = "2026-06-08T09:00Z"
T2: Final = "2026-06-08T10:00Z"
PROJECT: Final = Path(__file__).parent.parent
NOWHERE: Final = 9  # the port "discard": nobody listens

CONFIG: Final = """\
[board]
name = "dast"
list_address = "dast@lists.example.org"
act = "{act}"
[imap]
host = "127.0.0.1"
port = {imap}
security = "none"
username = "{user}"
password_env = "HELPDESK_TEST_PASSWORD"
[smtp]
host = "127.0.0.1"
port = {smtp}
security = "none"
sender = "dast-board@example.org"
[policy]
settle_seconds = 0
escalation_grace_minutes = {grace}
[[people]]
name = "Ann Archer"
addresses = ["ann@example.org"]
roles = ["shifter"]
[[destination]]
label = "GGUS"
address = "ggus@tracker.example.net"
components = ["Ganga"]
[[label]]
name = "newbie"
meaning = "be kind"
[[rule]]
name = "mc08"
when = {{ subject = "mc08" }}
add = ["newbie"]
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


@dataclass
class Desk:
    """Commands for one board, run in this process; `server` is its mailbox."""

    folder: Path
    server: MemoryServer
    runner: CliRunner = field(default_factory=lambda: CliRunner(env={"COLUMNS": "80", "TERM": "dumb"}))

    @property
    def config(self) -> Path:
        return self.folder / "helpdesk.toml"

    @property
    def database(self) -> Path:
        return self.folder / "helpdesk.db"

    def write_config(
        self, *, act: str = "act", smtp: int = NOWHERE, imap: int = NOWHERE, grace: int = 0, more: str = ""
    ) -> None:
        text = CONFIG.format(act=act, smtp=smtp, imap=imap, grace=grace, user="dast")
        self.config.write_text(text + more)

    def say(self, *args: str, typed: str | None = None, columns: int = 80) -> Said:
        """Run a command."""
        env = {"COLUMNS": str(columns)}
        told = self.runner.invoke(commands, ["--config", str(self.config), *args], input=typed, env=env)
        if told.exception is not None and not isinstance(told.exception, SystemExit):
            raise told.exception
        return Said(told.exit_code, told.stdout, told.stderr)

    def read(self, *args: str, code: int = 0) -> Any:
        """The JSON document of a command that ends with this exit code."""
        said = self.say(*args, "--json")
        assert (said.code, said.err) == (code, ""), said
        return said.document

    def run(self, now: str, code: int = 0) -> Any:
        """One run at a simulated time."""
        return self.read("run", "--once", "--now", now, code=code)

    def deliver(self, subject: str, message_id: str, sender: str = "bob@uni.example", **more: Any) -> int:
        """Let a mail arrive in the inbox."""
        return self.server.deliver("INBOX", mail(sender, subject, message_id, **more))

    def thread(self, message_id: str) -> str:
        """The id of a message's thread."""
        found: str = next(
            t["id"] for t in self.read("threads") if message_id in {m["message_id"] for m in t["messages"]}
        )
        return found

    def story(self, message_id: str) -> Sequence[Any]:
        """What was done to a message's thread."""
        story: Sequence[Any] = self.read("show", self.thread(message_id))["story"]
        return story

    def mailbox_state(self) -> dict[str, object]:
        """Everything that a write could change in the mailbox."""
        return {
            name: (
                f.uidvalidity,
                f.uidnext,
                f.modseq,
                f.subscribed,
                [(m.uid, m.flags) for m in f.mails.values()],
            )
            for name, f in self.server.tree.items()
        }

    def files(self) -> dict[str, bytes]:
        """Every file beside the database."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir()) if path.is_file()}


def memory_desk(folder: Path, patch: pytest.MonkeyPatch, server: MemoryServer | None = None) -> Desk:
    """A desk whose commands find the memory server behind `app.mailbox`."""
    desk = Desk(folder, server or MemoryServer())

    @contextmanager
    def mailbox(_settings: Settings, _engine: Engine | None = None) -> Iterator[Mailbox]:
        yield MemoryMailbox(desk.server)

    patch.setattr(app, "mailbox", mailbox)
    patch.setenv("HELPDESK_TEST_PASSWORD", "secret")
    desk.write_config()
    return desk


def process(folder: Path, *args: str, seconds: float = 60, **env: str) -> Said:
    """Run a command as a process of its own in `folder`."""
    told = subprocess.run(
        [sys.executable, "-m", "helpdesk", *args],
        cwd=folder,
        env=environment(**env),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Said(told.returncode, told.stdout, told.stderr)


def environment(**env: str) -> dict[str, str]:
    """The environment of a command's process."""
    return {**os.environ, "PYTHONPATH": str(PROJECT), "HELPDESK_TEST_PASSWORD": "secret", **env}


def real_config(folder: Path, login: Login, *, smtp: int = NOWHERE, act: str = "act") -> None:
    """A configuration for a user of a private server."""
    text = CONFIG.format(act=act, smtp=smtp, imap=login.port, grace=0, user=login.user)
    (folder / "helpdesk.toml").write_text(text)
