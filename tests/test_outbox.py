"""What becomes of a mail, whatever the servers answer and whenever the power goes out."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.outbox import (
    LONGEST_DELAY,
    PROOF,
    STALE,
    OutboxRow,
    State,
    after,
    begin,
    capped,
    crashed,
    dropped,
    due,
    proven,
    retried,
    settled,
)
from helpdesk.ports import Delivery, Outcome
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
ACCEPTED = Delivery(Outcome.ACCEPTED, "250 ok")
TEMPORARY = Delivery(Outcome.TEMPORARY, "450 later")
PERMANENT = Delivery(Outcome.PERMANENT, "550 never")
UNKNOWN = Delivery(Outcome.UNKNOWN, "no answer")


def sent(row: OutboxRow, delivery: Delivery, now: datetime) -> OutboxRow:
    """Send a row that is due."""
    assert due([row], now) == (row,)
    return after(begin(row), delivery, now)


def test_planned_is_due() -> None:
    """A planned mail is due at once."""
    assert due([ROW], T0) == (ROW,)


def test_oldest_first() -> None:
    """The mails that were planned first go first."""
    rows = [replace(ROW, id=2), replace(ROW, id=3, planned_at=T0 - MINUTE), ROW]
    assert [row.id for row in due(rows, T0)] == [3, 1, 2]


def test_sending_is_not_due() -> None:
    """A mail that is being sent is not due a second time."""
    assert due([begin(ROW)], T0 + timedelta(hours=2)) == ()


def test_accepted() -> None:
    """An accepted mail is sent, with the server's words, and never due again."""
    row = sent(ROW, ACCEPTED, T0)
    assert (row.state, row.attempts, row.last_answer) == (State.SENT, 1, "250 ok")
    assert due([settled(row, T0 + STALE)], T0 + STALE) == ()


@pytest.mark.parametrize("refused", [("ganga@example.org",), ("Ganga@Example.org", "copy@example.org")])
def test_only_the_copy_was_accepted(refused: tuple[str, ...]) -> None:
    """A mail that only the board itself got has failed, and the copy that comes home is no proof."""
    row = sent(ROW, replace(ACCEPTED, refused=refused), T0)
    assert row.state is State.FAILED
    assert proven(row, T0).state is State.FAILED


def test_some_were_accepted() -> None:
    """A mail that some of those it is for got is sent."""
    row = sent(
        replace(ROW, recipients=("a@example.org", "b@example.org")),
        replace(ACCEPTED, refused=("a@example.org",)),
        T0,
    )
    assert row.state is State.SENT


def test_permanent() -> None:
    """A mail that is refused for good has failed, and is never due again."""
    row = sent(ROW, PERMANENT, T0)
    assert row.state is State.FAILED
    assert due([row], T0 + timedelta(hours=2)) == ()


