"""Commands by mail, where a story would be too long: who may, when, how many, and what is kept."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from helpdesk import app, cycle
from helpdesk.mailids import Reason, message_id
from helpdesk.outbox import OutboxRow
from helpdesk.outbox import State as MailState
from helpdesk.store import commands, handovers, meta, wrongs
from helpdesk.store import outbox as rows
from helpdesk.store.commands import State
from helpdesk.store.core import COMMAND, MESSAGE
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.stories.test_commands import AIDEN, ANN, AUTH, BOARD, PASS, SERGEY, confirm, question, short, write
from tests.world import World

CARL = "carl@example.org"
CONTACT = f'[[people]]\nname = "Carl"\naddresses = ["{CARL}"]\nroles = ["contact"]\n'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A board whose mail server vouches for the team."""
    server = MemoryServer()
    told = World(server, lambda: MemoryMailbox(server), tmp_path)
    told.reconfigure(AUTH)
    told.tick()
    yield told
    told.close()


def states(world: World) -> list[str]:
    """What became of the command mails, in order."""
    with world.engine.connect() as conn:
        return list(conn.execute(select(COMMAND.c.state).order_by(COMMAND.c.id)).scalars())


def test_what_lay_somewhere_for_a_day_is_not_run(world: World) -> None:
    """A command mail that turns up a day late is answered with that, if it is certain who wrote it; else with nothing."""
    asked, other = question(world), short(world, question(world, "No output"))
    world.advance(days=3)
    world.now -= timedelta(days=2)
    write(world, f"helpdesk: close {other} {short(world, asked)}")
    write(world, f"helpdesk: close {short(world, asked)}", SERGEY, proven=False)
    world.now += timedelta(days=2)
    world.tick()
    assert world.where(asked) == "INBOX"
    world.expect_mail(AIDEN, "It was not seen within 24 hours")
    assert states(world) == ["answered", "refused"]


def test_in_simulated_time_nothing_is_late(world: World) -> None:
    """The mail server's dates say nothing where the board's time is made up."""
    with world.engine.begin() as conn:
        meta.put(conn, app.SIMULATED, "yes")
    asked = question(world)
    world.advance(days=3)
    world.now -= timedelta(days=2)
    write(world, f"helpdesk: close {short(world, asked)}")
    world.now += timedelta(days=2)
    world.tick()
    assert world.where(asked) == "Archive"
    world.expect_mail(AIDEN, "closed")


def test_contacts_command_no_threads(world: World) -> None:
    """A contact who is proven hears that threads are not his; nothing is done."""
    world.reconfigure(AUTH + CONTACT)
    asked = question(world)
    write(world, f"helpdesk: close {short(world, asked)}\nhelpdesk: help", CARL)
    world.tick()
    assert world.where(asked) == "INBOX"
    world.expect_mail(CARL, "1 of 2 not done", "Contacts may say")


def test_who_is_no_teammate_any_more_is_not_obeyed(world: World) -> None:
    """A command of a person who was taken out of the configuration meanwhile is not carried out, proven or not."""
    asked = question(world)
    write(world, f"helpdesk: close {short(world, asked)}", SERGEY, proven=False)
    world.tick()
    world.expect_mail(SERGEY, "Did you write this?")
    for state in (State.NEW, State.CONFIRMED):
        with world.engine.begin() as conn:
            conn.execute(update(COMMAND).values(author="gone@example.org", state=state.value))
        world.tick()
        assert states(world) == ["refused"]
    assert world.where(asked) == "INBOX"


def test_who_confirms_is_not_silenced(world: World) -> None:
    """Where nobody vouches for a person, he commands as often as he confirms: what he confirmed does not count."""
    asked = question(world)
    code = short(world, asked)
    for said in ("waiting {}", "escalate {} GGUS", "fixed {}", "label {} docs", "label {} mc08"):
        write(world, f"helpdesk: {said.format(code)}", SERGEY, proven=False)
        world.advance(seconds=10)
        confirm(world, world.expect_mail(SERGEY, "Did you write this?").content.decode(), SERGEY)
        world.advance(seconds=10)
        world.expect_mail(SERGEY, "Done")
    assert len(world.thread(asked)["labels"]) == 6


def test_more_commands_than_anybody_writes(world: World) -> None:
    """The fifty-first command of a mail is refused, and what follows it is not read."""
    asked = question(world)
    code = short(world, asked)
    write(world, "\n".join([f"helpdesk: waiting {code}"] * 50 + [f"helpdesk: close {code}"] * 5))
    world.tick()
    assert world.thread(asked)["state"] == "waiting"
    world.expect_mail(AIDEN, "1 of 51 not done", "More than 50 commands")


