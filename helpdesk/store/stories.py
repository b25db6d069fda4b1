"""A thread as a mail of ours tells it: who wrote when, and where each mail lies."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, func, select

from helpdesk.model import Nature, Role
from helpdesk.store import meta
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


@dataclass(frozen=True, slots=True)
class Story:
    """The mails of people, oldest first; when each label was set."""

    key: int = 0  # of the thread
    code: str = ""
    subject: str = ""
    pages: tuple[Page, ...] = ()
    labels: tuple[str, ...] = ()
    since: Mapping[str, datetime] = field(default_factory=dict)


def read(conn: Connection, thread: int | None) -> Story:
    """The story of a thread; an empty one for a mail about the board itself."""
    if thread is None:
        return Story()
    row = conn.execute(select(THREAD.c.code, THREAD.c.state).where(THREAD.c.id == thread)).one_or_none()
    if row is None:
        return Story()
    registers = unpack_state(row.state).registers
    present = {label: register.stamp.at for label, register in registers.items() if register.present}
    first = (
        select(MESSAGE.c.subject)
        .where(MESSAGE.c.thread == thread)
        .order_by(MESSAGE.c.time, MESSAGE.c.id)
        .limit(1)
    )
    subject = conn.execute(first).scalar_one_or_none() or ""
    return Story(thread, row.code, subject, _pages(conn, thread), tuple(sorted(present)), present)


def page(conn: Connection, thread: int, message_id: str) -> Page | None:
    """One mail of a thread, whoever wrote it."""
    found = conn.execute(_query().where(MESSAGE.c.thread == thread, MESSAGE.c.message_id == message_id))
    return next(iter(_told(found)), None)


def _pages(conn: Connection, thread: int) -> tuple[Page, ...]:
    human = MESSAGE.c.nature.in_([Nature.HUMAN.value, Nature.UNSURE.value])
    return _told(conn.execute(_query().where(MESSAGE.c.thread == thread, human)))


def _query() -> Select[Any]:
    columns = ("id", "message_id", "author", "author_name", "role", "subject", "time")
    return (
        select(*(MESSAGE.c[name] for name in columns), FOLDER.c.name, COPY.c.uid)
        .outerjoin(COPY, (COPY.c.message == MESSAGE.c.id) & COPY.c.limbo.is_(None))
        .outerjoin(FOLDER, FOLDER.c.id == COPY.c.folder)
        .order_by(MESSAGE.c.time, MESSAGE.c.id)
    )


def _told(rows: Iterable[Row[Any]]) -> tuple[Page, ...]:
    """Each mail once, at the first place where it lies."""
    pages: dict[int, Page] = {}
    for row in rows:
        page = Page(row.message_id, row.author, row.time, row.name or "", row.uid or 0)
        pages.setdefault(
            row.id, replace(page, name=row.author_name, role=Role(row.role), subject=row.subject)
        )
    return tuple(pages.values())


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