def test_back_off() -> None:
    """After each failure that may pass the next try waits twice as long, at most an hour."""
    row, now, waits = ROW, T0, []
    for _ in range(9):
        row = sent(row, TEMPORARY, now)
        assert row.state is State.PLANNED
        assert row.next_try_at is not None
        assert due([row], row.next_try_at - MINUTE / 60) == ()
        waits.append((row.next_try_at - now) // MINUTE)
        now = row.next_try_at
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_gives_up() -> None:
    """A mail that could not be handed in for 24 hours is held, and listed with the last answer."""
    row, now = ROW, T0
    while due([row], now):
        row = sent(row, TEMPORARY, now)
        assert row.next_try_at is not None
        now = row.next_try_at
        row = settled(row, now)
    assert (row.state, row.last_answer) == (State.HELD, "450 later")
    assert STALE <= now - T0 <= STALE + LONGEST_DELAY
    assert row.attempts < 35


def test_stale() -> None:
    """A mail that was planned more than 24 hours ago is held, never sent by itself."""
    late = T0 + STALE
    assert due([ROW], late) == ()
    assert settled(ROW, late).state is State.HELD
    assert settled(ROW, late - MINUTE) == ROW


def test_unknown_waits_for_proof() -> None:
    """After an unknown outcome nothing is sent for 15 minutes, then the same mail once more."""
    row = sent(ROW, UNKNOWN, T0)
    assert (row.state, row.first_unknown_at) == (State.UNKNOWN, T0)
    assert due([row], T0 + PROOF - MINUTE) == ()
    assert due([row], T0 + PROOF) == (row,)
    again = begin(row)
    assert again.message_id == ROW.message_id


def test_unknown_twice() -> None:
    """A second unknown outcome holds the mail."""
    row = sent(ROW, UNKNOWN, T0)
    row = sent(row, UNKNOWN, T0 + PROOF)
    assert row.state is State.HELD
    assert due([row], T0 + 4 * PROOF) == ()


def test_unknown_then_busy() -> None:
    """A second try that certainly failed is no second mail: it backs off and stays unknown."""
    row = sent(ROW, UNKNOWN, T0)
    row = sent(row, TEMPORARY, T0 + PROOF)
    assert row.state is State.UNKNOWN
    assert row.next_try_at == T0 + PROOF + 2 * MINUTE
    row = sent(row, UNKNOWN, T0 + 2 * PROOF)
    assert row.state is State.HELD


def test_unknown_and_stale() -> None:
    """An unknown outcome late in the day still waits for its proof before it is held."""
    late = T0 + STALE - MINUTE
    row = sent(ROW, UNKNOWN, late)
    assert settled(row, late + 2 * MINUTE).state is State.UNKNOWN
    assert settled(row, late + PROOF).state is State.HELD
    assert due([row], late + PROOF) == ()


@pytest.mark.parametrize("state", [State.PLANNED, State.SENDING, State.SENT, State.UNKNOWN, State.HELD])
def test_proven(state: State) -> None:
    """A copy that came home settles it, whatever was known before."""
    row = proven(replace(ROW, state=state, next_try_at=T0), T0)
    assert (row.state, row.next_try_at) == (State.OBSERVED, None)
    assert row.last_answer
    assert due([row], T0 + PROOF) == ()
    assert proven(row, T0 + MINUTE) == row


def test_proven_while_sending() -> None:
    """A copy that comes home before the answer of the server counts more than the answer."""
    row = proven(begin(ROW), T0)
    assert after(row, TEMPORARY, T0) == row


def test_crash_while_sending() -> None:
    """A mail that was being sent when the daemon died may be in the world."""
    row = crashed(begin(ROW), T0)
    assert (row.state, row.next_try_at) == (State.UNKNOWN, T0 + PROOF)
    assert crashed(begin(row), T0 + PROOF).state is State.HELD


@pytest.mark.parametrize("state", [state for state in State if state is not State.SENDING])
def test_crash_elsewhere(state: State) -> None:
    """A crash changes no mail that was not being sent."""
    row = replace(ROW, state=state)
    assert crashed(row, T0) == row


@pytest.mark.parametrize("state", list(State))
def test_retry(state: State) -> None:
    """Only what is held or failed can be sent again by command, at once and under the same id."""
    row = replace(ROW, state=state, attempts=7, first_unknown_at=T0, next_try_at=None)
    again = retried(row, T0 + 2 * STALE)
    if state in {State.HELD, State.FAILED}:
        assert due([again], T0 + 2 * STALE) == (again,)
        assert again.message_id == row.message_id
    else:
        assert again == row


@pytest.mark.parametrize("state", list(State))
def test_drop(state: State) -> None:
    """Everything can be dropped by command but what went out or is on its way."""
    row = dropped(replace(ROW, state=state))
    gone = state in {State.SENDING, State.SENT, State.OBSERVED}
    assert row.state is (state if gone else State.DROPPED)
    assert due([row], T0) == ()


@dataclass(frozen=True, slots=True)
class Step:
    """Some time passes, then perhaps a copy comes home; what is due is sent with this outcome, or the power goes out."""

    minutes: int
    proof: bool
    outcome: Outcome | None  # None: a crash while sending


steps = st.builds(
    Step,
    minutes=st.integers(min_value=0, max_value=300),
    proof=st.booleans().flatmap(lambda often: st.booleans() if often else st.just(value=False)),
    outcome=st.sampled_from([*Outcome, None]),
)


def _may_be_out(outcome: Outcome | None) -> bool:
    return outcome in {Outcome.ACCEPTED, Outcome.UNKNOWN, None}


@given(st.lists(steps, max_size=80))
def test_any_story(story: list[Step]) -> None:
    """Whatever happens a mail goes out at most twice, never after it was accepted or proven, and tries are bounded."""
    row, now, tries, out, over = ROW, T0, 0, 0, False
    last_unknown: datetime | None = None
    for step in story:
        now += step.minutes * MINUTE
        if step.proof and out:
            row, over = proven(row, now), True
        row = settled(row, now)
        assert row.message_id == ROW.message_id
        for ready in due([row], now):
            assert not over
            assert now < T0 + STALE
            assert last_unknown is None or now >= last_unknown + PROOF
            tries += 1
            row = begin(ready)
            row = crashed(row, now) if step.outcome is None else after(row, Delivery(step.outcome, "x"), now)
            out += _may_be_out(step.outcome)
            over = step.outcome in {Outcome.ACCEPTED, Outcome.PERMANENT}
            last_unknown = now if step.outcome in {Outcome.UNKNOWN, None} else last_unknown
    assert out <= 2
    assert tries <= 35
    assert row.state is not State.SENDING


@given(st.lists(st.sampled_from([Outcome.TEMPORARY, Outcome.UNKNOWN, None])))
def test_ends(outcomes: list[Outcome | None]) -> None:
    """Two days later no mail is still on its way."""
    row, now = ROW, T0
    for outcome in outcomes:
        now = max(now, row.next_try_at or now)
        row = settled(row, now)
        for ready in due([row], now):
            row = begin(ready)
            row = crashed(row, now) if outcome is None else after(row, Delivery(outcome, "x"), now)
    assert settled(row, T0 + 2 * STALE).state is State.HELD


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