def test_free_words_open_the_next_digest(world: World) -> None:
    """What follows the commands of an answer to a digest is a hand-over; unproven it is marked, elsewhere it is none."""
    asked = question(world)
    reason = Reason("dast", "", "digest", "2026-06-08T06:00:00Z")
    digest = message_id(reason, "example.org", world.board.sending.secret)
    with world.engine.begin() as conn:
        sent = OutboxRow(
            0, digest, "", "digest", reason.occasion, "digest", (AIDEN,), world.now, MailState.OBSERVED
        )
        rows.add(conn, sent, None)
    body = f"helpdesk: waiting {short(world, asked)}\n\nDESY is theirs, not ours.\n\nOn Mon, 8 Jun 2026 at 06:00, dast helpdesk <dast-board@example.org> wrote:\n> 1 FIRST\n"
    one = write(world, body, answers=[digest])
    two = write(world, "All quiet.", SERGEY, proven=False, answers=[digest])
    write(world, "helpdesk: help\nNot a hand-over.")
    other = write(world, "To the user as well.", to=f"{BOARD}, {ANN}", answers=[digest])
    world.tick()
    with world.engine.connect() as conn:
        found = [(h.author, h.words, h.verified) for h in handovers.waiting(conn)]
    assert found == [
        ("Aiden Archer", ("DESY is theirs, not ours.",), True),
        ("Sergey Stone", ("All quiet.",), False),
    ]
    assert [world.where(m) for m in (one, two, other)] == ["Helpdesk", "Helpdesk", "INBOX"]
    world.expected = len(world.mailer.arrived)


def test_a_digest_that_is_only_quoted_is_no_hand_over(world: World) -> None:
    """Commands above a quoted digest hand nothing over; a greeting is nothing to tell the author of."""
    reason = Reason("dast", "", "digest", "2026-06-08T06:00:00Z")
    digest = message_id(reason, "example.org", world.board.sending.secret)
    with world.engine.begin() as conn:
        sent = OutboxRow(
            0, digest, "", "digest", reason.occasion, "digest", (AIDEN,), world.now, MailState.OBSERVED
        )
        rows.add(conn, sent, None)
    quoted = "On Mon, 8 Jun 2026 at 06:00, dast helpdesk <dast-board@example.org> wrote:\n> 1 FIRST\n> x7m2q  Ann\n"
    write(world, f"helpdesk: help\n\n{quoted}", answers=[digest])
    write(
        world,
        "helpdesk: help\n\n> 1 FIRST\n> x7m2q  Ann fails since yesterday evening at four\n",
        answers=[digest],
    )
    write(world, f"helpdesk: help\n\nCheers, Sergey\n\n{quoted}", SERGEY)
    world.tick()
    with world.engine.connect() as conn:
        assert handovers.waiting(conn) == []
    world.expect_mail(AIDEN, "Subject: [dast] Done")
    world.expect_mail(AIDEN, "Subject: [dast] Done")
    world.expect_mail(SERGEY, "Subject: [dast] Done")


def test_words_that_nobody_reads_are_told(world: World) -> None:
    """What stands below the commands of a mail to the board alone is no hand-over and no command: its author hears that."""
    asked = question(world)
    code = short(world, asked)
    write(world, f"helpdesk: waiting {code}\nplease\nhelpdesk: close {code}\n")
    world.tick()
    assert world.thread(asked)["state"] == "waiting"
    world.expect_mail(AIDEN, "1 of 2 not done", "> please", f"> helpdesk: close {code}", "This was not read")
    write(world, f"helpdesk: fixed {code}\n\nCould somebody of you call Ann tomorrow, please?\n")
    world.tick()
    world.expect_mail(AIDEN, "> Could somebody", "This was not read")


def test_a_plan_of_the_report_is_marked_as_wrong(world: World) -> None:
    """`wrong 3` is kept with who said it, about the report that the mail answers."""
    reason = Reason("dast", "", "observe_report", "2026-06-08")
    report = message_id(reason, "example.org", world.board.sending.secret)
    context = json.dumps({"plans": [["aaa"], ["bbb", "ccc"]]})
    with world.engine.begin() as conn:
        sent = OutboxRow(
            0,
            report,
            "",
            "observe_report",
            reason.occasion,
            "observed",
            (AIDEN,),
            world.now,
            MailState.OBSERVED,
            context=context,
        )
        rows.add(conn, sent, None)
    write(world, "helpdesk: wrong 2: she was told by phone\nhelpdesk: wrong 9", answers=[report])
    world.tick()
    with world.engine.connect() as conn:
        [mark] = wrongs.about(conn, ["ccc"])["ccc"]
    assert (mark.report, mark.number, mark.by, mark.words) == (
        report,
        2,
        "Aiden Archer",
        "she was told by phone",
    )
    letters = [one for one in world.mailer.arrived if b"plan 2 is marked as wrong" in one.content]
    assert len(letters) == 1
    assert b"has no plan 9" in letters[0].content
    world.expected = len(world.mailer.arrived)


def test_a_cap_that_holds_the_note_is_told(world: World) -> None:
    """A note that a cap holds is not said to have gone."""
    world.reconfigure(AUTH + "[caps]\nuser_per_day = 1\n")
    asked = question(world)
    code = short(world, asked)
    write(world, f"helpdesk: tell user {code}: One.\nhelpdesk: end\nhelpdesk: tell user {code}: Two.\n")
    world.tick()
    world.expect_mail(ANN, "One.")
    world.expect_mail(AIDEN, "1 of 2 not done", "the mail is held", "user_per_day = 1")
    assert all(AIDEN in one.recipients for one in world.mailer.arrived[world.expected :])  # alarms
    world.expected = len(world.mailer.arrived)


