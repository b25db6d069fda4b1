"""Threads: what was decided about each, when it must be looked at again, and the facts that the rules get."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, func, or_, select, update

from helpdesk.caps import TO_USERS
from helpdesk.model import Nature, Role
from helpdesk.outbox import State
from helpdesk.rules.decide import Decision
from helpdesk.rules.facts import CopyFacts, Fate, Hit, MessageFacts, Outgoing, ThreadFacts
from helpdesk.rules.state import ThreadState
from helpdesk.store.bulk import run_many
from helpdesk.store.copies import select_held
from helpdesk.store.core import MESSAGE, OUTBOX, THREAD, chunks
from helpdesk.store.flags import Reader
from helpdesk.store.mentions import faults

_STATE = TypeAdapter(ThreadState)
_HITS = TypeAdapter(tuple[Hit, ...])
_NO_STATE = ThreadState()

BATCH = 200

FATES = {
    State.PLANNED: Fate.WAITS,
    State.SENDING: Fate.WAITS,
    State.UNKNOWN: Fate.WAITS,
    State.SENT: Fate.LEFT,
    State.OBSERVED: Fate.LEFT,
    State.HELD: Fate.STUCK,
    State.FAILED: Fate.STUCK,
    State.DROPPED: Fate.DROPPED,
}
"""What the states of a mail mean to its thread."""


def pack_state(state: ThreadState) -> str:
    """As stored: JSON without what is as always, and the same whatever the order of a set is in this process."""
    if max(map(len, (state.refused, state.mailed, state.undecided))) < 2:
        return _STATE.dump_json(state, exclude_defaults=True).decode()
    told = _STATE.dump_python(state, mode="json", exclude_defaults=True)
    ordered = {name: sorted(told[name]) for name in ("refused", "mailed", "undecided") if name in told}
    return json.dumps(told | ordered, ensure_ascii=False, separators=(",", ":"))


def unpack_state(text: str) -> ThreadState:
    """The inverse of `pack_state`."""
    return _STATE.validate_json(text) if text else _NO_STATE


def pack_hits(hits: Sequence[Hit]) -> str:
    """As stored: JSON, or nothing."""
    return _HITS.dump_json(tuple(hits), exclude_defaults=True).decode() if hits else ""


@lru_cache(maxsize=1024)
def unpack_hits(text: str) -> tuple[Hit, ...]:
    """The inverse of `pack_hits`."""
    return _HITS.validate_json(text) if text else ()


def due(conn: Connection, now: datetime) -> Sequence[int]:
    """The threads where something happened, or that asked to be looked at by now; ascending."""
    query = select(THREAD.c.id).where(
        or_(THREAD.c.dirty, THREAD.c.due <= now)
    )  # two indexes; sorting is for us
    return sorted(conn.execute(query).scalars())


def load(conn: Connection, keys: Iterable[int], reader: Reader) -> Iterator[ThreadFacts]:
    """The facts about these threads, in batches; keys that do not exist are left out."""
    for batch in chunks(keys, BATCH):
        messages = _messages(conn, batch)
        copies = _copies(conn, batch, reader)
        mails, found = _mails(conn, batch), faults(conn, batch)
        rows = conn.execute(select(THREAD.c.id, THREAD.c.code, THREAD.c.state).where(THREAD.c.id.in_(batch)))
        states = {key: (code, state) for key, code, state in rows}
        for key in batch:
            if key in states:
                code, state = states[key]
                yield ThreadFacts(
                    key,
                    code,
                    unpack_state(state),
                    tuple(messages[key]),
                    tuple(copies[key]),
                    mails=tuple(mails[key]),
                    faults=tuple(found[key]),
                )


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision leaves of a thread: its state, and when to look again (`due` None: when something happens)."""

    key: int
    state: ThreadState
    due: datetime | None = None
    dirty: bool = False  # look again in the next cycle
    pending: tuple[tuple[str, datetime], ...] = ()  # (rule, due)
    notes: tuple[str, ...] = ()  # what only a human can settle


def decided(decision: Decision, *, again: bool) -> Decided:
    """What to store of a decision; `again` asks for another look in the next cycle: something is in flight."""
    waiting = tuple((one.rule, one.due) for one in decision.pending)
    return Decided(decision.key, decision.state, decision.due, again, waiting, decision.notes)


_WAITS = (THREAD.c.due > datetime(1970, 1, 1, tzinfo=UTC), THREAD.c.pending != "")
"""Something is pending.  What is pending is due at some time: the index of that has a few of many threads."""


def pending(conn: Connection) -> Iterator[tuple[str, str, datetime]]:
    """(code, rule, due) of all that will be done if nothing happens before, the next first."""
    query = select(THREAD.c.code, THREAD.c.pending).where(*_WAITS)
    found = [
        (code, rule, datetime.fromisoformat(due))
        for code, text in conn.execute(query)
        for rule, due in json.loads(text)
    ]
    yield from sorted(found, key=lambda one: (one[2], one[0], one[1]))


def pending_for(conn: Connection, rules: Iterable[str]) -> Sequence[int]:
    """The threads for which one of these rules is pending."""
    told = (THREAD.c.pending.contains(f'"{rule}"', autoescape=True) for rule in rules)
    return list(conn.execute(select(THREAD.c.id).where(*_WAITS, or_(*told))).scalars())


_SAVE = (
    update(THREAD)
    .where(THREAD.c.id == bindparam("key"))
    .values(
        state=bindparam("s"),
        open=bindparam("o"),
        due=bindparam("w"),
        pending=bindparam("p"),
        dirty=bindparam("d"),
        notes=bindparam("n"),
        closed_at=bindparam("c"),
    )
)


