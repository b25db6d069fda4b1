"""`helpdesk replay` as people use it: the figures, the summary, what goes wrong, and that nothing is left behind."""

import gzip
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from helpdesk.cli import commands
from helpdesk.mailids import Reason, message_id
from tests.archives import (
    AIDEN,
    ANN,
    BOB,
    DAY,
    HOUR,
    Recorder,
    mail,
    maildir,
    mbox,
    played,
    postmark,
    told,
)
from tests.desk import Said, environment, process

CARL = "carl@uni.example"
AWAY = {"Auto-Submitted": "auto-replied"}
MONTH = (
    mail("<a@x>", ANN, "All jobs fail"),
    mail("<b@x>", AIDEN, "Re: All jobs fail", at=2 * HOUR, answers=["<a@x>"]),
    mail("<a@x>", ANN, "All jobs fail"),
    mail("<c@x>", BOB, "Where is my dataset", at=DAY),
    mail("<d@x>", CARL, "I am away", at=2 * DAY, headers=AWAY),
    mail("<e@x>", CARL, "No slots", at=3 * DAY),
    mail("<f@x>", AIDEN, "Re: No slots", at=6 * DAY, answers=["<e@x>"]),
    mail("<g@x>", ANN, "Re: All jobs fail", at=20 * DAY, answers=["<a@x>", "<b@x>"]),
    b"rubbish\n",
    mail("<h@x>", BOB, "Thanks", at=40 * DAY),
)
HOSTILE = "\x1b[31mred\x1b]0;title\x07 \u202egnp.exe [/foo] [bold]x[/bold] :smile:"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "list.mbox"
    path.write_bytes(mbox(MONTH))
    return path


def say(*args: str, columns: int = 80, stdin: bytes = b"") -> Said:
    """Run a command in this process."""
    env = {"COLUMNS": str(columns), "TERM": "dumb"}
    done = CliRunner(env=env).invoke(commands, list(args), input=stdin)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Said(done.exit_code, done.stdout, done.stderr)


def read(*args: str, stdin: bytes = b"") -> Any:
    """The JSON document."""
    said = say("replay", *args, "--json", stdin=stdin)
    assert (said.code, said.err) == (0, "")
    assert said.out.count("\n") == 1
    assert said.out.isascii()
    return said.document


# -- the figures ---------------------------------------------------------------------------------------------------


def test_what_was_read(archive: Path) -> None:
    """Mails, copies, what cannot be read and what a machine wrote are counted, and where to find the unreadable is told."""
    told = read(str(archive))
    assert (told["mails"], told["messages"], told["duplicates"], told["quarantined"]) == (10, 8, 1, 1)
    (one,) = told["quarantine"]
    place = int(one["place"].removeprefix("octet "))
    assert archive.read_bytes()[place:].startswith(postmark() + b"rubbish")
    assert (one["mail"], one["why"]) == (9, "the mail has no header field")
    assert (told["automatic"], told["automatic_share"]) == (1, 0.125)
    assert told["automatic_kinds"] == [
        {"nature": "automatic", "why": "Auto-Submitted: auto-replied", "messages": 1, "share": 0.125}
    ]
    assert told["bytes"] == sum(map(len, MONTH))
    assert (told["begins_at"], told["ends_at"]) == ("2026-06-09T08:00:00Z", "2026-07-19T08:00:00Z")


def test_threads_and_answers(archive: Path) -> None:
    """Threads, first answers and how long they took, of questions that people asked."""
    told = read(str(archive))
    assert (told["threads"], told["threads_of_machines"], told["questions"]) == (5, 1, 4)
    assert [one["threads"] for one in told["thread_sizes"]] == [3, 1, 1, 0, 0, 0, 0, 0, 0]
    assert told["largest_threads"][0]["subject"] == "All jobs fail"
    answer = told["first_answer"]
    assert (answer["answered"], answer["never_answered"]) == (2, 2)
    assert (answer["median_hours"], answer["p90_hours"]) == (2.0, 72.0)
    assert (answer["first_reply_hours"], answer["within_first_reply_hours"]) == (8.0, 0.25)
    assert answer["by"] == [{"author": AIDEN, "threads": 2}]
    assert told["first_team_answer"] is None


