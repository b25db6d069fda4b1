"""A thread as a mail of ours tells it: who wrote when, and where each mail lies."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, func, select

from helpdesk.model import Nature, Role
from helpdesk.rules.answers import is_internal, users
from helpdesk.store import meta, threads
from helpdesk.store.core import COPY, FOLDER, MESSAGE, THREAD
from helpdesk.store.threads import unpack_state


@dataclass(frozen=True, slots=True)
class Page:
    """One mail of a thread; `folder` is "" when no copy of it is left."""

    message_id: str
    author: str
    time: datetime
    folder: str
    uid: int
    name: str = ""  # of the author, as he writes it
    role: Role = Role.USER
    subject: str = ""
    told: bool = True  # an outsider may read it: what users wrote, and what the team wrote to them


@dataclass(frozen=True, slots=True)
class Story:
    """The mails of people, oldest first; when each label was set."""

    key: int = 0  # of the thread
    code: str = ""
    subject: str = ""
    pages: tuple[Page, ...] = ()
    labels: tuple[str, ...] = ()
    since: Mapping[str, datetime] = field(default_factory=dict)
    tickets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by destination, as it spells them


def read(conn: Connection, thread: int | None) -> Story:
    """The story of a thread; an empty one for a mail about the board itself."""
    if thread is None:
        return Story()
    row = conn.execute(select(THREAD.c.code, THREAD.c.state).where(THREAD.c.id == thread)).one_or_none()
    if row is None:
        return Story()
    state = unpack_state(row.state)
    present = {label: register.stamp.at for label, register in state.registers.items() if register.present}
    tickets = {where: talk.tickets for where, talk in state.talks.items()}
    pages = _pages(conn, thread)
    about = subject(conn, thread)
    return Story(thread, row.code, about, pages, tuple(sorted(present)), present, tickets)


def subject(conn: Connection, thread: int) -> str:
    """What a thread is about: the subject of its first mail."""
    first = (
        select(MESSAGE.c.subject)
        .where(MESSAGE.c.thread == thread)
        .order_by(MESSAGE.c.time, MESSAGE.c.id)
        .limit(1)
    )
    return conn.execute(first).scalar_one_or_none() or ""


def page(conn: Connection, thread: int, message_id: str) -> Page | None:
    """One mail of a thread, whoever wrote it."""
    found = conn.execute(_query().where(MESSAGE.c.thread == thread, MESSAGE.c.message_id == message_id))
    return next(iter(_told(found, frozenset())), None)


def _pages(conn: Connection, thread: int) -> tuple[Page, ...]:
    human = MESSAGE.c.nature.in_([Nature.HUMAN.value, Nature.UNSURE.value])
    return _told(
        conn.execute(_query().where(MESSAGE.c.thread == thread, human)), _for_outsiders(conn, thread)
    )


def _query() -> Select[Any]:
    columns = ("id", "message_id", "author", "author_name", "role", "subject", "time")
    return (
        select(*(MESSAGE.c[name] for name in columns), FOLDER.c.name, COPY.c.uid)
        .outerjoin(COPY, (COPY.c.message == MESSAGE.c.id) & COPY.c.limbo.is_(None))
        .outerjoin(FOLDER, FOLDER.c.id == COPY.c.folder)
        .order_by(MESSAGE.c.time, MESSAGE.c.id)
    )


def _told(rows: Iterable[Row[Any]], for_outsiders: frozenset[int]) -> tuple[Page, ...]:
    """Each mail once, at the first place where it lies."""
    pages: dict[int, Page] = {}
    for row in rows:
        page = Page(row.message_id, row.author, row.time, row.name or "", row.uid or 0)
        page = replace(page, name=row.author_name, role=Role(row.role), subject=row.subject)
        pages.setdefault(row.id, replace(page, told=row.id in for_outsiders))
    return tuple(pages.values())


def _for_outsiders(conn: Connection, thread: int) -> frozenset[int]:
    """The messages that users wrote, or the team to users."""
    found = threads.messages_of(conn, thread)
    asking = users(found)
    return frozenset(
        m.key
        for m in found
        if m.role is Role.USER or (m.role is not Role.EXPERT and not is_internal(m, asking))
    )


def own_tokens(conn: Connection, newest: int) -> list[str]:
    """The tokens of our own mails among the newest messages."""
    last = conn.execute(select(func.max(MESSAGE.c.id))).scalar() or 0
    query = select(MESSAGE.c.token).where(MESSAGE.c.id > last - newest, MESSAGE.c.token != "")
    return list(conn.execute(query).scalars())


def alarm(engine: Engine, kind: str) -> str:
    """What happened, as it was noted when the alarm was raised."""
    with engine.connect() as conn:
        text = meta.get(conn, f"alarm:{kind}")
    return str(json.loads(text)["why"]) if text else kind
