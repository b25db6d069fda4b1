"""A mail server that is away while the rest of a run works: what the commands say, and the exit code."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desk import T0, T1, T2, Desk, memory_desk, process
from tests.servers.smtp_sink import Fault, SmtpSink, Stage

GREYLISTED = "450 4.2.0 greylisted"


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A board with an escalated thread."""
    desk = memory_desk(tmp_path, monkeypatch)
    uid = desk.deliver("Jobs fail", "<a@x>")
    desk.run(T0)
    desk.server.add_flags("INBOX", [uid], ["ggus"])
    return desk


def test_a_run_that_reaches_no_mail_server_ends_with_3(desk: Desk, sink: SmtpSink) -> None:
    """Its work is done and told, the mail waits, stderr says what to look at; a later run sends it, once."""
    said = desk.say("run", "--once", "--now", T1, "--json")
    assert said.code == 3
    assert {"add_label", "send_mail"} == {one["kind"] for one in said.document["actions"]}
    assert "1 mail waits in the outbox" in said.err
    assert "-> [smtp] host and port: nothing listens there" in said.err
    [row] = desk.read("outbox", "list")
    assert (row["state"], row["attempts"]) == ("planned", 1)
    desk.write_config(smtp=sink.port)
    assert desk.run(T2)["held"] == []
    assert len(sink.received) == 1
    assert desk.run(T2)["actions"] == []


def test_a_mail_that_is_put_off_is_no_server_that_is_away(desk: Desk, sink: SmtpSink) -> None:
    """A server that answers "later" was reached: exit code 0, and the mail waits."""
    sink.script(Fault(Stage.RCPT, GREYLISTED, lasting=True))
    desk.write_config(smtp=sink.port)
    assert desk.run(T1)["held"] == []
    assert [row["state"] for row in desk.read("outbox", "list")] == ["planned"]


def test_what_is_held_comes_first(desk: Desk) -> None:
    """Where a brake holds something as well, the exit code is 1: a person is needed, and not only time."""
    desk.write_config(more="[brakes]\nmax_mails = 1\n")
    for number in range(3):
        uid = desk.deliver(f"Problem {number}", f"<{number}@x>")
        desk.server.add_flags("INBOX", [uid], ["ggus"])
    said = desk.say("run", "--once", "--now", T1, "--json")
    assert said.document["held"]
    assert said.code == 1


def test_a_request_whose_mails_wait_ends_with_3(desk: Desk) -> None:
    """What was asked for is done; that its mails wait is said."""
    said = desk.say("release", "Ganga", "5.2", "--now", T1, "--json")
    assert (said.code, said.document["when"]) == (3, "now")
    assert "1 mail waits in the outbox" in said.err


def test_a_folder_that_is_not_mounted_yet_ends_with_3(tmp_path: Path) -> None:
    """The first start before the disk of the database is there is tried again by systemd, which ends at 2."""
    desk = Desk(tmp_path, server=None)  # type: ignore[arg-type]  # nobody looks at the mailbox
    desk.write_config(more=f'[store]\nurl = "sqlite:///{tmp_path}/disk/helpdesk.db"\n')
    for args in (["run"], ["run", "--once"]):
        said = process(tmp_path, *args)
        assert said.code == 3
        assert "is its disk mounted?" in said.err
