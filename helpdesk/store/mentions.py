"""What mails name, by mail and by name, and the evidence that was found strong (docs/whose-fault.md)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select

from helpdesk.blame.facts import About, Mention
from helpdesk.model import TEAM, Nature, Role, Stamp
from helpdesk.rules.facts import Fault
from helpdesk.store.core import FAULT, MENTION, MESSAGE, THREAD, chunks

SEEN = "mentions.seen"
"""In `meta`: the last mention that was looked at for strong evidence."""

_USERS = and_(
    MESSAGE.c.role == Role.USER.value, MESSAGE.c.nature == Nature.HUMAN.value, MESSAGE.c.thread != 0
)
_TEAMS = and_(
    MESSAGE.c.role.in_([one.value for one in TEAM]),
    MESSAGE.c.nature == Nature.HUMAN.value,
    MESSAGE.c.trusted,
    MESSAGE.c.thread != 0,
)


@dataclass(frozen=True, slots=True)
class Named:
    """What one mail of a user names."""

    message: int
    thread: int
    time: datetime
    mentions: tuple[Mention, ...]

    def names(self, *about: About) -> list[str]:
        """What it names of these sorts, in its order."""
        return [one.name for one in self.mentions if one.about in about]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same thing in a mail of another thread."""

    thread: int
    code: str
    time: datetime


def add(conn: Connection, found: Mapping[int, Sequence[Mention]]) -> None:
    """Enter what messages (by key) name."""
    rows = [
        {"message": message, "about": one.about.value, "name": one.name, "text": one.text}
        for message, mentions in found.items()
        for one in mentions
    ]
    for chunk in chunks(rows):
        conn.execute(insert(MENTION), list(chunk))


def newest(conn: Connection) -> int:
    """The last mention that there is; 0: none."""
    return conn.execute(select(func.max(MENTION.c.id))).scalar() or 0


def after(conn: Connection, last: int) -> Sequence[Named]:
    """The users' mails whose mentions came after this one."""
    keys = select(MENTION.c.message).where(MENTION.c.id > last).distinct()
    return of_messages(conn, conn.execute(keys).scalars().all())


def naming(conn: Connection, site: str, since: datetime) -> Sequence[Named]:
    """The users' mails since then that name a site."""
    query = select(MENTION.c.message).join(MESSAGE, MESSAGE.c.id == MENTION.c.message)
    mine = (MENTION.c.about == About.SITE.value, MENTION.c.name == site, MESSAGE.c.time >= since)
    return of_messages(conn, conn.execute(query.where(*mine).distinct()).scalars().all())


def of_messages(conn: Connection, keys: Iterable[int]) -> Sequence[Named]:
    """What these messages name, of those that are users' and in a thread."""
    return [one for chunk in chunks(keys) for one in _named(conn, MENTION.c.message.in_(chunk))]


def of_threads(conn: Connection, keys: Iterable[int]) -> Mapping[int, Sequence[Named]]:
    """What the users' mails of these threads name, oldest first."""
    found: dict[int, list[Named]] = defaultdict(list)
    for chunk in chunks(keys):
        for one in _named(conn, MESSAGE.c.thread.in_(chunk)):
            found[one.thread].append(one)
    return found


def _named(conn: Connection, which: ColumnElement[bool]) -> Sequence[Named]:
    query = select(MENTION, MESSAGE.c.thread, MESSAGE.c.time).join(MESSAGE, MESSAGE.c.id == MENTION.c.message)
    said: dict[tuple[datetime, int, int], list[Mention]] = defaultdict(list)
    for row in conn.execute(query.where(which, _USERS).order_by(MENTION.c.id)):
        said[row.time, row.message, row.thread].append(Mention(About(row.about), row.name, row.text))
    return [
        Named(message, thread, time, tuple(found)) for (time, message, thread), found in sorted(said.items())
    ]


def open_threads_naming(conn: Connection, site: str, since: datetime, until: datetime) -> frozenset[int]:
    """The open threads in which a user named a site in a stretch of time."""
    query = (
        select(MESSAGE.c.thread)
        .join(MENTION, MENTION.c.message == MESSAGE.c.id)
        .join(THREAD, THREAD.c.id == MESSAGE.c.thread)
    )
    mine = (MENTION.c.about == About.SITE.value, MENTION.c.name == site, MESSAGE.c.time.between(since, until))
    return frozenset(conn.execute(query.where(*mine, _USERS, THREAD.c.open).distinct()).scalars())


def elsewhere(conn: Connection, about: About, name: str, thread: int, most: int) -> Sequence[Elsewhere]:
    """The newest mails of users in other threads that say the same, one a thread."""
    last = func.max(MESSAGE.c.time).label("last")
    query = (
        select(MESSAGE.c.thread, THREAD.c.code, last)
        .join(MENTION, MENTION.c.message == MESSAGE.c.id)
        .join(THREAD, THREAD.c.id == MESSAGE.c.thread)
        .where(MENTION.c.about == about.value, MENTION.c.name == name, MESSAGE.c.thread != thread, _USERS)
        .group_by(MESSAGE.c.thread, THREAD.c.code)
        .order_by(last.desc(), MESSAGE.c.thread)
        .limit(most)
    )
    return [Elsewhere(row.thread, row.code, row.last) for row in conn.execute(query)]


def answers(conn: Connection, thread: int, since: datetime) -> Sequence[tuple[int, str]]:
    """(message, first sentence) of what people of the team wrote in a thread after a moment, the newest first."""
    query = select(MESSAGE.c.id, MENTION.c.text).join(MESSAGE, MESSAGE.c.id == MENTION.c.message)
    mine = (MENTION.c.about == About.ANSWER.value, MESSAGE.c.thread == thread, MESSAGE.c.time > since, _TEAMS)
    rows = conn.execute(query.where(*mine).order_by(MESSAGE.c.time.desc(), MESSAGE.c.id.desc()).limit(5))
    return [(row.id, row.text) for row in rows]


def add_faults(conn: Connection, found: Mapping[int, tuple[str, str]], stamp: Stamp) -> None:
    """Freeze strong evidence: message -> (what, why); what is there already stays as it was."""
    for chunk in chunks(found):
        query = select(FAULT.c.message, FAULT.c.what).where(FAULT.c.message.in_(chunk))
        known = {(row.message, row.what) for row in conn.execute(query)}
        rows = [
            {"message": key, "what": what, "why": why, "cycle": stamp.cycle, "at": stamp.at}
            for key in chunk
            for what, why in [found[key]]
            if (key, what) not in known
        ]
        if rows:
            conn.execute(insert(FAULT), rows)


_FAULTS = select(FAULT, MESSAGE.c.thread).join(MESSAGE, MESSAGE.c.id == FAULT.c.message)


def faults(conn: Connection, threads: Sequence[int]) -> dict[int, list[Fault]]:
    """The strong evidence about these threads (of one chunk), oldest first."""
    found: dict[int, list[Fault]] = defaultdict(list)
    rows: Iterable[Any] = conn.execute(_FAULTS.where(MESSAGE.c.thread.in_(threads)).order_by(FAULT.c.id))
    for row in rows:
        found[row.thread].append(Fault(row.what, row.why, Stamp(row.cycle, row.at)))
    return found