_SAVED = ("s", "o", "w", "p", "d", "n", "c", "key")


def save(conn: Connection, threads: Iterable[Decided]) -> None:
    """Store decisions."""
    save_rows(conn, map(row, threads))


def save_rows(conn: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    """The same, of what `row` made of them."""
    run_many(conn, _SAVE, _SAVED, rows, ("w", "c"))


def row(one: Decided) -> tuple[Any, ...]:
    """What is stored of a decision."""
    waiting = json.dumps([[rule, due.isoformat()] for rule, due in one.pending]) if one.pending else ""
    state, notes = pack_state(one.state), "\n".join(one.notes)
    return state, one.state.open is True, one.due, waiting, one.dirty, notes, _closed_at(one.state), one.key


def _closed_at(state: ThreadState) -> datetime | None:
    """When a closed thread was closed; that it was found closed is no news."""
    closed = state.open is False and state.since is not None and state.rule != "adoption"
    return state.since.at if closed and state.since is not None else None


def overdue(conn: Connection, rule: str, now: datetime) -> Sequence[int]:
    """The threads for which a rule is pending, of those that asked to be looked at by now; ascending."""
    mine = (THREAD.c.due <= now, THREAD.c.pending.contains(f'"{rule}"', autoescape=True))
    return sorted(conn.execute(select(THREAD.c.id).where(*mine)).scalars())


def put_states(conn: Connection, states: Mapping[int, ThreadState]) -> None:
    """Write what a stage after the decision made of these threads; they are looked at again."""
    for key, state in states.items():
        conn.execute(update(THREAD).where(THREAD.c.id == key).values(state=pack_state(state), dirty=True))


def mark_dirty(conn: Connection, keys: Iterable[int]) -> None:
    """Something happened to these threads."""
    for batch in chunks(keys):
        conn.execute(update(THREAD).where(THREAD.c.id.in_(batch)).values(dirty=True))


def mark_all_dirty(conn: Connection) -> None:
    """What every decision depends on has changed."""
    conn.execute(update(THREAD).values(dirty=True))


def next_key(conn: Connection) -> int:
    """The key for the next new thread."""
    return (conn.execute(select(func.max(THREAD.c.id))).scalar() or 0) + 1


def messages_of(conn: Connection, thread: int) -> Sequence[MessageFacts]:
    """The messages of one thread, oldest first."""
    return _messages(conn, [thread])[thread]


def _messages(conn: Connection, batch: Sequence[int]) -> dict[int, list[MessageFacts]]:
    found: dict[int, list[MessageFacts]] = defaultdict(list)
    query = _FACTS.where(MESSAGE.c.thread.in_(batch)).order_by(MESSAGE.c.time, MESSAGE.c.id)
    for one in conn.execute(query).all():
        found[one[-1]].append(_message(one))
    return found


_FACTS = select(
    MESSAGE.c.id,
    MESSAGE.c.message_id,
    MESSAGE.c.author,
    MESSAGE.c.role,
    MESSAGE.c.trusted,
    MESSAGE.c.nature,
    MESSAGE.c.time,
    MESSAGE.c.date,
    MESSAGE.c.cycle,
    MESSAGE.c.adopted,
    MESSAGE.c.hits,
    MESSAGE.c.of_ours,
    MESSAGE.c.word_of,
    MESSAGE.c.tickets,
    MESSAGE.c.audience,
    MESSAGE.c.thread,
)
_ROLES, _NATURES = {one.value: one for one in Role}, {one.value: one for one in Nature}


def _message(row: Any) -> MessageFacts:
    """A row of `_FACTS`; by place, because a first cycle reads every message here."""
    key, own, author, role, trusted, nature, time, date, cycle, adopted = row[:10]
    hits, of_ours, word_of, tickets, audience = row[10:15]
    return MessageFacts(
        key,
        own,
        author,
        _ROLES[role],
        trusted,
        _NATURES[nature],
        time,
        date,
        cycle,
        adopted,
        unpack_hits(hits),
        of_ours=of_ours,
        of=tuple(word_of.split("\n")) if word_of else (),
        tickets=tuple(tickets.split("\n")) if tickets else (),
        audience=frozenset(audience.split()),
    )


def _mails(conn: Connection, batch: Sequence[int]) -> dict[int, list[Outgoing]]:
    """The rows of the outbox that are about these threads, oldest first."""
    found: dict[int, list[Outgoing]] = defaultdict(list)
    columns = (
        OUTBOX.c.thread,
        OUTBOX.c.rule,
        OUTBOX.c.occasion,
        OUTBOX.c.kind,
        OUTBOX.c.state,
        OUTBOX.c.left_at,
        OUTBOX.c.planned_at,
    )
    for row in conn.execute(select(*columns).where(OUTBOX.c.thread.in_(batch)).order_by(OUTBOX.c.id)):
        fate = FATES[State(row.state)]
        fate = (
            Fate.LEFT if fate is Fate.WAITS and row.left_at is not None else fate
        )  # the board's own copy waits
        mail = Outgoing(row.rule, row.occasion, row.kind in TO_USERS, fate, row.left_at, row.planned_at)
        found[row.thread].append(mail)
    return found


def _copies(conn: Connection, batch: Sequence[int], reader: Reader) -> dict[int, list[CopyFacts]]:
    found: dict[int, list[CopyFacts]] = defaultdict(list)
    for held in select_held(conn, reader, MESSAGE.c.thread.in_(batch)):
        found[held.thread].append(held.facts())
    return found
