"""`helpdesk demo` as a visitor without a terminal meets it: a process of its own, from the first line to Ctrl-C.

The two weeks are played once; the tests look at what that demo said, and at its servers, which stay up until the last.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from helpdesk.cli import commands
from tests.desk import PROJECT, Said, environment, process
from tests.human import ImapHuman
from tests.servers.smtp_sink import SmtpSink

PATIENCE = 900.0
"""Seconds for two weeks on a busy machine."""

pytestmark = pytest.mark.timeout(PATIENCE)  # the first test waits for all of them

START = [sys.executable, "-m", "helpdesk", "demo"]


@dataclass
class Demo:
    """A running demo; `folder` is all the room that it has for temporary files."""

    running: subprocess.Popen[bytes]
    folder: Path
    said_in: Path

    @property
    def said(self) -> str:
        """Everything on stdout so far."""
        return self.said_in.read_text(encoding="utf-8")

    def until(self, sign: str, after: int = 0, seconds: float = PATIENCE) -> str:
        """Wait until it says something; what it has said."""
        return str(self.eventually(lambda: self.said if sign in self.said[after:] else "", sign, seconds))

    def eventually(self, check: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        """Wait until something is so, as long as the demo runs."""
        end = time.monotonic() + seconds
        while not (found := check()):
            assert self.running.poll() is None, f"it ended without {what!r}:\n{self.said[-2000:]}"
            assert time.monotonic() < end, f"no {what!r} in:\n{self.said[-2000:]}"
            time.sleep(0.05)
        return found

    def port(self, name: str) -> int:
        """Where a server of it listens, as it says itself."""
        found = re.search(rf"{name} 127\.0\.0\.1, port (\d+)", self.said)
        assert found is not None
        return int(found[1])

    @property
    def left_behind(self) -> Sequence[str]:
        """What lies in its room for temporary files."""
        return sorted(path.name for path in self.folder.iterdir())


def begin(folder: Path, *options: str) -> Demo:
    """Start a demo whose stdout is a file."""
    room, said = folder / "tmp", folder / "said.txt"
    room.mkdir()
    with said.open("wb") as out:
        running = subprocess.Popen(
            [*START, *options],
            cwd=folder,
            env=environment(TMPDIR=str(room), PYTHONIOENCODING="utf-8"),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
        )
    return Demo(running, room, said)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Two weeks have been played, and it is the visitor's turn."""
    told = begin(tmp_path_factory.mktemp("demo"), "--stay")
    try:
        told.until("YOUR TURN")
        yield told
    finally:
        told.running.kill()
        told.running.communicate()


def say(*args: str) -> Said:
    """Run a command in this process, which knows the way already."""
    told = CliRunner().invoke(commands, list(args))
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        raise told.exception
    return Said(told.exit_code, told.stdout, told.stderr)


def scene(said: str, number: int) -> str:
    """What was said from the beginning of a scene to the next line of ordinary life."""
    return said.partition(f"-- Scene {number} of 5:")[2].partition("\n-- Scene ")[0]


def test_two_weeks_are_played_by_the_board(demo: Demo) -> None:
    """Every rule that the story needs acts, with its reason, and at the end no mail is left behind."""
    said = demo.said
    rules = (
        "user_replied", "auto_close", "reopen", "close", "escalate", "urgent", "fixed", "repair", "undo", "new",
        "labels_cover_the_thread",
    )  # fmt: skip
    acted = set(re.findall(r"\((\w+) \[[^]]+\]: \S", said))
    assert acted >= set(rules)
    assert "WRONG" not in said
    found = re.search(
        r"Ledger: of (\d+) mails delivered and 1 in the folder Board, (\d+) are in a thread, (\d+) are about the board,"
        r" 0 left behind\.",
        said,
    )
    assert found is not None
    assert int(found[1]) + 1 == int(found[2]) + int(found[3])
    assert "5 of 5 scenes went as promised." in said


def test_a_reply_lifts_waiting_and_an_out_of_office_does_not(demo: Demo) -> None:
    """In scene 1 WAITING is on all mails before and after a machine's mail, and on none after the user's."""
    told = scene(demo.said, 1)
    assert re.findall(r"true +(\d) of (\d) mails carry `waiting`", told) == [
        ("2", "2"),
        ("3", "3"),
        ("0", "4"),
    ]
    assert "unread_reply" in told


