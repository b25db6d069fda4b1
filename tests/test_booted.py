"""The units on a real systemd: a board starts, works, is watched, saved and stopped, with all that is taken away from it."""

import json
import re
import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Login
from tests.databases import OnServer
from tests.servers.booted import MANUAL, Booted, why_not
from tests.servers.daemon import eventually
from tests.servers.installed import build
from tests.servers.postgres import PASSWORD
from tests.servers.process import free_port
from tests.world import mail

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

UNIT, TIMER = "helpdesk@dast", "helpdesk-backup@dast.timer"
CONFIG = """\
[board]
name = "dast"
list_address = "dast@lists.example.org"
act = "observe"
[imap]
host = "{imap.host}"
port = {imap.port}
security = "none"
username = "{imap.user}"
password_credential = "imap-password"
[smtp]
host = "127.0.0.1"
port = 9
security = "none"
sender = "dast-board@example.org"
[store]
url = "sqlite:////var/lib/helpdesk/dast/helpdesk.db"
[daemon]
http_port = {port}
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    with Booted(build("wheel", tmp_path_factory.mktemp("wheel"))) as machine:
        yield machine


@pytest.fixture
def board(machine: Booted, login: Callable[[str], Login], human_on: Callable[..., object]) -> Iterator[int]:
    """A board in /etc/helpdesk with one mail in its mailbox; the port of its pages."""
    imap, port = login("dovecot-mdbox"), free_port()
    human_on(imap).deliver("INBOX", mail("ann@users.example", "Jobs fail", "<a@x>"))  # type: ignore[attr-defined]
    machine.put("/etc/helpdesk/dast.toml", CONFIG.format(imap=imap, port=port), mode="640")
    machine.do("chgrp", "helpdesk", "/etc/helpdesk/dast.toml")
    machine.put("/etc/helpdesk/dast.imap-password", f"{imap.password}\n", mode="600")
    yield port
    machine.do("systemctl", "stop", UNIT)
    machine.run("systemctl", "reset-failed", UNIT)
    machine.do("sh", "-c", "rm -rf /var/lib/helpdesk/dast /run/said")


def health(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as page:
            return str(json.load(page)["status"])
    except (urllib.error.URLError, ConnectionError):
        return "nobody"


def test_the_unit_keeps_a_board(machine: Booted, board: int) -> None:
    """Started as on a server it is ready, sees its mailbox, is what systemctl says, looks on reload, and stops in peace."""
    machine.do("systemctl", "enable", "--now", UNIT, TIMER)
    assert (machine.show(UNIT, "ActiveState"), machine.show(TIMER, "ActiveState")) == ("active", "active")
    eventually(lambda: health(board) == "ok", f"a look succeeds: {machine.said}")
    eventually(lambda: "1 threads are open" in machine.show(UNIT, "StatusText"), "the status")
    pid = int(machine.show(UNIT, "MainPID"))
    status = machine.do("cat", f"/proc/{pid}/status")
    rights = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert (rights["CapBnd"], rights["NoNewPrivs"], rights["Seccomp"]) == ("0000000000000000", "1", "2")
    assert rights["Uid"].split()[0] == machine.do("id", "-u", "helpdesk")
    machine.do("systemctl", "reload", UNIT)
    assert int(machine.show(UNIT, "MainPID")) == pid
    shown = machine.do("sh", "-c", "stat -c '%a %U %n' /var/lib/helpdesk/dast /var/lib/helpdesk/dast/*")
    assert "700 helpdesk /var/lib/helpdesk/dast\n" in shown
    assert {line.split()[0] for line in shown.splitlines()[1:]} == {"600"}
    machine.do("systemctl", "disable", "--now", UNIT, TIMER)
    assert (machine.show(UNIT, "ActiveState"), machine.show(UNIT, "Result")) == ("inactive", "success")


def test_commands_have_the_unit_s_rights_and_secrets(machine: Booted, board: int) -> None:
    """`helpdeskctl` runs commands as the daemon's user, with its credentials, beside the daemon; exit codes come through."""
    machine.do("systemctl", "start", UNIT)
    eventually(lambda: health(board) == "ok", f"a look succeeds: {machine.said}")
    helpdeskctl = "/usr/local/sbin/helpdeskctl"
    checked = machine.run(helpdeskctl, "dast", "check", "--json")
    failed = [one["name"] for one in json.loads(checked.stdout)["checks"] if not one["ok"]]
    assert (checked.returncode, failed) == (3, ["smtp"])  # nobody listens there
    assert machine.run(helpdeskctl, "../dast", "threads").returncode == 2
    machine.do("systemctl", "start", "helpdesk-backup@dast")
    saved = machine.do("sh", "-c", "stat -c '%a %U %n' /var/backups/helpdesk/*").splitlines()
    assert [one.rpartition(".")[2] for one in saved] == ["db", "secret"]
    assert all(one.startswith("600 helpdesk /var/backups/helpdesk/dast-2") for one in saved)
    assert health(board) == "ok"


