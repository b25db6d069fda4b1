"""Brakes, observe mode, adoption: what keeps the bot from doing harm."""

from datetime import timedelta

from sqlalchemy import func, select

from helpdesk import cycle
from helpdesk.store import requests
from helpdesk.store.core import ACTION
from tests.world import World

ANN = "ann@users.example.com"


def test_observe_mode_writes_and_mails_nothing(world: World) -> None:
    """With act = "observe" the report says what would be done and nothing is; with act = "act" it is done."""
    world.reconfigure(without='act = "act"\n', more="")
    world.settings = world.settings.model_copy(
        update={"board": world.settings.board.model_copy(update={"act": "observe"})}
    )
    question = world.incoming(ANN, "All jobs fail")
    reply = world.incoming(ANN, "Re: All jobs fail", answers=[question])
    world.tick()
    world.on(question, "add_flags", ["ggus", "urgent"])
    report = world.settle()
    assert ("add_label", "labels_cover_the_thread") in {(a.kind, a.rule) for a in report.actions}
    world.advance(hours=2)
    world.expect_mail("aiden@example.org", "This board only looks")
    assert world.flags(reply) == set()
    assert world.flags(question) == {"ggus", "urgent"}
    world.reconfigure()
    world.advance(minutes=1)
    assert world.flags(reply) == {"ggus", "urgent", "escalated"}


def test_auto_close_takes_the_oldest_and_leaves_the_rest(world: World) -> None:
    """More threads than max_bot_moves are closed over several runs, the oldest first."""
    world.reconfigure("[brakes]\nmax_bot_moves = 2\n")
    mails = []
    for number in range(5):
        mails.append(world.incoming(ANN, f"Problem {number}"))
        world.advance(minutes=1)
    for one in mails:
        world.on(one, "add_flags", ["waiting"])
    world.settle()
    report = world.advance(days=8)
    assert [world.where(m) for m in mails] == ["Archive", "Archive", "INBOX", "INBOX", "INBOX"]
    assert {p.rule for p in report.pending} == {"auto_close"}
    assert len(report.pending) == 3
    world.advance(minutes=1)
    world.advance(minutes=1)
    assert [world.where(m) for m in mails] == ["Archive"] * 5


def test_a_flood_of_reopens_is_held_until_somebody_approves(world: World) -> None:
    """More reopens than max_bot_moves are held, told to the admins once, and done after `resume`."""
    world.reconfigure("[brakes]\nmax_bot_moves = 2\n")
    mails = [world.incoming(ANN, f"Problem {number}") for number in range(4)]
    world.tick()
    for one in mails:
        world.on(one, "move", "Archive")
    world.settle()
    assert [world.where(m) for m in mails] == ["Archive"] * 4
    replies = [world.incoming(ANN, "Re: Problem", answers=[m]) for m in mails]
    report = world.advance(minutes=1)
    assert [h.what for h in report.held] == ["reopen"]
    assert [world.where(m) for m in mails] == ["Archive"] * 4
    world.expect_mail("aiden@example.org", "reopen")
    world.advance(minutes=1)
    world.now += timedelta(minutes=1)
    world.ask("resume")
    assert [world.where(m) for m in (*mails, *replies)] == ["INBOX"] * 8


def test_resume_approves_what_was_shown_and_no_more(world: World) -> None:
    """A disaster, or another rule's flood, that is seen first in the very run of `resume` is held like any other."""
    world.reconfigure("[brakes]\nmax_bot_moves = 2\nmax_mails = 2\n")
    mails = [world.incoming(ANN, f"Problem {number}") for number in range(20)]
    world.tick()
    for one in mails[:4]:
        world.on(one, "move", "Archive")
    world.settle()
    for one in mails[:4]:
        world.incoming(ANN, "Re: Problem", answers=[one])
    assert [h.what for h in world.advance(minutes=1).held] == ["reopen"]
    world.expect_mail("aiden@example.org", "reopen")
    for one in mails[5:8]:
        world.on(one, "add_flags", ["urgent"])
    world.advance(seconds=30)
    for one in mails[12:]:
        world.on(one, "delete")
    world.now += timedelta(minutes=3)
    assert [h.what for h in world.ask("resume").held] == ["gone"]
    world.expect_mail("aiden@example.org", "gone")
    assert [h.what for h in world.tick().held] == ["gone"]
    assert [world.where(m) for m in mails[:4]] == ["Archive"] * 4
    world.now += timedelta(minutes=1)
    world.ask("resume")
    assert world.tick().held == []
    world.expected = len(world.mailer.arrived)


