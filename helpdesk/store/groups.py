"""Threading in the database: nodes, the ids that they carry or name, and the rows of threads and their aliases."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from helpdesk.model import Place
from helpdesk.rules.state import ThreadState
from helpdesk.store.bulk import run_many
from helpdesk.store.core import ACTION, CHUNK, COPY, FOLDER, MESSAGE, OUTBOX, REF, THREAD, chunks
from helpdesk.store.threads import unpack_state

Member = tuple[int, str, str, str, str, datetime, int]
"""A message as threading sees it: key, Message-ID, references and parents (space-joined), link, time, and the thread
that it is in (0: none yet).  A tuple, because a first sync makes one for every mail."""


class Alias(NamedTuple):
    """An id that a message carries or names, and the thread that it leads to (0: none)."""

    id: str
    code: str
    component: int
    thread: int


@dataclass(frozen=True, slots=True)
class OldThread:
    """A thread before it is grouped anew."""

    key: int
    code: str
    component: int
    state: ThreadState


@dataclass(frozen=True, slots=True)
class NewThread:
    """What grouping says about a thread; `state` is the stored text of it, None to keep what is there."""

    key: int
    code: str
    component: int
    state: str | None
    open: bool
    opened_at: datetime
    last_activity_at: datetime


_MEMBER = select(
    MESSAGE.c.id,
    MESSAGE.c.message_id,
    MESSAGE.c.refs,
    MESSAGE.c.parents,
    MESSAGE.c.link,
    MESSAGE.c.time,
    MESSAGE.c.thread,
)


def ungrouped(conn: Connection) -> Iterator[Member]:
    """The messages that belong into a thread and are in none."""
    query = _MEMBER.where(MESSAGE.c.thread == 0, ~MESSAGE.c.correspondence)
    for row in conn.execute(query):
        yield tuple(row)


def ungrouped_ids(conn: Connection) -> Iterator[tuple[int, str, str, str]]:
    """The same, by what connects them: key, Message-ID, references and link."""
    columns = (MESSAGE.c.id, MESSAGE.c.message_id, MESSAGE.c.refs, MESSAGE.c.link)
    query = select(*columns).where(MESSAGE.c.thread == 0, ~MESSAGE.c.correspondence)
    for row in conn.execute(query.execution_options(yield_per=CHUNK)):
        yield tuple(row)


def with_keys(conn: Connection, keys: Iterable[int]) -> Iterator[Member]:
    """These messages."""
    for chunk in chunks(keys):
        yield from map(tuple, conn.execute(_MEMBER.where(MESSAGE.c.id.in_(chunk))).all())


def exist(conn: Connection) -> bool:
    """Whether there is any thread at all."""
    return conn.execute(select(THREAD.c.id).limit(1)).first() is not None


def in_components(conn: Connection, components: Iterable[int]) -> list[Member]:
    """The messages of these components."""
    query = _MEMBER.join(THREAD, THREAD.c.id == MESSAGE.c.thread)
    found: list[Member] = []
    for chunk in chunks(components):
        found += [tuple(row) for row in conn.execute(query.where(THREAD.c.component.in_(chunk)))]
    return found


def components_of(conn: Connection, threads: Iterable[int]) -> set[int]:
    """The components of these threads."""
    found: set[int] = set()
    for chunk in chunks(threads):
        found.update(conn.execute(select(THREAD.c.component).where(THREAD.c.id.in_(chunk))).scalars())
    return found


def components_with(conn: Connection, ids: Iterable[str]) -> set[int]:
    """The components in which one of these ids is carried or named."""
    found: set[int] = set()
    for chunk in chunks(ids):
        found.update(conn.execute(select(REF.c.component).where(REF.c.id.in_(chunk)).distinct()).scalars())
    return found


def known_ids(conn: Connection, ids: Iterable[str]) -> dict[str, int]:
    """Those of these ids that lead to a thread, and to which."""
    found: dict[str, int] = {}
    for chunk in chunks(ids):
        query = select(REF.c.id, REF.c.thread).where(REF.c.id.in_(chunk), REF.c.thread != 0)
        found |= {row.id: row.thread for row in conn.execute(query)}
    return found


def aliases(conn: Connection, components: Iterable[int]) -> dict[str, Alias]:
    """The ids of these components."""
    found: dict[str, Alias] = {}
    for chunk in chunks(components):
        for row in conn.execute(select(REF).where(REF.c.component.in_(chunk))):
            found[row.id] = Alias(row.id, row.code, row.component, row.thread)
    return found


def threads_in(conn: Connection, components: Iterable[int]) -> dict[int, OldThread]:
    """The threads of these components."""
    found: dict[int, OldThread] = {}
    for chunk in chunks(components):
        columns = (THREAD.c.id, THREAD.c.code, THREAD.c.component, THREAD.c.state)
        for row in conn.execute(select(*columns).where(THREAD.c.component.in_(chunk))):
            found[row.id] = OldThread(row.id, row.code, row.component, unpack_state(row.state))
    return found


def archived(conn: Connection, messages: Sequence[int]) -> int:
    """How many copies of these messages lie in the archive."""
    return sum(
        len(
            conn.execute(
                select(COPY.c.id)
                .join(FOLDER, FOLDER.c.id == COPY.c.folder)
                .where(COPY.c.message.in_(chunk), FOLDER.c.place == Place.ARCHIVE.value)
            ).all()
        )
        for chunk in chunks(messages)
    )


def cycles(conn: Connection, messages: Sequence[int]) -> dict[int, int]:
    """When each of these messages was seen first."""
    query = select(MESSAGE.c.id, MESSAGE.c.cycle)
    return {
        row.id: row.cycle
        for chunk in chunks(messages)
        for row in conn.execute(query.where(MESSAGE.c.id.in_(chunk)))
    }


_PLACE = update(MESSAGE).where(MESSAGE.c.id == bindparam("key")).values(thread=bindparam("t"))


def place_messages(conn: Connection, rows: Iterable[tuple[int, int]]) -> None:
    """Write (thread, message)."""
    run_many(conn, _PLACE, ("t", "key"), rows)


_ADD_REF, _ADD_THREAD = insert(REF), insert(THREAD)
_NEW_THREAD = ("id", "code", "component", "state", "open", "dirty", "opened_at", "last_activity_at")


def replace_aliases(conn: Connection, gone: Iterable[str], new: Iterable[Alias]) -> None:
    """Write the ids that are new or lead elsewhere."""
    for chunk in chunks(gone):
        conn.execute(delete(REF).where(REF.c.id.in_(chunk)))
    run_many(conn, _ADD_REF, Alias._fields, new)


def add_threads(conn: Connection, threads: Iterable[NewThread]) -> None:
    """Insert threads; they are dirty."""
    rows = [
        (t.key, t.code, t.component, t.state or "", t.open, True, t.opened_at, t.last_activity_at)
        for t in threads
    ]
    names = (*_NEW_THREAD, "pending", "notes")
    run_many(conn, _ADD_THREAD, names, [(*row, "", "") for row in rows], _NEW_THREAD[-2:])


def change_threads(conn: Connection, threads: Iterable[NewThread]) -> None:
    """Update threads that stay; they are dirty."""
    for thread in threads:
        values: dict[str, object] = {
            "code": thread.code,
            "component": thread.component,
            "opened_at": thread.opened_at,
            "last_activity_at": thread.last_activity_at,
            "dirty": True,
        }
        if thread.state is not None:
            values |= {"state": thread.state, "open": thread.open}
        conn.execute(update(THREAD).where(THREAD.c.id == thread.key).values(values))


def drop_threads(conn: Connection, heirs: Iterable[tuple[int, int]]) -> None:
    """Remove threads; their journal and their mails go to the heir (0: nobody)."""
    for key, heir in heirs:
        conn.execute(delete(THREAD).where(THREAD.c.id == key))
        for table in (ACTION, OUTBOX):
            conn.execute(update(table).where(table.c.thread == key).values(thread=heir or None))
