"""Observing messages: which copies are one message, and which messages are one thread."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from helpdesk.model import URGENT, Role, Stamp
from helpdesk.ports import Tier
from helpdesk.rules.state import Register, ThreadState
from helpdesk.store import threads
from helpdesk.store.core import ACTION, MESSAGE, QUARANTINE
from tests.bench import AIDEN, ANN, BOB, START, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, Tier.QRESYNC)
    made.look()
    yield made
    made.close()


def decide(bench: Bench, message_id: str, state: ThreadState) -> None:
    """Decide something about a thread."""
    key = bench.thread(message_id).key
    with bench.engine.begin() as conn:
        threads.save(conn, [threads.Decided(key, state)])


def urgent(cycle: int) -> ThreadState:
    """A thread that was set URGENT in a cycle."""
    stamp = Stamp(cycle, START)
    return ThreadState(
        open=True, since=stamp, registers={URGENT: Register(True, stamp, True, "test", "test")}
    )


def test_two_deliveries_of_one_mail_are_one_message(bench: Bench) -> None:
    """The direct copy and the list's copy of a mail are one message with two copies, and the direct one says who wrote it."""
    bench.deliver("<a@x>", ANN, headers={"List-Id": "<dast.lists.example.org>"})
    bench.look()
    bench.deliver("<a@x>", AIDEN)
    assert bench.look().new == 0
    (thread,) = bench.threads()
    (message,) = thread.messages
    assert (len(thread.copies), message.author, message.role, message.cycle) == (
        2,
        AIDEN,
        Role.SHIFTER,
        bench.cycle,
    )


def test_a_worse_copy_changes_nothing(bench: Bench) -> None:
    """The list's copy of an answer that lies in Sent is no news, and the author stays the shifter."""
    bench.deliver("<a@x>", AIDEN, folder="Sent")
    bench.look()
    seen = bench.cycle
    bench.deliver("<a@x>", BOB, headers={"List-Id": "<dast.lists.example.org>"})
    bench.look()
    (message,) = bench.thread("<a@x>").messages
    assert (message.author, message.role, message.cycle) == (AIDEN, Role.SHIFTER, seen)


def test_a_better_copy_of_the_same_author_is_no_news(bench: Bench) -> None:
    """The direct copy of a mail that the list brought before is no event a second time."""
    bench.deliver("<a@x>", headers={"List-Id": "<dast.lists.example.org>"})
    bench.look()
    seen = bench.cycle
    bench.deliver("<a@x>")
    bench.look()
    (message,) = bench.thread("<a@x>").messages
    assert message.cycle == seen


@pytest.mark.parametrize("again", [{"date": START + timedelta(hours=1)}, {"sender": BOB}])
def test_a_reused_id_is_another_message(bench: Bench, again: dict[str, object]) -> None:
    """Two mails with one Message-ID and different dates, or different direct authors, are two messages in one thread."""
    bench.deliver("<a@x>")
    bench.look()
    bench.deliver("<a@x>", **again)  # type: ignore[arg-type]  # the keywords of `mail`
    assert bench.look().new == 1
    assert [len(t.messages) for t in bench.threads()] == [2]


def test_mails_without_an_id_do_not_get_lost(bench: Bench) -> None:
    """Mails without a Message-ID are as many messages as there are mails, and a copy of one is the same message."""
    for _ in range(2):
        bench.deliver("", subject="Help")
    assert bench.look().new == 2
    bench.server.copy("INBOX", [1], "Archive")
    assert bench.look().new == 0
    assert all(m.message_id.endswith("@no-message-id.invalid>") for t in bench.threads() for m in t.messages)


def test_message_time_cannot_be_forged(bench: Bench) -> None:
    """The time of a message is INTERNALDATE, but never later than the moment that it was first seen."""
    bench.deliver("<past@x>", when=START - timedelta(days=2), date=START + timedelta(days=900))
    bench.deliver("<future@x>", when=START + timedelta(days=900), date=START - timedelta(days=900))
    bench.look()
    (past,), (future,) = bench.thread("<past@x>").messages, bench.thread("<future@x>").messages
    assert (past.time, future.time) == (START - timedelta(days=2), bench.stamp.at)


def test_a_late_parent_joins_threads(bench: Bench) -> None:
    """A parent that comes after its replies makes their threads one, with the joined state, the old aliases and journal."""
    bench.deliver("<b@x>", answers=["<a@x>"], when=START)
    bench.deliver("<c@x>", BOB, answers=["<p@x>"], subject="Other", when=START)
    bench.look()
    assert len(bench.threads()) == 2
    keys = [bench.thread(one).key for one in ("<b@x>", "<c@x>")]
    decide(bench, "<b@x>", urgent(1))
    decide(bench, "<c@x>", ThreadState(open=False, since=Stamp(2, START)))
    with bench.engine.begin() as conn:
        conn.execute(update(MESSAGE).values(size=1))
        row = {"at": START, "cycle": 1, "kind": "k", "rule": "r", "reason": "r", "code": "", "what": ""}
        more = {"guideline": "", "evidence": "", "status": "done"}
        conn.execute(insert(ACTION), [{"id": str(key), "thread": key, **row, **more} for key in keys])
    bench.deliver("<a@x>", answers=["<p@x>"], when=START)
    observed = bench.look()
    assert observed.joined == (tuple(keys),)
    (thread,) = bench.threads()
    assert thread.state.open
    assert thread.state.registers[URGENT].present
    with bench.engine.connect() as conn:
        assert set(conn.execute(select(ACTION.c.thread)).scalars()) == {thread.key}


