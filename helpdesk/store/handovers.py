"""Hand-overs: what a shifter wants the next one to know, until a digest that opens with it was sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, insert, select, update

from helpdesk.outbox import State
from helpdesk.store.core import HANDOVER, OUTBOX

SENT = (State.SENT.value, State.OBSERVED.value)
MAX_LINES = 60
MAX_LINE = 600


@dataclass(frozen=True, slots=True)
class Handover:
    """One hand-over: the author's own words, line by line; `verified` is whether the mail was authentic."""

    message_id: str  # of the mail: it is one hand-over, however often it is read
    author: str  # a name, as people say it
    at: datetime
    words: tuple[str, ...]
    verified: bool
    id: int = 0


def add(conn: Connection, one: Handover) -> bool:
    """Keep a hand-over for the next digest; False when it is known already, or says nothing.

    Of two copies the one that is proven says what was written: the team's own in Sent may be read after the one that came by mail.
    """
    words = [line[:MAX_LINE].rstrip() for line in one.words]
    text = "\n".join(words[:MAX_LINES]).strip("\n")
    if not text.strip():
        return False
    values = {"author": one.author, "at": one.at, "words": text, "verified": one.verified}
    same = HANDOVER.c.message_id == one.message_id
    if conn.execute(select(HANDOVER.c.id).where(same)).first() is not None:
        if one.verified:
            conn.execute(update(HANDOVER).where(same, HANDOVER.c.verified.is_(False)).values(values))
        return False
    conn.execute(insert(HANDOVER).values({**values, "message_id": one.message_id, "digest": ""}))
    return True


def waiting(conn: Connection) -> Sequence[Handover]:
    """Those that no sent digest has opened with, oldest first."""
    return _found(conn, ~_told())


def of_digest(conn: Connection, message_id: str) -> Sequence[Handover]:
    """Those that this digest opens with, oldest first."""
    return _found(conn, HANDOVER.c.digest == message_id)


def shown(conn: Connection, occasions: Iterable[str]) -> Sequence[Handover]:
    """Those that wait, and those that the digests of these occasions open with, oldest first."""
    told = (OUTBOX.c.rule == "digest", OUTBOX.c.occasion.in_(list(occasions)))
    return _found(conn, ~_told() | HANDOVER.c.digest.in_(select(OUTBOX.c.message_id).where(*told)))


def give(conn: Connection, handovers: Iterable[Handover], message_id: str) -> None:
    """Let a digest that is planned open with these; one that was given to a digest which never left goes along."""
    for one in handovers:
        conn.execute(update(HANDOVER).where(HANDOVER.c.id == one.id).values(digest=message_id))


def _told() -> ColumnElement[bool]:
    sent = (OUTBOX.c.message_id == HANDOVER.c.digest, OUTBOX.c.state.in_(SENT))
    return exists(select(OUTBOX.c.id).where(*sent))


def _found(conn: Connection, which: ColumnElement[bool]) -> Sequence[Handover]:
    query = select(HANDOVER).where(which).order_by(HANDOVER.c.at, HANDOVER.c.id)
    return [_handover(row) for row in conn.execute(query)]


def _handover(row: Any) -> Handover:
    words = tuple(row.words.split("\n"))
    return Handover(row.message_id, row.author, row.at, words, row.verified, row.id)
