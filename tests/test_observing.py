"""Observe mode's report and the review of labels, as their readers see them; and when they are due.

`UPDATE_GOLDEN=1 pytest tests/test_observing.py` writes the texts of tests/golden/digest/ anew, to be read before they are committed.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from helpdesk.actions import Kind
from helpdesk.model import WAITING
from helpdesk.observing import Judged, ObservedMail, Plan, Planned, grouped, plan, report
from helpdesk.occasions.days import week_end
from helpdesk.reviewing import ReviewMail, review
from helpdesk.settings.times import WeekMoment, week_moment
from helpdesk.text import safe_block

GOLDEN = Path(__file__).parent / "golden" / "digest"
NOW = datetime(2026, 6, 9, 7, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Zurich")
CLOSED = NOW - timedelta(hours=5)
MAILED = NOW - timedelta(hours=3)


def action(number: int, at: datetime, thread: str, kind: Kind, what: str, *why: str) -> Planned:
    rule, reason = why or ("auto_close", "no human mail for 7 days")
    return Planned(f"{number:012x}", at, thread, kind, what, rule, reason)


ACTIONS = (
    action(1, CLOSED, "7kq2m", Kind.REMOVE_LABEL, WAITING),
    action(2, CLOSED, "7kq2m", Kind.MOVE, "archive"),
    action(3, MAILED, "k2v7c", Kind.SEND_MAIL, "escalate", "escalate", "escalated to GGUS"),
    action(4, MAILED, "k2v7c", Kind.ADD_LABEL, "ESCALATED", "repair", "escalated to GGUS without ESCALATED"),
    action(5, MAILED, "x7m2q", Kind.STAR, "\\star", "new", "team rule 'vip'"),
    action(6, MAILED, "x7m2q", Kind.UNSTAR, "\\star", "undo", "a human took it back"),
    action(7, MAILED, "w5n1e", Kind.MOVE, "inbox", "reopen", "a user wrote"),
)
JUDGED = (Judged(3, "p0d4t", "Sergey", "she answered by phone"), Judged(1, "z81hh", "Aiden", ""))


def numbered(actions: Sequence[Planned], about: str = "Ann: All jobs fail") -> Sequence[Plan]:
    return [plan(n, one, one[0].thread, about, ZONE, "") for n, one in enumerate(grouped(actions), 1)]


def full() -> ObservedMail:
    return report(NOW, NOW - timedelta(days=1), ZONE, numbered(ACTIONS), 3, JUDGED)


def labels() -> ReviewMail:
    meanings = {
        "mc08 dataset problem": "known problem with mc08 datasets: " + "x" * 80,
        "cern quota": "quota at CERN is full",
    }
    found = review(meanings, {"mc08 dataset problem": 11, "athena": 2, "cern quota": 0}, {"desy-srm": 1})
    assert found is not None
    return found


EXAMPLES: Mapping[str, Callable[[], ObservedMail | ReviewMail]] = {
    "observed": full,
    "observed-nothing": lambda: report(NOW, NOW - timedelta(days=1), ZONE, (), 0, ()),
    "review": labels,
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_mail_reads_as_it_was_read(name: str) -> None:
    """Nobody changes these mails without looking at them."""
    text = "\n".join([*EXAMPLES[name]().lines, ""])
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert file.read_text() == text


def test_actions_of_one_rule_are_one_plan() -> None:
    """Closing a thread and taking its label off is one plan: people judge what would have happened, not commands."""
    assert [[one.id[-1] for one in found] for found in grouped(ACTIONS)] == [
        ["2", "1"],
        ["3"],
        ["4"],
        ["7"],
        ["5"],
        ["6"],
    ]
    assert numbered(ACTIONS)[0].does == "close it, remove WAITING"


def test_without_anything_to_say_there_is_no_review() -> None:
    """Labels that are explained and in use need no mail."""
    assert review({"quota": "full"}, {"quota": 1}, {}) is None


@given(st.lists(st.text(max_size=200), min_size=5, max_size=5))
def test_no_line_is_wider_than_72_columns(words: list[str]) -> None:
    """Whatever strangers and labels are called, every line fits and obeys nobody."""
    subject, label, who, said, reason = words
    actions = [action(1, MAILED, "7kq2m", Kind.ADD_LABEL, label, "new", reason)]
    mail = report(NOW, MAILED, ZONE, numbered(actions, subject), 0, [Judged(1, "7kq2m", who, said)])
    found = review({label: said}, {label: 0}, {subject: 3})
    assert found is not None
    for line in (*mail.lines, *found.lines):
        assert cell_len(line) <= 72, line
        assert safe_block(line) == line or not line


@pytest.mark.parametrize(
    ("ends", "now", "last"),
    [
        ("Sunday", "2026-06-08T00:00+02:00", "2026-06-08T00:00+02:00"),
        ("Sunday", "2026-06-07T23:59+02:00", "2026-06-01T00:00+02:00"),
        ("Monday 08:00", "2026-06-08T08:00+02:00", "2026-06-08T08:00+02:00"),
        ("Monday 08:00", "2026-06-08T07:59+02:00", "2026-06-01T08:00+02:00"),
        ("Sunday", "2026-10-26T01:00+01:00", "2026-10-26T00:00+01:00"),
    ],
)
def test_the_week_ends(ends: str, now: str, last: str) -> None:
    """The end of a shift week is found by the clocks of the board, on days that are longer too."""
    moment = week_moment(ends)
    assert isinstance(moment, WeekMoment)
    assert week_end(moment, datetime.fromisoformat(now), ZONE) == datetime.fromisoformat(last)
