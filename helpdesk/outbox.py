"""What becomes of a mail: the states of a row of the outbox, as pure functions.

    planned ──begin──► sending ──after──► sent ──proven──► observed
       ▲                  │
       │ TEMPORARY        ├─ UNKNOWN ──► unknown ── no proof within 15 minutes: sending, once more
       └──────────────────┤                 └────── unknown again, or too old: held
                          └─ PERMANENT ─► failed

`held` and `failed` wait for a person (`retried`, `dropped`).  The row is stored as `sending` before the first byte, so
a crash while sending is an unknown outcome too.  A mail that may be in the world is sent at most once more; a mail that
was accepted is never sent again.

All of this is true of each recipient: a server takes a mail for some, wants to be asked later about others and refuses
the rest.  A row remembers who has it (`served`), who never gets it (`refused`) and who is in the transaction of which
the outcome is not known (`trying`); everybody else is still to be served, in a later transaction, alone.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from helpdesk.ports import Delivery, Outcome

PROOF = timedelta(minutes=15)
"""How long the copy of a mail may take to come home before an unknown outcome is tried once more."""

STALE = timedelta(hours=24)
"""A mail that was planned longer ago is listed, never sent by itself."""

FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=1)
SPREAD = 0.25
"""A delay is longer by up to this share, so that what failed together does not come back together."""


class State(StrEnum):
    """Where a mail stands."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"  # the server accepted it
    UNKNOWN = "unknown"  # it may be in the world
    HELD = "held"  # a person decides
    FAILED = "failed"  # refused for good, by some recipients at least
    DROPPED = "dropped"  # a person decided against it
    OBSERVED = "observed"  # its copy came home


Addresses = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One mail of ours; `recipients` are those it is for, without the board's own copy."""

    id: int
    message_id: str
    thread: str  # the thread's id, "" for a mail about the board itself
    rule: str
    occasion: str
    kind: str
    recipients: Addresses
    planned_at: datetime
    state: State = State.PLANNED
    attempts: int = 0
    first_unknown_at: datetime | None = None
    next_try_at: datetime | None = None  # None: at once
    last_answer: str = ""
    served: Addresses = ()  # who has it; the board's own copy, too
    refused: Addresses = ()  # who never gets it
    trying: Addresses = ()  # who may have got it in a transaction of which the outcome is not known (yet)
    repeats: int = 0  # how often it was sent again although it may have arrived
    proven_at: datetime | None = None  # when its copy came home
    about: int | None = None  # its thread, as the store numbers it
    left_at: datetime | None = None  # when the first of those whom it is for had it: clocks begin
    context: str = ""  # JSON: what its words need that the board does not know (a command's answer)

    @property
    def left(self) -> Addresses:
        """Whom it is for and who neither has it nor refused it."""
        return _without(self.recipients, (*self.served, *self.refused))


def due(rows: Iterable[OutboxRow], now: datetime) -> tuple[OutboxRow, ...]:
    """Choose the rows to send now, the oldest first; apply `settled` to all rows before."""
    ready = [row for row in rows if _may_be_sent(row, now)]
    return tuple(sorted(ready, key=lambda row: (row.planned_at, row.id)))


def addressees(row: OutboxRow, copy_to: str) -> Addresses:
    """Whom the next transaction is for, the board's own copy last.

    What may be in the world is settled first and by itself: a copy that comes home then proves it for the same people.
    """
    if row.state is State.UNKNOWN and row.trying:
        return row.trying
    wanted = _without((*row.recipients, *([copy_to] if copy_to else [])), (*row.served, *row.refused))
    return tuple({address.lower(): address for address in wanted}.values())


def begin(row: OutboxRow, to: Addresses) -> OutboxRow:
    """Mark the row as it must be stored before the first byte goes out to these."""
    again = row.repeats + (row.first_unknown_at is not None or bool(row.trying))
    return replace(
        row, state=State.SENDING, attempts=row.attempts + 1, next_try_at=None, trying=to, repeats=again
    )


def narrowed(row: OutboxRow, delivery: Delivery) -> OutboxRow:
    """Take in, before the text goes out, who does not get it this time: nobody could tell after a crash."""
    gone = (*delivery.refused, *delivery.deferred)
    return replace(_with_refused(row, delivery.refused), trying=_without(row.trying, gone))


def after(row: OutboxRow, delivery: Delivery, now: datetime) -> OutboxRow:
    """Take in how a transmission ended; a row that is not `sending` is left as it is (it was proven meanwhile)."""
    if row.state is not State.SENDING:
        return row
    row = replace(row, last_answer=delivery.answer)
    tried = _without(row.trying, delivery.deferred)
    put_off = delivery.outcome is Outcome.TEMPORARY and not delivery.refused
    if row.first_unknown_at is not None and put_off:
        row = replace(
            row, repeats=row.repeats - 1
        )  # nobody got it once more, and nobody's doubt is forgotten
    match delivery.outcome:
        case Outcome.UNKNOWN:
            row = _with_refused(row, delivery.refused)
            return _unknown(replace(row, trying=_without(tried, delivery.refused)), now)
        case Outcome.TEMPORARY:
            return _later(_with_refused(row, delivery.refused), now)
        case Outcome.PERMANENT:
            return _ended(_with_refused(row, tried), now)
        case Outcome.ACCEPTED:
            row = _with_refused(row, delivery.refused)
            row = _served(row, _without(tried, delivery.refused), now)
            own = _without(delivery.deferred, row.recipients)  # only the board's own copy is missing
            row = replace(row, trying=(), first_unknown_at=None)
            return _planned_again(row, now) if own and not row.left and not _failed(row) else _ended(row, now)


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
    if row.served and not row.left:
        return _over(row)  # everybody has it: only the board's own copy was still to be sent
    return replace(row, state=State.HELD, next_try_at=None)


