"""Messages: what the board read of each mail, once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select, update

from helpdesk.mailids import BOARD_MARK
from helpdesk.model import Nature
from helpdesk.store.bulk import run_many
from helpdesk.store.core import COPY, FOLDER, MESSAGE, OUTBOX, Values, chunks


class Twin(NamedTuple):
    """As much of a message as tells whether another mail is the same one, and which copy speaks for it."""

    key: int
    message_id: str
    date: datetime | None
    author: str
    via: str
    role: str
    nature: str
    cycle: int
    thread: int


@dataclass(frozen=True, slots=True)
class Subject:
    """As much of a message as the subject rule needs."""

    key: int
    message_id: str
    subject: str
    subject_key: str
    people: frozenset[str]
    time: datetime
    refs: str
    link: str
    thread: int


@dataclass(slots=True)
class NewMessage:
    """A row to be: the columns of the table; threading fills the last two later."""

    message_id: str
    refs: str
    parents: str
    subject: str
    subject_key: str
    people: str
    author: str
    author_name: str
    role: str
    via: str
    trusted: bool
    nature: str
    why: str
    date: datetime | None
    time: datetime
    cycle: int
    adopted: bool
    hits: str
    size: int
    of_ours: bool
    correspondence: bool
    spoken: bool = False
    word_of: str = ""
    tickets: str = ""
    ticket: str = ""
    audience: str = ""
    token: str = ""
    id: int = 0
    link: str = ""
    thread: int = 0


_COLUMNS = tuple(field.name for field in fields(NewMessage))
columns = attrgetter(*_COLUMNS)
"""The values of a `NewMessage`, in the order in which it takes them."""

_ADD = insert(MESSAGE)


def add(conn: Connection, messages: Iterable[NewMessage]) -> None:
    """Insert many messages."""
    run_many(conn, _ADD, _COLUMNS, map(columns, messages), ("date", "time"))


def next_key(conn: Connection) -> int:
    """The key for the next new message: keys are ours to give, one instance writes."""
    return (conn.execute(select(func.max(MESSAGE.c.id))).scalar() or 0) + 1


_TWIN = select(
    MESSAGE.c.id,
    MESSAGE.c.message_id,
    MESSAGE.c.date,
    MESSAGE.c.author,
    MESSAGE.c.via,
    MESSAGE.c.role,
    MESSAGE.c.nature,
    MESSAGE.c.cycle,
    MESSAGE.c.thread,
).order_by(MESSAGE.c.id)


def with_ids(conn: Connection, message_ids: Iterable[str]) -> Iterator[Twin]:
    """The messages that have one of these Message-IDs."""
    for chunk in chunks(message_ids):
        for row in conn.execute(_TWIN.where(MESSAGE.c.message_id.in_(chunk))):
            yield Twin(*row)


def with_keys(conn: Connection, keys: Iterable[int]) -> Iterator[Twin]:
    """These messages."""
    for chunk in chunks(keys):
        for row in conn.execute(_TWIN.where(MESSAGE.c.id.in_(chunk))):
            yield Twin(*row)


_SPEAKER = ("author", "author_name", "role", "via", "trusted", "nature", "why", "word_of", "cycle")


def speak_for(conn: Connection, speakers: Iterable[NewMessage]) -> None:
    """A more trusted copy says who wrote these messages (by `id`)."""
    rows = [{"key": one.id, **{f"new_{name}": getattr(one, name) for name in _SPEAKER}} for one in speakers]
    if rows:
        new: Values = {name: bindparam(f"new_{name}") for name in _SPEAKER}
        conn.execute(update(MESSAGE).where(MESSAGE.c.id == bindparam("key")).values(new), rows)


_SUBJECT = select(
    MESSAGE.c.id,
    MESSAGE.c.message_id,
    MESSAGE.c.subject,
    MESSAGE.c.subject_key,
    MESSAGE.c.people,
    MESSAGE.c.time,
    MESSAGE.c.refs,
    MESSAGE.c.link,
    MESSAGE.c.thread,
).where(~MESSAGE.c.correspondence)


def fresh_subjects(conn: Connection, *, lost_only: bool) -> Iterator[Subject]:
    """The messages that are in no thread yet and have a subject to go by; `lost_only`: and nothing else."""
    query = _SUBJECT.where(MESSAGE.c.thread == 0, MESSAGE.c.subject_key != "")
    for row in conn.execute(query.where(MESSAGE.c.refs == "") if lost_only else query):
        yield _subject(row)


def subjects(conn: Connection, keys: Iterable[str], first: datetime, last: datetime) -> Iterator[Subject]:
    """The messages with one of these normalised subjects, from a stretch of time."""
    query = _SUBJECT.where(MESSAGE.c.time.between(first, last))
    for chunk in chunks(keys):
        for row in conn.execute(query.where(MESSAGE.c.subject_key.in_(chunk)).order_by(MESSAGE.c.id)):
            yield _subject(row)


def with_lost_answers(conn: Connection, keys: Iterable[str]) -> set[str]:
    """Of these normalised subjects, those under which a message without any reference is in a thread already."""
    found: set[str] = set()
    for chunk in chunks(keys):
        query = select(MESSAGE.c.subject_key).where(MESSAGE.c.subject_key.in_(chunk))
        found.update(
            conn.execute(query.where(MESSAGE.c.refs == "", MESSAGE.c.thread != 0).distinct()).scalars()
        )
    return found


def _subject(row: Any) -> Subject:
    return Subject(
        row.id,
        row.message_id,
        row.subject,
        row.subject_key,
        frozenset(row.people.split()),
        row.time,
        row.refs,
        row.link,
        row.thread,
    )


def link(conn: Connection, links: Mapping[int, str]) -> None:
    """What the subject rule found."""
    if links:
        query = update(MESSAGE).where(MESSAGE.c.id == bindparam("key")).values(link=bindparam("found"))
        conn.execute(query, [{"key": key, "found": found} for key, found in links.items()])


def refer(conn: Connection, found: Mapping[int, str]) -> None:
    """What a ticket number found: one reference more, and the one that counts as the parent."""
    if found:
        query = update(MESSAGE).where(MESSAGE.c.id == bindparam("key"))
        refs = func.trim(MESSAGE.c.refs + " " + bindparam("found"))
        query = query.values(refs=refs, parents=bindparam("found"))
        conn.execute(query, [{"key": key, "found": found} for key, found in found.items()])


@dataclass(frozen=True, slots=True)
class Filing:
    """A message whose copies moved: where they lie now, and whether it counts as board correspondence."""

    key: int
    places: frozenset[str]
    fixed: bool  # what it is does not depend on where it lies
    correspondence: bool
    thread: int


def filing(conn: Connection, keys: Iterable[int]) -> Iterator[Filing]:
    """What is needed to tell whether these messages are board correspondence."""
    columns = (
        MESSAGE.c.id,
        MESSAGE.c.nature,
        MESSAGE.c.spoken,
        MESSAGE.c.correspondence,
        MESSAGE.c.thread,
    )
    for chunk in chunks(keys):
        places = _places(conn, chunk)
        for key, nature, spoken, correspondence, thread in conn.execute(
            select(*columns).where(MESSAGE.c.id.in_(chunk)).order_by(MESSAGE.c.id)
        ):
            fixed = spoken or nature == Nature.OWN.value
            yield Filing(key, frozenset(places.get(key, ())), fixed, correspondence, thread)


def set_correspondence(conn: Connection, keys: Iterable[int], *, correspondence: bool) -> None:
    """These messages are (no) board correspondence; threading places them anew."""
    for chunk in chunks(keys):
        query = update(MESSAGE).where(MESSAGE.c.id.in_(chunk))
        conn.execute(query.values(correspondence=correspondence, thread=0))


def sent_for(conn: Connection, tokens: Iterable[str]) -> dict[str, int | None]:
    """Our own mails by their token (`helpdesk.KEY.MAC`): those with a row in the outbox, and the thread they are about."""
    found: dict[str, int | None] = {}
    for token in tokens:
        query = select(OUTBOX.c.thread).where(OUTBOX.c.message_id.between(f"<{token}@", f"<{token}@\x7f"))
        row: Any = conn.execute(query.limit(1)).one_or_none()
        if row is not None:
            found[token] = row.thread
    return found


def kinds_of(conn: Connection, tokens: Iterable[str]) -> dict[str, str]:
    """The kinds of our own mails by their token: of those with a row in the outbox, and of digests in the folder Board."""
    found: dict[str, str] = {}
    for token in tokens:
        if token.startswith(BOARD_MARK):
            found[token] = "board"
            continue
        query = select(OUTBOX.c.kind).where(OUTBOX.c.message_id.between(f"<{token}@", f"<{token}@\x7f"))
        kind: str | None = conn.execute(query.limit(1)).scalar_one_or_none()
        if kind is not None:
            found[token] = kind
    return found


def came_home(conn: Connection, token: str) -> bool:
    """Whether a copy of this mail of ours was seen in the mailbox."""
    query = select(MESSAGE.c.id).where(MESSAGE.c.token != "", MESSAGE.c.token == token)
    return conn.execute(query.limit(1)).first() is not None


def roots_of(conn: Connection, threads: Iterable[int]) -> dict[int, str]:
    """An id by which a message joins each of these threads: that of its oldest message."""
    found: dict[int, str] = {}
    for chunk in chunks(threads):
        query = select(MESSAGE.c.thread, MESSAGE.c.message_id).where(MESSAGE.c.thread.in_(chunk))
        rows = conn.execute(query.order_by(MESSAGE.c.time.desc(), MESSAGE.c.id.desc()))
        found |= {row.thread: row.message_id for row in rows}
    return found


def _places(conn: Connection, keys: Sequence[int]) -> dict[int, set[str]]:
    """The places where copies of these messages lie, limbo included."""
    found: dict[int, set[str]] = {}
    query = select(COPY.c.message, FOLDER.c.place).join(FOLDER, FOLDER.c.id == COPY.c.folder)
    for message, place in conn.execute(query.where(COPY.c.message.in_(keys))):
        found.setdefault(message, set()).add(place)
    return found