def test_what_the_board_would_have_done(archive: Path) -> None:
    """Two threads are closed after seven silent days, one of them too early, and the first month is told apart."""
    told = read(str(archive))
    assert (told["auto_closes"], told["auto_closed_threads"], told["reopens"]) == (2, 2, 1)
    assert told["reopens_by"] == {"user": 1}
    assert told["reopened_after_auto_close"] == {
        "reopens": 1,
        "share_of_auto_closes": 0.5,
        "median_days": 12.917,
        "p90_days": 12.917,
    }
    assert told["states_at_end"] == {"closed": 1, "open": 4}
    month = told["first_month"]
    assert (month["messages"], month["threads"], month["auto_closes"], month["reopens"]) == (7, 4, 2, 1)
    assert month["mails_by_rule"] == {"escalate": 0, "urgent": 0, "fixed": 0}
    assert told["busiest_month"] == {"month": "2026-06", "messages": 7}
    assert [one["month"] for one in told["months"]] == ["2026-06", "2026-07"]
    assert {"rule": "auto_close", "kind": "move", "actions": 2, "first_month": 2} in told["actions"]


def test_without_waiting_nothing_is_closed(archive: Path) -> None:
    """--no-waiting plays without the assumed shifter, and says so."""
    told = read(str(archive), "--no-waiting")
    assert (told["auto_closes"], told["reopens"], told["assumed"]["waiting"]) == (0, 0, False)
    assert "nobody sets a label" in told["assumed"]["sentence"]


def test_the_same_mails_in_any_archive(tmp_path: Path, archive: Path) -> None:
    """A Maildir, a packed mbox and stdin give the figures of the mbox."""
    root = maildir(tmp_path / "dir", [(f"cur/17000000{n:02}.x:2,S", one) for n, one in enumerate(MONTH)])
    wanted = read(str(archive))
    for document in (read(str(root)), read("-", stdin=mbox(MONTH))):
        for name in wanted.keys() - {"archive", "quarantine", "seconds", "mails_per_second"}:
            assert document[name] == wanted[name], name


LINES = st.sampled_from(
    [
        b"From: a@x",
        b"From: b@x",
        b"Subject: Re: all jobs fail",
        b"Message-ID: <a@x>",
        b"Message-ID: <b@x>",
        b"In-Reply-To: <a@x>",
        b"References: <b@x> <c@x>",
        b"Date: Tue, 09 Jun 2026 08:00:00 +0000",
        b"\xff: \xfe",
        b"Date: Thu, 01 Jan 1970 00:00:00 +0000",
        b"Auto-Submitted: auto-replied",
        b"Content-Type: multipart/report",
        b"From x@y Tue Jun  9 08:00:00 2026",
        b"",
        b">From here",
        b"Received: by x; Tue, 09 Jun 2026 09:00:00 +0000",
    ]
)


@given(st.lists(st.lists(st.one_of(LINES, st.binary(max_size=30)), max_size=9).map(b"\n".join), max_size=8))
@settings(max_examples=60, deadline=None)
def test_no_mail_is_left_behind(mails: list[bytes]) -> None:
    """Whatever lies in an archive, each mail is a message in exactly one thread, a copy of one, or in quarantine."""
    with TemporaryDirectory() as folder:
        found = told(Path(folder), [one if one.endswith(b"\n") else one + b"\n" for one in mails])
    assert found["messages"] + found["duplicates"] + found["quarantined"] == found["mails"] >= len(mails)
    assert sum(one["threads"] for one in found["thread_sizes"]) == found["threads"]
    assert sum(one["messages"] for one in found["months"]) == found["messages"]
    assert sum(found["states_at_end"].values()) == found["threads"]
    assert sum(found["times"]["from"].values()) == found["messages"]
    json.dumps(found)


