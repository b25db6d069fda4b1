"""What a digest asks of the store, beside the facts of threads that the rules get too."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select

from helpdesk.store.core import MESSAGE, OUTBOX, QUARANTINE, THREAD, chunks
from helpdesk.store.threads import unpack_state

AUTO_CLOSE = "auto_close"
NEWEST = 5_000
"""Threads that a digest looks at: of a larger board the others are only counted."""


@dataclass(frozen=True, slots=True)
class Words:
    """What one mail says of itself."""

    subject: str = ""
    author: str = ""  # the name, else the address
    message_id: str = ""


@dataclass(slots=True)
class Sayings:
    """What a digest shows of one thread, beside its facts; `words` by message."""

    notes: tuple[str, ...] = ()
    closes: datetime | None = None
    words: dict[int, Words] = field(default_factory=dict)


def wanted(conn: Connection, since: datetime, held: Iterable[int]) -> Sequence[int]:
    """The newest open threads, those closed since then while they were ESCALATED, and those that these mails are about."""
    newest = select(THREAD.c.id).where(THREAD.c.open).order_by(THREAD.c.id.desc()).limit(NEWEST)
    found = set(conn.execute(newest).scalars())
    found |= {key for key, escalated in _closed(conn, since) if escalated}
    for chunk in chunks(held):
        query = select(OUTBOX.c.thread).where(OUTBOX.c.id.in_(chunk), OUTBOX.c.thread.is_not(None))
        found |= set(conn.execute(query).scalars())
    return sorted(found)


def sayings(conn: Connection, keys: Iterable[int]) -> Mapping[int, Sayings]:
    """The words of these threads."""
    found: dict[int, Sayings] = defaultdict(Sayings)
    for chunk in chunks(keys):
        columns = (THREAD.c.id, THREAD.c.notes, THREAD.c.pending)
        for key, notes, pending in conn.execute(select(*columns).where(THREAD.c.id.in_(chunk))):
            due = [at for rule, at in json.loads(pending or "[]") if rule == AUTO_CLOSE]
            closes = datetime.fromisoformat(due[0]) if due else None
            found[key].notes, found[key].closes = tuple(notes.splitlines()), closes
        mails = (
            MESSAGE.c.thread,
            MESSAGE.c.id,
            MESSAGE.c.subject,
            MESSAGE.c.author_name,
            MESSAGE.c.author,
            MESSAGE.c.message_id,
        )
        for thread, key, subject, name, author, message_id in conn.execute(
            select(*mails).where(MESSAGE.c.thread.in_(chunk))
        ):
            found[thread].words[key] = Words(subject, name or author, message_id)
    return found


def opened_since(conn: Connection, since: datetime) -> int:
    """How many threads began after a moment, of the latest `NEWEST`: keys are given in the order of coming."""
    newest = conn.execute(select(func.max(THREAD.c.id))).scalar() or 0
    mine = (THREAD.c.id > newest - NEWEST, THREAD.c.opened_at > since)
    return conn.execute(select(func.count()).select_from(THREAD).where(*mine)).scalar_one()


def older(conn: Connection) -> int:
    """How many open threads a digest does not look at, because they are too many."""
    number = conn.execute(select(func.count()).select_from(THREAD).where(THREAD.c.open)).scalar_one()
    return max(0, number - NEWEST)


def closed_since(conn: Connection, since: datetime) -> int:
    """How many threads were closed after a moment and still are."""
    return len(_closed(conn, since))


def quarantined(conn: Connection) -> int:
    """How many mails cannot be read."""
    return conn.execute(select(func.count()).select_from(QUARANTINE)).scalar_one()


def _closed(conn: Connection, since: datetime) -> list[tuple[int, bool]]:
    """The threads that were closed after a moment and still are, and whether they were ESCALATED."""
    query = select(THREAD.c.id, THREAD.c.state).where(THREAD.c.closed_at > since)
    return [(key, unpack_state(text).closed_escalated) for key, text in conn.execute(query)]
