"""What a shifter leaves for the next one, and what people say about observe mode's plans, as the store keeps them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, create_engine

from helpdesk.errors import UsageError
from helpdesk.outbox import OutboxRow, State
from helpdesk.store import handovers, outbox, wrongs
from helpdesk.store.core import METADATA
from helpdesk.store.handovers import Handover
from helpdesk.store.wrongs import Mark
from tests.world import START

NOTE = Handover("<h1@example.org>", "Sergey", START, ("DESY is theirs, not ours.",), verified=True)
DIGEST = OutboxRow(0, "<d1@example.org>", "", "digest", "s", "digest", ("aiden@example.org",), START)
PLANS = json.dumps({"plans": [["a1", "a2"], ["b1"]]})


@pytest.fixture
def conn() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    with engine.begin() as conn:
        yield conn
    engine.dispose()


def _report(conn: Connection, message_id: str, context: str = PLANS) -> None:
    row = replace(DIGEST, message_id=message_id, rule="observe_report", kind="observed", context=context)
    outbox.add(conn, row, None)


def _sent(conn: Connection, message_id: str, state: State) -> None:
    row = next(one for one in outbox.rows(conn, tuple(State)) if one.message_id == message_id)
    outbox.save(conn, replace(row, state=state))


def test_the_proven_copy_says_what_was_written(conn: Connection) -> None:
    """The copy in Sent that is read after the one that came by mail counts; one that came later by mail changes nothing."""
    forged = replace(NOTE, words=("Archive everything.",), verified=False)
    assert handovers.add(conn, forged)
    assert not handovers.add(conn, NOTE)
    assert not handovers.add(conn, forged)
    assert [(one.words, one.verified) for one in handovers.waiting(conn)] == [(NOTE.words, True)]


def test_a_handover_waits_until_a_digest_was_sent(conn: Connection) -> None:
    """It stays until a digest that opens with it was sent; one that never left does not count."""
    assert handovers.add(conn, NOTE)
    assert [one.words for one in handovers.waiting(conn)] == [NOTE.words]
    outbox.add(conn, DIGEST, None)
    handovers.give(conn, handovers.waiting(conn), DIGEST.message_id)
    assert len(handovers.waiting(conn)) == 1
    _sent(conn, DIGEST.message_id, State.DROPPED)
    assert len(handovers.waiting(conn)) == 1
    later = replace(DIGEST, message_id="<d2@example.org>")
    outbox.add(conn, later, None)
    handovers.give(conn, handovers.waiting(conn), later.message_id)
    assert handovers.of_digest(conn, DIGEST.message_id) == []
    _sent(conn, later.message_id, State.SENT)
    assert handovers.waiting(conn) == []
    assert [one.author for one in handovers.of_digest(conn, later.message_id)] == ["Sergey"]


def test_a_handover_is_kept_once(conn: Connection) -> None:
    """The same mail read twice is one hand-over; one that says nothing is none; a very long one is cut."""
    assert handovers.add(conn, NOTE)
    assert not handovers.add(conn, NOTE)
    assert not handovers.add(conn, replace(NOTE, message_id="<h2@example.org>", words=("", "  ")))
    assert handovers.add(conn, replace(NOTE, message_id="<h3@example.org>", words=("x" * 5000,) * 500))
    long = handovers.waiting(conn)[-1]
    assert (len(long.words), len(long.words[0])) == (60, 600)


def test_a_mark_names_the_actions_of_its_plan(conn: Connection) -> None:
    """`wrong 1` of a report is about exactly the actions that stood behind its number 1; said again, it replaces the first."""
    _report(conn, "<r1@example.org>")
    said = Mark("<r1@example.org>", 1, "Sergey", START, "she answered by phone")
    assert wrongs.mark(conn, said).actions == ("a1", "a2")
    again = wrongs.mark(conn, replace(said, at=START + timedelta(hours=1), words="no: he did"))
    assert wrongs.about(conn, ["a2", "b1"]) == {"a2": [again]}
    assert wrongs.about(conn, []) == {}
    assert wrongs.since(conn, START) == [again]
    assert wrongs.since(conn, again.at + timedelta(hours=1)) == []


def test_a_mark_without_a_report_is_about_the_newest(conn: Connection) -> None:
    """Without a report's token the newest report is meant."""
    _report(conn, "<r1@example.org>")
    _report(conn, "<r2@example.org>", json.dumps({"plans": [["c1"]]}))
    kept = wrongs.mark(conn, Mark("", 1, "Sergey", START, ""))
    assert (kept.report, kept.actions) == ("<r2@example.org>", ("c1",))


@pytest.mark.parametrize(
    ("report", "number", "says"),
    [
        ("<r1@example.org>", 3, "no plan 3: its plans are 1 to 2"),
        ("<r1@example.org>", 0, "no plan 0"),
        ("<r2@example.org>", 1, "no plan 1: it had no plans"),
        ("<other@example.org>", 1, "there is no report"),
    ],
)
def test_a_mark_about_nothing_is_refused(conn: Connection, report: str, number: int, says: str) -> None:
    """A number that the report does not have, or a mail that is no report, is refused with a sentence."""
    _report(conn, "<r1@example.org>")
    _report(conn, "<r2@example.org>", "")
    with pytest.raises(UsageError, match=says):
        wrongs.mark(conn, Mark(report, number, "Sergey", START, ""))
