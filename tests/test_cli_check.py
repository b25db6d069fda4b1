"""`helpdesk check`: what it finds, what it warns of, and that it only looks."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpdesk.ports import Tier
from helpdesk.probe import probe_findings
from helpdesk.remedies import remedies
from helpdesk.report import Hold
from helpdesk.uidset import UidSet
from tests.desk import T0, T1, Desk, memory_desk
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.minimal import minimal
from tests.servers.smtp_sink import Fault, SmtpSink, Stage
from tests.world import mail

AUTOMATIC = {"Auto-Submitted": "auto-replied"}


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sink: SmtpSink) -> Desk:
    desk = memory_desk(tmp_path, monkeypatch)
    desk.write_config(smtp=sink.port)
    return desk


def found(desk: Desk, *args: str, code: int = 0) -> dict[str, Any]:
    """The findings by name."""
    return {one["name"]: one for one in desk.read("check", *args, code=code)["checks"]}


def test_check_only_looks(desk: Desk) -> None:
    """Without --probe nothing is written: not in the mailbox, not beside the configuration, before and after adoption."""
    desk.deliver("Jobs fail", "<a@x>")
    for _ in range(2):
        files, mailbox = desk.files(), desk.mailbox_state()
        assert all(one["ok"] for one in found(desk).values())
        assert (desk.files(), desk.mailbox_state()) == (files, mailbox)
        desk.run(T0)


def test_check_says_what_to_do_in_words(desk: Desk) -> None:
    """For people, what is wrong comes with what to do about it."""
    desk.server.remove("Sent")
    said = desk.say("check", columns=60)
    assert said.code == 0
    assert "-> see [imap] sent" in said.out
    assert all(len(line) <= 60 for line in said.out.splitlines())


def test_an_smtp_server_that_is_down_ends_with_3(desk: Desk) -> None:
    """A server that cannot be reached is exit code 3, and the others are looked at all the same."""
    desk.write_config()
    told = found(desk, code=3)
    assert not told["smtp"]["ok"]
    assert told["imap"]["ok"]
    assert told["plan"]["ok"]


def test_where_answers_come_to_is_told(desk: Desk) -> None:
    """The address of an answer is named, with what to write where the server does not deliver it."""
    assert "dast-board+TOKEN@example.org" in found(desk)["answers"]["what"]
    sender = 'sender = "dast-board@example.org"\n'
    desk.config.write_text(desk.config.read_text().replace(sender, sender + "plus_addresses = false\n"))
    assert "TOKEN" not in found(desk)["answers"]["what"]


def test_a_secret_that_others_may_read_is_wrong(desk: Desk, tmp_path: Path) -> None:
    """A password file that others may use is exit code 1, and that server is not asked."""
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "password").chmod(0o644)
    desk.config.write_text(
        desk.config.read_text().replace(
            'password_env = "HELPDESK_TEST_PASSWORD"', 'password_file = "password"'
        )
    )
    told = found(desk, code=1)
    assert "chmod 600" in told["secret of [imap]"]["what"]
    assert "imap" not in told


def test_missing_folders_are_told(desk: Desk) -> None:
    """A missing inbox is wrong; a missing archive is made later, and a missing Sent is a warning."""
    for name in ("Archive", "Sent"):
        desk.server.remove(name)
    told = found(desk)
    assert "it is made" in told["folder archive"]["what"]
    assert told["folder sent"]["todo"]
    desk.config.write_text(desk.config.read_text().replace("[imap]\n", '[imap]\ninbox = "Board/In"\n'))
    assert not found(desk, code=1)["folder inbox"]["ok"]


def test_a_server_without_keywords_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sink: SmtpSink
) -> None:
    """Where a server makes no keywords the labels cannot be shown, by its own word and by the probe."""
    desk = memory_desk(tmp_path, monkeypatch, MemoryServer(keywords=False))
    desk.write_config(smtp=sink.port)
    told = found(desk, "--probe", code=1)
    assert not told["dialect"]["ok"]
    assert "URGENT" in told["probe keywords"]["what"]


def test_keyword_slots_are_counted(desk: Desk) -> None:
    """The names in use are counted, the clients' own included, against what Dovecot's Maildir keeps."""
    uid = desk.deliver("Jobs fail", "<a@x>")
    desk.server.add_flags("INBOX", [uid], ["urgent", "NonJunk", "what-is-this"])
    told = found(desk)["keywords"]
    assert "3 keywords" in told["what"]
    assert "12 labels are safe" in told["what"]
    assert told["todo"] == ""
    desk.server.add_flags("INBOX", [uid], [f"x{number}" for number in range(20)])
    assert "helpdesk labels" in found(desk)["keywords"]["todo"]


def test_much_automatic_mail_is_a_warning(desk: Desk) -> None:
    """More than a fifth of machines' mail is a warning, counted in a sample first and in the database later."""
    for number in range(3):
        desk.deliver(f"Issue {number}", f"<i{number}@x>")
    desk.deliver("I am away", "<away@x>", headers=AUTOMATIC)
    told = found(desk)["mail"]
    assert "25% of 4 messages among the newest" in told["what"]
    assert told["ok"]
    assert "a fifth" in told["todo"]
    desk.run(T0)
    assert "25% of 4 messages in the database" in found(desk)["mail"]["what"]


