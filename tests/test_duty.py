"""The shifts as a board knows them, and what the rules ask of them (docs/mail.md section 5)."""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from helpdesk.model import URGENT, WAITING
from helpdesk.rules.facts import ThreadFacts
from helpdesk.shifts import bounded, noted
from helpdesk.shifts.duty import Duty, DutyThread
from helpdesk.shifts.icalendars import expand
from helpdesk.shifts.keeper import Keeper
from helpdesk.shifts.source import Source
from helpdesk.shifts.values import Window
from tests.calendars import calendar, event, team, timed
from tests.test_clocks import at as decided_at
from tests.test_clocks import due, mails
from tests.test_shifts_rota import MONDAY, WHOLE, of
from tests.threads import DAY, HOUR, MINUTE, POLICY, START, msg, opened, thread

NOW = MONDAY + timedelta(hours=9)
ONE_SHIFT = calendar(event("Aiden", *timed("20260608T060000Z", "20260608T140000Z")))
SINCE = (START - MONDAY) / HOUR
"""The hour at which the threads of `tests.threads` begin, counted from Monday."""


def urgent() -> ThreadFacts:
    return thread(msg().in_inbox(URGENT), state=opened(URGENT))


def waiting() -> ThreadFacts:
    return thread(msg().in_inbox(WAITING), state=opened(WAITING))


@pytest.fixture
def keeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    """A keeper of a calendar file that is not there yet."""
    monkeypatch.setattr(bounded, "expand", expand)
    source = Source(str(tmp_path / "shifts.ics"))
    return Keeper(source, tmp_path / "kept.calendar", team("Aiden", "Sergey"), "UTC")


# -- what is known -----------------------------------------------------------------------------------------------


def test_without_a_calendar_nothing_is_known_and_nothing_is_wrong() -> None:
    """A board without a calendar has no rota and no trouble."""
    duty = Duty()
    assert not duty.configured
    assert not duty.read(NOW, asked_at=NOW)
    assert (duty.known.rota, duty.known.trouble) == (None, "")


def test_a_calendar_that_was_never_read_is_a_trouble(keeper: Keeper) -> None:
    """Without a copy there is no rota, and why is known; a look at the copy alone says nothing about it."""
    duty = Duty(keeper)
    assert not duty.recall(NOW, asked_at=NOW)
    assert duty.known.trouble == ""
    assert duty.read(NOW, asked_at=NOW)
    assert "No such file" in duty.known.trouble
    assert not duty.read(NOW, asked_at=NOW)


def test_a_rota_that_is_there_stays(keeper: Keeper) -> None:
    """Whatever happens to the calendar, its last rota is used; a new process takes it from the kept copy."""
    Path(keeper.source.place).write_bytes(ONE_SHIFT)
    duty = Duty(keeper)
    assert duty.refresh(NOW)
    assert not duty.refresh(NOW + timedelta(minutes=20))
    Path(keeper.source.place).unlink()
    assert not duty.refresh(NOW + timedelta(minutes=40))
    assert duty.known.rota is not None
    assert [who.name for who in duty.known.rota.on_duty(NOW)] == ["Aiden"]
    again = Duty(Keeper(keeper.source, keeper.path, keeper.team, "UTC"))
    assert again.recall(NOW, asked_at=NOW)
    assert again.known.noted == duty.known.noted


def test_a_thread_reads_and_says_so(keeper: Keeper) -> None:
    """The daemon's thread reads the calendar, wakes who waits for it, and ends when it is told to."""
    Path(keeper.source.place).write_bytes(ONE_SHIFT)
    duty, woken = Duty(keeper), threading.Event()
    reader = DutyThread(duty, lambda: NOW, woken.set)
    reader.start()
    assert woken.wait(30)
    reader.stop()
    assert duty.known.rota is not None


# -- what a decision remembers -------------------------------------------------------------------------------------


