"""The commands as people meet them: help, options, exit codes, and what they print."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from helpdesk import app
from tests.conftest import Login
from tests.desk import T0, T1, Desk, environment, memory_desk, process, real_config
from tests.human import ImapHuman
from tests.servers.smtp_sink import SmtpSink
from tests.world import mail

COMMANDS = (
    "init", "check", "run", "plan", "undo", "release", "resume", "threads", "show", "labels", "explain-rules", "ledger",
    "outbox list", "outbox show", "outbox retry", "outbox drop", "db upgrade", "db check", "db backup", "db restore", "demo", "replay", "shifts",
    "robots evaluate", "loadtest run", "loadtest list", "loadtest report", "loadtest stop",
)  # fmt: skip

HOSTILE = (
    "\x1b[31mred\x1b]0;title\x07 \u202egnp.exe [/foo] [bold]x[/bold] :smile: =?utf-8?q?a=0D=0ABcc=3A_x?="
)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return memory_desk(tmp_path, monkeypatch)


# -- help and options --------------------------------------------------------------------------------------------


def test_help_groups_every_command(desk: Desk) -> None:
    """`helpdesk --help` names every command of today under what it is for, and none of tomorrow."""
    told = desk.say("--help").out
    assert all(name.split()[0] in told for name in COMMANDS)
    assert all(panel in told for panel in ("Set up", "Every day", "Look", "Care"))
    assert "site build" not in told


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_teaches_with_an_example(desk: Desk, name: str) -> None:
    """Each command's --help shows a line that can be typed as it is."""
    said = desk.say(*name.split(), "--help")
    assert said.code == 0
    assert f"helpdesk {name}" in " ".join(said.out.split())


def test_config_may_stand_before_and_after_the_command(desk: Desk, tmp_path: Path) -> None:
    """--config works on both sides of a command's name, and the one after it wins."""
    other = tmp_path / "other.toml"
    other.write_text(desk.config.read_text().replace('"dast"', '"tier0"', 1))
    assert desk.read("run", "--once", "--now", T0)["held"] == []
    desk.deliver("Jobs fail", "<a@x>")
    desk.run(T1)
    assert desk.read("threads")[0]["id"].startswith("dast-")
    assert desk.read("threads", "-c", str(other))[0]["id"].startswith("tier0-")
    assert "none.toml" in desk.say("outbox", "-c", str(tmp_path / "none.toml"), "list").err


def test_a_missing_configuration_is_bad_usage(tmp_path: Path) -> None:
    """Without a configuration a command says so on stderr and ends with 2."""
    said = process(tmp_path, "threads", "--json")
    assert (said.code, said.out) == (2, "")
    assert "helpdesk.toml" in said.err
    assert "Traceback" not in said.err


def test_every_problem_of_a_configuration_is_told_at_once(desk: Desk) -> None:
    """A wrong configuration ends every command with 2 and all problems with their lines."""
    desk.write_config(more="[polcy]\nx = 1\n[daemon]\npoll_seconds = -1\n")
    said = desk.say("threads", "--json")
    assert (said.code, said.out) == (2, "")
    assert "did you mean policy" in said.err
    assert "poll_seconds" in said.err


def test_check_tells_a_wrong_configuration_as_json_too(desk: Desk) -> None:
    """`check --json` lists the problems of a configuration as failed checks, and still ends with 2."""
    desk.write_config(more="[polcy]\nx = 1\n")
    said = desk.say("check", "--json")
    assert said.code == 2
    assert not said.document["ok"]
    assert "polcy" in said.document["checks"][0]["what"]
    assert "polcy" in said.err


@pytest.mark.parametrize(
    "args",
    [
        ["show", "zzzzz"],
        ["show", "no such thread!"],
        ["undo", "zzzz"],
        ["undo", "--thread", "zzzzz"],
        ["undo"],
        ["undo", "a", "--thread", "b"],
        ["outbox", "show", "77"],
        ["outbox", "retry", "77"],
        ["outbox", "drop", "77"],
        ["threads", "--state", "happy"],
        ["run", "--now", T1],
        ["run", "--json"],
        ["run", "--once", "--now", "yesterday"],
        ["plan", "--now", "2026-13-01"],
        ["release", "a:b", "1"],
        ["explain-rules", "no-such-file.eml"],
        ["init"],
        ["shifts"],
    ],
)
def test_what_cannot_be_meant_is_bad_usage(desk: Desk, args: list[str]) -> None:
    """Unknown threads, actions, mails, states, times and commands end with 2, a sentence on stderr and nothing on stdout."""
    desk.deliver("Jobs fail", "<a@x>")
    desk.run(T0)
    said = desk.say(*args)
    assert (said.code, said.out) == (2, "")
    assert said.err.strip()