def test_a_bridge_is_refused_and_told(tmp_path: Path) -> None:
    """A mail that names two present roots joins only its parent's thread, and the replay names it."""
    bridge = mail("<z@x>", BOB, at=5 * HOUR, answers=["<a@x>", "<c@x>"])
    found = told(tmp_path, [mail("<a@x>"), mail("<c@x>", CARL, at=HOUR), bridge])
    assert (found["threads"], found["refused_bridges"]) == (2, 1)
    assert found["bridges"] == [{"message_id": "<z@x>", "names": 2}]


def test_a_lost_answer_is_linked_by_subject(tmp_path: Path) -> None:
    """An answer without ids finds its thread by subject and person, and is counted."""
    lost = mail("<z@x>", ANN, "Re: All jobs fail", at=HOUR)
    found = told(tmp_path, [mail("<a@x>"), lost])
    assert (found["threads"], found["linked_by_subject"]) == (1, 1)


def test_wrong_dates_are_counted(tmp_path: Path) -> None:
    """Mails from 1970, from the future and without a Date are told, and do not stretch the archive."""
    mails = [
        mail("<a@x>"),
        mail("<b@x>", at=None),
        mail("<c@x>", at=-20_000 * DAY),
        mail("<d@x>", at=20_000 * DAY),
        mail("<e@x>", at=HOUR),
    ]
    found = told(tmp_path, mails)
    times = found["times"]
    assert (times["without_date"], times["before_1980"], times["in_the_future"]) == (1, 1, 1)
    assert times["from"] == {"date": 2, "received": 0, "postmark": 3, "neighbour": 0}
    assert (found["begins_at"], found["ends_at"]) == ("2026-06-09T08:00:00Z", "2026-06-09T09:00:00Z")


@pytest.mark.parametrize("octets", [b"", b"\n" * 100_000])
def test_an_archive_without_mail(tmp_path: Path, octets: bytes) -> None:
    """An empty file is an archive without mail: zeros, no averages, exit code 0."""
    path = tmp_path / "empty.mbox"
    path.write_bytes(octets)
    found = read(str(path))
    assert (found["mails"], found["threads"], found["begins_at"], found["busiest_month"]) == (
        0,
        0,
        None,
        None,
    )
    assert found["first_answer"]["median_hours"] is None
    assert say("replay", str(path)).code == 0


# -- with a configuration ------------------------------------------------------------------------------------------

