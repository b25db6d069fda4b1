"""How many mails may be planned at most."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from helpdesk.caps import capped
from helpdesk.outbox import OutboxRow, State
from helpdesk.settings import Caps

T0 = datetime(2026, 6, 8, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROW = OutboxRow(
    id=1,
    message_id="<1@example.org>",
    thread="dast-7kq2m0p0d4",
    rule="escalate",
    occasion="Ganga Expert 1",
    kind="escalation",
    recipients=("ganga@example.org",),
    planned_at=T0,
)
CAPS = Caps(user_per_day=2, thread_per_day=3, board_per_hour=5)


def others(count: int) -> list[OutboxRow]:
    """Make rows of other threads, mailed to others, an hour ago."""
    return [
        replace(
            ROW,
            id=100 + number,
            message_id=f"<{number}@other>",
            thread=f"dast-{number}",
            recipients=(f"{number}@example.org",),
            planned_at=T0 - timedelta(hours=1),
            state=State.SENT,
        )
        for number in range(count)
    ]


def about(rows: list[OutboxRow], **changes: object) -> list[OutboxRow]:
    return [replace(row, **changes) for row in rows]  # type: ignore[arg-type]


RELEASE = replace(ROW, kind="release", recipients=("Ann@example.org",))


def test_no_cap() -> None:
    """A mail within all caps may be planned, and its own row does not count against it."""
    assert capped(ROW, [ROW, *others(4)], CAPS, T0) is None


def test_user_cap() -> None:
    """A user gets no third mail within 24 hours."""
    two = about(others(2), kind="release", recipients=("ann@example.org",))
    assert capped(RELEASE, two[:1], CAPS, T0) is None
    assert (
        capped(RELEASE, two, CAPS, T0) == "Ann@example.org got 2 mails in 24 hours ([caps] user_per_day = 2)"
    )
    assert capped(RELEASE, two, CAPS, T0 + timedelta(hours=23)) is None


def test_user_cap_is_for_users() -> None:
    """A destination may get more than two questions a day, and a shifter more than two urgent ones."""
    two = about(others(2), recipients=ROW.recipients)
    assert capped(ROW, two, CAPS, T0) is None
    assert capped(replace(ROW, kind="urgent"), two, CAPS, T0) is None


def test_thread_cap() -> None:
    """A thread causes no fourth mail within 24 hours."""
    three = about(others(3), thread=ROW.thread)
    assert capped(ROW, three[:2], CAPS, T0) is None
    assert capped(ROW, three, CAPS, T0) == (
        "3 mails about dast-7kq2m0p0d4 in 24 hours ([caps] thread_per_day = 3)"
    )


def test_thread_cap_is_for_threads() -> None:
    """Mails about the board itself do not count as one thread."""
    three = about(others(3), thread="")
    assert capped(replace(ROW, thread="", kind="digest"), three, CAPS, T0) is None


def test_board_cap() -> None:
    """The board sends no sixth mail within an hour."""
    five = about(others(5), planned_at=T0 - MINUTE)
    assert capped(ROW, five[:4], CAPS, T0) is None
    assert capped(ROW, five, CAPS, T0) == "5 mails in an hour ([caps] board_per_hour = 5)"
    assert capped(ROW, five, CAPS, T0 + timedelta(hours=1)) is None


def test_alarm_is_not_capped() -> None:
    """The alarm that tells of a cap is not stopped by it."""
    many = about(others(9), planned_at=T0, thread=ROW.thread)
    assert capped(replace(ROW, kind="alarm"), many, CAPS, T0) is None


@pytest.mark.parametrize("state", [State.HELD, State.FAILED, State.DROPPED])
def test_unsent_does_not_count(state: State) -> None:
    """What nobody got does not count."""
    many = about(others(9), planned_at=T0, thread=ROW.thread, state=state)
    assert capped(ROW, many, CAPS, T0) is None


def test_planned_counts() -> None:
    """What is planned in the same cycle counts already."""
    three = about(others(3), thread=ROW.thread, planned_at=T0, state=State.PLANNED)
    assert capped(ROW, three, CAPS, T0) is not None


def test_what_nobody_asked_for_uses_up_nothing() -> None:
    """Questions, and answers to who is not proven, are bounded elsewhere: they neither are held nor hold anything."""
    asked = replace(ROW, kind="confirmation", recipients=("aiden@example.org",))
    told = replace(asked, kind="answer", context='{"proven": false}')
    for row in (asked, told):
        many = about(
            others(100),
            kind=row.kind,
            context=row.context,
            recipients=row.recipients,
            thread="",
            planned_at=T0,
        )
        assert capped(row, many, CAPS, T0) is None
        assert capped(replace(asked, kind="answer", context='{"proven": true}'), many, CAPS, T0) is None
    many = about(others(100), kind="answer", thread="", planned_at=T0)
    assert capped(replace(asked, kind="answer"), many, CAPS, T0) is not None


def test_a_mail_that_some_got_counts() -> None:
    """A mail that one recipient got counts, though another refused it."""
    many = about(others(9), thread=ROW.thread, state=State.FAILED, served=("ann@example.org",))
    assert capped(ROW, many, CAPS, T0) is not None