def test_a_database_that_is_not_there_is_not_made_by_looking(desk: Desk) -> None:
    """Reading commands say that the board has not run yet, and make no file."""
    before = desk.files()
    for args in (["threads"], ["show", "abcde"], ["ledger"], ["outbox", "list"], ["undo", "abc"], ["resume"]):
        assert desk.say(*args).code == 2
    assert desk.say("db", "check").code == 1
    assert desk.files() == before


def test_nothing_in_the_json_but_one_document(desk: Desk) -> None:
    """Every command prints with --json exactly one document on stdout and nothing on stderr."""
    desk.deliver("Jobs fail", "<a@x>")
    desk.run(T0)
    (desk.folder / "mail.eml").write_bytes(mail("bob@uni.example", "mc08", "<m@x>"))
    thread = desk.thread("<a@x>")
    for args in (
        ["plan"], ["run", "--once"], ["threads"], ["show", thread], ["labels"], ["ledger"], ["outbox", "list"],
        ["explain-rules", str(desk.folder / "mail.eml")], ["release", "Ganga", "5.2"], ["resume"], ["db", "check"],
        ["db", "upgrade"],
    ):  # fmt: skip
        said = desk.say(*args, "--json")
        assert (said.code, said.err) == (0, ""), args
        assert said.out.count("\n") == 1
        json.loads(said.out)


# -- what strangers write ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_hostile_subjects_are_harmless(desk: Desk, columns: int) -> None:
    """No escape, bidi mark, line end or markup of a mail reaches the terminal, and the JSON is pure ASCII."""
    desk.server.deliver(
        "INBOX", b"From: bob@uni.example\r\nMessage-ID: <a@x>\r\nSubject: " + HOSTILE.encode() + b"\r\n\r\nx"
    )
    desk.run(T0)
    for args in (["threads"], ["show", desk.thread("<a@x>")]):
        said = desk.say(*args, columns=columns)
        assert said.code == 0
        assert all(sign.isprintable() for line in said.out.splitlines() for sign in line)
        assert "\u202e" not in said.out
        assert "[/foo]" in "".join(said.out.split())
        assert all(len(line) <= columns for line in said.out.splitlines()), said.out
        assert desk.say(*args, "--json").out.isascii()


# -- time --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["2026-06-08T08:00Z", "2026-06-08T08:00", "2026-06-08 10:00:00+02:00"])
def test_times_are_iso_8601(desk: Desk, text: str) -> None:
    """--now takes any ISO 8601 time, and one without a zone is UTC."""
    assert desk.run(text)["now"] == "2026-06-08T08:00:00Z"


def test_a_simulated_database_stays_simulated(desk: Desk) -> None:
    """A missing --now is the last cycle's, a forward jump is fine, a backward one is held, and the daemon refuses."""
    desk.run("2026-06-08T08:00Z")
    assert desk.read("run", "--once")["now"] == "2026-06-08T08:00:00Z"
    assert desk.run("2027-06-08T08:00Z")["held"] == []
    held = desk.run("2026-06-08T08:00Z", code=1)["held"]
    assert [one["what"] for one in held] == ["clock"]
    assert [one["what"] for one in desk.read("plan", "--now", T0, code=1)["held"]] == ["clock"]
    said = process(desk.folder, "run")
    assert (said.code, said.out) == (2, "")
    assert "simulated" in said.err


