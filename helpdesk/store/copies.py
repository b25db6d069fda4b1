"""Copies: where each message lies, what is on it, and whose change that is (docs/decisions.md sections 1 and 2)."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from helpdesk.actions import CopyPlan
from helpdesk.bits import PLACE, Known, Touches, pack, unpack
from helpdesk.model import Place, Stamp
from helpdesk.rules.facts import CopyFacts
from helpdesk.store.bulk import run_many
from helpdesk.store.core import COPY, FOLDER, MESSAGE, Values, chunks, ranges
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


_HELD = (
    select(COPY, FOLDER.c.name, FOLDER.c.place, MESSAGE.c.thread)
    .join(FOLDER, FOLDER.c.id == COPY.c.folder)
    .join(MESSAGE, MESSAGE.c.id == COPY.c.message)
)


def pack_flags(flags: Iterable[str]) -> str:
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


def values_of(held: Held) -> Values:
    """The row of a copy."""
    known = held.known
    return {
        "id": held.key,
        "message": held.message,
        "folder": held.folder,
        "uid": held.uid,
        "guid": held.guid,
        "flags": pack_flags(held.flags),
        "base": pack(known.base),
        "planned": None if known.planned is None else pack(known.planned),
        "base_place": known.base_place.value,
        "planned_place": None if known.planned_place is None else known.planned_place.value,
        "touches": pack_touches(known.touches),
        "arrived_cycle": held.arrived.cycle,
        "arrived_at": held.arrived.at,
        "limbo": held.limbo,
        "left": held.left,
        "attempts": held.attempts,
    }


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


def add(conn: Connection, rows: Sequence[NewCopy]) -> None:
    """Insert many copies."""
    run_many(conn, insert(COPY), NewCopy._fields, rows, ("arrived_at",))


_UPDATE = (
    update(COPY)
    .where(COPY.c.id == bindparam("key"))
    .values({name: bindparam(f"new_{name}") for name in COPY.c.keys() if name != "id"})  # noqa: SIM118 - columns, not a dict
)


def save(conn: Connection, copies: Iterable[Held]) -> None:
    """Write changed copies back."""
    for chunk in chunks(copies):
        rows = [
            {("key" if name == "id" else f"new_{name}"): v for name, v in values_of(c).items()} for c in chunk
        ]
        conn.execute(_UPDATE, rows)


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
    flags = frozenset(row.flags.split(" ")) if row.flags else frozenset[str]()
    seen = reader.read(flags, row.name)
    known = Known(
        bits=seen.bits,
        base=unpack(row.base),
        planned=None if row.planned is None else unpack(row.planned),
        place=Place(row.place),
        base_place=Place(row.base_place),
        planned_place=None if row.planned_place is None else Place(row.planned_place),
        touches=unpack_touches(row.touches),
    )
    arrived = Stamp(row.arrived_cycle, row.arrived_at)
    return Held(
        row.id,
        row.message,
        row.thread,
        row.folder,
        row.name,
        row.uid,
        row.guid,
        flags,
        seen,
        known,
        arrived,
        row.limbo,
        row.left,
        row.attempts,
    )
