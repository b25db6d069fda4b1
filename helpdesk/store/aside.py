r"""UIDs that the board knows and does not show: mails that cannot be read, and those that are marked \Deleted."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from helpdesk.store.core import HIDDEN, QUARANTINE, chunks, ranges
from helpdesk.uidset import UidSet


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A mail that could not be read: where it lies and why."""

    folder: int
    uid: int
    guid: str
    why: str
    seen_at: datetime
    strikes: int = 0  # connections that it has ended
    again_at: datetime | None = None  # when it is tried again; None: never


def quarantine(conn: Connection, mails: Iterable[Unreadable]) -> None:
    """Keep unreadable mails in sight."""
    for chunk in chunks(mails):
        conn.execute(insert(QUARANTINE), [asdict(mail) for mail in chunk])


def due(conn: Connection, now: datetime) -> dict[int, list[int]]:
    """The mails that are tried again now: UIDs by folder."""
    found: dict[int, list[int]] = {}
    query = select(QUARANTINE.c.folder, QUARANTINE.c.uid).where(QUARANTINE.c.again_at <= now)
    for folder, uid in conn.execute(query):
        found.setdefault(folder, []).append(uid)
    return found


def hide(conn: Connection, folder: int, uids: Iterable[int]) -> None:
    r"""Remember messages that are marked \Deleted."""
    for chunk in chunks(uids):
        conn.execute(insert(HIDDEN), [{"folder": folder, "uid": uid} for uid in chunk])


def forget(conn: Connection, folder: int, uids: UidSet) -> None:
    """These UIDs have gone, or count as mail again."""
    for table in (QUARANTINE, HIDDEN):
        for within in ranges(table.c.uid, uids):
            conn.execute(delete(table).where(table.c.folder == folder, within))


def hidden_uids(conn: Connection, folder: int) -> Sequence[int]:
    r"""The UIDs of a folder that are marked \Deleted."""
    return conn.execute(select(HIDDEN.c.uid).where(HIDDEN.c.folder == folder)).scalars().all()


def forget_folder(conn: Connection, folder: int) -> None:
    """UIDVALIDITY changed: none of the folder's UIDs means anything."""
    conn.execute(delete(QUARANTINE).where(QUARANTINE.c.folder == folder))
    conn.execute(delete(HIDDEN).where(HIDDEN.c.folder == folder))


def among(conn: Connection, folder: int, uids: Iterable[int]) -> tuple[set[int], set[int]]:
    """Of these UIDs, those in quarantine, and those hidden."""
    unread: set[int] = set()
    hidden: set[int] = set()
    for chunk in chunks(uids):
        query = select(QUARANTINE.c.uid).where(QUARANTINE.c.folder == folder, QUARANTINE.c.uid.in_(chunk))
        unread.update(conn.execute(query).scalars())
        query = select(HIDDEN.c.uid).where(HIDDEN.c.folder == folder, HIDDEN.c.uid.in_(chunk))
        hidden.update(conn.execute(query).scalars())
    return unread, hidden