def test_that_another_day_is_known_is_no_other_rota() -> None:
    """Only what both know is compared: a rota that looks a day further says nothing new."""
    one = of((0, 8, "Aiden"), (200, 208, "Sergey"))
    window = Window(WHOLE.start + DAY, WHOLE.end + DAY)
    later = of((0, 8, "Aiden"), (200, 208, "Sergey"), (510, 520, "Alden"), window=window)
    assert not noted.differ(noted.written(one), noted.written(later))
    assert not noted.differ("", "")


def test_other_people_or_hours_are_another_rota() -> None:
    """Another person, another hour, or no rota at all is a difference."""
    one = noted.written(of((0, 8, "Aiden")))
    for other in (of((0, 8, "Sergey")), of((0, 9, "Aiden")), of((0, 8, "Aiden"), (8, 16, "Alden")), of()):
        assert noted.differ(one, noted.written(other))
    assert noted.differ("", one)
    assert noted.differ(one, "")


# -- what the rules make of it -------------------------------------------------------------------------------------


def test_urgent_goes_to_who_is_on_duty() -> None:
    """URGENT is mailed to the shifter on duty, in a gap and for a name that nobody knows to all shifters."""
    for shift, to in (
        ((SINCE - 1, SINCE + 4, "Aiden"), ("aiden@example.org",)),
        ((SINCE + 2, SINCE + 4, "Aiden"), POLICY.shifters),
        ((SINCE - 1, SINCE + 4, "Zoe"), POLICY.shifters),
    ):
        told = mails(decided_at(urgent(), 2 * MINUTE, replace(POLICY, rota=of(shift))))
        assert [(rule, recipients) for rule, _, recipients in told] == [("urgent", to)]


def test_who_is_on_call_is_told_after_covered_time() -> None:
    """`urgent_minutes` are counted while somebody is on duty: a gap stops the clock."""
    policy = replace(POLICY, rota=of((SINCE - 1, SINCE + 0.5, "Aiden"), (SINCE + 8, SINCE + 16, "Sergey")))
    assert ("urgent", 8 * HOUR + 30 * MINUTE) in due(decided_at(urgent(), 2 * MINUTE, policy))
    occasions = [one[1] for one in mails(decided_at(urgent(), 8 * HOUR + 30 * MINUTE, policy))]
    assert occasions[-1].endswith(":oncall")


def test_where_nobody_is_planned_the_clock_counts() -> None:
    """A rota that covers no more time keeps nobody from being told."""
    told = mails(decided_at(urgent(), HOUR, replace(POLICY, rota=of((SINCE - 9, SINCE - 1, "Aiden")))))
    assert [one[1] for one in told][-1].endswith(":oncall")


def test_auto_close_waits_for_a_shift_start() -> None:
    """A thread that is due is closed by the first cycle at or after the next start of a shift, not before."""
    week = 7 * DAY
    policy = replace(POLICY, rota=of((SINCE + 7 * 24 + 3, SINCE + 7 * 24 + 11, "Aiden")))
    for after, closes in ((week, False), (week + 3 * HOUR - MINUTE, False), (week + 3 * HOUR, True)):
        decision = decided_at(waiting(), after, policy)
        assert bool([a for a in decision.actions if a.rule == "auto_close"]) is closes
    assert due(decided_at(waiting(), DAY, policy)) == [("auto_close", week + 3 * HOUR)]


def test_without_a_start_auto_close_comes_a_day_later() -> None:
    """If no shift starts, a thread is closed 24 hours after it was due; beyond the rota it is looked at when it is due."""
    policy = replace(POLICY, rota=of((SINCE, SINCE + 8, "Aiden")))
    assert due(decided_at(waiting(), DAY, policy)) == [("auto_close", 8 * DAY)]
    short = replace(POLICY, rota=of((SINCE, SINCE + 8, "Aiden"), window=Window(MONDAY, START + DAY)))
    assert due(decided_at(waiting(), HOUR, short)) == [("auto_close", 7 * DAY)]
