"""What becomes of a mail, whatever the servers answer and whenever the power goes out."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.outbox import (
    FIRST_DELAY,
    LONGEST_DELAY,
    PROOF,
    SPREAD,
    STALE,
    OutboxRow,
    State,
    addressees,
    after,
    begin,
    crashed,
    dropped,
    due,
    proven,
    retried,
    settled,
)
from helpdesk.ports import Delivery, Outcome

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
COPY = "dast-board@example.org"
ACCEPTED = Delivery(Outcome.ACCEPTED, "250 ok")
TEMPORARY = Delivery(Outcome.TEMPORARY, "450 later")
PERMANENT = Delivery(Outcome.PERMANENT, "550 never")
UNKNOWN = Delivery(Outcome.UNKNOWN, "no answer")


def sent(row: OutboxRow, delivery: Delivery, now: datetime) -> OutboxRow:
    """Send a row that is due."""
    assert due([row], now) == (row,)
    return after(started(row), delivery, now)


def started(row: OutboxRow) -> OutboxRow:
    """Begin to send a row to whom it is still for."""
    return begin(row, addressees(row, COPY))


def test_planned_is_due() -> None:
    """A planned mail is due at once."""
    assert due([ROW], T0) == (ROW,)


def test_oldest_first() -> None:
    """The mails that were planned first go first."""
    rows = [replace(ROW, id=2), replace(ROW, id=3, planned_at=T0 - MINUTE), ROW]
    assert [row.id for row in due(rows, T0)] == [3, 1, 2]


def test_sending_is_not_due() -> None:
    """A mail that is being sent is not due a second time."""
    assert due([started(ROW)], T0 + timedelta(hours=2)) == ()


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
    assert proven(row, T0, COPY).state is State.FAILED


THREE = replace(ROW, recipients=("a@example.org", "B@example.org", "c@example.org"))
MIXED = replace(ACCEPTED, refused=("a@example.org",), deferred=("b@example.org",))


def test_each_recipient_has_a_fate_of_its_own() -> None:
    """Who was put off gets the mail later, alone; who refused it is reported then; who has it gets no second one."""
    row = sent(THREE, MIXED, T0)
    assert (row.state, row.left) == (State.PLANNED, ("B@example.org",))
    assert (row.served, row.refused) == (("c@example.org", COPY), ("a@example.org",))
    assert row.next_try_at is not None
    assert addressees(row, COPY) == ("B@example.org",)
    row = sent(row, ACCEPTED, row.next_try_at)
    assert (row.state, row.left) == (State.FAILED, ())
    assert addressees(retried(row, T0), COPY) == ("a@example.org",)


def test_refused_while_others_wait() -> None:
    """An answer that refuses one and puts off another, with nobody served, keeps the other for later."""
    row = sent(THREE, replace(MIXED, outcome=Outcome.TEMPORARY), T0)
    assert (row.state, row.left) == (State.PLANNED, ("B@example.org", "c@example.org"))
    assert addressees(row, COPY) == ("B@example.org", "c@example.org", COPY)


def test_the_text_is_refused() -> None:
    """A mail whose words are refused is refused for everybody who would have got them; the others are still asked."""
    row = sent(THREE, Delivery(Outcome.PERMANENT, "554 spam", deferred=("b@example.org",)), T0)
    assert (row.refused, row.left) == (("a@example.org", "c@example.org", COPY), ("B@example.org",))
    assert row.state is State.PLANNED


def test_proof_for_some() -> None:
    """The copy that comes home proves the mail for those of its transaction; the others still get it, alone."""
    row = after(started(THREE), replace(MIXED, outcome=Outcome.UNKNOWN), T0)
    assert (row.state, row.trying) == (State.UNKNOWN, ("c@example.org", COPY))
    again = settled(row, T0 + PROOF)
    assert addressees(again, COPY) == ("c@example.org", COPY)
    row = proven(row, T0 + MINUTE, COPY)
    assert (row.state, row.served, row.left) == (State.PLANNED, ("c@example.org", COPY), ("B@example.org",))
    row = sent(row, ACCEPTED, T0 + MINUTE)
    assert row.state is State.FAILED


def test_an_old_copy_proves_nothing_new() -> None:
    """The copy of the first transaction is no proof of the second, which had none."""
    row = sent(replace(THREE, recipients=THREE.recipients[1:]), replace(MIXED, refused=()), T0)
    assert row.next_try_at is not None
    now = row.next_try_at
    row = sent(row, UNKNOWN, now)
    row = proven(row, now, COPY)
    assert (row.state, row.trying) == (State.UNKNOWN, ("B@example.org",))
    row = sent(row, ACCEPTED, now + PROOF)
    assert (row.state, row.repeats) == (State.OBSERVED, 1)


def test_the_copy_alone_was_put_off() -> None:
    """The board's own copy is sent later, alone; if that does not work for a day, the mail is sent all the same."""
    row = sent(ROW, replace(ACCEPTED, deferred=(COPY,)), T0)
    assert (row.state, addressees(row, COPY)) == (State.PLANNED, (COPY,))
    assert row.next_try_at is not None
    assert sent(row, ACCEPTED, row.next_try_at).state is State.SENT
    assert sent(row, replace(PERMANENT, refused=(COPY,)), row.next_try_at).state is State.SENT
    assert sent(row, TEMPORARY, row.next_try_at).state is State.PLANNED
    assert settled(row, T0 + STALE).state is State.SENT


