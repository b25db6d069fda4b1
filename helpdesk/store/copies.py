"""Copies: where each message lies, what is on it, and whose change that is (docs/decisions.md sections 1 and 2)."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from helpdesk.actions import CopyPlan
from helpdesk.bits import PLACE, Known, Touches, pack, unpack
from helpdesk.model import Place, Stamp
from helpdesk.rules.facts import CopyFacts
from helpdesk.store.bulk import run_many
from helpdesk.store.core import COPY, FOLDER, MESSAGE, chunks, ranges
from helpdesk.store.flags import Reader, Seen
from helpdesk.uidset import UidSet

STUCK = 3
"""Writes that were answered OK and did not happen before a copy is written no more."""


@dataclass(slots=True)
class Held:
    """A copy as the store holds it, in the hands of one cycle."""

    key: int
    message: int
    thread: int
    folder: int
    folder_name: str
    uid: int
    guid: str
    flags: frozenset[str]
    seen: Seen
    known: Known
    arrived: Stamp
    limbo: int | None = None
    left: bool = False
    attempts: int = 0

    def facts(self) -> CopyFacts:
        """The copy as the rules may know it."""
        return CopyFacts(
            self.key,
            self.message,
            self.known,
            self.arrived,
            seen=self.seen.seen,
            left=self.left,
            limbo=self.limbo is not None,
            stuck=self.attempts >= STUCK,
            unknown=self.seen.unknown,
        )


_COLUMNS = (
    "id",
    "message",
    "folder",
    "uid",
    "guid",
    "flags",
    "base",
    "planned",
    "base_place",
    "planned_place",
    "touches",
    "arrived_cycle",
    "arrived_at",
    "limbo",
    "left",
    "attempts",
)
_HELD = (
    select(*(COPY.c[name] for name in _COLUMNS), FOLDER.c.name, FOLDER.c.place, MESSAGE.c.thread)
    .join(FOLDER, FOLDER.c.id == COPY.c.folder)
    .join(MESSAGE, MESSAGE.c.id == COPY.c.message)
)


@lru_cache(maxsize=10_000)
def pack_flags(flags: frozenset[str]) -> str:
    """As stored: space-joined, sorted."""
    return " ".join(sorted(flags))


def pack_touches(touches: Touches) -> str:
    """As stored: JSON, or nothing."""
    if not touches:
        return ""
    return json.dumps({bit: [stamp.cycle, stamp.at.isoformat()] for bit, stamp in sorted(touches.items())})


def unpack_touches(text: str) -> Touches:
    """The inverse of `pack_touches`."""
    if not text:
        return {}
    return {bit: Stamp(cycle, datetime.fromisoformat(at)) for bit, (cycle, at) in json.loads(text).items()}


def select_held(conn: Connection, reader: Reader, *conditions: ColumnElement[bool]) -> Iterator[Held]:
    """The copies that fulfil all conditions, in the order of their keys."""
    for row in conn.execute(_HELD.where(*conditions).order_by(COPY.c.id)):
        yield _held(row, reader)


def within(conn: Connection, reader: Reader, folder: int, uids: UidSet) -> Iterator[Held]:
    """The copies of a folder whose UIDs lie in a set, those in limbo left out."""
    for condition in ranges(COPY.c.uid, uids):
        yield from select_held(conn, reader, COPY.c.folder == folder, COPY.c.limbo.is_(None), condition)


def in_folder(conn: Connection, reader: Reader, folder: int, uids: Iterable[int]) -> Iterator[Held]:
    """The copies with these UIDs in a folder, limbo or not."""
    for chunk in chunks(uids):
        yield from select_held(conn, reader, COPY.c.folder == folder, COPY.c.uid.in_(chunk))


def of_messages(conn: Connection, reader: Reader, messages: Iterable[int]) -> Iterator[Held]:
    """All copies of these messages."""
    for chunk in chunks(messages):
        yield from select_held(conn, reader, COPY.c.message.in_(chunk))


def of_threads(conn: Connection, reader: Reader, threads: Iterable[int]) -> Iterator[Held]:
    """All copies of the messages of these threads."""
    for chunk in chunks(threads):
        yield from select_held(conn, reader, MESSAGE.c.thread.in_(chunk))


def in_limbo(conn: Connection, reader: Reader) -> Iterator[Held]:
    """The copies whose UID has vanished and that nobody has found again yet."""
    return select_held(conn, reader, COPY.c.limbo.is_not(None))


def any_limbo(conn: Connection) -> bool:
    """Whether something has vanished that may still turn up."""
    return conn.execute(select(COPY.c.id).where(COPY.c.limbo.is_not(None)).limit(1)).first() is not None


def living(conn: Connection) -> int:
    """How many copies there are, those in limbo not counted."""
    return conn.execute(select(func.count()).select_from(COPY).where(COPY.c.limbo.is_(None))).scalar_one()


def in_flight(conn: Connection, reader: Reader) -> Iterator[Held]:
    """The copies with a plan that no observation has confirmed yet."""
    return select_held(conn, reader, COPY.c.planned.is_not(None) | COPY.c.planned_place.is_not(None))


def flags_of_threads(conn: Connection, threads: Iterable[int]) -> Iterator[tuple[int, frozenset[str]]]:
    """(thread, flags) of every copy of the messages of these threads."""
    query = select(MESSAGE.c.thread, COPY.c.flags).join(MESSAGE, MESSAGE.c.id == COPY.c.message)
    for chunk in chunks(threads):
        for thread, text in conn.execute(query.where(MESSAGE.c.thread.in_(chunk))):
            yield thread, _flags(text)


def known_guids(conn: Connection, guids: Iterable[str]) -> dict[str, int]:
    """Of these server ids, those that some copy has, and the message that it is."""
    found: dict[str, int] = {}
    for chunk in chunks(guids):
        query = select(COPY.c.guid, COPY.c.message).where(COPY.c.guid.in_(chunk))
        found |= {row.guid: row.message for row in conn.execute(query)}
    return found


def next_key(conn: Connection) -> int:
    """The key for the next new copy: keys are ours to give, one instance writes."""
    return (conn.execute(select(func.max(COPY.c.id))).scalar() or 0) + 1


class NewCopy(NamedTuple):
    """A row to be: the columns of the table, as stored."""

    id: int
    message: int
    folder: int
    uid: int
    guid: str
    flags: str
    base: str
    base_place: str
    touches: str
    arrived_cycle: int
    arrived_at: datetime
    planned: str | None = None
    planned_place: str | None = None
    limbo: int | None = None
    left: bool = False
    attempts: int = 0


_ADD = insert(COPY)


def add(conn: Connection, rows: Sequence[NewCopy]) -> None:
    """Insert many copies."""
    run_many(conn, _ADD, NewCopy._fields, rows, ("arrived_at",))


_CHANGING = _COLUMNS[1:]
_UPDATE = (
    update(COPY)
    .where(COPY.c.id == bindparam("key"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGING})
)
_PARAMETERS = (*(f"new_{name}" for name in _CHANGING), "key")


def save(conn: Connection, copies: Iterable[Held]) -> None:
    """Write changed copies back."""
    run_many(conn, _UPDATE, _PARAMETERS, map(_changes, copies), ("new_arrived_at",))


def _changes(held: Held) -> tuple[Any, ...]:
    known = held.known
    return (
        held.message,
        held.folder,
        held.uid,
        held.guid,
        pack_flags(held.flags),
        pack(known.base),
        None if known.planned is None else pack(known.planned),
        known.base_place.value,
        None if known.planned_place is None else known.planned_place.value,
        pack_touches(known.touches),
        held.arrived.cycle,
        held.arrived.at,
        held.limbo,
        held.left,
        held.attempts,
        held.key,
    )


def remove(conn: Connection, keys: Iterable[int]) -> None:
    """Forget copies that have gone."""
    for chunk in chunks(keys):
        conn.execute(delete(COPY).where(COPY.c.id.in_(chunk)))


def set_aside(conn: Connection, folder: int) -> None:
    """UIDVALIDITY changed: the old UIDs mean nothing, and must not collide with the new ones."""
    conn.execute(update(COPY).where(COPY.c.folder == folder).values(uid=-COPY.c.id))


def tried(conn: Connection, keys: Iterable[int]) -> None:
    """The server answered these writes; the next observation sets the count back if they happened."""
    for chunk in chunks(keys):
        conn.execute(update(COPY).where(COPY.c.id.in_(chunk)).values(attempts=COPY.c.attempts + 1))


def apply_plan(
    conn: Connection, reader: Reader, plans: Collection[CopyPlan], *, writing: bool = True
) -> None:
    """Store what is about to be written, and which touches are now part of the board: before the first command.

    Where nothing is written (observe mode), nothing is in flight either.
    """
    by_key = {plan.key: plan for plan in plans}
    for chunk in chunks(by_key):
        held = list(select_held(conn, reader, COPY.c.id.in_(chunk)))
        for copy in held:
            plan = by_key[copy.key]
            copy.known = planned(copy.known, plan if writing else CopyPlan(plan.key, accept=plan.accept))
            copy.left = copy.left and not plan.unleave
        save(conn, held)


def planned(known: Known, plan: CopyPlan) -> Known:
    """What we hold once a plan is committed: accepted bits are the base, and what is set out to be written comes on top."""
    labels = plan.accept - {PLACE}
    base = (known.base - labels) | (known.bits & labels)
    place_accepted = PLACE in plan.accept
    touches = {bit: stamp for bit, stamp in known.touches.items() if bit not in plan.accept}
    writes = bool(plan.add or plan.remove)
    return Known(
        bits=known.bits,
        base=base,
        planned=(base | plan.add) - plan.remove if writes else None,
        place=known.place,
        base_place=known.place if place_accepted else known.base_place,
        planned_place=plan.place,
        touches=touches,
    )


def _held(row: Any, reader: Reader) -> Held:
    """A row of `_HELD`: the columns of the table, then the folder's name and place and the message's thread.

    Many copies look alike, so what their texts mean is remembered: a first cycle reads every copy several times.
    """
    key, message, folder, uid, guid, text, base, planned, base_place, planned_place = row[:10]
    touches, cycle, at, limbo, left, attempts, name, place, thread = row[10:]
    flags = _flags(text)
    where = _PLACES[place]
    seen = reader.read(flags, name, where)
    known = Known(
        seen.bits,
        _bits(base),
        None if planned is None else _bits(planned),
        where,
        _PLACES[base_place],
        None if planned_place is None else _PLACES[planned_place],
        unpack_touches(touches) if touches else _NO_TOUCHES,
    )
    return Held(
        key,
        message,
        thread,
        folder,
        name,
        uid,
        guid,
        flags,
        seen,
        known,
        _arrived(cycle, at),
        limbo,
        left,
        attempts,
    )


_PLACES = {place.value: place for place in Place}
_NO_TOUCHES: Touches = MappingProxyType({})
_REMEMBERED = 10_000
_bits = lru_cache(_REMEMBERED)(unpack)
_arrived = lru_cache(_REMEMBERED)(Stamp)


@lru_cache(_REMEMBERED)
def _flags(text: str) -> frozenset[str]:
    return frozenset(text.split(" ")) if text else frozenset()
