"""Folders: what each means to the board, and how far it was read (RFC 7162 section 6)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, true, update

from helpdesk.model import Place, Stamp
from helpdesk.ports import FolderInfo
from helpdesk.store import meta
from helpdesk.store.core import COPY, FOLDER, HIDDEN, MESSAGE, QUARANTINE, THREAD, chunks, ranges
from helpdesk.uidset import UidSet


@dataclass(frozen=True, slots=True)
class FolderState:
    """A folder as the last observation left it; `modseq` None asks for a pass over all flags."""

    key: int
    name: str
    place: Place
    uidvalidity: int
    uidnext: int
    messages: int
    modseq: int | None
    rotation: int = 0
    passes: tuple[Stamp, ...] = ()  # when the present pass over all flags began, and the one before it


@dataclass(frozen=True, slots=True)
class KnownFolder:
    """As much of a folder as it takes to write to it; `modseq` is the horizon of what we saw."""

    id: int
    name: str
    uidvalidity: int
    modseq: int | None


def known(conn: Connection) -> list[KnownFolder]:
    """The folders that were read."""
    query = select(FOLDER.c.id, FOLDER.c.name, FOLDER.c.uidvalidity, FOLDER.c.modseq).order_by(FOLDER.c.id)
    return [KnownFolder(*row) for row in conn.execute(query)]


def load(conn: Connection) -> dict[str, FolderState]:
    """All folders that were ever read, by name."""
    return {row.name: _state(row) for row in conn.execute(select(FOLDER).order_by(FOLDER.c.id))}


def save(conn: Connection, states: Iterable[FolderState]) -> None:
    """Remember how far these were read."""
    for state in states:
        changed = update(FOLDER).where(FOLDER.c.id == state.key).values(_values(state))
        if conn.execute(changed).rowcount == 0:
            conn.execute(insert(FOLDER).values(id=state.key, **_values(state)))


def next_key(conn: Connection) -> int:
    """The key for the next new folder."""
    return (conn.execute(select(func.max(FOLDER.c.id))).scalar() or 0) + 1


def mean(conn: Connection, key: int, place: Place) -> None:
    """The configuration gives a folder another meaning: nobody moved what lies there."""
    values = {"base_place": place.value, "planned_place": None}
    conn.execute(update(FOLDER).where(FOLDER.c.id == key).values(place=place.value))
    conn.execute(update(COPY).where(COPY.c.folder == key).values(values))
    threads_there = (
        select(MESSAGE.c.thread).join(COPY, COPY.c.message == MESSAGE.c.id).where(COPY.c.folder == key)
    )
    conn.execute(update(THREAD).where(THREAD.c.id.in_(threads_there)).values(dirty=True))


def forget_empty(conn: Connection, keys: Iterable[int]) -> None:
    """Drop folders that are watched no more, once nothing is known to lie there."""
    for key in keys:
        if not conn.execute(select(COPY.c.id).where(COPY.c.folder == key).limit(1)).all():
            conn.execute(delete(FOLDER).where(FOLDER.c.id == key))


def tracked(conn: Connection, key: int) -> int:
    """How many UIDs of a folder we know: copies, what is in quarantine, what is hidden."""
    every = (
        conn.execute(select(func.count()).select_from(table).where(table.c.folder == key)).scalar_one()
        for table in (COPY, QUARANTINE, HIDDEN)
    )  # each told by an index alone, and what is in limbo is little
    lost = conn.execute(select(COPY.c.folder).where(COPY.c.limbo.is_not(None))).scalars()
    return sum(every) - list(lost).count(key)


def tracked_uids(conn: Connection, key: int) -> list[int]:
    """Those UIDs, ascending."""
    living = select(COPY.c.uid).where(COPY.c.folder == key, COPY.c.limbo.is_(None))
    unread = select(QUARANTINE.c.uid).where(QUARANTINE.c.folder == key)
    hidden = select(HIDDEN.c.uid).where(HIDDEN.c.folder == key)
    return sorted(conn.execute(living.union_all(unread, hidden)).scalars())


def tracked_within(conn: Connection, key: int, uids: UidSet) -> int:
    """How many of the tracked UIDs lie in a set."""
    return sum(
        conn.execute(
            select(func.count()).select_from(table).where(table.c.folder == key, within)
        ).scalar_one()
        for table, living in ((COPY, COPY.c.limbo.is_(None)), (QUARANTINE, true()), (HIDDEN, true()))
        for within in (and_(condition, living) for condition in ranges(table.c.uid, uids))
    )


def copies_among(conn: Connection, key: int, uids: Iterable[int]) -> set[int]:
    """Of these UIDs, those of copies, in limbo or not."""
    found: set[int] = set()
    for chunk in chunks(uids):
        found.update(
            conn.execute(select(COPY.c.uid).where(COPY.c.folder == key, COPY.c.uid.in_(chunk))).scalars()
        )
    return found


def newest_uids(conn: Connection, key: int, count: int) -> Sequence[int]:
    """The highest UIDs of copies."""
    query = select(COPY.c.uid).where(COPY.c.folder == key, COPY.c.limbo.is_(None))
    return conn.execute(query.order_by(COPY.c.uid.desc()).limit(count)).scalars().all()


def newest_names(conn: Connection, key: int, count: int) -> dict[int, str]:
    """The highest UIDs of copies, and what names each of these mails."""
    query = select(COPY.c.uid, COPY.c.guid).where(COPY.c.folder == key, COPY.c.limbo.is_(None))
    rows = conn.execute(query.order_by(COPY.c.uid.desc()).limit(count))
    return {row.uid: row.guid for row in rows}


def uids_after(conn: Connection, key: int, uid: int, count: int) -> Sequence[int]:
    """The next UIDs of copies above one."""
    query = select(COPY.c.uid).where(COPY.c.folder == key, COPY.c.limbo.is_(None), COPY.c.uid > uid)
    return conn.execute(query.order_by(COPY.c.uid).limit(count)).scalars().all()


def planned_uids(conn: Connection, key: int) -> Sequence[int]:
    """The UIDs of copies with a plan in flight."""
    in_flight = or_(COPY.c.planned.is_not(None), COPY.c.planned_place.is_not(None))  # an index of its own
    rows = conn.execute(select(COPY.c.folder, COPY.c.uid, COPY.c.limbo).where(in_flight))
    return [row.uid for row in rows if row.folder == key and row.limbo is None]


def listing(conn: Connection) -> list[FolderInfo]:
    """The folders of the server, as they were listed last."""
    text = meta.get(conn, meta.FOLDERS)
    told: Mapping[str, str | list[str]] = json.loads(text) if text else {}
    return [
        FolderInfo(
            name, *([one] if isinstance(one, str) else one)
        )  # a text alone: before separators were kept
        for name, one in told.items()
    ]


def put_listing(conn: Connection, infos: Iterable[FolderInfo]) -> None:
    """Remember the folders of the server."""
    told = {info.name: [info.special, info.separator] for info in infos}
    meta.put(conn, meta.FOLDERS, json.dumps(told))


def made(conn: Connection) -> frozenset[str]:
    """Folders that were made and not listed since."""
    return frozenset(json.loads(meta.get(conn, meta.MADE) or "[]"))


def put_made(conn: Connection, names: Iterable[str]) -> None:
    """Remember them."""
    meta.put(conn, meta.MADE, json.dumps(sorted(names)))


def _state(row: Any) -> FolderState:
    return FolderState(
        row.id,
        row.name,
        Place(row.place),
        row.uidvalidity,
        row.uidnext,
        row.messages,
        row.modseq,
        row.rotation,
        tuple(Stamp(cycle, datetime.fromisoformat(at)) for cycle, at in json.loads(row.passes or "[]")),
    )


def _values(state: FolderState) -> dict[str, object]:
    return {
        "name": state.name,
        "place": state.place.value,
        "uidvalidity": state.uidvalidity,
        "uidnext": state.uidnext,
        "messages": state.messages,
        "modseq": state.modseq,
        "rotation": state.rotation,
        "passes": json.dumps([[s.cycle, s.at.isoformat()] for s in state.passes]) if state.passes else "",
    }
