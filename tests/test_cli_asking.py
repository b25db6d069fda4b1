"""What people ask for by command: undo, release, resume, the outbox; and the ledger that proves nothing was lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.store.lock import instance_lock
from tests.desk import T0, T1, T2, Desk, memory_desk
from tests.servers.smtp_sink import Fault, SmtpSink, Stage


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sink: SmtpSink) -> Desk:
    """A board that acts, with one mail in its inbox."""
    desk = memory_desk(tmp_path, monkeypatch)
    desk.write_config(smtp=sink.port)
    desk.deliver("Jobs fail", "<a@x>")
    desk.run(T0)
    return desk


def flags(desk: Desk) -> frozenset[str]:
    return desk.server.look("INBOX")[0].flags


# -- undo --------------------------------------------------------------------------------------------------------


def test_undo_takes_an_action_back_at_once(desk: Desk) -> None:
    """Without a daemon `undo ACTION` reverses the action in the mailbox before it ends, by any unique prefix of its id."""
    desk.deliver("mc08 again", "<b@x>")
    (added,) = desk.run(T1)["actions"]
    told = desk.read("undo", added["id"][:6])
    assert (told["when"], [one["what"] for one in told["undone"]]) == ("now", ["newbie"])
    assert [(a["kind"], a["rule"]) for a in told["run"]["actions"]] == [("remove_label", "undo")]
    assert "newbie" not in desk.server.look("INBOX")[1].flags
    assert [entry["status"] for entry in desk.story("<b@x>")] == ["undone", "done"]
    assert desk.run(T2)["actions"] == []


def test_undo_of_a_thread_goes_back_run_by_run(desk: Desk) -> None:
    """`undo --thread` takes back the latest run that did anything to the thread, then the run before it."""
    desk.write_config(grace=600)
    desk.server.add_flags("INBOX", [1], ["ggus"])
    desk.run(T1)
    desk.deliver("Re: mc08 Jobs fail", "<b@x>", answers=["<a@x>"])
    desk.run(T2)
    assert {"ggus", "escalated", "newbie"} <= flags(desk)
    thread = desk.thread("<a@x>")
    undone = desk.read("undo", "--thread", thread)["undone"]
    assert "newbie" in {one["what"] for one in undone}
    assert "newbie" not in flags(desk)
    assert "escalated" in flags(desk)
    undone = desk.read("undo", "--thread", thread[:10])["undone"]
    assert [one["what"] for one in undone] == ["ESCALATED"]
    assert not {"escalated", "ggus"} & flags(desk)
    assert desk.say("undo", "--thread", thread).code == 2


def test_undo_of_a_mail_depends_on_whether_it_left(desk: Desk, sink: SmtpSink) -> None:
    """A mail that was sent cannot be undone, one that still waits is dropped."""
    sink.script(Fault(Stage.MAIL, "451 later", lasting=False))
    desk.server.add_flags("INBOX", [1], ["ggus"])
    desk.run(T1)
    mail = next(entry for entry in desk.story("<a@x>") if entry["kind"] == "send_mail")
    assert desk.read("outbox", "list")[0]["state"] == "planned"
    told = desk.read("undo", mail["id"])
    assert told["undone"][0]["mail"] == 1
    assert [row["state"] for row in desk.read("outbox", "list", "--all")] == ["dropped"]
    desk.run("2026-06-09T08:00Z")
    assert sink.received == []
    desk.deliver("Other", "<c@x>")
    desk.run("2026-06-09T08:10Z")
    desk.server.add_flags("INBOX", [2], ["ggus"])
    desk.run("2026-06-09T08:20Z")
    sent = next(entry for entry in desk.story("<c@x>") if entry["kind"] == "send_mail")
    said = desk.say("undo", sent["id"])
    assert said.code == 2
    assert "sent" in said.err


def test_undo_in_observe_mode_has_nothing_to_undo(desk: Desk) -> None:
    """What was only planned cannot be taken back."""
    desk.write_config(act="observe")
    desk.server.add_flags("INBOX", [1], ["ggus"])
    planned = desk.run(T1)["actions"]
    assert "escalated" not in flags(desk)
    said = desk.say("undo", planned[0]["id"])
    assert said.code == 2
    assert "observes" in said.err


def test_a_daemon_does_it_with_its_next_cycle(desk: Desk) -> None:
    """While another process holds the board a request is written down once, and the next cycle carries it out."""
    desk.deliver("mc08 again", "<b@x>")
    (added,) = desk.run(T1)["actions"]
    with instance_lock(f"sqlite:///{desk.database}"):
        for _ in range(2):
            told = desk.read("undo", added["id"])
            assert (told["when"], told["run"]) == ("next_cycle", None)
        assert "it does this within a second or two" in desk.say("undo", added["id"]).out
        assert desk.say("run", "--once", "--now", T2).code == 1
    assert "newbie" in desk.server.look("INBOX")[1].flags
    assert len(desk.run(T2)["actions"]) == 1
    assert "newbie" not in desk.server.look("INBOX")[1].flags


# -- resume ------------------------------------------------------------------------------------------------------


def test_resume_approves_what_was_shown(desk: Desk) -> None:
    """What a brake holds ends runs with 1 until `resume` has shown and approved it."""
    for number in range(9):
        desk.deliver(f"Issue {number}", f"<i{number}@x>")
    desk.run(T1)
    desk.server.delete("INBOX", range(1, 7))
    assert [one["what"] for one in desk.run(T2, code=1)["held"]] == ["gone"]
    assert desk.say("run", "--once").code == 1
    assert "6 of 11" in desk.say("run", "--once").out
    assert desk.say("check").code != 0
    said = desk.say("resume", typed="")
    assert said.code == 0
    assert "6 of 11" in said.out
    assert desk.run("2026-06-08T10:01Z")["held"] == []
    assert desk.read("resume") == {"approved": [], "when": "now", "run": None}


def test_requests_live_in_the_boards_time(desk: Desk) -> None:
    """On a simulated board a request is made at the last cycle's time, and one from the past is bad usage."""
    assert desk.read("release", "GGUS", "1", "--now", T1)["run"]["now"] == "2026-06-08T09:00:00Z"
    assert desk.read("release", "GGUS", "2")["run"]["now"] == "2026-06-08T09:00:00Z"
    assert desk.say("release", "GGUS", "3", "--now", T0).code == 2


