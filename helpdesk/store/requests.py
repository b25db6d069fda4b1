"""What a person asked for by command: a row that the next cycle carries out, whoever runs it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from helpdesk.store import meta
from helpdesk.store.core import REQUEST

ROBOTS = "robots"
"""The kind of a request for test jobs: {"site", "template", "count", "campaign"}."""

RECORDS = "records"
"""The kind of a request to read the records anew: some were written by somebody else."""


@dataclass(frozen=True, slots=True)
class Request:
    """`kind` is undo, release, resume, robots or records."""

    id: int
    at: datetime
    kind: str
    args: dict[str, Any]


_OPEN = (
    select(REQUEST)
    .where(REQUEST.c.kind == bindparam("wanted"), REQUEST.c.done_at.is_(None))
    .order_by(REQUEST.c.id)
)


def ask(conn: Connection, kind: str, args: dict[str, Any], at: datetime) -> None:
    """Write a request down, and ring for a daemon."""
    conn.execute(insert(REQUEST).values(at=at, kind=kind, args=json.dumps(args), answer=""))
    ring(conn)


def ring(conn: Connection) -> None:
    """A running daemon looks as soon as this transaction is committed (`helpdesk.bell`)."""
    meta.put(conn, meta.RINGS, str(rings(conn) + 1))


def rings(conn: Connection) -> int:
    """How often somebody rang."""
    return int(meta.get(conn, meta.RINGS) or 0)


def open_requests(conn: Connection, kind: str) -> Sequence[Request]:
    """The requests of a kind that nobody has carried out, oldest first."""
    return [_request(row) for row in conn.execute(_OPEN, {"wanted": kind})]


def all_requests(conn: Connection, kind: str) -> Sequence[Request]:
    """Every request of a kind, carried out or not: a release stays said."""
    return [
        _request(r)
        for r in conn.execute(select(REQUEST).where(REQUEST.c.kind == kind).order_by(REQUEST.c.id))
    ]


def done(conn: Connection, requests: Sequence[Request], at: datetime, answer: str = "") -> None:
    """Mark requests as carried out."""
    for request in requests:
        conn.execute(update(REQUEST).where(REQUEST.c.id == request.id).values(done_at=at, answer=answer))


def _request(row: Any) -> Request:
    return Request(row.id, row.at, row.kind, json.loads(row.args))
