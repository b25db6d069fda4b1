"""What the store is given comes back: states, touches, plans, and which threads are due."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.actions import CopyPlan
from helpdesk.bits import PLACE, STAR, Known
from helpdesk.model import URGENT, WAITING, Place, Stamp
from helpdesk.ports import Tier
from helpdesk.rules.facts import Hit
from helpdesk.rules.state import Moving, Register, ThreadState
from helpdesk.store import copies, db, threads
from tests.bench import START, Bench, only
from tests.databases import Database

STAMPS = st.builds(Stamp, st.integers(1, 9), st.datetimes(timezones=st.just(UTC)))
NAMES = st.sampled_from((WAITING, URGENT, "docs", "mc08 dataset problem"))
REGISTERS = st.dictionaries(
    NAMES, st.builds(Register, st.booleans(), STAMPS, st.booleans(), st.text(), st.text(), st.text())
)
STATES = st.builds(
    ThreadState,
    open=st.none() | st.booleans(),
    since=st.none() | STAMPS,
    rule=st.text(),
    registers=REGISTERS,
    moving=st.none()
    | st.builds(Moving, st.booleans(), STAMPS, st.text(), st.booleans(), st.text(), REGISTERS),
    refused=st.frozensets(st.text()),
    episodes=st.dictionaries(NAMES, st.integers(0, 9)),
    bot_star=st.none() | st.integers(1, 9),
)


@given(STATES)
def test_a_state_comes_back(state: ThreadState) -> None:
    """What is decided about a thread survives the database exactly; nothing decided takes no room."""
    assert threads.unpack_state(threads.pack_state(state)) == state
    assert threads.pack_state(ThreadState()) == "{}"


@given(st.lists(st.builds(Hit, st.text(), st.tuples(NAMES), st.tuples(NAMES), st.booleans(), st.booleans())))
def test_hits_come_back(hits: list[Hit]) -> None:
    """What the team rules said survives the database exactly."""
    assert threads.unpack_hits(threads.pack_hits(hits)) == tuple(hits)


@given(st.dictionaries(st.sampled_from((PLACE, STAR, WAITING, "docs")), STAMPS))
def test_touches_come_back(touches: dict[str, Stamp]) -> None:
    """Touches survive the database exactly."""
    assert copies.unpack_touches(copies.pack_touches(touches)) == touches


@pytest.fixture
def bench(tmp_path: Path, database: Database) -> Iterator[Bench]:
    made = Bench(tmp_path, Tier.QRESYNC, database=database)
    made.deliver("<a@x>", flags=["waiting"])
    made.deliver("<b@x>", answers=["<a@x>"], folder="Archive")
    made.deliver("<c@x>", subject="Other")
    made.look()
    yield made
    made.close()


def test_a_thread_is_looked_at_when_it_is_due(bench: Bench) -> None:
    """A thread is due when something happened, or at the moment that it asked for, and not after it was decided."""
    assert len(bench.dirty()) == 2
    first, second = (t.key for t in bench.threads())
    moment = START + timedelta(hours=5)
    with bench.engine.begin() as conn:
        threads.save(
            conn,
            [
                threads.Decided(first, ThreadState(), moment),
                threads.Decided(second, ThreadState(), dirty=True),
            ],
        )
        assert threads.due(conn, moment - timedelta(seconds=1)) == [second]
        assert threads.due(conn, moment) == [first, second]
        threads.save(conn, [threads.Decided(first, ThreadState()), threads.Decided(second, ThreadState())])
        assert threads.due(conn, moment) == []


def test_loading_keeps_the_order_and_forgives(bench: Bench) -> None:
    """Threads come in the order that they were asked for, with messages oldest first; unknown keys are left out."""
    keys = [t.key for t in bench.threads()]
    with db.reading(bench.engine) as conn:
        loaded = list(threads.load(conn, [keys[1], 999, keys[0]], bench.board.dialect))
    assert [t.key for t in loaded] == [keys[1], keys[0]]
    assert [m.message_id for m in loaded[1].messages] == ["<a@x>", "<b@x>"]
    assert [c.known.place for c in loaded[1].copies] == [Place.INBOX, Place.ARCHIVE]


BITS = st.frozensets(st.sampled_from((WAITING, URGENT, "docs", STAR)))


@given(
    BITS,
    BITS,
    st.none() | BITS,
    BITS,
    BITS,
    BITS,
    st.sets(st.sampled_from((WAITING, URGENT, "docs", STAR, PLACE))),
)
def test_a_plan_is_what_will_be_observed(  # noqa: PLR0917 - the parts of a plan
    bits: frozenset[str],
    base: frozenset[str],
    before: frozenset[str] | None,
    add: frozenset[str],
    remove: frozenset[str],
    touches: frozenset[str],
    accept: set[str],
) -> None:
    """Accepted bits become the base and lose their touch; what is set out comes on top; nothing set out is nothing planned."""
    stamps = {bit: Stamp(1, START) for bit in touches}
    known = Known(bits, base, before, Place.ARCHIVE, Place.INBOX, None, stamps)
    plan = CopyPlan(1, add, remove - add, Place.INBOX if PLACE in accept else None, frozenset(accept))
    after = copies.planned(known, plan)
    labels = accept - {PLACE}
    assert after.base & labels == bits & labels
    assert after.base - labels == base - labels
    assert after.planned == ((after.base | add) - (remove - add) if add or remove - add else None)
    assert after.touches.keys() == touches - accept
    assert after.base_place is (Place.ARCHIVE if PLACE in accept else Place.INBOX)
    assert after.planned_place is plan.place


def test_observe_mode_plans_nothing(bench: Bench) -> None:
    """Where nothing is written nothing is in flight, but touches are accepted all the same."""
    bench.server.add_flags("INBOX", [1], ["urgent"])
    bench.look()
    key = bench.copy("<a@x>").key
    plan = CopyPlan(key, add=frozenset({"docs"}), accept=frozenset({URGENT}), place=Place.ARCHIVE)
    with bench.engine.begin() as conn:
        copies.apply_plan(conn, bench.board.dialect, [plan], writing=False)
    known = bench.copy("<a@x>").known
    assert (known.base, known.planned, known.planned_place, known.touches) == (
        only(WAITING, URGENT),
        None,
        None,
        {},
    )


def test_a_copy_left_behind_may_count_again(bench: Bench) -> None:
    """A plan can make a copy that was left behind an ordinary one."""
    bench.server.copy("INBOX", [1], "Archive")
    bench.look()
    source = bench.held("<a@x>")[0]
    with bench.engine.begin() as conn:
        copies.apply_plan(conn, bench.board.dialect, [CopyPlan(source.key, unleave=True)])
    assert (source.left, bench.held("<a@x>")[0].left) == (True, False)


def test_three_vain_writes_are_enough(bench: Bench) -> None:
    """A copy that three answered writes did not change is stuck, until anything about it changes."""
    key = bench.copy("<a@x>").key
    for _ in range(copies.STUCK):
        with bench.engine.begin() as conn:
            copies.apply_plan(conn, bench.board.dialect, [CopyPlan(key, add=frozenset({URGENT}))])
            copies.tried(conn, [key])
        bench.look()
    assert bench.facts("<a@x>").stuck
    bench.server.add_flags("INBOX", [1], ["\\Seen"])
    bench.look()
    assert not bench.facts("<a@x>").stuck


def test_a_state_is_stored_alike_by_every_process() -> None:
    """The order of a set, another in each process, is not what is stored; and everything comes back."""
    code = (
        "from helpdesk.rules.state import ThreadState; from helpdesk.store.threads import pack_state, unpack_state\n"
        "words = frozenset(f'urgent\\tü {number}' for number in range(20))\n"
        "state = ThreadState(open=True, refused=words, mailed=words, undecided=frozenset(range(1000, 1100)))\n"
        "assert unpack_state(pack_state(state)) == state\n"
        "print(ascii(pack_state(state)))\n"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