def test_archiving_one_mail_takes_its_thread_and_a_reply_brings_it_back(demo: Demo) -> None:
    """In scene 2 one mail is archived and all four follow; a reply brings all five back."""
    told = scene(demo.said, 2)
    lay = re.findall(r"true +(\d) of (\d) mails lie in (\w+)", told)
    assert lay == [("4", "4", "INBOX"), ("4", "4", "Archive"), ("5", "5", "INBOX")]
    assert "archives one mail" in told


def test_losing_the_database_mails_nothing_twice(demo: Demo) -> None:
    """In scene 3 mails had been sent before, every mail stays as it lies, and nothing is sent again."""
    told = scene(demo.said, 3)
    sent = re.search(r"true +the board has sent (\d+) mails; (\d+) mails in the mailbox are labelled", told)
    lay = re.search(r"true +(\d+) of (\d+) mails lie where they lay, with their labels", told)
    assert sent is not None
    assert lay is not None
    assert int(sent[1]) > 0
    assert int(sent[2]) > 0
    assert lay[1] == lay[2]
    assert "true    0 mails were sent since, besides 1 for the shift that began" in told
    assert f"true    0 of {int(sent[1]) + 1} mails reached anybody twice" in told


def test_a_slip_of_a_label_is_undone(demo: Demo) -> None:
    """In scene 4 the wrong label brings ESCALATED, `undo` removes both, and nobody is mailed."""
    told = scene(demo.said, 4)
    carried = re.findall(r"true +(\d) of 1 mails carry `(\w+)`", told)
    assert carried == [("1", "escalated"), ("0", "escalated"), ("0", "ggus")]
    assert "two hours later, 0 mails have left" in told


def test_a_site_that_fails_is_put_out_and_comes_back(demo: Demo) -> None:
    """In scene 5 jobs fail in stage-in, the site is out and listed, its contact is mailed once, and it comes back."""
    told = scene(demo.said, 5)
    lines = (
        r"robots +DESY-HH: .*\(stage-in: no_replica\)",
        r"robots +DESY-HH is out \(atlas: (\d+) of \1 failed.* evidence \d+\.\d\)",
        r"true +the blacklist file has: DESY-HH\n",
        r"true +0 mails to its contact in the first 45 minutes",
        r"board +sends a mail \(site_out: DESY-HH is out of atlas\)",
        r"true +out for 1\.\d h: 1 mail to dieter\.dahl@desy\.example: .*DESY-HH gets no jobs of atlas",
        r"people +Ann Lindqvist asks: All my jobs at DESY-HH fail",
        r"board +\w+ \+site_trouble \(site_trouble \[4\.3\]: ",
        r"true +1 of 1 mails carry `site_trouble`",
        r"true +helpdesk show: .*DESY-HH",
        r"robots +DESY-HH is back in \(atlas: it works again",
        r"true +the blacklist file has 0 sites",
        r"true +in two weeks out: DESY-HH; mails to contacts: 1",
        r"true +TRIUMF stayed in: \d+ of \d+ jobs failed, all on wn3\.triumf\.example\n",
    )
    places = [found.start() if (found := re.search(line, told)) else -1 for line in lines]
    assert -1 not in places, lines[places.index(-1)]
    assert places == sorted(places)


def test_faults_of_other_kinds_put_nobody_out(demo: Demo) -> None:
    """A wrong answer at one site and a black-hole node at another are found, and both sites stay in."""
    said = demo.said
    assert re.search(r"robots +FZK-LCG2: a job fails on wn\d \(payload: wrong_answer\)", said)
    assert len(re.findall(r"robots +TRIUMF: a job fails on wn3 \(environment: software\)", said)) > 1
    assert set(re.findall(r"robots +(\S+) is out", said)) == {"DESY-HH"}
    assert "CERN-PROD: " not in said


def test_robots_can_be_asked_from_another_terminal(demo: Demo) -> None:
    """`robots records` and `robots status` work on the demo's database: its jobs are ordinary records of ordinary jobs."""
    config = str(next(demo.folder.glob("*/helpdesk.toml")))
    told = say("-c", config, "robots", "records", "--json")
    assert told.code == 0
    records = told.document
    assert {one["site"] for one in records} == {"DESY-HH", "FZK-LCG2", "CERN-PROD", "TRIUMF"}
    assert {one["state"] for one in records} == {"success", "failed"}
    good = [one for one in records if one["state"] == "success"]
    assert all(one["events_processed"] == 1000 and one["payload_checksum"] for one in good)
    assert all(one["t_final"].startswith("2009-06-") for one in records)
    assert say("-c", config, "robots", "status").code == 0


