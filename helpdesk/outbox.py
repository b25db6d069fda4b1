"""What becomes of a mail: the states of a row of the outbox, as pure functions.

    planned ──begin──► sending ──after──► sent ──proven──► observed
       ▲                  │
       │ TEMPORARY        ├─ UNKNOWN ──► unknown ── no proof within 15 minutes: sending, once more
       └──────────────────┤                 └────── unknown again, or too old: held
                          └─ PERMANENT ─► failed

`held` and `failed` wait for a person (`retried`, `dropped`).  The row is stored as `sending` before the first byte, so
a crash while sending is an unknown outcome too.  A mail that may be in the world is sent at most once more; a mail that
was accepted is never sent again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from helpdesk.ports import Delivery, Outcome

PROOF = timedelta(minutes=15)
"""How long the copy of a mail may take to come home before an unknown outcome is tried once more."""

STALE = timedelta(hours=24)
"""A mail that was planned longer ago is listed, never sent by itself."""

FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=1)


class State(StrEnum):
    """Where a mail stands."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"  # the server accepted it
    UNKNOWN = "unknown"  # it may be in the world
    HELD = "held"  # a person decides
    FAILED = "failed"  # refused for good
    DROPPED = "dropped"  # a person decided against it
    OBSERVED = "observed"  # its copy came home


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One mail of ours; `recipients` are those it is for, without the board's own copy."""

    id: int
    message_id: str
    thread: str  # the thread's id, "" for a mail about the board itself
    rule: str
    occasion: str
    kind: str
    recipients: tuple[str, ...]
    planned_at: datetime
    state: State = State.PLANNED
    attempts: int = 0
    first_unknown_at: datetime | None = None
    next_try_at: datetime | None = None  # None: at once
    last_answer: str = ""
    context: str = ""  # JSON: what its words need that the board does not know (a command's answer)


def due(rows: Iterable[OutboxRow], now: datetime) -> tuple[OutboxRow, ...]:
    """Choose the rows to send now, the oldest first; apply `settled` to all rows before."""
    ready = [row for row in rows if _may_be_sent(row, now)]
    return tuple(sorted(ready, key=lambda row: (row.planned_at, row.id)))


def begin(row: OutboxRow) -> OutboxRow:
    """Mark the row as it must be stored before the first byte goes out."""
    return replace(row, state=State.SENDING, attempts=row.attempts + 1, next_try_at=None)


def after(row: OutboxRow, delivery: Delivery, now: datetime) -> OutboxRow:
    """Take in how a transmission ended; a row that is not `sending` is left as it is (it was proven meanwhile)."""
    if row.state is not State.SENDING:
        return row
    row = replace(row, last_answer=delivery.answer)
    match delivery.outcome:
        case Outcome.ACCEPTED:
            return replace(row, state=_accepted(row, delivery))
        case Outcome.TEMPORARY:
            return _later(row, now)
        case Outcome.PERMANENT:
            return replace(row, state=State.FAILED)
        case Outcome.UNKNOWN:
            return _unknown(row, now)


def crashed(row: OutboxRow, now: datetime) -> OutboxRow:
    """Read a row as a new process must: what was being sent may be in the world."""
    if row.state is not State.SENDING:
        return row
    return _unknown(replace(row, last_answer="the daemon stopped while this was being sent"), now)


def settled(row: OutboxRow, now: datetime) -> OutboxRow:
    """Do what time alone does: a mail that is too old to be sent by itself is held."""
    if row.state not in {State.PLANNED, State.UNKNOWN} or now < row.planned_at + STALE:
        return row
    if row.state is State.UNKNOWN and row.first_unknown_at is not None and now < row.first_unknown_at + PROOF:
        return row  # its copy may still come home
    return replace(row, state=State.HELD, next_try_at=None)


def proven(row: OutboxRow, now: datetime) -> OutboxRow:
    """Take in that its copy came home: accepted, whatever we were told or did not hear.

    Where the server refused all whom the mail was for, the copy proves only that the board got its own.
    """
    if row.state is State.OBSERVED or (row.state is State.FAILED and row.first_unknown_at is None):
        return row
    answer = row.last_answer or f"its copy came home at {now:%Y-%m-%dT%H:%M:%SZ}"
    return replace(row, state=State.OBSERVED, next_try_at=None, last_answer=answer)


