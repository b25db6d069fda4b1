"""What was decided about sites: a row for each change, with its evidence and the version of the policy."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, insert, or_, select

from helpdesk.store.core import VERDICT, chunks


@dataclass(frozen=True, slots=True)
class Change:
    """A site was put out, or taken back."""

    at: datetime
    experiment: str
    site: str
    action: str  # exclude or include
    reason: str
    policy: str  # its version
    by: str = "robot"  # or who pinned it
    evidence: Mapping[str, Any] = field(default_factory=dict)


def add(conn: Connection, changes: Iterable[Change]) -> None:
    """Enter changes, in their order."""
    rows = [
        {
            "at": one.at,
            "experiment": one.experiment,
            "site": one.site,
            "action": one.action,
            "reason": one.reason,
            "policy": one.policy,
            "by": one.by,
            "evidence": json.dumps(dict(one.evidence), default=str),
        }
        for one in changes
    ]
    if rows:
        conn.execute(insert(VERDICT), rows)


def latest(conn: Connection) -> Mapping[tuple[str, str], Change]:
    """The last change of every site that had one, by (experiment, site)."""
    last = select(func.max(VERDICT.c.id)).group_by(VERDICT.c.experiment, VERDICT.c.site)
    rows = conn.execute(select(VERDICT).where(VERDICT.c.id.in_(last)))
    return {(one.experiment, one.site): one for one in map(_change, rows)}


def with_ids(conn: Connection, ids: Select[tuple[int | None]]) -> Sequence[Change]:
    """These changes, oldest first."""
    return [
        _change(row)
        for row in conn.execute(select(VERDICT).where(VERDICT.c.id.in_(ids)).order_by(VERDICT.c.id))
    ]


def newest(conn: Connection) -> int:
    """The number of the last change; 0: there was none."""
    return conn.execute(select(func.max(VERDICT.c.id))).scalar() or 0


def excluded_after(conn: Connection, last: int) -> Sequence[Change]:
    """The exclusions that came after this number, oldest first."""
    query = select(VERDICT).where(VERDICT.c.id > last, VERDICT.c.action == "exclude").order_by(VERDICT.c.id)
    return [_change(row) for row in conn.execute(query)]


def is_out(conn: Connection, site: str) -> bool:
    """Whether any experiment has the site out now."""
    return any(one.site == site and one.action == "exclude" for one in latest(conn).values())


def since(conn: Connection, start: datetime) -> Sequence[Change]:
    """The changes from a moment on, oldest first."""
    return [
        _change(row)
        for row in conn.execute(select(VERDICT).where(VERDICT.c.at >= start).order_by(VERDICT.c.id))
    ]


def holding(conn: Connection, sites: Iterable[str], start: datetime, until: datetime) -> Sequence[Change]:
    """What stood at these sites between two moments: the changes of that time, and the last before it; oldest first."""
    found: list[Any] = []
    for chunk in chunks(sites):
        mine = VERDICT.c.site.in_(chunk)
        before = (
            select(func.max(VERDICT.c.id))
            .where(mine, VERDICT.c.at < start)
            .group_by(VERDICT.c.experiment, VERDICT.c.site)
        )
        lately = VERDICT.c.at.between(start, until)
        found += conn.execute(select(VERDICT).where(mine, or_(lately, VERDICT.c.id.in_(before))))
    return [_change(row) for row in sorted(found, key=lambda row: (row.at, row.id))]


def _change(row: Any) -> Change:
    return Change(
        row.at,
        row.experiment,
        row.site,
        row.action,
        row.reason,
        row.policy,
        row.by,
        json.loads(row.evidence or "{}"),
    )
