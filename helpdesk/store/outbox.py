"""Rows of the outbox: planned in the transaction of their decision, proven by the copy that comes home."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Connection, bindparam, insert, or_, select, update

from helpdesk.mailids import loop_token
from helpdesk.outbox import OutboxRow, State
from helpdesk.store.core import MESSAGE, OUTBOX, THREAD, chunks

STUCK = (State.HELD, State.FAILED)
"""A person decides."""

LIVE = (State.PLANNED, State.SENDING, State.UNKNOWN)


def add(conn: Connection, row: OutboxRow, thread: int | None) -> bool:
    """Plan a mail; False when its Message-ID, and so its reason, is already there."""
    if exists(conn, row.message_id):
        return False
    conn.execute(
        insert(OUTBOX).values(
            message_id=row.message_id,
            thread=thread,
            code=row.thread,
            rule=row.rule,
            occasion=row.occasion,
            kind=row.kind,
            recipients=" ".join(row.recipients),
            context=row.context,
            **_life(row),
        )
    )
    return True


def exists(conn: Connection, message_id: str) -> bool:
    """Whether there is a row of this mail, in whatever state."""
    return conn.execute(select(OUTBOX.c.id).where(OUTBOX.c.message_id == message_id)).first() is not None


def rows(conn: Connection, states: Iterable[State] = LIVE) -> Sequence[OutboxRow]:
    """The rows in these states, oldest first."""
    wanted = [state.value for state in states]
    query = select(OUTBOX).where(OUTBOX.c.state.in_(wanted)).order_by(OUTBOX.c.planned_at, OUTBOX.c.id)
    return [_row(row) for row in conn.execute(query)]


def since(conn: Connection, start: datetime) -> Sequence[OutboxRow]:
    """The rows that were planned after `start`, whatever became of them: what the caps count."""
    return [_row(row) for row in conn.execute(select(OUTBOX).where(OUTBOX.c.planned_at > start))]


def occasions(conn: Connection, rule: str, start: datetime) -> Sequence[str]:
    """What this rule mailed about since `start`, or is about to."""
    gone = (State.HELD.value, State.DROPPED.value)
    query = select(OUTBOX.c.occasion).where(
        OUTBOX.c.rule == rule, OUTBOX.c.planned_at >= start, OUTBOX.c.state.not_in(gone)
    )
    return conn.execute(query).scalars().all()


def planned(conn: Connection, rule: str, start: datetime) -> Mapping[str, datetime]:
    """The occasions of a rule that were planned after `start`, whatever became of them, and when."""
    mine = (OUTBOX.c.rule == rule, OUTBOX.c.planned_at > start)
    return {
        row.occasion: row.planned_at
        for row in conn.execute(select(OUTBOX.c.occasion, OUTBOX.c.planned_at).where(*mine))
    }


def newest(conn: Connection, rule: str) -> OutboxRow | None:
    """The row that this rule planned last."""
    query = select(OUTBOX).where(OUTBOX.c.rule == rule).order_by(OUTBOX.c.id.desc()).limit(1)
    row = conn.execute(query).one_or_none()
    return None if row is None else _row(row)


def get(conn: Connection, key: int) -> OutboxRow | None:
    """One row."""
    row = conn.execute(select(OUTBOX).where(OUTBOX.c.id == key)).one_or_none()
    return None if row is None else _row(row)


def by_token(conn: Connection, tokens: Iterable[str]) -> Sequence[OutboxRow]:
    """The rows whose mails carry these tokens (`helpdesk.KEY.MAC`, the beginning of the Message-ID)."""
    found = [
        conn.execute(
            select(OUTBOX).where(OUTBOX.c.message_id.between(f"<{token}@", f"<{token}@\x7f"))
        ).first()
        for token in tokens
    ]
    return [_row(row) for row in found if row is not None]


def of_reason(conn: Connection, thread: int, rule: str, occasion: str) -> OutboxRow | None:
    """The mail that a rule planned for a thread on an occasion."""
    mine = (OUTBOX.c.thread == thread, OUTBOX.c.rule == rule, OUTBOX.c.occasion == occasion)
    row = conn.execute(select(OUTBOX).where(*mine).order_by(OUTBOX.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _row(row)


def save(conn: Connection, row: OutboxRow, before: OutboxRow | None = None) -> None:
    """Write a row back after a step of its life; its thread is looked at again where that means something to it.

    Who knows how the row is stored (`before`) spares the database the question.
    """
    means = _meaning(row)
    if row.about is not None and (before is None or _meaning(before) != means):
        left, stuck, dropped = means
        conn.execute(_WAKE, {"key": row.id, "left": left, "stuck": stuck, "dropped": dropped})
    conn.execute(_SAVE, {"key": row.id, **_life(row)})


def _meaning(row: OutboxRow) -> tuple[bool, bool, bool]:
    """What a thread wants to know of its mail."""
    return row.left_at is not None, row.state in STUCK, row.state is State.DROPPED


def home_as(conn: Connection, sent: Sequence[OutboxRow]) -> dict[int, str]:
    """Those of these rows that have a copy in the mailbox, with its Message-ID: a relay may have changed it."""
    by_token = {loop_token(row.message_id).lower(): row.id for row in sent}
    found: dict[int, str] = {}
    query = select(MESSAGE.c.token, MESSAGE.c.message_id)
    for chunk in chunks(by_token):
        mine = (MESSAGE.c.token != "", MESSAGE.c.token.in_(chunk))
        found |= {by_token[one.token]: one.message_id for one in conn.execute(query.where(*mine))}
    return found


def thread_of(conn: Connection, key: int) -> int | None:
    """The thread that a row is about, as the store numbers it."""
    return conn.execute(select(OUTBOX.c.thread).where(OUTBOX.c.id == key)).scalar_one_or_none()


def content(conn: Connection, key: int) -> bytes | None:
    """The mail as it was first written: a retry sends the same octets."""
    return contents(conn, [key]).get(key)


def contents(conn: Connection, keys: Iterable[int]) -> dict[int, bytes]:
    """Those of these mails that are written, as they were first."""
    found: dict[int, bytes] = {}
    for chunk in chunks(keys):
        mine = (OUTBOX.c.id.in_(chunk), OUTBOX.c.content.is_not(None))
        found |= {
            row.id: row.content for row in conn.execute(select(OUTBOX.c.id, OUTBOX.c.content).where(*mine))
        }
    return found


@dataclass(frozen=True, slots=True)
class Claim:
    """A row as it was read, as it is begun, and the mail if it was written just now."""

    row: OutboxRow
    begun: OutboxRow
    octets: bytes | None


def claim(conn: Connection, claims: Sequence[Claim]) -> Sequence[Claim]:
    """Store rows as begun; those that somebody changed since they were read are left out."""
    query = select(OUTBOX.c.id, OUTBOX.c.state, OUTBOX.c.attempts)
    stored = {one.id: one for one in conn.execute(query.where(OUTBOX.c.id.in_([c.row.id for c in claims])))}
    mine = [one for one in claims if _is_untouched(one.row, stored.get(one.row.id))]
    for one in mine:
        save(conn, one.begun, one.row)
        if one.octets is not None:
            conn.execute(_WRITE, {"key": one.row.id, "octets": one.octets})
    return mine


def _is_untouched(row: OutboxRow, stored: Any) -> bool:
    return stored is not None and (stored.state, stored.attempts) == (row.state.value, row.attempts)


def _life(row: OutboxRow) -> dict[str, Any]:
    """What changes while a row lives."""
    return {
        "state": row.state.value,
        "planned_at": row.planned_at,
        "attempts": row.attempts,
        "first_unknown_at": row.first_unknown_at,
        "next_try_at": row.next_try_at,
        "last_answer": row.last_answer,
        "served": " ".join(row.served),
        "refused": " ".join(row.refused),
        "trying": " ".join(row.trying),
        "repeats": row.repeats,
        "proven_at": row.proven_at,
        "left_at": row.left_at,
    }


_COLUMNS = (
    "state", "planned_at", "attempts", "first_unknown_at", "next_try_at", "last_answer", "served", "refused", "trying",
    "repeats", "proven_at", "left_at",
)  # fmt: skip
_MINE = OUTBOX.c.id == bindparam("key")
_WAKE = (
    update(THREAD)
    .where(
        THREAD.c.id.in_(
            select(OUTBOX.c.thread).where(
                _MINE,
                or_(
                    OUTBOX.c.left_at.is_not(None) != bindparam("left", type_=Boolean()),
                    OUTBOX.c.state.in_(STUCK) != bindparam("stuck", type_=Boolean()),
                    (OUTBOX.c.state == State.DROPPED.value) != bindparam("dropped", type_=Boolean()),
                ),
            )
        )
    )
    .values(dirty=True)
)
_SAVE = update(OUTBOX).where(_MINE).values({name: bindparam(name) for name in _COLUMNS})
_WRITE = update(OUTBOX).where(_MINE).values(content=bindparam("octets"))


def _row(row: Any) -> OutboxRow:
    return OutboxRow(
        id=row.id,
        message_id=row.message_id,
        thread=row.code,
        rule=row.rule,
        occasion=row.occasion,
        kind=row.kind,
        recipients=tuple(row.recipients.split()),
        planned_at=row.planned_at,
        state=State(row.state),
        attempts=row.attempts,
        first_unknown_at=row.first_unknown_at,
        next_try_at=row.next_try_at,
        last_answer=row.last_answer,
        served=tuple(row.served.split()),
        refused=tuple(row.refused.split()),
        trying=tuple(row.trying.split()),
        repeats=row.repeats,
        proven_at=row.proven_at,
        left_at=row.left_at,
        context=row.context,
        about=row.thread,
    )


def any_about_threads(conn: Connection) -> bool:
    """Whether there is any mail about a thread."""
    return conn.execute(select(OUTBOX.c.id).where(OUTBOX.c.thread.is_not(None)).limit(1)).first() is not None