@pytest.mark.slow
def test_a_daemon_that_hangs_is_started_anew(machine: Booted, board: int) -> None:
    """When nothing feeds the watchdog, systemd ends the daemon and starts another, which works on."""
    machine.do("mkdir", "-p", f"/run/units/{UNIT}.service.d")
    quick = "[Service]\nWatchdogSec=3\nTimeoutAbortSec=1\nRestartSec=100ms\n"
    machine.put(f"/run/units/{UNIT}.service.d/quick.conf", quick)
    machine.do("systemctl", "daemon-reload")
    machine.do("systemctl", "start", UNIT)
    eventually(lambda: health(board) == "ok", f"a look succeeds: {machine.said}")
    hung = machine.show(UNIT, "MainPID")
    machine.do("kill", f"-{signal.SIGSTOP.value}", hung)
    eventually(lambda: machine.show(UNIT, "NRestarts") == "1", "it is started anew")
    eventually(lambda: health(board) == "ok", f"a look succeeds: {machine.said}")
    assert machine.show(UNIT, "MainPID") != hung
    machine.do("rm", "-r", f"/run/units/{UNIT}.service.d")
    machine.do("systemctl", "daemon-reload")


def on_server(config: str, place: OnServer) -> str:
    """The same board with its database on PostgreSQL, as docs/operations.md writes it."""
    [block] = re.findall(r"```toml\n(\[board\]\nsecret_file.*?)```", MANUAL.read_text(), flags=re.DOTALL)
    board, store = block.split("[store]\n")
    where = f"secretive@127.0.0.1:{place.server.port}/{place.name}"
    return config.replace("[board]\n", board).replace(
        '[store]\nurl = "sqlite:////var/lib/helpdesk/dast/helpdesk.db"\n',
        f"[store]\n{store.replace('dast@db.example.org/dast', where)}",
    )


def test_a_database_that_is_away_is_waited_for(machine: Booted, board: int, on_postgresql: OnServer) -> None:
    """A board whose PostgreSQL is not there is started again and again, and lives as soon as it can."""
    name, server = on_postgresql.name, on_postgresql.server
    server.do(f"DROP DATABASE {name} WITH (FORCE)", f"CREATE DATABASE {name} OWNER secretive")
    machine.do("mkdir", "-p", f"/run/units/{UNIT}.service.d")
    machine.put(f"/run/units/{UNIT}.service.d/quick.conf", "[Service]\nRestartSec=100ms\n")
    machine.do("systemctl", "daemon-reload")
    config = on_server(machine.do("cat", "/etc/helpdesk/dast.toml"), on_postgresql)
    machine.put("/etc/helpdesk/dast.toml", config, mode="640")
    machine.put("/etc/helpdesk/dast.database-password", f"{PASSWORD}\n", mode="600")
    server.stop()
    machine.run("systemctl", "start", UNIT)
    eventually(lambda: int(machine.show(UNIT, "NRestarts")) >= 2, f"it is started again: {machine.said}")
    assert machine.show(UNIT, "StartLimitIntervalUSec") == "0"
    assert "the database: connection failed" in machine.said
    server.start()
    eventually(lambda: health(board) == "ok", f"a look succeeds: {machine.said}")
    assert machine.do("stat", "-c", "%a", "/var/lib/helpdesk/dast/helpdesk.secret") == "600"
    machine.do("systemctl", "stop", UNIT)
    machine.do("rm", "-r", f"/run/units/{UNIT}.service.d", "/etc/helpdesk/dast.database-password")
    machine.do("systemctl", "daemon-reload")


@pytest.mark.usefixtures("board")
def test_a_wrong_configuration_waits_for_a_person(machine: Booted) -> None:
    """A configuration that is wrong, or a password that is not there, ends the unit with 2 and starts nothing anew."""
    machine.do("rm", "/etc/helpdesk/dast.imap-password")
    machine.run("systemctl", "start", UNIT)
    eventually(lambda: machine.show(UNIT, "ActiveState") == "failed", "it has ended")
    assert (machine.show(UNIT, "ExecMainStatus"), machine.show(UNIT, "NRestarts")) == ("2", "0")
    assert "imap-password: the secret is empty" in machine.said