def proven(row: OutboxRow, now: datetime, copy_to: str) -> OutboxRow:
    """Take in that its copy came home: accepted, whatever we were told or did not hear.

    Who was in the same transaction as the copy has the mail.  A copy of which this row knows nothing was sent before
    the row was restored: then everybody is taken to have it, for nothing is mailed twice.
    """
    if row.state is State.OBSERVED:
        return row
    answer = row.last_answer or f"its copy came home at {now:%Y-%m-%dT%H:%M:%SZ}"
    row = replace(row, proven_at=row.proven_at or now, last_answer=answer)
    if copy_to.lower() in _lower(row.trying):
        refused = _without(row.refused, row.trying)
        row = _served(replace(row, refused=refused), row.trying, now)
    elif copy_to.lower() not in _lower(row.served) and row.state is not State.FAILED:
        row = _served(row, row.left, now)
    elif row.state in {State.SENDING, State.UNKNOWN}:
        return row  # the copy went out before, with others
    if row.left and row.state is State.DROPPED:
        return row
    if row.left:
        again = row.state in {State.SENDING, State.UNKNOWN, State.HELD} and bool(row.trying)
        row = replace(row, state=State.PLANNED, next_try_at=None) if again else row
        return replace(row, trying=(), first_unknown_at=None)
    return _over(row)


def retried(row: OutboxRow, now: datetime) -> OutboxRow:
    """Do what `outbox retry` asks for: plan the mail anew, under the same Message-ID, for those who have it not."""
    if row.state not in {State.HELD, State.FAILED}:
        return row
    return replace(
        row,
        state=State.PLANNED,
        planned_at=now,
        attempts=0,
        first_unknown_at=None,
        next_try_at=None,
        refused=(),
    )


def dropped(row: OutboxRow) -> OutboxRow:
    """Do what `outbox drop` asks for; what was sent or is being sent cannot be dropped."""
    if row.state in {State.SENDING, State.SENT, State.OBSERVED}:
        return row
    return replace(row, state=State.DROPPED, next_try_at=None)


def _may_be_sent(row: OutboxRow, now: datetime) -> bool:
    waiting = row.next_try_at is not None and now < row.next_try_at
    return row.state in {State.PLANNED, State.UNKNOWN} and not waiting and now < row.planned_at + STALE


def _ended(row: OutboxRow, now: datetime) -> OutboxRow:
    """A transaction is over and answered: who is left gets one later, then the refused are reported."""
    return _planned_again(row, now) if row.left else _over(row)


def _over(row: OutboxRow) -> OutboxRow:
    """Nobody is left: failed while anybody whom the mail is for refused it, else sent, or seen."""
    arrived = State.SENT if row.proven_at is None else State.OBSERVED
    state = State.FAILED if _failed(row) else arrived
    trying = row.trying if state is State.FAILED and row.first_unknown_at is not None else ()
    return replace(row, state=state, next_try_at=None, trying=trying)


def _served(row: OutboxRow, who: Addresses, now: datetime) -> OutboxRow:
    """These have it; the first of those whom it is for says when it left."""
    wanted = not _lower(who).isdisjoint(_lower(row.recipients))
    left_at = now if wanted and row.left_at is None else row.left_at
    return replace(row, served=_union(row.served, who), left_at=left_at)


def _failed(row: OutboxRow) -> bool:
    return not _lower(row.recipients).isdisjoint(_lower(row.refused))


def _planned_again(row: OutboxRow, now: datetime) -> OutboxRow:
    return replace(row, state=State.PLANNED, trying=(), first_unknown_at=None, next_try_at=now + delay(row))


def _later(row: OutboxRow, now: datetime) -> OutboxRow:
    """Nothing was accepted this time: wait longer than before, and remember an earlier unknown outcome."""
    if row.first_unknown_at is not None:
        return replace(row, state=State.UNKNOWN, next_try_at=now + delay(row))
    only_copy = bool(row.served) and not _failed(row)
    return _planned_again(row, now) if row.left or only_copy else _over(row)


def _unknown(row: OutboxRow, now: datetime) -> OutboxRow:
    """Wait for the proof, then send once more; the second time a person decides."""
    if row.first_unknown_at is not None:
        return replace(row, state=State.HELD)
    return replace(row, state=State.UNKNOWN, first_unknown_at=now, next_try_at=now + PROOF)


def delay(row: OutboxRow) -> timedelta:
    """How long to leave the server alone: twice as long as before, and a little more, different for each mail and try."""
    chance = hashlib.sha256(f"{row.message_id} {row.attempts}".encode()).digest()[0] / 256
    base = min(FIRST_DELAY * (1 << min(max(row.attempts - 1, 0), 16)), LONGEST_DELAY)
    return base * (1 + SPREAD * chance)


def _with_refused(row: OutboxRow, refused: Addresses) -> OutboxRow:
    return replace(row, refused=_union(row.refused, refused))


def _lower(addresses: Iterable[str]) -> set[str]:
    return {address.lower() for address in addresses}


def _without(addresses: Addresses, others: Iterable[str]) -> Addresses:
    gone = _lower(others)
    return tuple(one for one in addresses if one.lower() not in gone)


def _union(addresses: Addresses, more: Addresses) -> Addresses:
    return (*addresses, *_without(more, addresses))