def test_nothing_runs_while_mails_are_held(world: World) -> None:
    """What cannot be answered waits, and runs when a person has looked."""
    asked = question(world)
    reason = Reason("dast", "", "digest", "unknown")
    stranger = message_id(reason, "example.org", world.board.sending.secret)
    world.now += timedelta(minutes=1)
    world.incoming(BOARD, "[dast] a mail of another instance", message_id=stranger, listed=False, to=AIDEN)
    write(world, f"helpdesk: close {short(world, asked)}")
    assert "mails" in {hold.what for hold in world.tick().held}
    assert world.where(asked) == "INBOX"
    assert states(world) == ["new"]
    world.expected = len(world.mailer.arrived)
    world.ask("resume")
    assert world.where(asked) == "Archive"
    world.expect_mail(AIDEN, "closed")


def test_a_sent_copy_is_proof_and_makes_no_issue(world: World) -> None:
    """A copy that turns up in Sent proves the mail that was asked about; it stays correspondence wherever it lies."""
    asked = question(world)
    body = f"helpdesk: waiting {short(world, asked)}"
    said = write(world, body, SERGEY, proven=False)
    world.tick()
    world.expect_mail(SERGEY, "Did you write this?")
    write(world, body, SERGEY, proven=False, message_id=said, folder="Sent", flags=["\\Seen"])
    world.tick()
    assert world.thread(asked)["state"] == "waiting"
    world.expect_mail(SERGEY, "WAITING is set")
    world.advance(hours=1)
    assert world.where(said) == "Helpdesk,Sent"
    with world.engine.connect() as conn:
        row = conn.execute(select(MESSAGE).where(MESSAGE.c.message_id == said)).one()
    assert (row.correspondence, row.thread) == (True, 0)


def test_a_list_that_changes_the_words_makes_no_second_command(world: World) -> None:
    """A copy whose words a list changed is the same mail: the proven one counts, whichever comes first."""
    asked = question(world)
    code = short(world, asked)
    body = f"helpdesk: tell user {code}: It works."
    changed = f"helpdesk: tell user {code}: It works. [list footer]"
    for first, second in (((body, True), (changed, False)), ((changed, False), (body, True))):
        said = write(world, first[0], proven=first[1])
        world.tick()
        write(world, second[0], proven=second[1], message_id=said)
        world.tick()
    notes = [one for one in world.mailer.arrived if ANN in one.recipients]
    assert [b"footer" in one.content for one in notes] == [False, False]
    assert states(world) == ["answered", "refused", "answered"]
    world.expected = len(world.mailer.arrived)


def test_plan_shows_what_a_command_would_do(world: World) -> None:
    """`plan` is what a run would do, commands included, and changes nothing."""
    asked = question(world)
    write(world, f"helpdesk: close {short(world, asked)}")
    only = app.board(world.settings, world.engine, sending=None, create=False, act=False)
    report = cycle.cycle(only, world.mailbox, world.now, cycle.budget(only))
    assert {(a.kind, a.rule) for a in report.actions} >= {("move", "close"), ("send_mail", "command")}
    assert world.where(asked) == "INBOX"


def test_undo_of_an_action_and_of_a_mail(world: World) -> None:
    """An action is named by its id; a mail cannot be taken back by mail, and what was done later stays."""
    asked = question(world)
    code = short(world, asked)
    write(world, f"helpdesk: label {code} docs\nhelpdesk: tell user {code}: Hello.")
    report = world.tick()
    ids = {a.kind: a.id for a in report.actions if a.thread}
    world.expect_mail(ANN, "Hello.")
    world.expect_mail(AIDEN, "docs is set")
    write(
        world, f"helpdesk: undo {ids['send_mail']}\nhelpdesk: undo {ids['add_label']}\nhelpdesk: undo {code}"
    )
    world.advance(minutes=1)
    assert world.thread(asked)["labels"] == []
    world.expect_mail(AIDEN, "A mail cannot be taken back by mail", f"{code}: taken back: add_label docs")


def test_a_key_is_needed_to_find_a_command_mail(world: World) -> None:
    """No beginning finds no mail, and an id that nobody knows no thread."""
    write(world, "helpdesk: help")
    world.tick()
    world.expect_mail(AIDEN, "T is a thread's id")
    with world.engine.connect() as conn:
        assert commands.by_key(conn, "") is None
        assert commands.by_key(conn, "zzzz") is None
        assert commands.thread_of(conn, ["<nobody@nowhere>"]) is None


def test_the_body_of_other_people_is_not_fetched(world: World) -> None:
    """Only mail of `[[people]]` has its text read for commands."""
    world.incoming(ANN, "a", body="x" * 20_000)
    before = world.mailbox.bytes
    world.tick()
    user = world.mailbox.bytes - before
    world.incoming(AIDEN, "a", body="x" * 20_000, headers=PASS)
    before = world.mailbox.bytes
    world.tick()
    assert world.mailbox.bytes - before > user + 10_000