def test_nobody_but_the_copy_is_left() -> None:
    """Where all whom a mail is for refused it, it has failed at once, whatever the board's own copy waits for."""
    answer = Delivery(Outcome.TEMPORARY, "no", refused=ROW.recipients, deferred=(COPY,))
    assert sent(ROW, answer, T0).state is State.FAILED


def test_a_backup_knows_nothing() -> None:
    """The copy of a mail that this row never sent was sent before a backup was restored: nobody gets it again."""
    for row in (THREE, sent(THREE, TEMPORARY, T0), settled(THREE, T0 + STALE)):
        assert proven(row, T0 + STALE, COPY).state is State.OBSERVED


def test_a_person_repeats() -> None:
    """A mail that may have arrived and is sent again by a person counts as sent again, and not before it is."""
    row = sent(sent(ROW, UNKNOWN, T0), UNKNOWN, T0 + PROOF)
    assert (row.state, row.repeats) == (State.HELD, 1)
    row = retried(row, T0 + 2 * PROOF)
    assert row.repeats == 1
    assert sent(row, ACCEPTED, T0 + 2 * PROOF).repeats == 2


def test_a_doubt_is_not_forgotten() -> None:
    """Who may have a mail and refuses it the second time may have it twice if a person sends it again: that is counted."""
    row = after(
        started(replace(THREE, recipients=THREE.recipients[:2])),
        replace(UNKNOWN, deferred=("b@example.org",)),
        T0,
    )
    row = sent(row, replace(PERMANENT, refused=("a@example.org", COPY)), T0 + PROOF)
    assert (row.state, row.left) == (State.PLANNED, ("B@example.org",))
    row = sent(row, ACCEPTED, row.next_try_at or T0)
    assert row.state is State.FAILED
    assert sent(retried(row, T0 + STALE), ACCEPTED, T0 + STALE).repeats == 1


def test_dropped_for_the_rest() -> None:
    """Who drops a mail that some have keeps it from the others, also when its copy comes home."""
    row = dropped(sent(THREE, replace(MIXED, refused=()), T0))
    assert row.left
    assert proven(row, T0, COPY).state is State.DROPPED


def test_refused_after_all() -> None:
    """A mail that was refused when it was sent again, and whose copy comes home from the first time, has arrived."""
    row = sent(sent(ROW, UNKNOWN, T0), PERMANENT, T0 + PROOF)
    assert row.state is State.FAILED
    assert proven(row, T0 + PROOF, COPY).state is State.OBSERVED


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
        waits.append((row.next_try_at - now) / MINUTE)
        now = row.next_try_at
    least = [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert all(one <= wait <= one * (1 + SPREAD) for one, wait in zip(least, waits, strict=True))


def test_jitter() -> None:
    """What failed together does not come back together: each mail waits a little longer than the least, always the same."""
    rows = [replace(ROW, id=number, message_id=f"<{number}@x>") for number in range(50)]
    tries = [sent(row, TEMPORARY, T0).next_try_at for row in rows]
    assert len(set(tries)) > 40
    assert tries == [sent(row, TEMPORARY, T0).next_try_at for row in rows]
    assert all(T0 + FIRST_DELAY <= (one or T0) <= T0 + FIRST_DELAY * (1 + SPREAD) for one in tries)


def test_gives_up() -> None:
    """A mail that could not be handed in for 24 hours is held, and listed with the last answer."""
    row, now = ROW, T0
    while due([row], now):
        row = sent(row, TEMPORARY, now)
        assert row.next_try_at is not None
        now = row.next_try_at
        row = settled(row, now)
    assert (row.state, row.last_answer) == (State.HELD, "450 later")
    assert STALE <= now - T0 <= STALE + LONGEST_DELAY * (1 + SPREAD)
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
    again = started(row)
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
    assert row.next_try_at is not None
    assert T0 + PROOF + 2 * MINUTE <= row.next_try_at <= T0 + PROOF + 2 * MINUTE * (1 + SPREAD)
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
    row = proven(replace(ROW, state=state, next_try_at=T0), T0, COPY)
    assert (row.state, row.next_try_at) == (State.OBSERVED, None)
    assert row.last_answer
    assert due([row], T0 + PROOF) == ()
    assert proven(row, T0 + MINUTE, COPY) == row


def test_proven_while_sending() -> None:
    """A copy that comes home before the answer of the server counts more than the answer."""
    row = proven(started(ROW), T0, COPY)
    assert after(row, TEMPORARY, T0) == row


def test_crash_while_sending() -> None:
    """A mail that was being sent when the daemon died may be in the world."""
    row = crashed(started(ROW), T0)
    assert (row.state, row.next_try_at) == (State.UNKNOWN, T0 + PROOF)
    assert crashed(started(row), T0 + PROOF).state is State.HELD


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
            row, over = proven(row, now, COPY), True
        row = settled(row, now)
        assert row.message_id == ROW.message_id
        for ready in due([row], now):
            assert not over
            assert now < T0 + STALE
            assert last_unknown is None or now >= last_unknown + PROOF
            tries += 1
            row = started(ready)
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
            row = started(ready)
            row = crashed(row, now) if outcome is None else after(row, Delivery(outcome, "x"), now)
    assert settled(row, T0 + 2 * STALE).state is State.HELD
