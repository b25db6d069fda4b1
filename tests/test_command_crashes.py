"""A crash between any two steps loses no command, and carries none out twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from helpdesk.store import db
from tests.faults import Crash, CrashingMailbox, Fuse
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.stories.test_commands import AIDEN, ANN, AUTH, SERGEY, confirm, question, short, write
from tests.world import World

COMMITS = 12
"""More than a run with a command mail has."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A board whose mail server vouches for the team."""
    server = MemoryServer()
    told = World(server, lambda: MemoryMailbox(server), tmp_path)
    told.reconfigure(AUTH)
    told.tick()
    yield told
    told.close()


@contextmanager
def dying(world: World, commit: int) -> Iterator[None]:
    """The process dies just before its n-th commit."""
    left = [commit]

    def count(_conn: object) -> None:
        left[0] -= 1
        if left[0] <= 0:
            raise Crash

    event.listen(world.engine, "commit", count)
    try:
        yield
        event.remove(world.engine, "commit", count)
    except (Crash, OperationalError):  # what cleans up on the way out finds no database any more
        event.remove(world.engine, "commit", count)
        world.engine.dispose()
        world.engine = db.open_engine(f"sqlite:///{world.folder / 'board.db'}")
        world.mailbox = world.open_mailbox()


def told(world: World, to: str, words: str) -> int:
    """How many mails say this to somebody."""
    return sum(to in one.recipients and words in one.content.decode() for one in world.mailer.arrived)


def come_to_rest(world: World) -> None:
    """A new process goes on; what was being sent when the old one died comes home, or is sent once more."""
    for _ in range(2):
        world.advance(minutes=20)
    world.expected = len(world.mailer.arrived)


@pytest.mark.parametrize("commit", range(1, COMMITS))
def test_a_crash_before_any_commit(world: World, commit: int) -> None:
    """Closed once, told once: the user and the shifter each get one mail, or the same one again."""
    asked = question(world)
    code = short(world, asked)
    write(
        world, f"helpdesk: tell user {code}: It works.\nhelpdesk: close {code}\nhelpdesk: note {code}: done\n"
    )
    with dying(world, commit):
        world.tick()
    come_to_rest(world)
    assert world.where(asked) == "Archive"
    ids = [one.message_id for one in world.mailer.arrived]
    assert len(set(ids)) == 2
    assert (told(world, ANN, "It works."), told(world, AIDEN, "closed")) in {(1, 1), (2, 1), (1, 2)}
    assert len(ids) <= 3  # an unknown outcome is sent once more, under the same Message-ID
    world.on(asked, "move", "INBOX")
    world.settle()
    world.advance(hours=1)
    assert world.where(asked) == "INBOX"  # it is not carried out again


@pytest.mark.parametrize("commit", range(1, COMMITS))
def test_a_crash_around_a_question(world: World, commit: int) -> None:
    """One question, and its confirmation works, whenever the process died."""
    asked = question(world)
    write(world, f"helpdesk: close {short(world, asked)}", SERGEY, proven=False)
    with dying(world, commit):
        world.tick()
    come_to_rest(world)
    assert len({one.message_id for one in world.mailer.arrived}) == 1
    letter = world.mailer.arrived[0].content.decode()
    confirm(world, letter, SERGEY)
    with dying(world, commit):
        world.tick()
    come_to_rest(world)
    assert world.where(asked) == "Archive"
    assert len({one.message_id for one in world.mailer.arrived}) == 2


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_crash_at_any_write_to_the_mailbox(world: World, at: int, after: bool) -> None:
    """Wherever the connection dies that files the command or moves the thread, both end where they belong."""
    asked = question(world)
    said = write(world, f"helpdesk: close {short(world, asked)}")
    world.mailbox = CrashingMailbox(world.mailbox, Fuse(at, after))
    try:
        world.tick()
    except Crash:
        world.mailbox = world.open_mailbox()
    come_to_rest(world)
    assert (world.where(asked), world.where(said)) == ("Archive", "Helpdesk")
    assert told(world, AIDEN, "closed") == 1


def test_what_a_brake_keeps_waits_for_its_answer(world: World) -> None:
    """A mail of which a brake keeps some commands is answered when all is known; nothing is done twice."""
    world.reconfigure(AUTH + "[brakes]\nmax_mails = 1\n")
    asked = [question(world, subject) for subject in ("All jobs fail", "No output", "No disk")]
    codes = [short(world, one) for one in asked]
    write(
        world,
        f"helpdesk: tell user {codes[0]}: Hello.\nhelpdesk: tell user {codes[1]}: Hello.\nhelpdesk: close {codes[2]}",
    )
    assert "tell_user" in {hold.what for hold in world.tick().held}
    assert [world.where(one) for one in asked] == ["INBOX", "INBOX", "Archive"]
    world.expect_mail(AIDEN, "tell_user")
    world.ask("resume")
    world.expect_mail(ANN, "Hello.")
    world.expect_mail(ANN, "Hello.")
    world.expect_mail(AIDEN, f"{codes[0]}: this goes to", f"{codes[2]}: closed")
    world.advance(hours=12)
