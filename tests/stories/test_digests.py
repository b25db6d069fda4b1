"""The digest, from the shift's start to the next hand-over."""

from dataclasses import replace
from datetime import timedelta

import pytest

from helpdesk.outbox import State
from helpdesk.shifts import bounded
from helpdesk.shifts.icalendars import expand
from helpdesk.store import handovers, outbox
from helpdesk.store.handovers import Handover
from tests.calendars import event, timed
from tests.stories.test_shifts import AIDEN, ANN, DAILY, DAY, SERGEY, shifts
from tests.world import World


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expand calendars in this process; other tests look at the process of its own."""
    monkeypatch.setattr(bounded, "expand", expand)


def test_a_shift_begins_with_its_digest(world: World) -> None:
    """Who comes on duty gets one mail about what needs somebody, as the shift starts, and not a second one."""
    shifts(world, *DAILY)
    world.incoming(ANN, "All jobs fail", body="Error 1099: lost heartbeat in job 4711")
    urgent = world.incoming(
        "Bob Barley <bob@users.example.com>", "Nothing works", body="IOError: no space left on device"
    )
    world.tick()
    world.on(urgent, "add_flags", ["urgent"])
    world.settle()
    world.expect_mail(AIDEN, "URGENT")
    world.advance(hours=8)
    world.expect_mail(SERGEY, "you are on call")
    letter = world.expect_mail(
        SERGEY,
        "Mon 8 Jun 14-22 UTC: 1 to answer, 1 urgent",
        "You: Sergey Stone. Before: Aiden Archer. Next: Aiden Archer, 22:00.",
        "1 FIRST",
        "no space left on device",
        "ann  All jobs fail",
    )
    assert AIDEN not in letter.recipients
    assert world.tick().actions == []
    world.advance(hours=1)


def test_two_who_share_a_shift_get_one_mail(world: World) -> None:
    """A shared shift has one digest, and both get it."""
    shifts(world, event("Aiden / Sergey", *timed(f"{DAY}T080000Z", f"{DAY}T200000Z"), "RRULE:FREQ=DAILY"))
    world.tick()
    world.expect_mail(AIDEN, "ALARM calendar")
    world.advance(hours=2, minutes=1)
    letter = world.expect_mail(AIDEN, "nothing to do", "You: Aiden Archer and Sergey Stone.")
    assert SERGEY in letter.recipients


def test_a_late_digest_is_mailed_a_useless_one_is_not(world: World) -> None:
    """A daemon that was down at the start of a shift mails the digest when it is back, unless half of the shift, or four hours, have gone."""
    shifts(world, *DAILY)
    world.tick()
    world.advance(hours=11)
    world.expect_mail(SERGEY, "Mon 8 Jun 14-22")
    world.advance(hours=9, minutes=1)
    world.expect_no_mail()


def test_a_lost_database_mails_no_digest_twice(world: World) -> None:
    """Whoever loses the database in the middle of a shift does not mail its digest again; the next shift has its own."""
    shifts(world, *DAILY)
    world.tick()
    world.advance(hours=8)
    world.expect_mail(SERGEY, "Mon 8 Jun 14-22")
    world.lose_database()
    world.advance(minutes=5)
    world.expect_no_mail()
    world.advance(hours=8)
    world.expect_mail(AIDEN, "Mon 8 Jun 22-06")


def test_a_handover_opens_the_next_digest_that_is_sent(world: World) -> None:
    """What a shifter leaves stays until a digest that opens with it was sent: a mail server that is down loses nothing."""
    shifts(world, *DAILY)
    world.tick()
    words = ('DESY is theirs, not ours. Park new ones under "desy-srm".',)
    with world.engine.begin() as conn:
        handovers.add(
            conn, Handover("<h@example.org>", "Aiden", world.now + timedelta(hours=7), words, False)
        )
    world.advance(hours=8)
    world.expect_mail(SERGEY, "HAND-OVER (Aiden 13:00, unverified)", 'under "desy-srm"')
    with world.engine.begin() as conn:
        [row] = [row for row in outbox.rows(conn, tuple(State)) if row.kind == "digest"]
        outbox.save(conn, replace(row, state=State.FAILED))
    world.advance(hours=8)
    world.expect_mail(AIDEN, "HAND-OVER (Aiden 13:00, unverified)", "5 ONLY YOU CAN SETTLE")
    world.expect_mail(AIDEN, "ALARM outbox")
    world.advance(hours=8)
    letter = world.expect_mail(AIDEN, "Tue 9 Jun 06-14")
    assert b"HAND-OVER" not in letter.content
    world.expect_mail(AIDEN, "ALARM outbox")


def test_thanks_need_no_answer(world: World) -> None:
    """A closed thread that a thank-you reopened is named under SINCE, and is nothing to answer."""
    shifts(world, *DAILY)
    question = world.incoming(ANN, "All jobs fail")
    answer = world.incoming(AIDEN, "Re: All jobs fail", answers=[question])
    world.tick()
    world.on(answer, "move", "Archive")
    world.settle()
    world.advance(hours=1)
    world.incoming(ANN, "Re: All jobs fail", answers=[question, answer], body="Thanks a lot, it works now!")
    world.tick()
    world.advance(hours=7)
    world.expect_mail(SERGEY, "14-22 UTC: nothing to do", "reopened 1 (thanks? ")


def test_a_digest_that_somebody_asks_for(world: World) -> None:
    """`digest --send` mails one more to who is on duty; without a calendar to all shifters."""
    world.ask("digest")
    assert SERGEY in world.expect_mail(AIDEN, "You: every shifter, there is no shift calendar.").recipients
    shifts(world, *DAILY)
    world.now += timedelta(hours=1)
    world.ask("digest")
    assert world.expect_mail(AIDEN, "You: Aiden Archer.").recipients[0] == AIDEN
    assert world.tick().actions == []


def test_closed_while_escalated_is_said_once(world: World) -> None:
    """A thread that somebody archives while it is ESCALATED stands in the next digest, once: its user was not told."""
    shifts(world, *DAILY)
    question = world.incoming(ANN, "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["escalated", "dq2_savannah"])
    world.settle()
    world.on(question, "move", "Archive")
    world.settle()
    world.advance(hours=8)
    world.expect_mail(SERGEY, "4 TELL THE USER", "closed while ESCALATED")
    world.advance(hours=8)
    letter = world.expect_mail(AIDEN, "22-06")
    assert b"ESCALATED" not in letter.content
