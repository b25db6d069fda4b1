"""The database is emptied at any moment of a mail's life: nothing is mailed twice, and what is new is still mailed."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from helpdesk.mailbox.sync import observe
from helpdesk.model import Stamp
from helpdesk.store import meta
from tests.memory_mailbox import MemoryMailbox
from tests.memory_mailer import Trouble
from tests.memory_server import MemoryServer
from tests.world import World

GGUS = "ggus@tracker.example.net"
COPY = "dast-board@example.org"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    server = MemoryServer()
    told = World(server, lambda: MemoryMailbox(server), tmp_path)
    told.tick()
    yield told
    told.mailbox.close()
    told.engine.dispose()


def to(world: World, address: str) -> list[str]:
    """The Message-IDs of the mails that an address got."""
    return [letter.message_id for letter in world.mailer.arrived if address in letter.recipients]


def home(world: World, since: int = 0) -> None:
    """The copies of our mails come home."""
    for letter in world.mailer.arrived[since:]:
        if COPY in letter.recipients:
            world.human.deliver("INBOX", letter.content, world.now)


def escalated(world: World) -> str:
    question = world.incoming("ann@users.example.com", "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["ggus"])
    world.settle()
    return question


def hours_go_by(world: World) -> None:
    """Less than after which a destination is reminded."""
    for _ in range(6):
        world.advance(hours=3)


@pytest.mark.parametrize("moment", ["sent", "at home", "seen", "unknown", "put off"])
def test_emptied(world: World, moment: str) -> None:
    """Whether its copy is on its way, at home or seen, or nobody knows whether it arrived: no second mail goes out."""
    troubles = {"unknown": Trouble.LOST_AFTER, "put off": Trouble.ONE_LATER}
    escalated(world)
    world.mailer.script(troubles.get(moment, Trouble.NONE))
    world.advance(minutes=10)
    if moment in {"at home", "seen"}:
        home(world)
    if moment == "seen":
        world.advance(minutes=1)
    world.lose_database()
    world.advance(minutes=1)
    if moment not in {"at home", "seen"}:
        home(world)
    hours_go_by(world)
    assert len(to(world, GGUS)) == (0 if moment == "put off" else 1)


def test_escalated_again_after_the_loss(world: World) -> None:
    """Who escalates anew after the database was emptied is obeyed: that is another occasion, with an id of its own."""
    question = escalated(world)
    world.advance(minutes=10)
    home(world)
    world.advance(minutes=1)
    world.lose_database()
    world.advance(minutes=1)
    world.on(question, "remove_flags", ["ggus", "escalated"])
    world.settle()
    world.on(question, "add_flags", ["ggus"])
    world.settle()
    world.advance(minutes=10)
    home(world, since=1)
    hours_go_by(world)
    assert len(set(to(world, GGUS))) == 2
    assert len(to(world, GGUS)) == 2


def test_a_copy_that_a_crash_kept_from_being_a_proof(world: World) -> None:
    """A copy that was seen in a cycle that died before it took the proof in proves the mail all the same."""
    escalated(world)
    world.mailer.script(Trouble.LOST_AFTER)
    world.advance(minutes=10)
    home(world)
    world.now += timedelta(minutes=1)
    with world.engine.connect() as conn:
        last = meta.last_cycle(conn)
    assert last is not None
    observe(world.mailbox, world.engine, world.board.context, Stamp(last.cycle + 1, world.now))
    hours_go_by(world)
    assert len(to(world, GGUS)) == 1