def test_an_approved_rule_opens_no_door_for_another(world: World) -> None:
    """`resume` lets the held rule's plan go, however large; the mails of another rule that nobody was shown are held."""
    world.reconfigure("[brakes]\nmax_bot_moves = 2\nmax_mails = 2\n")
    mails = [world.incoming(ANN, f"Problem {number}") for number in range(8)]
    world.tick()
    for one in mails[:4]:
        world.on(one, "move", "Archive")
    world.settle()
    for one in mails[:4]:
        world.incoming(ANN, "Re: Problem", answers=[one])
    assert [h.what for h in world.advance(minutes=1).held] == ["reopen"]
    world.expect_mail("aiden@example.org", "reopen")
    for one in mails[5:8]:
        world.on(one, "add_flags", ["urgent"])
    world.tick()
    world.now += timedelta(minutes=4)
    assert [h.what for h in world.ask("resume").held] == ["urgent"]
    assert [world.where(m) for m in mails[:4]] == ["INBOX"] * 4
    world.expect_mail("aiden@example.org", "urgent")
    world.now += timedelta(minutes=1)
    world.ask("resume")
    for _ in range(3):
        world.expect_mail("sergey@example.org", "URGENT")


def test_a_wish_for_a_held_thread_stays_a_wish(world: World) -> None:
    """What a person asks of a thread that a brake keeps back is carried out when the brake is released, not lost."""
    world.reconfigure("[brakes]\nmax_bot_moves = 1\n")
    mails = [world.incoming(ANN, f"Problem {number}") for number in range(2)]
    world.tick()
    world.on(mails[0], "add_flags", ["ggus"])
    world.settle()
    for one in mails:
        world.on(one, "move", "Archive")
    world.settle()
    key, action = _last_action(world, "escalated")
    for one in mails:
        world.incoming(ANN, "Re: Problem", answers=[one])
    assert [h.what for h in world.advance(minutes=1).held] == ["reopen"]
    world.expect_mail("aiden@example.org", "reopen")
    world.ask("undo", thread=key, action=action, kind="remove_label", what="ESCALATED")
    assert _open_wishes(world) == 1
    world.advance(minutes=1)
    assert _open_wishes(world) == 1
    world.now += timedelta(minutes=1)
    world.ask("resume")
    assert _open_wishes(world) == 0
    assert [world.where(m) for m in mails] == ["INBOX"] * 2


def _last_action(world: World, label: str) -> tuple[int, str]:
    with world.engine.connect() as conn:
        query = select(ACTION.c.thread, ACTION.c.id).where(
            ACTION.c.kind == "remove_label", func.lower(ACTION.c.what) == label
        )
        key, action = conn.execute(query).one()
    return int(key), str(action)


def _open_wishes(world: World) -> int:
    with world.engine.connect() as conn:
        return len(requests.open_requests(conn, "undo"))


def test_a_vanished_mailbox_holds_the_board(world: World) -> None:
    """A fifth of the mail gone at once holds everything; observing goes on; nothing is closed."""
    mails = [world.incoming(ANN, f"Problem {number}") for number in range(10)]
    world.tick()
    for one in mails[:6]:
        world.on(one, "delete")
    report = world.advance(minutes=1)
    assert [h.what for h in report.held] == ["gone"]
    world.on(mails[9], "add_flags", ["waiting"])
    world.settle()
    world.expect_mail("aiden@example.org", "gone")
    assert world.tick().held
    world.now += timedelta(minutes=1)
    world.ask("resume")
    assert world.tick().held == []


def test_a_human_s_own_mass_archive_is_never_braked(world: World) -> None:
    """Completing what a human did is no plan of the bot: all threads follow."""
    world.reconfigure("[brakes]\nmax_bot_moves = 2\n")
    mails = [world.incoming(ANN, f"Problem {number}") for number in range(5)]
    replies = [world.incoming(ANN, "Re: Problem", answers=[m]) for m in mails]
    world.tick()
    for one in mails:
        world.on(one, "move", "Archive")
    report = world.settle()
    assert report.held == []
    assert [world.where(m) for m in replies] == ["Archive"] * 5


def test_a_mailbox_with_history_is_adopted(world: World) -> None:
    """The first cycle over an old mailbox moves, closes and mails nothing; a thread in two places stays as it lies."""
    old = world.incoming(ANN, "Old problem", folder="Archive", flags=["waiting"])
    new = world.incoming(ANN, "Re: Old problem", answers=[old])
    urgent = world.incoming(ANN, "Now!", flags=["urgent", "ggus"])
    world.lose_database()
    report = world.tick()
    assert "move" not in {a.kind for a in report.actions}
    assert {n.note for n in report.notes if n.thread == world.thread(urgent)["id"]} == {
        "URGENT was there before the board: nothing is mailed about it",
        "GGUS was there before the board: nothing is mailed about it",
    }
    assert (world.where(old), world.where(new)) == ("Archive", "INBOX")
    assert world.thread(new)["state"] == "open"
    world.advance(hours=3)
    world.advance(days=9)
    assert (world.where(old), world.where(new), world.where(urgent)) == ("Archive", "INBOX", "INBOX")
    world.incoming(ANN, "Re: Old problem", answers=[new])
    world.advance(minutes=1)
    assert world.where(old) == "INBOX"
    assert world.flags(old) == set()


def test_a_quiet_cycle_costs_next_to_nothing(world: World) -> None:
    """When nothing changed, a cycle sends at most three commands, none of which changes anything."""
    for number in range(20):
        world.incoming(ANN, f"Problem {number}")
    world.tick()
    report = cycle.run(world.board, world.mailbox, world.now)
    assert report.observed["commands"] <= 3
    assert report.actions == []