def test_the_servers_agree_with_what_was_said(demo: Demo) -> None:
    """Another mail client finds the mails of the board, closed and open, with their keywords, on the server that is named."""
    human = ImapHuman("127.0.0.1", demo.port("IMAP"), "dast", "demo")
    try:
        inbox, archive, filed = (human.look(name) for name in ("INBOX", "Archive", "Helpdesk"))
    finally:
        human.close()
    mails = re.search(r"Ledger: of (\d+) mails", demo.said)
    assert mails is not None
    assert len({mail.message_id for mail in (*inbox, *archive, *filed)}) == int(mails[1])
    assert any("waiting" in mail.flags for mail in inbox)
    assert not any(mail.flags & {"waiting", "urgent", "escalated", "ggus"} for mail in archive)


def test_the_board_can_be_asked_from_another_terminal(demo: Demo) -> None:
    """In the folder that it names, the commands that read work on its configuration while it runs."""
    config = next(demo.folder.glob("*/helpdesk.toml"))
    assert f"\n  cd {config.parent}\n" in demo.said
    assert " threads\n" in demo.said
    told = process(config.parent, "threads", "--json")
    assert told.code == 0
    assert {one["state"] for one in told.document} >= {"open", "waiting", "escalated", "closed"}
    assert say("-c", str(config), "ledger").code == 0


def test_a_reply_reopens_a_closed_thread_before_the_visitors_eyes(demo: Demo) -> None:
    """The command that the demo prints sends a user's reply, and within moments the board says that it reopens a thread."""
    before = len(demo.said)
    assert f"demo --reply {demo.port('SMTP')}\n" in demo.said
    told = process(PROJECT, "demo", "--reply", str(demo.port("SMTP")))
    assert (told.code, told.err) == (0, "")
    assert " answered: Re: " in told.out
    said = demo.until("(reopen [i4]: a user wrote)", after=before, seconds=60)
    assert "to the inbox" in said[before:]


def test_jobs_that_the_visitor_asks_for_run(demo: Demo) -> None:
    """`robots run` leaves the job to the demo, which runs it within moments; its record says that it was asked for."""
    config = str(next(demo.folder.glob("*/helpdesk.toml")))
    assert say("-c", config, "robots", "run", "--site", "CERN-PROD").code == 0

    def ran() -> bool:
        told = say("-c", config, "robots", "records", "--json").document
        return any((one["campaign_id"], one["state"]) == ("manual", "success") for one in told)

    demo.eventually(ran, "a job that was asked for", 60)