# -- release -----------------------------------------------------------------------------------------------------


def test_a_release_asks_the_users_of_its_fixed_threads(desk: Desk, sink: SmtpSink) -> None:
    """A release mails each asker of its FIXED threads once, FIXED becomes WAITING, and the others are listed."""
    desk.deliver("Other", "<b@x>", sender="cy@uni.example")
    desk.run(T1)
    desk.server.add_flags("INBOX", [1], ["fixed_in_next_release", "newbie"])
    desk.server.add_flags("INBOX", [2], ["fixed_in_next_release"])
    desk.run(T2)
    told = desk.read("release", "newbie", "5.2", "--now", "2026-06-08T11:00Z")
    assert told["known"]
    assert told["others"] == [desk.thread("<b@x>")]
    assert told["not_asked"] == [{"thread": desk.thread("<b@x>"), "why": "no label says what it belongs to"}]
    assert [letter.recipients[0] for letter in sink.received] == ["bob@uni.example"]
    assert "waiting" in flags(desk)
    desk.read("release", "newbie", "5.2")
    assert len(sink.received) == 1
    said = desk.say("release", "nobody-knows", "1")
    assert said.code == 0
    assert "no label says what it belongs to" in said.out
    assert "nobody-knows" in said.err


# -- outbox ------------------------------------------------------------------------------------------------------