def test_a_bridge_joins_until_its_roots_are_there(bench: Bench) -> None:
    """A mail that names two roots joins their threads while they are ghosts; when both came, it joins its parent's only."""
    bench.deliver("<bridge@x>", answers=["<a@x>", "<b@x>"])
    bench.deliver("<c@x>", answers=["<a@x>"])
    bench.look()
    assert bench.groups() == [{"<bridge@x>", "<c@x>"}]
    for one in ("<d@x>", "<e@x>"):
        bench.deliver(one, answers=["<b@x>"])
    bench.look()
    decide(bench, "<c@x>", urgent(1))
    row = bench.thread("<c@x>").key
    bench.deliver("<a@x>", subject="First")
    bench.deliver("<b@x>", subject="Second")
    observed = bench.look()
    assert len(observed.refused) == 1
    parts = [["<a@x>", "<c@x>"], ["<b@x>", "<bridge@x>", "<d@x>", "<e@x>"]]
    assert sorted(map(sorted, bench.groups())) == parts
    assert bench.thread("<c@x>").key == row  # the smaller part, but the one with the old root
    assert all(t.state.registers[URGENT].present for t in bench.threads())


def test_a_bridge_is_allowed_when_a_root_is_filed(bench: Bench) -> None:
    """A refused bridge joins what it names as soon as only one of its roots is still on the board."""
    bench.server.create("Helpdesk")
    bench.deliver("<a@x>", subject="First")
    bench.deliver("<b@x>", BOB, subject="Second")
    bench.deliver("<answer@x>", answers=["<a@x>"], subject="Re: First")
    bench.deliver("<bridge@x>", answers=["<a@x>", "<b@x>"])
    assert len(bench.look().refused) == 1
    bench.server.move("INBOX", [1], "Helpdesk")
    bench.look()
    assert bench.groups() == [{"<b@x>", "<answer@x>", "<bridge@x>"}]


def test_a_thread_is_dirty_only_when_something_happened(bench: Bench) -> None:
    """A new mail makes its own thread dirty and no other."""
    bench.deliver("<a@x>")
    bench.deliver("<b@x>", BOB, subject="Other")
    bench.look()
    bench.dirty()
    bench.deliver("<c@x>", answers=["<b@x>"])
    bench.look()
    assert bench.dirty() == {bench.thread("<b@x>").key}


def test_an_answer_that_lost_its_ids(bench: Bench) -> None:
    """An answer without any id finds its thread by subject and person, also when the question is read later."""
    bench.deliver("<re@x>", subject="Re: Stage-in fails at DESY", when=START + timedelta(minutes=1))
    bench.deliver("<other@x>", BOB, subject="Stage-in fails at DESY", when=START)
    bench.look()
    assert len(bench.threads()) == 2
    bench.deliver("<q@x>", subject="Stage-in fails at DESY", when=START)
    bench.look()
    assert bench.thread("<re@x>").key == bench.thread("<q@x>").key != bench.thread("<other@x>").key


def test_an_answer_keeps_what_it_found(bench: Bench) -> None:
    """A later mail with the same subject takes no old answer away from its question."""
    days = timedelta(days=1)
    bench.cycle = 100_000  # some months later
    bench.deliver("<q@x>", subject="Stage-in fails at DESY", when=START)
    bench.deliver("<re@x>", subject="Re: Stage-in fails at DESY", when=START + 25 * days)
    bench.look()
    bench.deliver("<q2@x>", subject="Stage-in fails at DESY", when=START + 50 * days)
    bench.deliver("<re2@x>", subject="Re: Stage-in fails at DESY", when=START + 51 * days)
    bench.look()
    assert sorted(map(sorted, bench.groups())) == [["<q2@x>", "<re2@x>"], ["<q@x>", "<re@x>"]]


@pytest.mark.parametrize("octets", [b"\r\nno header at all\r\n", b"", b"\xff\xfe\x00\r\n\r\n"])
def test_a_mail_that_cannot_be_read_stops_nobody(bench: Bench, octets: bytes) -> None:
    """It goes to quarantine, all other mail is read, and it leaves the quarantine when it leaves the folder."""
    bench.server.deliver("INBOX", octets)
    bench.deliver("<a@x>")
    assert bench.look().new == 1
    with bench.engine.connect() as conn:
        (before,) = conn.execute(select(QUARANTINE)).all()
    bench.server.add_flags("INBOX", [1], ["\\Seen"])
    assert not bench.look().more
    with bench.engine.connect() as conn:
        assert conn.execute(select(QUARANTINE)).all() == [before]
    bench.server.delete("INBOX", [1])
    bench.look()
    with bench.engine.connect() as conn:
        assert conn.execute(select(QUARANTINE)).all() == []


def test_text_that_no_database_takes(bench: Bench) -> None:
    """Lone surrogates and NUL in a subject or a name do not stop the mail."""
    subject = "=?utf-7?q?+2AA-?= =?utf-8?q?a=00b?="
    bench.deliver("<a@x>", f'"=?utf-8?q?=00?=" <{ANN}>', subject=subject)
    assert bench.look().new == 1


def test_decisions_of_a_thread_survive_new_mail(bench: Bench) -> None:
    """The state of a thread is as it was decided, whatever mail joins it."""
    bench.deliver("<a@x>")
    bench.look()
    state = replace(urgent(1), episodes={URGENT: 2}, refused=frozenset({"docs\trule"}))
    decide(bench, "<a@x>", state)
    bench.deliver("<b@x>", answers=["<a@x>"])
    bench.look()
    assert bench.thread("<b@x>").state == state
