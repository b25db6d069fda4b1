"""The threads of a gathered reminder: which of them still wait for the destination."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from helpdesk.model import ESCALATED
from helpdesk.outbox import OutboxRow
from helpdesk.rules.facts import ThreadFacts
from helpdesk.rules.state import Talk, ThreadState
from helpdesk.store.answered import with_codes
from helpdesk.store.core import OUTBOX, THREAD
from helpdesk.store.threads import unpack_state


@dataclass(frozen=True, slots=True)
class Asked:
    """A thread that a destination is reminded of."""

    key: int
    code: str
    state: ThreadState
    talk: Talk
    since: datetime  # when it was escalated, or last heard of
    escalation: str  # Message-ID of the mail that brought it there, "" if none of ours did


def context(conn: Connection, where: str, threads: Sequence[ThreadFacts]) -> str:
    """What a reminder's row keeps; one about a single thread answers the mail that brought the thread there."""
    kept = {"where": where, "threads": [facts.code for facts in threads]}
    if len(threads) == 1:
        kept["answers"] = _escalation(conn, threads[0].key, where, threads[0].state)
    return json.dumps(kept)


def threads_of(conn: Connection, row: OutboxRow) -> Sequence[int]:
    """The threads of a reminder; none for another mail."""
    return with_codes(conn, json.loads(row.context).get("threads", ())) if row.kind == "reminder" else ()


def asked(conn: Connection, row: OutboxRow) -> Sequence[Asked]:
    """The threads of a reminder that are still there, and of which nothing was heard since it was planned."""
    where = str(json.loads(row.context)["where"])
    found = [_asked(conn, key, where) for key in threads_of(conn, row)]
    return tuple(one for one in found if one is not None)


def _asked(conn: Connection, key: int, where: str) -> Asked | None:
    """A word of the destination ends what was counted as reminded of."""
    row = conn.execute(select(THREAD.c.code, THREAD.c.state).where(THREAD.c.id == key)).one_or_none()
    if row is None:
        return None
    state = unpack_state(row.state)
    present = {label for label, register in state.registers.items() if register.present}
    talk = state.talks.get(where, Talk())
    if not state.open or talk.solved or not talk.nags or not {ESCALATED, where} <= present:
        return None
    heard = talk.heard.at if talk.heard is not None else state.registers[where].stamp.at
    return Asked(key, row.code, state, talk, heard, _escalation(conn, key, where, state))


def _escalation(conn: Connection, key: int, where: str, state: ThreadState) -> str:
    occasion = f"{where}:{state.episodes.get(where, 1)}"
    mine = (OUTBOX.c.thread == key, OUTBOX.c.rule == "escalate", OUTBOX.c.occasion == occasion)
    return conn.execute(select(OUTBOX.c.message_id).where(*mine)).scalars().first() or ""