def retried(row: OutboxRow, now: datetime) -> OutboxRow:
    """Do what `outbox retry` asks for: plan the mail anew, under the same Message-ID."""
    if row.state not in {State.HELD, State.FAILED}:
        return row
    return replace(
        row, state=State.PLANNED, planned_at=now, attempts=0, first_unknown_at=None, next_try_at=None
    )


def dropped(row: OutboxRow) -> OutboxRow:
    """Do what `outbox drop` asks for; what was sent or is being sent cannot be dropped."""
    if row.state in {State.SENDING, State.SENT, State.OBSERVED}:
        return row
    return replace(row, state=State.DROPPED, next_try_at=None)


def _may_be_sent(row: OutboxRow, now: datetime) -> bool:
    waiting = row.next_try_at is not None and now < row.next_try_at
    return row.state in {State.PLANNED, State.UNKNOWN} and not waiting and now < row.planned_at + STALE


def _accepted(row: OutboxRow, delivery: Delivery) -> State:
    """Sent, unless the server took only the board's own copy."""
    refused = {address.lower() for address in delivery.refused}
    wanted = {address.lower() for address in row.recipients}
    return State.FAILED if wanted and wanted <= refused else State.SENT


def _later(row: OutboxRow, now: datetime) -> OutboxRow:
    """Nothing was accepted this time: wait twice as long as before, and remember an earlier unknown outcome."""
    delay = min(FIRST_DELAY * 2 ** min(row.attempts - 1, 16), LONGEST_DELAY)
    state = State.PLANNED if row.first_unknown_at is None else State.UNKNOWN
    return replace(row, state=state, next_try_at=now + delay)


def _unknown(row: OutboxRow, now: datetime) -> OutboxRow:
    """Wait for the proof, then send once more; the second time a person decides."""
    if row.first_unknown_at is not None:
        return replace(row, state=State.HELD)
    return replace(row, state=State.UNKNOWN, first_unknown_at=now, next_try_at=now + PROOF)


class Caps(Protocol):
    """The `[caps]` of the configuration."""

    @property
    def user_per_day(self) -> int:
        """Mails to one user in 24 hours."""

    @property
    def thread_per_day(self) -> int:
        """Mails about one thread in 24 hours."""

    @property
    def board_per_hour(self) -> int:
        """Mails of the whole board in an hour."""


TO_USERS = frozenset({"release", "warning", "notice", "note"})
"""The kinds that go to a user: `user_per_day` does not keep the shifter from an urgent mail."""

UNCAPPED = frozenset({"alarm"})
"""An alarm happens once a day and kind, and it is what says that a cap tripped."""

_COUNTED = frozenset({State.PLANNED, State.SENDING, State.SENT, State.UNKNOWN, State.OBSERVED})


def capped(row: OutboxRow, recent: Sequence[OutboxRow], caps: Caps, now: datetime) -> str | None:
    """Why this mail must not be planned, or None; `recent` are the rows of the last 24 hours."""
    if row.kind in UNCAPPED:
        return None
    others = [one for one in recent if one.message_id != row.message_id and one.state in _COUNTED]
    today = [one for one in others if one.planned_at > now - timedelta(hours=24)]
    return (
        _too_many_to_a_user(row, today, caps)
        or _too_many_about_the_thread(row, today, caps)
        or _too_many_in_all(others, caps, now)
    )


def _too_many_to_a_user(row: OutboxRow, today: Iterable[OutboxRow], caps: Caps) -> str | None:
    if row.kind not in TO_USERS:
        return None
    mailed = [to.lower() for one in today if one.kind in TO_USERS for to in one.recipients]
    for address in row.recipients:
        count = mailed.count(address.lower())
        if count >= caps.user_per_day:
            return f"{address} got {count} mails in 24 hours ([caps] user_per_day = {caps.user_per_day})"
    return None


def _too_many_about_the_thread(row: OutboxRow, today: Iterable[OutboxRow], caps: Caps) -> str | None:
    count = sum(one.thread == row.thread for one in today) if row.thread else 0
    if count < caps.thread_per_day or not row.thread:
        return None
    return f"{count} mails about {row.thread} in 24 hours ([caps] thread_per_day = {caps.thread_per_day})"


def _too_many_in_all(others: Iterable[OutboxRow], caps: Caps, now: datetime) -> str | None:
    count = sum(one.planned_at > now - timedelta(hours=1) for one in others)
    if count < caps.board_per_hour:
        return None
    return f"{count} mails in an hour ([caps] board_per_hour = {caps.board_per_hour})"