def test_a_refused_mail_is_held_until_somebody_retries(desk: Desk, sink: SmtpSink) -> None:
    """A mail that the server refuses is listed with its answer and ends runs with 1; `retry` sends it under the same id."""
    sink.script(Fault(Stage.RCPT, "550 no such user", to="ggus@tracker.example.net"))
    sink.script(Fault(Stage.RCPT, "550 no such user", to="dast-board@example.org"))
    desk.server.add_flags("INBOX", [1], ["ggus"])
    assert [one["what"] for one in desk.run(T1, code=1)["held"]] == ["outbox"]
    (row,) = desk.read("outbox", "list")
    assert (row["state"], row["thread"]) == ("failed", desk.thread("<a@x>"))
    assert "no such user" in row["answer"]
    assert "no such user" in desk.say("outbox", "list", columns=200).out
    told = desk.read("outbox", "retry", str(row["id"]))
    assert told["mail"]["message_id"] == row["message_id"]
    assert [row["message_id"].encode() in letter.content for letter in sink.received] == [True]
    assert desk.read("outbox", "list") == []
    assert desk.say("outbox", "retry", str(row["id"])).code == 2
    assert desk.say("outbox", "drop", str(row["id"])).code == 2


def test_a_mail_is_shown_with_the_fate_of_each_recipient(desk: Desk, sink: SmtpSink) -> None:
    """`outbox show` tells why a mail is sent, who has it and who has not, and what it says."""
    sink.script(Fault(Stage.RCPT, "550 no such user", to="ann@example.org"))
    desk.server.add_flags("INBOX", [1], ["ggus", "urgent"])
    desk.run(T1)
    desk.run("2026-06-08T09:10Z", code=1)
    told = desk.read("outbox", "show", "2")
    assert (told["rule"], told["refused"], told["served"]) == (
        "urgent",
        ["ann@example.org"],
        ["dast-board@example.org"],
    )
    assert "URGENT" in told["text"]
    shown = desk.say("outbox", "show", "2", columns=200).out
    assert "refused it" in shown
    assert "550 no such user" in shown
    assert "has it" in desk.say("outbox", "show", "1").out


def test_several_mails_are_dropped_at_once(desk: Desk, sink: SmtpSink) -> None:
    """`outbox drop` takes several numbers, and does nothing where one of them is wrong."""
    sink.script(*[Fault(Stage.MAIL, "451 later", lasting=True)])
    desk.server.add_flags("INBOX", [1], ["ggus", "urgent"])
    desk.run(T1)
    desk.run("2026-06-08T09:10Z")
    assert desk.say("outbox", "drop", "1", "77").code == 2
    assert {row["state"] for row in desk.read("outbox", "list")} == {"planned"}
    assert len(desk.read("outbox", "drop", "1", "2")["mails"]) == 2
    assert desk.read("outbox", "list") == []


def test_a_dropped_mail_never_leaves(desk: Desk, sink: SmtpSink) -> None:
    """`outbox drop` decides against a mail for good."""
    sink.script(Fault(Stage.MAIL, "451 later"))
    desk.server.add_flags("INBOX", [1], ["ggus"])
    desk.run(T1)
    assert desk.read("outbox", "drop", "1")["mail"]["state"] == "dropped"
    desk.run("2026-06-08T12:00Z")
    assert sink.received == []
    assert "dropped" in desk.say("outbox", "list", "--all").out
    assert "No mail waits" in desk.say("outbox", "list").out


# -- ledger ------------------------------------------------------------------------------------------------------


def test_the_ledger_names_what_is_left_behind(desk: Desk) -> None:
    """A message that no cycle has read yet is residue and exit code 1; after the next run there is none."""
    assert desk.read("ledger")["residue"] == []
    desk.deliver("New", "<b@x>")
    desk.server.mark_deleted("INBOX", [desk.deliver("Gone", "<c@x>")])
    found = desk.read("ledger", code=1)
    assert [(one["folder"], one["uid"]) for one in found["residue"]] == [("INBOX", 2)]
    assert found["messages"] == found["copies"] == 3  # with the one in the folder Board
    assert "INBOX" in desk.say("ledger").out
    desk.run(T1)
    desk.server.copy("INBOX", [1], "Archive")
    desk.run(T2)
    told = desk.read("ledger")
    assert (told["messages"], told["copies"], told["threaded"], told["correspondence"]) == (3, 4, 2, 1)


def test_what_cannot_be_read_is_in_quarantine(desk: Desk) -> None:
    """A mail without a header is counted as quarantined and not as left behind."""
    desk.server.deliver("INBOX", b"\r\nno header at all\r\n")
    desk.run(T1)
    told = desk.read("ledger")
    assert (told["threaded"], told["quarantined"], told["residue"]) == (1, 1, [])
