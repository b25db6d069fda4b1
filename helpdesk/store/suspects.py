"""Mails that may end the connection: how far the search for them has come (docs/decisions.md section 12)."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, not_, or_, select

from helpdesk.ports import Folder
from helpdesk.store.core import COPY, FOLDER, QUARANTINE, SUSPECT
from helpdesk.uidset import UidSet

ENOUGH = 3
"""So many connections a single mail must have ended to be condemned."""


def again_after(strikes: int) -> timedelta:
    """How long a condemned mail is left alone: 5 minutes, four times as long after each try, at most a day."""
    tries = max(strikes - ENOUGH, 0)
    return timedelta(minutes=min(5 * 4.0 ** min(tries, 9), 24 * 60))


@dataclass(frozen=True, slots=True)
class Suspect:
    """UIDs first..last, both included, and how many connections fetching just them has ended."""

    first: int
    last: int
    strikes: int
    tried: bool = False  # it is in quarantine: one more strike is enough

    @property
    def condemned(self) -> bool:
        """Whether it belongs into quarantine, and is not there yet."""
        return self.first == self.last and self.strikes >= ENOUGH and not self.tried


def among(conn: Connection, folder: Folder) -> list[Suspect]:
    """The suspects of a folder, those in quarantine too; the narrowest first."""
    query = select(SUSPECT.c.first, SUSPECT.c.last, SUSPECT.c.strikes).where(_of(folder))
    found = [Suspect(*row) for row in conn.execute(query)]
    waiting = (
        select(QUARANTINE.c.uid, QUARANTINE.c.strikes)
        .join(FOLDER, FOLDER.c.id == QUARANTINE.c.folder)
        .where(FOLDER.c.name == folder.name, FOLDER.c.uidvalidity == folder.uidvalidity)
        .where(QUARANTINE.c.strikes > 0)
    )
    found += [Suspect(uid, uid, strikes, tried=True) for uid, strikes in conn.execute(waiting)]
    return sorted(found, key=lambda one: (one.last - one.first, one.first))


def strike(conn: Connection, folder: Folder, uids: UidSet) -> int:
    """One more connection has ended over these UIDs; how many that makes.  The narrower takes the place of the wider."""
    first, last = uids.ranges[0][0], uids.ranges[-1][1]
    known = (one for one in among(conn, folder) if one.first == one.last == first == last)
    strikes = 1 + max((one.strikes for one in known), default=0)
    clear(conn, folder, uids)
    if first == last:
        acquit(conn, folder, first)
    values = {"folder": folder.name, "uidvalidity": folder.uidvalidity, "first": first, "last": last}
    conn.execute(insert(SUSPECT).values(strikes=strikes, **values))
    return strikes


def clear(conn: Connection, folder: Folder, uids: UidSet) -> None:
    """Nobody among these UIDs is suspected any more; a verdict stands until its look is committed."""
    overlapping = and_(SUSPECT.c.first <= uids.ranges[-1][1], SUSPECT.c.last >= uids.ranges[0][0])
    verdict = and_(SUSPECT.c.first == SUSPECT.c.last, SUSPECT.c.strikes >= ENOUGH)
    conn.execute(delete(SUSPECT).where(_of(folder), overlapping, not_(verdict)))


def acquit(conn: Connection, folder: Folder, uid: int) -> None:
    """There is no verdict on this mail."""
    conn.execute(delete(SUSPECT).where(_of(folder), SUSPECT.c.first == uid, SUSPECT.c.last == uid))


def forget(conn: Connection, folder: Folder, uidnext: int) -> None:
    """A look at the folder is committed: every mail below `uidnext` was read, is in quarantine, or has gone."""
    over = or_(SUSPECT.c.uidvalidity != folder.uidvalidity, SUSPECT.c.last < uidnext)
    conn.execute(delete(SUSPECT).where(SUSPECT.c.folder == folder.name, over))


def condemned(conn: Connection) -> int:
    """How many mails end the connection: those in quarantine for it, and those that will be there after this look."""
    fresh = (SUSPECT.c.first == SUSPECT.c.last, SUSPECT.c.strikes == ENOUGH)
    queries = (
        select(func.count()).select_from(QUARANTINE).where(QUARANTINE.c.strikes > 0),
        select(func.count()).select_from(SUSPECT).where(*fresh),
    )
    return sum(conn.execute(query).scalar_one() for query in queries)


def witness(conn: Connection, folder: Folder, uids: UidSet) -> int | None:
    """A mail of the folder that could be read before and is none of these: the newest."""
    query = (
        select(COPY.c.uid)
        .join(FOLDER, FOLDER.c.id == COPY.c.folder)
        .where(FOLDER.c.name == folder.name, FOLDER.c.uidvalidity == folder.uidvalidity)
        .where(COPY.c.limbo.is_(None), not_(COPY.c.uid.between(uids.ranges[0][0], uids.ranges[-1][1])))
    )
    return conn.execute(query.order_by(COPY.c.uid.desc()).limit(1)).scalar_one_or_none()


def _of(folder: Folder) -> ColumnElement[bool]:
    return and_(SUSPECT.c.folder == folder.name, SUSPECT.c.uidvalidity == folder.uidvalidity)
