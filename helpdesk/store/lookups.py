"""Questions about all threads at once, answered by an index."""

import json
from collections.abc import Iterable

from sqlalchemy import Connection, select

from helpdesk.model import ESCALATED, URGENT, WAITING
from helpdesk.store.core import MESSAGE, THREAD
from helpdesk.store.threads import unpack_state


def open_with(conn: Connection, label: str) -> set[int]:
    """The open threads that have a label."""
    query = select(THREAD.c.id, THREAD.c.state).where(
        THREAD.c.open, THREAD.c.state.contains(label, autoescape=True)
    )
    found = set()
    for row in conn.execute(query):
        register = unpack_state(row.state).registers.get(label)
        if register is not None and register.present:
            found.add(row.id)
    return found


def ever_had(conn: Connection, label: str) -> bool:
    """Whether anything was ever decided about this label."""
    named = THREAD.c.state.contains(json.dumps(label, ensure_ascii=False), autoescape=True)
    return conn.execute(select(THREAD.c.id).where(named).limit(1)).first() is not None


def still_wants(conn: Connection, thread: int, rule: str, occasion: str) -> bool:
    """Whether the reason of a mail that is not sent yet still holds: the label is on, in the same episode, or the thread is still closed."""
    text = conn.execute(select(THREAD.c.state).where(THREAD.c.id == thread)).scalar_one_or_none()
    if text is None:
        return False
    state = unpack_state(text)
    on = {label for label, register in state.registers.items() if register.present}
    if rule == "auto_close":
        return WAITING in on if occasion.startswith("warning:") else state.open is False
    if rule == "urgent":
        return URGENT in on and occasion.partition(":")[0] == str(state.episodes.get(URGENT, 1))
    where, _, n = occasion.rpartition(":")
    return {ESCALATED, where} <= on and n == str(state.episodes.get(where, 1))


def seen_until(conn: Connection, tokens: Iterable[str], cycle: int) -> set[str]:
    """Those of these tokens of our own mails that a mail had which was seen until then."""
    seen = (MESSAGE.c.token != "", MESSAGE.c.cycle <= cycle)
    query = select(MESSAGE.c.id).where(*seen).limit(1)
    return {one for one in tokens if conn.execute(query.where(MESSAGE.c.token == one)).first() is not None}