def test_a_port_in_use_is_told(demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that somebody else has ends with 2 and the option that changes it, for both servers, and leaves nothing."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for option in ("--imap-port", "--smtp-port"):
        told = say("demo", option, str(demo.port("SMTP")))
        assert (told.code, told.out) == (2, "")
        assert "is in use" in told.err
        assert option in told.err
    assert [*tmp_path.iterdir()] == []


def test_a_gallery_shows_every_mail(demo: Demo) -> None:
    """The page that is named at the end has each mail of the board with its readers and its reason, and runs nothing."""
    found = re.search(r"Every mail that it sent, and why: (\S+)", demo.said)
    sent = re.search(r"It sent (\d+) mails", demo.said)
    assert found is not None
    assert sent is not None
    page = Path(found[1]).read_text(encoding="utf-8")
    assert page.count("<article>") == page.count("<iframe sandbox ") == int(sent[1])
    assert page.count("by the rule ") == int(sent[1])
    for said in (
        "helpdesk@ggus.example.net",
        "escalated to GGUS",
        "URGENT since",
        "Ganga 5.2.0 is out",
        "Passed to GGUS",
        "Answer of GGUS",
        "questions wait for GGUS",
        "Did you write this",
        "Done:",
        "dieter.dahl@desy.example",
        "Our test jobs fail at DESY-HH",
    ):
        assert said in page
    assert "<script" not in page
    assert "default-src 'none'" in page


def test_control_c_ends_the_visitors_turn(demo: Demo) -> None:
    """Ctrl-C at the end is no failure: exit code 0, no server, nothing on stderr, and nothing left but the gallery."""
    imap, smtp = demo.port("IMAP"), demo.port("SMTP")
    demo.running.send_signal(signal.SIGINT)
    _, err = demo.running.communicate(timeout=60)
    assert (demo.running.returncode, err) == (0, b"")
    [gallery] = demo.left_behind
    assert gallery.startswith("helpdesk-demo-mails-")
    for port in (imap, smtp):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_starts_leaves_nothing_behind(tmp_path: Path, sign: signal.Signals) -> None:
    """Ctrl-C or a termination as soon as there is anything to leave behind: its exit code, no word, nothing left."""
    demo = begin(tmp_path)
    demo.eventually(lambda: demo.left_behind, "a temporary folder", 60)
    demo.running.send_signal(sign)
    _, err = demo.running.communicate(timeout=60)
    assert (demo.running.returncode, err) == (128 + sign, b"")
    assert demo.left_behind == []


def test_an_impatient_control_c_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl-C while it plays, and again while it ends: exit code 130, no word, nothing left."""
    demo = begin(tmp_path, "--pace", "10")
    demo.until(" asks: ", seconds=60)
    for _ in range(3):
        demo.running.send_signal(signal.SIGINT)
        time.sleep(0.03)
    _, err = demo.running.communicate(timeout=60)
    assert (demo.running.returncode, err) == (130, b"")
    assert demo.left_behind == []


def test_control_c_while_jobs_run_leaves_none(tmp_path: Path) -> None:
    """Ctrl-C as soon as there are processes of jobs: none of them lives when the demo has ended, and no folder is left."""
    demo = begin(tmp_path)
    room = str(demo.folder)
    demo.eventually(lambda: _processes_of(room), "a job", 60)
    demo.running.send_signal(signal.SIGINT)
    _, err = demo.running.communicate(timeout=60)
    assert (demo.running.returncode, err) == (130, b"")
    assert _processes_of(room) == []
    assert demo.left_behind == []


def _processes_of(folder: str) -> Sequence[str]:
    """The command lines that name a folder: runners and payloads of the demo that works there."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            found.append(file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return [line for line in found if folder in line]


@pytest.mark.parametrize("missing", ["pymap", "aiosmtpd"])
def test_a_missing_extra_is_named(missing: str) -> None:
    """Without the extra's packages the command says what to install, and ends with 2."""
    program = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv[1:] = ['demo'];"
        " from helpdesk.cli import main; main()"
    )
    told = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
        timeout=60,
    )
    assert (told.returncode, told.stdout) == (2, "")
    assert "pip install '.[demo]'" in told.stderr
    assert missing in told.stderr


def test_no_reply_goes_to_a_real_mail_server() -> None:
    """`--reply` sends nothing to a mail server that is no demo, and says so; nobody there is exit code 3."""
    with SmtpSink() as sink:
        told = say("demo", "--reply", str(sink.port))
        assert told.code == 2
        assert "is no demo" in told.err
        assert sink.received == []
        taken = sink.port
    told = say("demo", "--reply", str(taken))
    assert told.code == 3
    assert str(taken) in told.err


def test_a_terminal_of_60_columns_is_restored(tmp_path: Path) -> None:
    """In a terminal of 60 columns the live board appears; after Ctrl-C the screen and the cursor are as they were."""
    terminal, inside = os.openpty()
    termios.tcsetwinsize(inside, (24, 60))
    env = environment(TMPDIR=str(tmp_path), TERM="xterm")
    running = subprocess.Popen(
        START, stdin=inside, stdout=inside, stderr=inside, env=env, start_new_session=True
    )
    os.close(inside)
    shown = _read_until(terminal, b"NEEDS ATTENTION")
    running.send_signal(signal.SIGINT)
    shown += _read_until(terminal, b"\x1b[?1049l")
    assert running.wait(60) == 130
    os.close(terminal)
    assert shown.index(b"\x1b[?1049h") < shown.rindex(b"\x1b[?1049l")
    assert shown.rindex(b"\x1b[?25l") < shown.rindex(b"\x1b[?25h")
    assert [*tmp_path.iterdir()] == []


def _read_until(terminal: int, sign: bytes, seconds: float = 60) -> bytes:
    shown, end = b"", time.monotonic() + seconds
    while sign not in shown and time.monotonic() < end:
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # the other side has ended
            break
    return shown
