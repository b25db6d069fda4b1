"""The threads that a mail of ours is about, for who answers it."""

import json
import re
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from helpdesk.model import Role
from helpdesk.store.core import MESSAGE, OUTBOX, REF, THREAD, chunks
from helpdesk.store.names import SHORTEST

_CODE = re.compile(rf"[0-9a-z]{{{SHORTEST},}}")
_FRONT = 400  # characters of an answer in which its author says which thread it is about


def threads_of(conn: Connection, token: str) -> Sequence[int]:
    """By the row of that mail (`helpdesk.KEY.MAC`), else by its copy in the mailbox; a reminder may be about several."""
    columns = (OUTBOX.c.thread, OUTBOX.c.kind, OUTBOX.c.context)
    query = select(*columns).where(OUTBOX.c.message_id.between(f"<{token}@", f"<{token}@\x7f"))
    row = conn.execute(query.limit(1)).one_or_none()
    if row is not None and row.kind == "reminder":
        return with_codes(conn, json.loads(row.context or "{}").get("threads", ()))
    if row is not None and row.thread:
        return [row.thread]
    copy = select(MESSAGE.c.thread).where(
        MESSAGE.c.token != "", MESSAGE.c.token == token, MESSAGE.c.thread != 0
    )
    return list(conn.execute(copy.order_by(MESSAGE.c.id).limit(1)).scalars())


def with_codes(conn: Connection, codes: Iterable[str]) -> Sequence[int]:
    """The threads with these codes, also where a join has given them another one."""
    found: dict[int, None] = {}
    for code in codes:
        own = conn.execute(select(THREAD.c.id).where(THREAD.c.code == code)).scalars().first()
        alias = own or conn.execute(select(REF.c.thread).where(REF.c.code == code)).scalars().first()
        if alias:
            found[alias] = None
    return list(found)


def meant(conn: Connection, threads: Sequence[int], words: str) -> int | None:
    """The one that an answer is about: the only one, else the only one whose id its first words name."""
    if len(threads) <= 1:
        return next(iter(threads), None)
    said = _CODE.findall(words[:_FRONT].lower())
    rows = conn.execute(select(THREAD.c.id, THREAD.c.code).where(THREAD.c.id.in_(threads)))
    named = [row.id for row in rows if any(row.code.startswith(one) for one in said)]
    return named[0] if len(named) == 1 else None


def is_user(conn: Connection, threads: Iterable[int], address: str) -> bool:
    """Whether somebody asks in one of these threads."""
    mine = (MESSAGE.c.author == address, MESSAGE.c.role == Role.USER.value)
    query = select(MESSAGE.c.id).where(MESSAGE.c.thread.in_(list(threads)), *mine)
    return conn.execute(query.limit(1)).first() is not None


def elsewhere(conn: Connection, ids: Iterable[str], thread: int) -> frozenset[str]:
    """Those of these ids that lead to another thread."""
    found: set[str] = set()
    for chunk in chunks(ids):
        query = select(REF.c.id).where(REF.c.id.in_(chunk), REF.c.thread.not_in([0, thread]))
        found.update(conn.execute(query).scalars())
    return frozenset(found)
