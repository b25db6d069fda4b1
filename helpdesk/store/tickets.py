"""Mail that names a ticket number of a destination, and the threads that have it."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, select

from helpdesk.rules.talks import ticket_key
from helpdesk.store.core import MESSAGE, THREAD, chunks
from helpdesk.store.messages import roots_of
from helpdesk.store.threads import unpack_state


class Numbered(NamedTuple):
    """A mail from a destination's domain that names a ticket."""

    key: int
    message_id: str
    refs: tuple[str, ...]
    author: str
    word_of: tuple[str, ...]
    ticket: str
    thread: int


def fresh(conn: Connection) -> Sequence[Numbered]:
    """Those that are in no thread yet, oldest first."""
    return _numbered(conn, _query().where(MESSAGE.c.thread == 0))


def with_numbers(conn: Connection, numbers: Iterable[str]) -> Sequence[Numbered]:
    """Those that name one of these tickets, oldest first."""
    found: list[Numbered] = []
    for chunk in chunks(numbers):
        found += _numbered(conn, _query().where(MESSAGE.c.ticket.in_(chunk)))
    return found


def said(conn: Connection, number: str, destinations: AbstractSet[str]) -> str:
    """An id in the one open thread whose talk with one of these destinations has this number; "" if there is none or more."""
    query = select(THREAD.c.id, THREAD.c.state).where(THREAD.c.open, THREAD.c.state.contains('"tickets"'))
    found = [
        row.id
        for row in conn.execute(query)
        for where, talk in unpack_state(row.state).talks.items()
        if where in destinations and number in map(ticket_key, talk.tickets)
    ]
    return next(iter(roots_of(conn, found).values()), "") if len(set(found)) == 1 else ""


def _query() -> Select[Any]:
    columns = ("id", "message_id", "refs", "author", "word_of", "ticket", "thread")
    named = (MESSAGE.c.ticket != "", ~MESSAGE.c.correspondence)
    return select(*(MESSAGE.c[name] for name in columns)).where(*named).order_by(MESSAGE.c.time, MESSAGE.c.id)


def _numbered(conn: Connection, query: Select[Any]) -> list[Numbered]:
    return [_one(row) for row in conn.execute(query)]


def _one(row: Row[Any]) -> Numbered:
    word_of = tuple(row.word_of.split("\n")) if row.word_of else ()
    return Numbered(
        row.id, row.message_id, tuple(row.refs.split()), row.author, word_of, row.ticket, row.thread
    )
