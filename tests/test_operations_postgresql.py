"""docs/operations.md on PostgreSQL, word for word: a database is made, saved under a running daemon, and brought back."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk.store import migrations
from tests.conftest import Login
from tests.databases import OnServer
from tests.desk import Desk
from tests.human import ImapHuman
from tests.memory_server import MemoryServer
from tests.servers.daemon import Daemon, Setting, eventually
from tests.servers.postgres import PROGRAMS
from tests.servers.smtp_sink import SmtpSink
from tests.test_operations import BLOCKS
from tests.world import mail

TOOLS = ("createdb", "psql", "pg_dump", "pg_restore")
GGUS = "ggus@tracker.example.net"


def lines(*begins: str) -> list[str]:
    """What the page tells people to type, of the blocks that have such a line: each line that begins so."""
    blocks = [block.splitlines() for block in BLOCKS if any(tool in block for tool in TOOLS)]
    return [line.partition("#")[0].strip() for block in blocks for line in block if line.startswith(begins)]


def type_on(place: OnServer, folder: Path, line: str) -> None:
    """Do what the page says, with the name of this database, as the user who owns it."""
    words = re.sub(r"\bdast\b(?!\.dump)", place.name, line).replace("dast_before", f"{place.name}_saved")
    words = words.replace(f"--owner {place.name}", "--owner helpdesk")
    known = {"PGHOST": "127.0.0.1", "PGPORT": str(place.server.port), "PGUSER": "helpdesk"}
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", words],
        cwd=folder,
        env={**known, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{words}: {done.stderr}"


def test_a_board_is_saved_and_brought_back(
    tmp_path: Path, login: Callable[[str], Login], human_on: Callable[[Login], ImapHuman],
    on_postgresql: OnServer, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Saved while the daemon works and brought back after it has mailed: mails are held, none goes out twice, the board goes on."""
    place = on_postgresql
    place.drop()
    [make] = set(lines("createdb"))
    type_on(place, tmp_path, make)
    with SmtpSink() as sink:
        setting = Setting(tmp_path, login("dovecot-mdbox"), sink, poll_seconds=0.5, database=place.url)
        monkeypatch.setenv("MAILBOX_PASSWORD", setting.imap.password)
        human = human_on(setting.imap)

        def told() -> list[bytes]:
            return [one.content for one in sink.received if GGUS in one.recipients]

        def escalate(name: str, count: int) -> None:
            """A thread is escalated, and the board's own copy of the mail comes home."""
            uid = human.deliver("INBOX", mail("ann@users.example", f"Jobs {name} fail", f"<{name}@x>"))
            human.add_flags("INBOX", [uid], ["ggus"])
            eventually(lambda: len(told()) == count, f"{name} is escalated")
            human.deliver("INBOX", told()[-1])

        with Daemon(setting) as daemon:
            daemon.until("looked")
            escalate("first", 1)
            type_on(place, tmp_path, *lines("pg_dump"))
            escalate("second", 2)
            assert daemon.stop() == 0
        for line in lines("psql", "createdb", "pg_restore")[1:]:
            type_on(place, tmp_path, line)
        desk = Desk(setting.folder, MemoryServer())
        assert migrations.check(place.url) == []
        assert desk.read("plan", code=1)["held"][0]["what"] == "mails"
        with Daemon(setting) as daemon:
            assert daemon.until("held")["what"] == ["mails"]
            assert desk.say("resume").code == 0
            daemon.until("held no more")
            escalate("third", 3)
            assert daemon.stop() == 0
        subjects = [re.findall(rb"Jobs (\w+) fail", one)[0] for one in told()]
        assert subjects == [b"first", b"second", b"third"]