CONFIG = """\
[board]
name = "dast"
list_address = "dast@lists.example"
[imap]
host = "127.0.0.1"
username = "dast"
password_file = "none"
[smtp]
host = "127.0.0.1"
sender = "dast-board@example.org"
[policy]
waiting_close_days = 14
first_reply_hours = 1
[caps]
thread_per_day = 3
board_per_hour = 1
[[people]]
name = "Aiden"
addresses = ["aiden@team.example"]
roles = ["shifter"]
[[destination]]
label = "GGUS"
address = "ggus@tracker.example"
[[rule]]
name = "down"
when = { subject = "down" }
add = ["URGENT"]
[[rule]]
name = "storage"
when = { body = "SRM" }
add = ["GGUS", "ESCALATED"]
[[rule]]
name = "never"
when = { subject = "no such subject" }
add = ["taken"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "board.toml"
    path.write_text(CONFIG)
    return path


def test_a_configuration_counts(archive: Path, config: Path) -> None:
    """With -c the people are those of the configuration, and so is the policy."""
    found = read(str(archive), "-c", str(config))
    assert found["assumed"]["team"] == "config"
    assert found["assumed"]["waiting_close_days"] == 14
    assert found["first_team_answer"]["answered"] == 2
    assert found["first_answer"]["first_reply_hours"] == 1.0
    assert (found["auto_closes"], found["reopens"]) == (2, 1)
    assert [one["messages"] for one in found["rules"]] == [0, 0, 0]


def test_what_the_first_month_would_have_mailed(tmp_path: Path, config: Path) -> None:
    """Rules that make threads URGENT or escalate them mail; what the caps would hold back is told apart."""
    mails = [
        mail("<a@x>", ANN, "CERN is down"),
        mail("<b@x>", BOB, "A question", at=2 * HOUR, body="SRM says no"),
        mail("<c@x>", CARL, "DESY is down", at=2 * HOUR + timedelta(minutes=10)),
        mail("<d@x>", CARL, "KIT is down", at=90 * DAY),
        mail("<e@x>", AIDEN, "Re: KIT is down", at=90 * DAY, answers=["<d@x>"]),
        mail("<f@x>", CARL, "bye", at=91 * DAY),
    ]
    path = tmp_path / "list.mbox"
    path.write_bytes(mbox(mails))
    found = read(str(path), "--config", str(config))
    assert [(one["rule"], one["messages"]) for one in found["rules"]] == [
        ("down", 4),
        ("storage", 1),
        ("never", 0),
    ]
    assert found["first_month"]["mails_by_rule"] == {"escalate": 1, "urgent": 2, "fixed": 0}
    assert found["first_month"]["mails"] == 3
    assert found["would_mail"] == [
        {"rule": "escalate", "mails": 1, "held_by_caps": 0},
        {"rule": "urgent", "mails": 3, "held_by_caps": 1},
        {"rule": "fixed", "mails": 0, "held_by_caps": 0},
    ]


def test_our_own_mail_and_its_bounce_are_known(tmp_path: Path, config: Path) -> None:
    """With the board's secret its own mails are known as such, and a bounce of one brings its closed thread back."""
    secret = b"0123456789abcdef"
    (tmp_path / "secret").write_bytes(secret)
    (tmp_path / "secret").chmod(0o600)
    config.write_text(CONFIG.replace('name = "dast"', 'name = "dast"\nsecret_file = "secret"', 1))
    ours = message_id(Reason("dast", "dast-7kq2m", "fixed", "Ganga:5"), "example.org", secret)
    report = {"Content-Type": 'multipart/report; report-type=delivery-status; boundary="b"'}
    returned = f"--b\nContent-Type: message/rfc822\n\nMessage-ID: {ours}\nSubject: x\n\nx\n--b--"
    mails = [
        mail("<a@x>", ANN),
        mail("<b@x>", AIDEN, at=HOUR, answers=["<a@x>"]),
        mail(ours, "dast-board@example.org", at=20 * DAY, answers=["<a@x>"]),
        mail("<r@x>", "mailer-daemon@x", at=21 * DAY, answers=[ours], headers=report, body=returned),
    ]
    path = tmp_path / "list.mbox"
    path.write_bytes(mbox(mails))
    found = read(str(path), "-c", str(config))
    assert {one["nature"]: one["messages"] for one in found["automatic_kinds"]} == {"own": 1, "bounce": 1}
    assert (found["threads"], found["auto_closes"], found["reopens"]) == (1, 1, 1)
    assert found["states_at_end"] == {"open": 1}


