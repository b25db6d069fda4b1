"""The journal: every action with its rule, the guideline, the evidence and the time (promise 6)."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from helpdesk.actions import GUIDELINES, Action, Kind
from helpdesk.model import Stamp
from helpdesk.outbox import OutboxRow
from helpdesk.store.core import ACTION, chunks

SAID = "said"
"""The status of what people said, as opposed to what the bot did."""
NOTE, COMMAND = "note", "command"
"""The kinds of what people say by mail."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a thread's story."""

    id: str
    at: datetime
    thread: int | None
    code: str
    kind: str
    what: str
    rule: str
    guideline: str
    reason: str
    evidence: dict[str, Any]
    status: str


def write(conn: Connection, actions: Iterable[Action], now: Stamp, status: str) -> None:
    """Enter actions; one that is planned again (the same id) keeps its first line and takes the new status."""
    for chunk in chunks(actions):
        by_id = {action.id: action for action in chunk}
        query = select(ACTION.c.id).where(ACTION.c.id.in_(list(by_id)))
        known = set(conn.execute(query).scalars())
        if known:
            conn.execute(update(ACTION).where(ACTION.c.id.in_(list(known))).values(status=status))
        rows = [_values(action, now, status) for key, action in by_id.items() if key not in known]
        if rows:
            conn.execute(insert(ACTION), rows)


def mark(conn: Connection, ids: Iterable[str], status: str) -> None:
    """What became of actions."""
    for chunk in chunks(ids):
        conn.execute(update(ACTION).where(ACTION.c.id.in_(chunk)).values(status=status))


def written(conn: Connection, threads: Iterable[int]) -> None:
    """The changes that were planned for these threads reached the server; mails have a life of their own."""
    for chunk in chunks(threads):
        mine = (
            ACTION.c.thread.in_(chunk),
            ACTION.c.status == "planned",
            ACTION.c.kind != Kind.SEND_MAIL.value,
        )
        conn.execute(update(ACTION).where(*mine).values(status="done"))


def mailed(conn: Connection, thread: int, rule: str) -> None:
    """The planned mails of a rule about this thread were accepted by the mail server."""
    mine = (ACTION.c.thread == thread, ACTION.c.rule == rule, ACTION.c.kind == Kind.SEND_MAIL.value)
    conn.execute(update(ACTION).where(*mine, ACTION.c.status == "planned").values(status="done"))


def repeated(conn: Connection, thread: int, row: OutboxRow, reason: str, now: datetime) -> None:
    """A mail that may have arrived is sent again."""
    code, occasion = row.thread.rpartition("-")[2], f"{row.occasion}, again {row.repeats}"
    stamp = Stamp(0, now)
    action = Action(Kind.SEND_MAIL, thread, code, row.kind, row.rule, reason, stamp, occasion=occasion)
    write(conn, [action], stamp, "planned")


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody of the team said about a thread: no action of the bot, and nothing that can be undone."""

    thread: int
    code: str
    kind: str  # NOTE or COMMAND
    what: str
    words: str
    mail: str  # the Message-ID of the mail that says so


def say(conn: Connection, said: Said, now: Stamp) -> None:
    """Enter it in the thread's story, once."""
    text = f"{said.code}\t{said.kind}\t{said.what}\t{said.words}\t{said.mail}"
    key = hashlib.sha256(text.encode()).hexdigest()[:12]
    if conn.execute(select(ACTION.c.id).where(ACTION.c.id == key)).first() is not None:
        return
    values = {
        "id": key,
        "at": now.at,
        "cycle": now.cycle,
        "thread": said.thread,
        "code": said.code,
        "kind": said.kind,
        "what": said.what,
        "rule": "command",
        "guideline": "",
        "reason": said.words,
        "evidence": json.dumps({"mail": said.mail}),
        "status": SAID,
    }
    conn.execute(insert(ACTION).values(values))


def notes(conn: Connection, threads: Iterable[int]) -> dict[int, str]:
    """The latest note of the team about each of these threads: who, and the words."""
    found: dict[int, str] = {}
    for chunk in chunks(threads):
        mine = (ACTION.c.thread.in_(chunk), ACTION.c.kind == NOTE, ACTION.c.status == SAID)
        query = select(ACTION.c.thread, ACTION.c.what, ACTION.c.reason).where(*mine)
        found |= {
            row.thread: f"{row.what}: {row.reason}" for row in conn.execute(query.order_by(ACTION.c.at))
        }
    return found


def of_thread(conn: Connection, thread: int) -> Sequence[Entry]:
    """The story of a thread, oldest first."""
    query = select(ACTION).where(ACTION.c.thread == thread).order_by(ACTION.c.at, ACTION.c.cycle, ACTION.c.id)
    return [_entry(row) for row in conn.execute(query)]


def between(conn: Connection, start: datetime, end: datetime, status: str) -> Sequence[Entry]:
    """What was entered after `start` and up to `end` and has this status, oldest first."""
    mine = (ACTION.c.at > start, ACTION.c.at <= end, ACTION.c.status == status)
    query = select(ACTION).where(*mine).order_by(ACTION.c.at, ACTION.c.id)
    return [_entry(row) for row in conn.execute(query)]


def with_ids(conn: Connection, ids: Iterable[str]) -> dict[str, Entry]:
    """These actions, by id."""
    found: dict[str, Entry] = {}
    for chunk in chunks(ids):
        found |= {row.id: _entry(row) for row in conn.execute(select(ACTION).where(ACTION.c.id.in_(chunk)))}
    return found


def find(conn: Connection, prefix: str) -> Sequence[Entry]:
    """The actions whose id begins with `prefix`."""
    query = select(ACTION).where(ACTION.c.id.startswith(prefix, autoescape=True)).limit(2)
    return [_entry(row) for row in conn.execute(query)]


def _values(action: Action, now: Stamp, status: str) -> dict[str, Any]:
    evidence = {"copies": list(action.copies), "occasion": action.occasion, **action.evidence}
    return {
        "id": action.id,
        "at": now.at,
        "cycle": now.cycle,
        "thread": action.thread or None,
        "code": action.code,
        "kind": action.kind.value,
        "what": action.what,
        "rule": action.rule,
        "guideline": GUIDELINES.get(action.rule, ""),
        "reason": action.reason,
        "evidence": json.dumps(evidence, sort_keys=True, default=str),
        "status": status,
    }


def _entry(row: Any) -> Entry:
    return Entry(
        id=row.id,
        at=row.at,
        thread=row.thread,
        code=row.code,
        kind=row.kind,
        what=row.what,
        rule=row.rule,
        guideline=row.guideline,
        reason=row.reason,
        evidence=json.loads(row.evidence or "{}"),
        status=row.status,
    )
