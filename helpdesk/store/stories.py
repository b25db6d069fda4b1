"""A thread as a mail of ours tells it: who wrote when, and where each mail lies."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select

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
    return Story(row.code, subject, _pages(conn, thread), tuple(sorted(present)), present)


def _pages(conn: Connection, thread: int) -> tuple[Page, ...]:
    query = (
        select(
            *(
                MESSAGE.c[name]
                for name in ("id", "message_id", "author", "author_name", "role", "subject", "time")
            ),
            FOLDER.c.name,
            COPY.c.uid,
        )
        .outerjoin(COPY, (COPY.c.message == MESSAGE.c.id) & COPY.c.limbo.is_(None))
        .outerjoin(FOLDER, FOLDER.c.id == COPY.c.folder)
        .where(MESSAGE.c.thread == thread, MESSAGE.c.nature.in_([Nature.HUMAN.value, Nature.UNSURE.value]))
        .order_by(MESSAGE.c.time, MESSAGE.c.id)
    )
    pages: dict[int, Page] = {}
    for row in conn.execute(query):
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
