"""What people decided about sites, by mail or by command: a row for each, with who and until when.

`out` and `in` win over the verdict, one of them at a time; `pause` sends no jobs; `retest` is remembered so that it is not asked for too often.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from helpdesk.store.core import SITE_ORDER


class Kind(StrEnum):
    """What was decided."""

    OUT = "out"
    IN = "in"
    PAUSE = "pause"
    RETEST = "retest"


PINS = frozenset({Kind.OUT, Kind.IN})
_LASTING = [kind.value for kind in (Kind.OUT, Kind.IN, Kind.PAUSE)]


@dataclass(frozen=True, slots=True)
class SiteOrder:
    """One decision; `until` None: until it is lifted."""

    site: str
    kind: Kind
    at: datetime
    until: datetime | None
    by: str  # a name
    team: bool  # said by the team: contacts do not lift it
    why: str = ""
    id: int = 0
    lifted: datetime | None = None
    lifted_by: str = ""

    @property
    def end(self) -> datetime | None:
        """When it stops to hold; None: nobody knows yet."""
        ends = [one for one in (self.until, self.lifted) if one is not None]
        return min(ends, default=None)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What holds for one site."""

    pin: SiteOrder | None = None
    pause: SiteOrder | None = None


NO_RULING = Ruling()


def add(conn: Connection, order: SiteOrder) -> None:
    """Enter a decision."""
    values = {
        "site": order.site,
        "kind": order.kind.value,
        "at": order.at,
        "until": order.until,
        "by": order.by,
        "team": order.team,
        "why": order.why,
        "lifted": order.lifted,
        "lifted_by": order.lifted_by,
    }
    conn.execute(insert(SITE_ORDER).values(values))


def lift(conn: Connection, orders: Iterable[SiteOrder], at: datetime, by: str) -> None:
    """These hold no more."""
    keys = [one.id for one in orders]
    if keys:
        conn.execute(update(SITE_ORDER).where(SITE_ORDER.c.id.in_(keys)).values(lifted=at, lifted_by=by))


def in_force(conn: Connection, now: datetime) -> Sequence[SiteOrder]:
    """What holds now, oldest first."""
    query = select(SITE_ORDER).where(
        SITE_ORDER.c.kind.in_(_LASTING),
        SITE_ORDER.c.lifted.is_(None),
        or_(SITE_ORDER.c.until.is_(None), SITE_ORDER.c.until > now),
    )
    return [_order(row) for row in conn.execute(query.order_by(SITE_ORDER.c.id))]


def rulings(orders: Iterable[SiteOrder]) -> Mapping[str, Ruling]:
    """What holds, by site; of two pins the later one."""
    found: dict[str, Ruling] = {}
    for one in orders:
        before = found.get(one.site, NO_RULING)
        pinned = one.kind in PINS
        found[one.site] = Ruling(one if pinned else before.pin, before.pause if pinned else one)
    return found


def of_site(conn: Connection, site: str, now: datetime) -> Ruling:
    """What holds for one site now."""
    return rulings(in_force(conn, now)).get(site, NO_RULING)


def outages(conn: Connection, since: datetime) -> Sequence[SiteOrder]:
    """Every time that somebody put a site out by hand and that was not over at a moment, oldest first."""
    query = select(SITE_ORDER).where(
        SITE_ORDER.c.kind == Kind.OUT.value,
        or_(SITE_ORDER.c.lifted.is_(None), SITE_ORDER.c.lifted > since),
        or_(SITE_ORDER.c.until.is_(None), SITE_ORDER.c.until > since),
    )
    return [_order(row) for row in conn.execute(query.order_by(SITE_ORDER.c.id))]


def last_retest(conn: Connection, site: str) -> datetime | None:
    """When somebody last asked for one."""
    mine = (SITE_ORDER.c.site == site, SITE_ORDER.c.kind == Kind.RETEST.value)
    last: datetime | None = conn.execute(select(func.max(SITE_ORDER.c.at)).where(*mine)).scalar_one()
    return last


def _order(row: Any) -> SiteOrder:
    return SiteOrder(
        row.site,
        Kind(row.kind),
        row.at,
        row.until,
        row.by,
        row.team,
        row.why,
        row.id,
        row.lifted,
        row.lifted_by,
    )
