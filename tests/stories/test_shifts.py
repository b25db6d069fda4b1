"""Shifts, as the team lives with them: who is told, and when threads close."""

from datetime import timedelta

import pytest

from helpdesk.shifts import bounded
from helpdesk.shifts.icalendars import expand
from tests.calendars import calendar, event, timed
from tests.world import World

ANN = "ann@users.example.com"
AIDEN, SERGEY = "aiden@example.org", "sergey@example.org"
DAY = "20260608"
CALENDAR = '[shifts]\ncalendar = "shifts.ics"\n'
DAILY = (
    event("Aiden", *timed(f"{DAY}T060000Z", f"{DAY}T140000Z"), "RRULE:FREQ=DAILY"),
    event("Sergey", *timed(f"{DAY}T140000Z", f"{DAY}T220000Z"), "RRULE:FREQ=DAILY"),
    event("Aiden", *timed("20260608T220000Z", "20260609T060000Z"), "RRULE:FREQ=DAILY"),
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expand calendars in this process; other tests look at the process of its own."""
    monkeypatch.setattr(bounded, "expand", expand)


def shifts(world: World, *events: str, more: str = "") -> None:
    """The team gets a calendar."""
    (world.folder / "shifts.ics").write_bytes(calendar(*events))
    world.reconfigure(CALENDAR + more)


def test_urgent_goes_to_the_shifter_on_duty(world: World) -> None:
    """URGENT is mailed to who is on duty now, and to nobody else."""
    shifts(world, *DAILY)
    question = world.incoming(ANN, "All jobs fail")
    world.advance(hours=9)
    world.expect_mail(SERGEY, "Mon 8 Jun 14-22")
    world.on(question, "add_flags", ["urgent"])
    world.settle()
    letter = world.expect_mail(SERGEY, "URGENT")
    assert AIDEN not in letter.recipients


def test_another_calendar_moves_only_what_waits_for_shifts(world: World) -> None:
    """When somebody changes the calendar, a thread that is to close waits for the start of the new shift, and no other is touched."""
    shifts(world, *DAILY)
    question, other = world.incoming(ANN, "All jobs fail"), world.incoming(ANN, "Another thing")
    world.advance(hours=1)
    world.on(question, "add_flags", ["waiting"])
    world.settle()
    [before] = [one for one in world.tick().pending if one.rule == "auto_close"]
    assert (before.due.hour, before.due.minute) == (14, 0)
    shifts(world, event("Aiden", *timed(f"{DAY}T110000Z", f"{DAY}T190000Z"), "RRULE:FREQ=DAILY"))
    [after] = [one for one in world.tick().pending if one.rule == "auto_close"]
    assert after.due - before.due == timedelta(hours=-3)
    assert world.thread(other)["state"] == "open"
    world.expect_mail(AIDEN, "ALARM calendar")


def test_threads_close_when_a_shift_starts(world: World) -> None:
    """A thread that has waited for seven days is closed by the first run of a shift, not in the middle of one."""
    shifts(world, *DAILY)
    question = world.incoming(ANN, "All jobs fail")
    world.advance(hours=1)
    world.on(question, "add_flags", ["waiting", "\\Seen"])
    world.settle()
    world.advance(days=7)
    assert world.where(question) == "INBOX"
    world.expect_mail(AIDEN, "NOTHING TO DO: waiting 1 (1 closes at 14:00)")
    world.advance(hours=8)
    world.expect_mail(SERGEY, "Mon 15 Jun 14-22")
    assert world.where(question) == "Archive"


def test_a_calendar_that_cannot_be_read_stops_nothing(world: World) -> None:
    """Without a calendar that was ever read the board works as if there were no shifts, and the admins are told once a day."""
    world.reconfigure(CALENDAR)
    question = world.incoming(ANN, "All jobs fail")
    report = world.tick()
    assert report.held == []
    world.expect_mail(AIDEN, "ALARM calendar", "was never read", "helpdesk shifts")
    world.on(question, "add_flags", ["urgent"])
    world.settle()
    assert {AIDEN, SERGEY} <= set(world.expect_mail(AIDEN, "URGENT").recipients)
    assert world.tick().actions == []


def test_what_is_wrong_with_the_week_is_told_once_a_week(world: World) -> None:
    """Gaps and names that fit nobody are told to the admins once, however often the board looks."""
    shifts(world, event("Zoe", *timed(f"{DAY}T060000Z", f"{DAY}T140000Z")))
    world.tick()
    letter = world.expect_mail(AIDEN, "ALARM calendar", "nobody in [[people]]")
    assert SERGEY not in letter.recipients
    world.advance(days=3)
    world.expect_no_mail()
    world.advance(days=4)
    world.expect_mail(AIDEN, "ALARM calendar")
