"""Command mails: one row each, from the observation that saw it to its answer.

    new ──► asked ──► confirmed ──► running ──► answered
     │        └──► expired             ▲
     ├──────────────────────► confirmed (authentic, or only reading)
     └──► refused (in silence)

`running` is a mail of which some commands are carried out and a brake keeps the others.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from helpdesk.commands import Item
from helpdesk.model import Stamp
from helpdesk.store import meta
from helpdesk.store.core import COMMAND, REF, chunks

STALE = timedelta(hours=24)
"""Who asked so long before the board last looked has waited in vain, and knows it."""

SIMULATED = "simulated"  # in `meta`: the board's time is not the mail server's


class State(StrEnum):
    """What has become of a command mail."""

    NEW = "new"
    ASKED = "asked"
    CONFIRMED = "confirmed"
    RUNNING = "running"
    ANSWERED = "answered"
    EXPIRED = "expired"
    REFUSED = "refused"


WAITING = (State.NEW, State.ASKED, State.CONFIRMED, State.RUNNING)

Told = Mapping[str, tuple[bool, str]]
"""Place of a command in its mail, as "command:thread" -> (done, what is said of it)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A command mail as it was read."""

    key: str
    message_id: str
    author: str
    items: tuple[Item, ...]
    refs: tuple[str, ...]
    ours: tuple[str, ...]
    authentic: bool
    fresh: bool  # its Date is that of its arrival, so that nobody sends somebody's old mail again
    mailed: datetime


@dataclass(frozen=True, slots=True)
class CommandMail:
    """A row."""

    id: int
    key: str
    message_id: str
    author: str
    person: str
    items: tuple[Item, ...]
    refs: tuple[str, ...]
    ours: tuple[str, ...]
    authentic: bool
    stale: bool
    stamp: Stamp
    mailed: datetime
    state: State
    unproven_at: datetime | None = None
    told: Told = field(default_factory=dict)


def enter(conn: Connection, heard: Iterable[Heard], stamp: Stamp, last: Stamp | None) -> None:
    """Keep what was read; a mail that is known already only gains the proof that a better copy brings.

    Copies of a mail may differ in their words, because lists change them: of these a proven one counts, and no other.
    """
    simulated = meta.get(conn, SIMULATED) is not None
    for one in (replace(each, authentic=each.authentic and (each.fresh or simulated)) for each in heard):
        same = (COMMAND.c.message_id == one.message_id, COMMAND.c.author == one.author)
        copies = {
            row.key: row.authentic
            for row in conn.execute(select(COMMAND.c.key, COMMAND.c.authentic).where(*same))
        }
        if one.key not in copies and (one.authentic or True not in copies.values()):
            stale = last is not None and not simulated and one.mailed < last.at - STALE
            conn.execute(insert(COMMAND).values(_values(one, stamp, stale=stale)))
        if one.authentic:
            _prove(conn, one)


def _prove(conn: Connection, one: Heard) -> None:
    """A copy is proven: its own question is answered by that, and another about the same mail (a list changed its text) is void."""
    mine = COMMAND.c.key == one.key
    asked = COMMAND.c.state == State.ASKED.value
    conn.execute(update(COMMAND).where(mine).values(authentic=True))
    conn.execute(update(COMMAND).where(mine, asked).values(state=State.CONFIRMED.value))
    others = (COMMAND.c.message_id == one.message_id, COMMAND.c.author == one.author, ~mine)
    waits = COMMAND.c.state.in_([State.NEW.value, State.ASKED.value])
    conn.execute(update(COMMAND).where(*others, waits).values(state=State.REFUSED.value))


def any_wait(conn: Connection) -> bool:
    """Whether there is anything to do about command mails."""
    waiting = COMMAND.c.state.in_([state.value for state in WAITING])
    return conn.execute(select(COMMAND.c.id).where(waiting).limit(1)).first() is not None


def in_states(conn: Connection, states: Iterable[State]) -> Sequence[CommandMail]:
    """The command mails in these states, in the order in which they were seen."""
    wanted = [state.value for state in states]
    query = select(COMMAND).where(COMMAND.c.state.in_(wanted)).order_by(COMMAND.c.id)
    return [_mail(row) for row in conn.execute(query)]


def by_key(conn: Connection, beginning: str) -> CommandMail | None:
    """The command mail whose key begins so; a token carries half of it."""
    near = COMMAND.c.key.between(beginning, beginning + "\x7f")
    row = conn.execute(select(COMMAND).where(near).limit(1)).one_or_none()
    return None if row is None or not beginning else _mail(row)


def save(conn: Connection, mail: CommandMail) -> None:
    """Write back what became of a command mail."""
    values = {
        "state": mail.state.value,
        "person": mail.person,
        "unproven_at": mail.unproven_at,
        "told": json.dumps(dict(mail.told)),
    }
    conn.execute(update(COMMAND).where(COMMAND.c.id == mail.id).values(values))


def unproven(conn: Connection, person: str, since: datetime) -> int:
    """How many mails to a person command mails without proof have caused after a moment; what he confirmed is proven."""
    mine = (COMMAND.c.person == person, COMMAND.c.unproven_at > since)
    return conn.execute(select(func.count()).select_from(COMMAND).where(*mine)).scalar_one()


def asks(conn: Connection, key: str) -> bool:
    """Whether this command mail waits for its confirmation."""
    state = conn.execute(select(COMMAND.c.state).where(COMMAND.c.key == key)).scalar_one_or_none()
    return state == State.ASKED.value


def thread_of(conn: Connection, ids: Sequence[str]) -> int | None:
    """The thread of the first of these ids that is in one."""
    found: dict[str, int] = {}
    for chunk in chunks(ids):
        query = select(REF.c.id, REF.c.thread).where(REF.c.id.in_(chunk), REF.c.thread != 0)
        found |= {row.id: row.thread for row in conn.execute(query)}
    return next((found[one] for one in ids if one in found), None)


def _values(one: Heard, stamp: Stamp, *, stale: bool) -> dict[str, Any]:
    return {
        "key": one.key,
        "message_id": one.message_id,
        "author": one.author,
        "person": "",
        "items": json.dumps([[item.line, list(item.words)] for item in one.items]),
        "refs": " ".join(one.refs),
        "ours": " ".join(one.ours),
        "authentic": one.authentic,
        "stale": stale,
        "cycle": stamp.cycle,
        "at": stamp.at,
        "mailed": one.mailed,
        "state": State.NEW.value,
        "told": "",
    }


def _mail(row: Any) -> CommandMail:
    items = tuple(Item(line, tuple(words)) for line, words in json.loads(row.items))
    told = {place: (bool(done), str(says)) for place, (done, says) in json.loads(row.told or "{}").items()}
    return CommandMail(
        id=row.id,
        key=row.key,
        message_id=row.message_id,
        author=row.author,
        person=row.person,
        items=items,
        refs=tuple(row.refs.split()),
        ours=tuple(row.ours.split()),
        authentic=row.authentic,
        stale=row.stale,
        stamp=Stamp(row.cycle, row.at),
        mailed=row.mailed,
        state=State(row.state),
        unproven_at=row.unproven_at,
        told=told,
    )
