"""Numbers for gauges and timers: how much of what there is, and when the board must look again by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from helpdesk.store.core import OUTBOX, QUARANTINE, THREAD
from helpdesk.store.outbox import LIVE


@dataclass(frozen=True, slots=True)
class Figures:
    """What lies in the database now."""

    open_threads: int
    closed_threads: int
    quarantined: int
    outbox: Mapping[str, int]  # by state
    attention: int | None = None  # open threads that a shifter should look at; None: not counted
    pending: Mapping[str, int] | None = (
        None  # by rule: what is done if nothing happens before; None: not counted
    )


def count(conn: Connection) -> Figures:
    """Count what an index counts."""
    by_place = conn.execute(select(THREAD.c.open, func.count()).group_by(THREAD.c.open))
    threads: dict[bool, int] = {row[0]: row[1] for row in by_place}
    by_state = conn.execute(select(OUTBOX.c.state, func.count()).group_by(OUTBOX.c.state))
    states: dict[str, int] = {row[0]: row[1] for row in by_state}
    unreadable = conn.execute(select(func.count()).select_from(QUARANTINE)).scalar_one()
    return Figures(threads.get(True, 0), threads.get(False, 0), unreadable, states)


def open_threads(conn: Connection) -> list[int]:
    """The open threads, ascending."""
    return list(conn.execute(select(THREAD.c.id).where(THREAD.c.open).order_by(THREAD.c.id)).scalars())


def next_due(conn: Connection, now: datetime) -> datetime | None:
    """The earliest moment after `now` at which a thread or a mail wants to be looked at."""
    moments = (
        conn.execute(select(func.min(THREAD.c.due)).where(THREAD.c.due > now)).scalar(),
        conn.execute(
            select(func.min(OUTBOX.c.next_try_at)).where(
                OUTBOX.c.next_try_at > now, OUTBOX.c.state.in_([state.value for state in LIVE])
            )
        ).scalar(),
    )
    return min((moment for moment in moments if moment is not None), default=None)
