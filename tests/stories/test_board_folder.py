"""The folder `Board`: one mail that says how the board stands, for phones."""

import email
from dataclasses import replace
from datetime import timedelta
from email.policy import SMTP
from typing import Any

import pytest

from helpdesk import steering
from helpdesk.outbox import State
from helpdesk.shifts import bounded
from helpdesk.shifts.icalendars import expand
from helpdesk.store import outbox, site_orders
from helpdesk.store.site_orders import Kind
from tests.faults import Crash, CrashingMailbox, Fuse
from tests.grid import NAMES, SITES
from tests.stories.test_shifts import AIDEN, ANN, DAILY, SERGEY, shifts
from tests.world import World, mail


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expand calendars in this process; other tests look at the process of its own."""
    monkeypatch.setattr(bounded, "expand", expand)


def lying(world: World) -> list[Any]:
    return world.look("Board")


def words(world: World) -> str:
    """The text of the one mail that lies there."""
    [one] = lying(world)
    folder = world.mailbox.select("Board", readonly=True)
    message = email.message_from_bytes(world.mailbox.body(folder, one.uid, 100_000), policy=SMTP)
    body = message.get_body(("plain",))
    assert body is not None
    return f"{message['Subject']}\n{body.get_content()}"


def test_one_mail_says_how_the_board_stands(world: World) -> None:
    """There is always one mail, read already; it is replaced when something changes, and only then."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    assert "1 to answer" in words(world)
    [first] = lying(world)
    assert "\\Seen" in first.flags
    world.advance(hours=1)
    assert [one.uid for one in lying(world)] == [first.uid]
    world.on(question, "add_flags", ["urgent"])
    world.settle()
    assert "1 urgent" in words(world)
    [second] = lying(world)
    assert second.uid > first.uid
    assert world.tick().actions == []
    world.expect_mail(AIDEN, "URGENT")


def test_it_changes_as_a_shift_does(world: World) -> None:
    """When another shift begins, the mail says whose it is, though nothing happened to any thread."""
    shifts(world, *DAILY)
    world.advance(minutes=1)
    assert "You: Aiden Archer." in words(world)
    world.advance(hours=8)
    assert "You: Sergey Stone." in words(world)
    world.expect_mail(SERGEY, "14-22")


def test_it_is_nobodys_issue(world: World) -> None:
    """The mail is board correspondence: in no thread, in no cap, and never sent."""
    world.reconfigure("[caps]\nboard_per_hour = 3\n")
    for number in range(6):
        world.incoming(ANN, f"Problem {number}")
        world.advance(seconds=10)
    assert all(m["folder"] != "Board" for thread in world.threads() for m in thread["messages"])
    with world.engine.connect() as conn:
        assert outbox.rows(conn, tuple(State)) == []
    question = world.incoming(ANN, "Urgent")
    world.tick()
    world.on(question, "add_flags", ["urgent"])
    world.settle()
    world.expect_mail(AIDEN, "URGENT")
    assert len(lying(world)) == 1


def test_other_mail_in_the_folder_is_left_alone(world: World) -> None:
    """What people put into the folder stays, also a copy of another mail of ours."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["urgent"])
    world.settle()
    letter = world.expect_mail(AIDEN, "URGENT")
    world.human.deliver("Board", mail(AIDEN, "A note", "<note@example.org>"), world.now)
    world.human.deliver("Board", letter.content, world.now)
    world.advance(minutes=1)
    world.on(question, "remove_flags", ["urgent"])
    world.settle()
    world.settle()
    ids = [one.message_id for one in lying(world)]
    assert len(ids) == 3
    assert {"<note@example.org>", letter.message_id} <= set(ids)


def test_a_mail_that_somebody_deletes_comes_back_with_the_next_change(world: World) -> None:
    """Who deletes the mail is obeyed until there is something new to say."""
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.human.delete("Board", [one.uid for one in lying(world)])
    world.advance(minutes=1)
    assert lying(world) == []
    world.on(question, "add_flags", ["urgent"])
    world.settle()
    assert len(lying(world)) == 1
    world.expect_mail(AIDEN, "URGENT")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_crash_leaves_one_mail(world: World, at: int, after: bool) -> None:
    """Wherever the daemon dies while it replaces the mail, the next run ends with one, which says what is true."""
    world.incoming(ANN, "All jobs fail")
    world.tick()
    world.incoming(ANN, "Another thing")
    inner, fuse = world.mailbox, Fuse(at, after)
    world.mailbox = CrashingMailbox(inner, fuse)
    try:
        world.tick()
    except Crash:
        inner.close()
        world.mailbox = world.open_mailbox()
    else:
        world.mailbox = inner
    world.advance(minutes=1)
    assert "2 to answer" in words(world)
    world.advance(minutes=1)
    assert len(lying(world)) == 1


def test_a_lost_database_leaves_one_mail(world: World) -> None:
    """Whoever loses the database finds the mail that lies there by its proof, and replaces it."""
    world.incoming(ANN, "All jobs fail")
    world.tick()
    world.lose_database()
    world.advance(minutes=1)
    assert "1 to answer" in words(world)
    world.advance(hours=1)
    assert len(lying(world)) == 1


def test_a_board_that_only_looks_writes_no_folder(world: World) -> None:
    """In observe mode the folder is not made."""
    world.config = world.config.replace('act = "act"', 'act = "observe"')
    world.reconfigure()
    world.incoming(ANN, "All jobs fail")
    world.advance(minutes=5)
    assert "Board" not in world.human.folders()


def test_it_keeps_what_was_decided_about_sites(world: World) -> None:
    """The database is lost: whoever was put out, and until when, is read from the mail, however many there are."""
    world.reconfigure(SITES)
    world.tick()
    ann = steering.Speaker("Ann Åström", team=True)
    with world.engine.begin() as conn:
        for name in NAMES:
            site = steering.Site(name, "UTC", {"atlas": ("dimuon",)})
            order = (Kind.OUT, world.now + timedelta(days=3), f"new storage, {name * 20}")
            steering.pin(conn, site, ann, order, world.now)
        before = [replace(one, id=0) for one in site_orders.in_force(conn, world.now)]
    world.tick()
    world.lose_database()
    world.tick()
    with world.engine.connect() as conn:
        assert [replace(one, id=0) for one in site_orders.in_force(conn, world.now)] == before
    assert len(before) == len(NAMES)
    assert len(lying(world)) == 1
    assert world.tick().actions == []
