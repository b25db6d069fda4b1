"""The systemd files: right by systemd's own tools, closed as far as a mail client can be, and true to the code."""

import configparser
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from helpdesk import daemon, heart
from helpdesk.errors import UsageError
from tests.servers.installed import PROJECT

UNITS = PROJECT / "deploy" / "systemd"
PROGRAM = "/opt/helpdesk/bin/helpdesk"
MOST_EXPOSED = {"helpdesk@.service": 1.2, "helpdesk-backup@.service": 0.3}
"""What `systemd-analyze security` (252) may find at most, on its scale from 0 to 10; it calls 1.2 OK."""

needs_systemd = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("systemd-analyze", "systemd-sysusers", "systemd-tmpfiles")),
    reason="systemd is not installed",
)


def say(*command: str) -> str:
    """What a tool says that ends well."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def unit(name: str) -> dict[str, list[str]]:
    """The settings of a unit, each with all its values."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


@needs_systemd
def test_systemd_takes_the_units_as_they_are(tmp_path: Path) -> None:
    """`systemd-analyze verify` says nothing about any unit, once its program is there."""
    for path in [*UNITS.glob("*.service"), *UNITS.glob("*.timer")]:
        (tmp_path / path.name).write_text(path.read_text().replace(PROGRAM, sys.executable))
    files = [str(path) for path in tmp_path.iterdir()]
    assert len(files) == 3
    assert say("systemd-analyze", "verify", "--man=no", *files) == ""


@needs_systemd
@pytest.mark.parametrize("name", list(MOST_EXPOSED))
def test_the_services_are_closed(name: str) -> None:
    """`systemd-analyze security` finds no more exposure than what a daemon that talks to mail servers needs."""
    told = say("systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / name))
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert found is not None
    assert float(found[1]) <= MOST_EXPOSED[name], told


@needs_systemd
def test_the_user_and_the_folders_are_made(tmp_path: Path) -> None:
    """A user is made who cannot log in, and strangers are kept from configurations and backups."""
    (tmp_path / "etc").mkdir()
    say("systemd-sysusers", f"--root={tmp_path}", str(UNITS / "helpdesk.sysusers"))
    users = (tmp_path / "etc/passwd").read_text()
    assert re.fullmatch(r"helpdesk:x:\d+:\d+:Helpdesk boards:/var/lib/helpdesk:/usr/sbin/nologin\n", users)
    rows = [
        line.split() for line in (UNITS / "helpdesk.tmpfiles").read_text().splitlines() if line[:1] == "d"
    ]
    assert [(row[1], row[2]) for row in rows] == [
        ("/etc/helpdesk", "0750"),
        ("/var/lib/helpdesk", "0755"),
        ("/var/backups/helpdesk", "0700"),
    ]
    created = [f"--root={tmp_path}", "--create"] if _is_root() else ["--cat-config"]
    say("systemd-tmpfiles", *created, str(UNITS / "helpdesk.tmpfiles"))
    if _is_root():
        assert {f"{(tmp_path / row[1][1:]).stat().st_mode & 0o7777:04o}" for row in rows} == {
            "0750",
            "0755",
            "0700",
        }


def _is_root() -> bool:
    return Path("/proc/self").stat().st_uid == 0


def test_the_unit_is_true_to_the_daemon() -> None:
    """Watchdog, patience and exit codes of the unit are those that the daemon lives by."""
    service = unit("helpdesk@.service")
    assert float(service["WatchdogSec"][0]) >= 3 * heart.LONGEST_INTERVAL
    assert float(service["TimeoutStopSec"][0]) > daemon.DRAIN_SECONDS
    assert service["RestartPreventExitStatus"] == [str(UsageError.exit_code)]
    assert service["ExecStart"] == [f"{PROGRAM} --config /etc/helpdesk/%i.toml run"]
    assert (service["Type"], service["LimitCORE"]) == (["notify"], ["0"])
    assert (service["Restart"], service["StartLimitIntervalSec"]) == (["on-failure"], ["0"])  # for ever


def test_a_command_gets_what_the_daemon_gets() -> None:
    """`helpdeskctl` hands over every credential of the unit, its user, its folder and its mask."""
    service, script = unit("helpdesk@.service"), (UNITS / "helpdeskctl").read_text()
    for key in ("LoadCredential", "SetCredential"):
        for value in service[key]:
            assert f"{key}={value.replace('%i', '$board')}" in script
    assert f"--uid={service['User'][0]} --gid={service['Group'][0]}" in script
    for key in ("StateDirectory", "StateDirectoryMode", "WorkingDirectory", "UMask"):
        assert f"--property={key}={service[key][0].replace('%i', '$board')}" in script.replace('"', "")
    assert subprocess.run(["sh", "-n", str(UNITS / "helpdeskctl")], check=False).returncode == 0
    assert (UNITS / "helpdeskctl").stat().st_mode & 0o111


@pytest.mark.parametrize("args", [[], ["--help"], ["../etc", "plan"]])
def test_a_command_without_a_board_says_how(args: Sequence[str]) -> None:
    """`helpdeskctl` without a board's plain name shows its usage and ends with 2."""
    done = subprocess.run([str(UNITS / "helpdeskctl"), *args], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: helpdeskctl BOARD COMMAND")


def test_backups_come_daily_and_go() -> None:
    """The timer starts the backup every day, also after a night without power; old ones go when a new one was made, and never by their age."""
    timer = configparser.ConfigParser()
    timer.read(UNITS / "helpdesk-backup@.timer")
    assert timer["Timer"]["Persistent"] == "yes"
    assert unit("helpdesk-backup@.service")["ReadWritePaths"] == ["/var/backups/helpdesk"]
    assert "db backup --keep 30 /var/backups/helpdesk" in unit("helpdesk-backup@.service")["ExecStart"][0]
    [row] = [line for line in (UNITS / "helpdesk.tmpfiles").read_text().splitlines() if "/backups/" in line]
    assert row.split()[-1] == "-"
    if shutil.which("systemd-analyze"):
        say("systemd-analyze", "calendar", timer["Timer"]["OnCalendar"])