def test_a_configuration_may_stand_before_the_command(
    archive: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--config works on both sides of the command's name; a helpdesk.toml that nobody names is not looked at."""
    assert (
        json.loads(say("--config", str(config), "replay", str(archive), "--json").out)["assumed"]["team"]
        == "config"
    )
    (archive.parent / "helpdesk.toml").write_text("this is no configuration")
    monkeypatch.chdir(archive.parent)
    assert read(archive.name)["assumed"]["team"] == "whoever_answers"


def test_nothing_is_made(archive: Path, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No database, no secret and no other file comes into being, with a configuration or without."""
    before = {path.name: path.read_bytes() for path in archive.parent.iterdir()}
    monkeypatch.chdir(archive.parent)
    read(archive.name)
    read(archive.name, "-c", config.name)
    assert {path.name: path.read_bytes() for path in archive.parent.iterdir()} == before


# -- the summary ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_summary_fits_and_is_harmless(tmp_path: Path, columns: int) -> None:
    """Every part is there, no line of a table is wider than the terminal, and nothing of a mail can be obeyed by it."""
    mails = [
        *MONTH,
        mail("<y@x>", BOB, HOSTILE, at=41 * DAY),
        mail("<z@x>", ANN, at=42 * DAY, answers=["<y@x>"]),
    ]
    path = tmp_path / "list.mbox"
    path.write_bytes(mbox(mails))
    said = say("replay", str(path), columns=columns)
    assert said.code == 0
    for heading in (
        "Mail",
        "Messages a month",
        "Threads",
        "First answers",
        "In quarantine",
        "Its first 30 days",
    ):
        assert f"\n{heading}\n" in said.out
    assert all(sign.isprintable() for line in said.out.splitlines() for sign in line)
    assert "\u202e" not in said.out
    assert "[/foo]" in "".join(said.out.split())
    sentences = ("Assumed:", str(path), "Who answered", "Note:")
    assert all(
        len(line.rstrip()) <= columns for line in said.out.splitlines() if not line.startswith(sentences)
    )


def test_sentences_are_folded_between_words_on_a_terminal(
    archive: Path,
) -> None:
    """On a terminal of 60 columns no line is wider and no word of a sentence is broken; in a pipe a sentence is one line."""
    piped = say("replay", str(archive)).out
    sentence = next(line for line in piped.splitlines() if line.startswith("Assumed:"))
    terminal = {"COLUMNS": "60", "TERM": "xterm", "FORCE_COLOR": "1"}
    shown = CliRunner(env=terminal).invoke(commands, ["replay", str(archive)]).stdout
    start = shown.index("Assumed:")
    folded = shown[start : shown.index("\n\n", start)].splitlines()
    assert max(map(len, folded)) <= 60 < len(sentence)
    assert " ".join(line.rstrip() for line in folded) == sentence


def test_the_summary_of_a_configured_board(tmp_path: Path, config: Path) -> None:
    """With a configuration the summary tells the team's answers, what would be mailed, and what was left out or broken."""
    config.write_text(CONFIG.replace("board_per_hour = 1", "board_per_hour = 0"))
    mails = [mail("<a@x>", ANN, "CERN is down"), mail("<b@x>", AIDEN, at=2 * HOUR, answers=["<a@x>"])]
    mails += [mail("<b@x>", BOB, at=3 * HOUR), mail("<c@x>", BOB, at=DAY, headers=AWAY), b"rubbish\n" * 12]
    files = [(f"cur/17000000{n:02}.x:2,S", one) for n, one in enumerate(mails)]
    files += [(f"new/17000001{n:02}.x", b"rubbish\n") for n in range(12)]
    files += [("cur/1700000999.x:2,D", mail("<d@x>"))]
    told = say("replay", str(maildir(tmp_path / "dir", files)), "-c", str(config)).out
    for words in (
        "of the team",
        "urgent 1; 1 held by caps",
        "1 (drafts, or marked as deleted)",
        "reused ids",
        "and 3 more",
    ):
        assert words in told


def test_the_summary_of_a_broken_archive(tmp_path: Path) -> None:
    """A packed archive that breaks off is summarised with a note."""
    path = tmp_path / "list.mbox.gz"
    path.write_bytes(gzip.compress(mbox(MONTH * 50))[:-20])
    told = say("replay", str(path)).out
    assert "mbox, packed by gzip" in told
    assert "Note: it breaks off" in told


def test_a_terminal_without_blocks_gets_other_signs(archive: Path) -> None:
    """Where stdout cannot show block characters the bars are made of ASCII."""
    done = process(archive.parent, "replay", archive.name, PYTHONIOENCODING="ascii", COLUMNS="80")
    assert done.code == 0
    assert done.out.isascii()
    assert "###" in done.out
    assert "?" not in done.out


# -- what goes wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "octets", "word"),
    [
        ("none.mbox", None, "no such file"),
        (".", None, "no Maildir"),
        ("one.eml", MONTH[0], "one mail and no mbox"),
        ("text.mbox", b"Dear all,\n", "no mbox"),
        ("list.zip", b"PK\x03\x04....", "zip"),
    ],
)
def test_what_is_no_archive_is_bad_usage(tmp_path: Path, name: str, octets: bytes | None, word: str) -> None:
    """A file that is no archive ends with 2, a sentence on stderr, and nothing on stdout."""
    if octets is not None:
        (tmp_path / name).write_bytes(octets)
    for more in ([], ["--json"]):
        said = say("replay", str(tmp_path / name), *more)
        assert (said.code, said.out) == (2, "")
        assert word in said.err


def test_a_configuration_that_is_not_there_is_bad_usage(archive: Path) -> None:
    """Who names a configuration means it."""
    said = say("replay", str(archive), "-c", "no-such.toml")
    assert (said.code, said.out) == (2, "")
    assert "no-such.toml" in said.err


def test_a_file_that_may_not_be_read(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system refuses is a sentence with the file's name and exit code 2."""

    def refuse(self: Path, *_args: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    said = say("replay", str(archive))
    assert (said.code, said.out) == (2, "")
    assert "list.mbox: Permission denied" in said.err


def test_a_truncated_archive_is_told(tmp_path: Path) -> None:
    """An mbox that ends in the middle of a mail is replayed, and that it is cut is said in both forms."""
    path = tmp_path / "list.mbox"
    path.write_bytes(mbox(MONTH)[:-30])
    assert read(str(path))["archive"]["cut"] is True
    assert "ends in the middle of its last mail" in say("replay", str(path)).out


def test_control_c_is_quiet_and_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while an archive is read ends with 130, without a word and without a file."""
    fifo = tmp_path / "list.mbox"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "helpdesk", "replay", fifo.name, "--json"]
    with (
        subprocess.Popen(
            command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as reading,
        fifo.open("wb", buffering=0) as writing,
    ):  # opens as soon as the command reads
        writing.write(mbox(MONTH))
        reading.send_signal(signal.SIGINT)
        out, err = reading.communicate(timeout=30)
    assert (reading.returncode, out, err) == (130, b"", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["list.mbox"]


@contextmanager
def terminal() -> Iterator[tuple[int, list[bytes]]]:
    """A terminal, and what was written to it by the end."""
    ours, theirs = pty.openpty()
    seen: list[bytes] = []

    def watch() -> None:
        try:
            while octets := os.read(ours, 4096):
                seen.append(octets)
        except OSError:  # the other end was closed
            return

    reader = threading.Thread(target=watch)
    reader.start()
    yield theirs, seen
    os.close(theirs)
    reader.join(timeout=10)
    os.close(ours)


def test_a_progress_bar_is_for_a_terminal_only(archive: Path) -> None:
    """Who waits at a terminal sees a bar on stderr; stdout has the document and nothing else."""
    with terminal() as (theirs, seen):
        command = [sys.executable, "-m", "helpdesk", "replay", archive.name, "--json"]
        done = subprocess.run(
            command,
            cwd=archive.parent,
            env=environment(TERM="xterm"),
            stdout=subprocess.PIPE,
            stderr=theirs,
            check=True,
        )
    assert json.loads(done.stdout)["mails"] == 10
    assert b"%" in b"".join(seen)


def test_the_progress_is_by_octets_and_never_runs_backwards(archive: Path) -> None:
    """Reading counts the archive's octets up to the last, playing its messages."""
    watch = Recorder()
    played(archive, watch=watch)
    assert watch.stages == [("read", archive.stat().st_size), ("thread", 0), ("play", 8)]
    assert [steps[-1] for steps in watch.steps if steps] == [archive.stat().st_size, 8]
    assert all(steps == sorted(steps) for steps in watch.steps)
