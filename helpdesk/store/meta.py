"""Facts about the whole board, one row each."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select

from helpdesk.model import Stamp
from helpdesk.store.core import META

CYCLE = "cycle"  # number and time of the last observation
POLICY = "policy"  # a hash of the rules' settings that threads were decided by
ROTA = "rota"  # the shifts that threads were decided by (helpdesk.shifts.noted)
MADE = "made"  # folders of labels that were asked for and not seen since, as JSON
FOLDERS = "folders"  # the folders of the server and their SPECIAL-USE, as JSON
RINGS = "rings"  # how often somebody asked for something by command


# Built once: a dozen of these facts are asked for in every cycle.
_ASKED = META.c.key == bindparam("asked")
_GET = select(META.c.value).where(_ASKED)
_DROP = delete(META).where(_ASKED)
_PUT = insert(META)


def get(conn: Connection, key: str) -> str | None:
    """The value, or None."""
    return conn.execute(_GET, {"asked": key}).scalar_one_or_none()


def put(conn: Connection, key: str, value: str) -> None:
    """Set a value."""
    drop(conn, key)
    conn.execute(_PUT, {"key": key, "value": value})


def drop(conn: Connection, key: str) -> None:
    """Forget a value."""
    conn.execute(_DROP, {"asked": key})


def last_cycle(conn: Connection) -> Stamp | None:
    """The stamp of the last observation that was committed; None for a database that has not adopted anything."""
    text = get(conn, CYCLE)
    if text is None:
        return None
    cycle, _, at = text.partition(" ")
    return Stamp(int(cycle), datetime.fromisoformat(at))


def put_cycle(conn: Connection, stamp: Stamp) -> None:
    """Remember an observation."""
    put(conn, CYCLE, f"{stamp.cycle} {stamp.at.isoformat()}")