def test_own_mail_to_the_list_is_a_warning(desk: Desk) -> None:
    """Where the board's own mail would go to the list, check says so before anybody gets it."""
    desk.deliver("Jobs fail", "<a@x>")
    desk.config.write_text(
        desk.config.read_text().replace("dast-board@example.org", "dast@lists.example.org")
    )
    told = found(desk)["list"]
    assert told["ok"]
    assert "every subscriber" in told["todo"]


def test_a_list_that_the_board_does_not_know_is_a_warning(desk: Desk) -> None:
    """When no mail came through the configured list, the List-Id that most mail has is named."""
    octets = mail("bob@uni.example", "Jobs fail", "<a@x>").replace(b"dast.lists", b"other.lists")
    desk.server.deliver("INBOX", octets)
    assert "other.lists.example.org" in found(desk)["list"]["todo"]


def test_who_vouches_for_the_mail_is_told(desk: Desk, sink: SmtpSink) -> None:
    """Without a trusted server every command is asked about; the server that most mail names is told, to be judged."""
    assert found(desk)["authentication"]["todo"] == ""
    results = {"Authentication-Results": "mx.example.org; dmarc=pass header.from=uni.example"}
    desk.deliver("Jobs fail", "<a@x>", headers=results)
    told = found(desk)["authentication"]
    assert "is asked about" in told["what"]
    assert '"mx.example.org"' in told["todo"]
    desk.write_config(smtp=sink.port, more='[auth]\nauthserv_ids = ["MX.example.org"]\n')
    told = found(desk)["authentication"]
    assert told["what"] == "1 of the newest 1 messages carry results of mx.example.org on top"
    assert told["todo"] == ""


def test_what_is_held_fails_the_check(desk: Desk) -> None:
    """A brake that would hold the next cycle is exit code 1, with what to do about it."""
    for number in range(6):
        desk.deliver(f"Issue {number}", f"<i{number}@x>")
    desk.run(T0)
    desk.server.delete("INBOX", range(1, 6))
    told = found(desk, "--now", T1, code=1)["plan"]
    assert "gone" in told["what"]
    assert "`helpdesk resume` approves it" in told["todo"]


def test_each_hold_has_its_remedy() -> None:
    """A mail that is held wants the outbox, no approval; two holds of one kind are told once."""
    told = remedies([Hold("outbox", "a cap"), Hold("gone", "5 of 6"), Hold("outbox", "another")])
    assert [("outbox list" in one, "resume" in one) for one in told] == [(True, False), (False, True)]


@pytest.mark.parametrize("tier", list(Tier))
def test_the_probe_leaves_nothing_but_its_empty_folder(tier: Tier) -> None:
    """The canary is removed, other mail in the folder stays, and no other folder is touched."""
    server = MemoryServer()
    server.deliver("INBOX", mail("bob@uni.example", "Jobs fail", "<a@x>"))
    server.create("helpdesk-probe")
    server.deliver("helpdesk-probe", mail("bob@uni.example", "Not ours", "<b@x>"))
    before = {name: server.look(name) for name in server.folders()}
    told = {one.name: one for one in probe_findings(minimal(), MemoryMailbox(server, tier))}
    assert all(one.ok for one in told.values()), told
    assert {name: server.look(name) for name in server.folders()} == before


class Careless(MemoryMailbox):
    """A server that ignores UNCHANGEDSINCE."""

    def store(self, folder: Any, uids: UidSet, change: str, flags: Any, unchanged_since: int | None) -> Any:
        del unchanged_since
        return super().store(folder, uids, change, flags, None)


def test_the_probe_finds_a_server_that_lets_the_second_win() -> None:
    """A conditional store that changes what a human changed first is found."""
    told = {one.name: one for one in probe_findings(minimal(), Careless(MemoryServer()))}
    assert not told["probe conditional store"].ok


def escalated(desk: Desk, sink: SmtpSink) -> bytes:
    """A mail of the board has left; its octets."""
    desk.deliver("Jobs fail", "<a@x>")
    desk.run(T0)
    desk.server.add_flags("INBOX", [1], ["ggus"])
    desk.run(T1)
    return sink.received[-1].content


def test_a_relay_that_changes_message_ids_is_found_out(desk: Desk, sink: SmtpSink) -> None:
    """A copy that comes home under another Message-ID is known as ours, and `check` says what that means."""
    octets = escalated(desk, sink)
    own = re.search(rb"Message-ID: (\S+)", octets)
    assert own is not None
    desk.server.deliver("INBOX", octets.replace(own[0], b"Message-ID: <relay.1@mx.example.net>"))
    desk.run("2026-06-08T09:10Z")
    told = found(desk, "--now", "2026-06-08T09:20Z")["outbox"]
    assert told["ok"]
    assert "changes the Message-ID" in told["todo"]
    shown = desk.read("outbox", "show", "1")
    assert (shown["state"], shown["came_home_as"]) == ("observed", "<relay.1@mx.example.net>")


def test_refused_copies_are_found_out(desk: Desk, sink: SmtpSink) -> None:
    """A server that refuses the board's own copies leaves nothing that proves its mail: `check` says so."""
    sink.script(Fault(Stage.RCPT, "550 no such user", to="dast-board@example.org", lasting=True))
    escalated(desk, sink)
    told = found(desk, "--now", "2026-06-08T10:00Z")["outbox"]
    assert "refuses the board's own copies" in told["todo"]
