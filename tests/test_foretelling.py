"""A first cycle with helpers decides what it decides without."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from helpdesk import deciding
from helpdesk.foretelling import Asked, Here, asked, foretell
from helpdesk.hands import helping
from helpdesk.mailbox import first
from helpdesk.model import Stamp
from helpdesk.report import Report
from helpdesk.rules.facts import ThreadFacts
from helpdesk.store import threads
from helpdesk.store.core import THREAD
from helpdesk.store.db import onlooker, reading
from helpdesk.wishes import Wishes
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.world import START, World

ANN = "Ann <ann@users.example.com>"


@pytest.fixture
def world(tmp_path: Path) -> Iterable[World]:
    """A mailbox with a history, and a board that has never run."""
    made = _world(tmp_path)
    yield made
    made.close()


def _world(folder: Path) -> World:
    server = MemoryServer()
    world = World(server, lambda: MemoryMailbox(server), folder)
    for number, flags in enumerate(
        [(), ("waiting",), ("urgent",), ("escalated", "ggus"), ("docs",), ("odd",)] * 4
    ):
        own = world.incoming(ANN, f"Trouble number {number}", flags=flags, date=START - timedelta(days=30))
        world.incoming("aiden@example.org", f"Re: Trouble number {number}", answers=[own])
        where = "Archive" if number % 3 == 0 else "INBOX"
        world.incoming(ANN, f"Re: Trouble number {number}", answers=[own], folder=where, flags=flags)
    return world


def _help(world: World, cores: int) -> None:
    board = world.board
    board.engine.dispose()
    world._board = replace(
        board,
        context=replace(board.context, hands=helping(board.context, cores, threads=1)),
        hands=helping(board, cores, threads=1),
    )


def _facts(world: World) -> list[ThreadFacts]:
    with reading(world.engine) as conn:
        keys = sorted(conn.execute(THREAD.select().with_only_columns(THREAD.c.id)).scalars())
        return list(threads.load(conn, keys, world.board.dialect))


def _told(report: Report) -> list[object]:
    return [sorted(map(repr, report.actions)), report.notes, report.held, report.pending, report.observed]


def test_helpers_decide_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without them: the same facts, states, actions and notes."""
    monkeypatch.setattr(first, "MANY", 0)
    monkeypatch.setattr(deciding, "MANY", 0)
    monkeypatch.setattr(threads, "BATCH", 2)
    found = []
    for cores in (1, 3):
        folder = tmp_path / str(cores)
        folder.mkdir()
        world = _world(folder)
        _help(world, cores)
        assert world.board.hands.count == cores - 1
        told = _told(world.tick())
        assert world.board.hands.count == 0  # nothing is as much again
        found.append((told, _facts(world)))
        world.close()
    assert found[0] == found[1]
    assert found[0][0][0]  # there was something to do


def test_a_helper_sees_what_is_committed_and_leaves_it_alone(world: World) -> None:
    """Through a connection of its own it finds what a transaction finds, and it cannot write."""
    world.tick()
    _help(world, 2)
    board = world.board
    everything = Asked((), Stamp(9, START), board.policy, Wishes(), frozenset(), observes=False)
    with reading(board.engine) as conn:
        keys = sorted(conn.execute(THREAD.select().with_only_columns(THREAD.c.id)).scalars())
        here = foretell(Here(conn, board.dialect), everything._replace(keys=keys))
    there = [told for _, told in board.hands.answers(foretell, board, asked(keys, everything))]
    board.hands.close()
    board.context.hands.close()
    assert sorted(here.rows) == sorted(row for one in there for row in one.rows)
    assert here.decisions == [decision for one in there for decision in one.decisions]
    with pytest.raises(OperationalError, match="readonly"), onlooker(board.engine).connect() as conn:
        conn.execute(THREAD.delete())
