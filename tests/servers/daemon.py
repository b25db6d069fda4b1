"""The daemon as a process of its own, on private servers."""

import json
import multiprocessing
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Self

from helpdesk import app
from helpdesk.errors import HelpdeskError
from tests.conftest import Login
from tests.servers.process import free_port
from tests.servers.smtp_sink import SmtpSink

PATIENCE: Final = 30.0
"""Seconds after which something that takes a moment counts as never."""

_PROCESSES: Final = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["helpdesk.app"])  # so that a daemon starts in no time


def _serve(config: Path, silence: float | None, environment: Mapping[str, str], log: Path) -> None:
    """What the new process does: as `helpdesk run`, with all its words in a file."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ.update(environment)
    try:
        sys.exit(app.serve(app.load(config), silence=None if silence is None else timedelta(seconds=silence)))
    except HelpdeskError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)


CONFIG: Final = """\
[board]
name = "dast"
list_address = "dast@lists.example.org"
secret_file = "helpdesk.secret"
[imap]
host = "{imap.host}"
port = {imap_port}
security = "none"
username = "{imap.user}"
password_env = "{password_env}"
[smtp]
host = "{smtp.host}"
port = {smtp.port}
security = "none"
sender = "dast-board@example.org"
{smtp_login}
[store]
url = "{url}"
[daemon]
poll_seconds = {poll_seconds}
http_port = {http_port}
[policy]
settle_seconds = {settle_seconds}
escalation_grace_minutes = 0
[[people]]
name = "Aiden Archer"
addresses = ["aiden@example.org"]
roles = ["shifter", "admin"]
[[destination]]
label = "GGUS"
address = "ggus@tracker.example.net"
mode = "mail"
"""


def eventually(check: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait until something is so, and return what `check` found."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.05)
    raise AssertionError(f"after {seconds:.0f} seconds still not so: {what}")


@dataclass
class Setting:
    """One board: its folder, its servers, its configuration."""

    folder: Path
    imap: Login
    smtp: SmtpSink
    poll_seconds: float = 3600  # nothing happens by polling, unless a test wants it to
    settle_seconds: float = 0
    password_env: str = "MAILBOX_PASSWORD"
    smtp_login: str = ""
    imap_port: int = 0  # 0: the server's own
    http_port: int = field(default_factory=free_port)
    database: str = ""  # none: a SQLite file in the folder
    more: str = ""  # sections of the configuration

    @property
    def url(self) -> str:
        """The database."""
        return self.database or f"sqlite:///{self.folder / 'helpdesk.db'}"

    def write(self) -> Path:
        """Write the configuration; its file."""
        path = self.folder / "helpdesk.toml"
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        values |= {"imap_port": self.imap_port or self.imap.port, "url": self.url}
        path.write_text(CONFIG.format_map(values) + self.more)
        return path


class Daemon:
    """A running daemon; at the end of a `with` it is stopped, by force if need be."""

    def __init__(
        self, setting: Setting, *, silence: float | None = None, more: Mapping[str, str] | None = None
    ) -> None:
        self.setting = setting
        self._log = setting.folder / f"daemon-{time.monotonic_ns()}.log"
        environment = {"MAILBOX_PASSWORD": setting.imap.password, **(more or {})}
        self._process = _PROCESSES.Process(
            target=_serve, args=(setting.write(), silence, environment, self._log), name="daemon"
        )
        self._process.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join(10)
        self._process.close()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid or 0

    def send(self, sign: signal.Signals) -> None:
        """Give it a signal, if it is still there."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, sign)

    def runs(self) -> bool:
        """Whether it still does."""
        return self._process.exitcode is None

    def wait(self) -> int:
        """Wait until it has ended by itself; its exit code."""
        self._process.join(PATIENCE)
        code = self._process.exitcode
        assert code is not None, f"the daemon does not end:\n{self.said}"
        return code

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    @property
    def said(self) -> str:
        """All that it has written."""
        return self._log.read_text() if self._log.exists() else ""

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The lines of the log about one kind of event."""
        found = []
        for text in self.said.splitlines():
            with suppress(json.JSONDecodeError):  # the last line may be half written
                line = json.loads(text)
                if line.get("event") == event:
                    found.append(line)
        return found

    def until(self, event: str, count: int = 1) -> dict[str, Any]:
        """Wait for the `count`-th line about an event."""
        try:
            eventually(
                lambda: len(self.lines(event)) >= count or not self.runs(), f"{event!r}, {count} times"
            )
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said}") from None
        found = self.lines(event)
        assert len(found) >= count, self.said
        return found[count - 1]

    def get(self, path: str) -> tuple[int, str]:
        """Ask it over HTTP; status 0 when nobody listens."""
        address = f"http://127.0.0.1:{self.setting.http_port}{path}"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""