def test_a_clock_that_was_wrong_once_stops_no_scheduled_job(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a run at a clock a year ahead the next one is held, and goes on after `resume`; a step back of a minute is nothing."""
    now = datetime(2026, 6, 8, 8, 0, tzinfo=UTC)
    for moment, held in (
        (now + timedelta(days=365), []),
        (now, ["clock"]),
        (now - timedelta(minutes=1), ["clock"]),
    ):
        monkeypatch.setattr(app, "clock", lambda at=moment: at)
        assert [one["what"] for one in desk.read("plan", code=bool(held))["held"]][:1] == held
        assert [one["what"] for one in desk.read("run", "--once", code=bool(held))["held"]][:1] == held
    desk.deliver("All jobs fail mc08", "<1@x>")
    desk.read("resume")
    monkeypatch.setattr(app, "clock", lambda: now - timedelta(minutes=2))
    assert desk.read("run", "--once")["held"] == []
    assert desk.read("threads")[0]["labels"] == ["newbie"]


def test_a_real_database_takes_no_simulated_time(desk: Desk) -> None:
    """--now on a database with real cycles is bad usage, but for `plan`."""
    assert desk.read("run", "--once")["held"] == []
    assert desk.say("run", "--once", "--now", "2199-01-01").code == 2
    assert desk.read("plan", "--now", "2199-01-01")["now"] == "2199-01-01T00:00:00Z"


# -- the servers -------------------------------------------------------------------------------------------------


def test_plan_changes_nothing(desk: Desk) -> None:
    """`plan` shows what a run would do and leaves database, files and mailbox as they were, byte for byte."""
    desk.run(T0)
    uid = desk.deliver("mc08 again", "<a@x>")
    desk.server.add_flags("INBOX", [uid], ["ggus"])
    files, mailbox = desk.files(), desk.mailbox_state()
    planned = desk.read("plan", "--now", T1)
    assert (desk.files(), desk.mailbox_state()) == (files, mailbox)
    assert {"add_label"} <= {action["kind"] for action in planned["actions"]}
    done = desk.say("run", "--once", "--json", "--now", T1).document  # nobody takes its mail
    assert {(a["kind"], a["what"]) for a in planned["actions"]} == {
        (a["kind"], a["what"]) for a in done["actions"]
    }


def test_a_server_that_is_down_ends_with_3(tmp_path: Path) -> None:
    """A server that cannot be reached is a sentence and exit code 3, for every command that needs it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        real_config(tmp_path, Login("none", "127.0.0.1", taken.getsockname()[1], "dast", "secret"))
        for args in (["run", "--once"], ["plan"], ["ledger"], ["release", "Ganga", "5"]):
            said = process(tmp_path, *args, "--json")
            assert (said.code, said.out) == (3, "")
            assert "127.0.0.1" in said.err
            assert "-> [imap] host and port: nothing listens there" in said.err
            assert "Traceback" not in said.err
        said = process(tmp_path, "check", "--json")
        assert said.code == 3
        assert {one["name"]: one["ok"] for one in said.document["checks"]}["imap"] is False


def test_control_c_is_quiet(tmp_path: Path) -> None:
    """Ctrl-C while a server keeps us waiting ends with 130 and without a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        real_config(tmp_path, Login("none", "127.0.0.1", silent.getsockname()[1], "dast", "secret"))
        command = [sys.executable, "-m", "helpdesk", "plan"]
        with (
            subprocess.Popen(
                command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as waiting,
            silent.accept()[0],
        ):
            waiting.send_signal(signal.SIGINT)
            out, err = waiting.communicate(timeout=30)
    assert (waiting.returncode, out, err) == (130, b"", b"")


def test_the_version_can_be_asked(desk: Desk) -> None:
    """`helpdesk --version` says which helpdesk this is."""
    assert desk.say("--version").out.startswith("helpdesk ")


@pytest.mark.dovecot
@pytest.mark.parametrize("store", ["dovecot-mdbox", "dovecot-maildir"])
def test_a_first_day_on_a_real_server(
    tmp_path: Path, store: str, login: Callable[[str], Login], human_on: Callable[[Login], ImapHuman]
) -> None:
    """Init to ledger on a real Dovecot: check and plan write nothing, run does, and no mail is left behind."""
    who = login(store)
    human = human_on(who)
    human.deliver("INBOX", mail("bob@uni.example", "Jobs fail", "<a@x>"))
    with SmtpSink() as sink:
        real_config(tmp_path, who, smtp=sink.port)
        before = (human.folders(), human.look("INBOX"), sorted(p.name for p in tmp_path.iterdir()))
        assert process(tmp_path, "check", "--json").document["ok"]
        assert process(tmp_path, "plan", "--json").code == 0
        assert (human.folders(), human.look("INBOX"), sorted(p.name for p in tmp_path.iterdir())) == before
        assert process(tmp_path, "run", "--once", "--now", T0).code == 0
        human.add_flags("INBOX", [human.look("INBOX")[0].uid], ["ggus"])
        done = process(tmp_path, "run", "--once", "--now", T1, "--json").document
        assert [a["kind"] for a in done["actions"]] == ["add_label", "send_mail"]
        assert [letter.recipients[0] for letter in sink.received] == ["ggus@tracker.example.net"]
        assert {"ggus", "escalated"} <= {f.lower() for f in human.look("INBOX")[0].flags}
        told = process(tmp_path, "ledger", "--json")
        assert (told.code, told.document["residue"], told.document["threaded"]) == (0, [], 1)
        probed = process(tmp_path, "check", "--probe", "--json").document
        assert probed["ok"], probed
        assert human.look("helpdesk-probe") == []
