"""Failures of many sites: a row each, which keeps its identity while the failure goes on, whatever is restarted meanwhile.

One cause shows itself in several ways (two templates, three experiments): what begins within an hour is one incident, of several
parts.  A policy is made anew at a start, from the records; what it then finds open under the same name is the part that is open here.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from helpdesk.robots.record import JobState, Record
from helpdesk.store.core import INCIDENT

AGAIN = timedelta(hours=2)
"""What comes back so soon was never over."""

TOGETHER = timedelta(hours=1)
"""What begins so soon after an incident is a part of it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which failures belong to it; what is empty is no condition."""

    template: str = ""
    version: str = ""
    error_class: str = ""
    sites: tuple[str, ...] = ()  # those of a region

    def has(self, one: Record) -> bool:
        """Whether a failed job is one of them, by what it is and not by when."""
        return (
            self.template in {"", one.template}
            and self.version in {"", one.template_version}
            and self.error_class in {"", _cause(one)}
            and (not self.sites or one.site in self.sites)
        )


def _cause(one: Record) -> str:
    """The class of a failure, as a policy calls it."""
    return one.error_class or ("unknown" if one.state is JobState.FAILED else one.state.value)


@dataclass(frozen=True, slots=True)
class Part:
    """What many sites have in common, since when, and how many storage elements complain; `ended` None: it goes on."""

    experiment: str
    what: str  # in words: everything, template dimuon
    started: datetime
    voices: int
    scope: Scope = field(default_factory=Scope)
    ended: datetime | None = None

    @property
    def name(self) -> tuple[str, str]:
        """What it is known by, over restarts."""
        return self.experiment, self.what

    def explains(self, one: Record) -> bool:
        """Whether a failed job belongs to it."""
        at = one.t_final or one.t_observed
        if at is None or one.experiment != self.experiment or not self.scope.has(one):
            return False
        return self.started <= at and (self.ended is None or at <= self.ended)


@dataclass(frozen=True, slots=True)
class Incident:
    """A row; `ended` None: a part of it goes on."""

    id: int
    opened: datetime
    ended: datetime | None
    parts: tuple[Part, ...]

    @property
    def started(self) -> datetime:
        """When the first of its failures may have been."""
        return min(one.started for one in self.parts)

    @property
    def voices(self) -> int:
        """How many storage elements complained at most."""
        return max(one.voices for one in self.parts)

    @property
    def experiments(self) -> tuple[str, ...]:
        """Whose jobs fail."""
        return tuple(sorted({one.experiment for one in self.parts}))

    def explains(self, one: Record) -> bool:
        """Whether a failed job belongs to it."""
        return any(part.explains(one) for part in self.parts)


def keep(conn: Connection, found: Iterable[Part], now: datetime) -> bool:
    """Write down what is open now, of all experiments; whether anything began or ended."""
    wanted = {one.name: one for one in found}
    changed = False
    known = [one for one in since(conn, now - AGAIN) if one.parts]
    for row in reversed(known):  # the newest row that has a part keeps it
        parts = tuple(_now(part, wanted.pop(part.name, None), now) for part in row.parts)
        known[known.index(row)] = renewed = replace(row, parts=parts)
        changed |= [one.ended for one in row.parts] != [one.ended for one in parts]
        _save(conn, row, renewed, now)
    if not wanted:
        return changed
    young = [one for one in known if now - one.opened <= TOGETHER and _goes_on(one)]
    new = tuple(wanted.values())
    if young:
        _save(conn, young[-1], replace(young[-1], parts=(*young[-1].parts, *new)), now)
    else:
        conn.execute(insert(INCIDENT).values(opened=now, ended=None, parts=_packed(new)))
    return True


def current(conn: Connection) -> Sequence[Incident]:
    """Those that go on, oldest first."""
    query = select(INCIDENT).where(INCIDENT.c.ended.is_(None)).order_by(INCIDENT.c.id)
    return [_incident(row) for row in conn.execute(query)]


def since(conn: Connection, start: datetime) -> Sequence[Incident]:
    """Those that go on, or went on at a moment or after it, oldest first."""
    lately = or_(INCIDENT.c.ended.is_(None), INCIDENT.c.ended >= start)
    return [_incident(row) for row in conn.execute(select(INCIDENT).where(lately).order_by(INCIDENT.c.id))]


def by_id(conn: Connection, key: int) -> Incident:
    """One of them; rows are kept for ever."""
    return _incident(conn.execute(select(INCIDENT).where(INCIDENT.c.id == key)).one())


def _now(part: Part, found: Part | None, now: datetime) -> Part:
    """A part as it is found now: it goes on, came back, or is over."""
    if found is None:
        return replace(part, ended=part.ended or now)
    return replace(part, ended=None, voices=max(part.voices, found.voices))


def _goes_on(one: Incident) -> bool:
    return any(part.ended is None for part in one.parts)


def _save(conn: Connection, before: Incident, row: Incident, now: datetime) -> None:
    if row == before:
        return
    ended = None if _goes_on(row) else row.ended or now
    values = {"ended": ended, "parts": _packed(row.parts)}
    conn.execute(update(INCIDENT).where(INCIDENT.c.id == row.id).values(values))


def _packed(parts: Iterable[Part]) -> str:
    return json.dumps([asdict(one) for one in parts], default=datetime.isoformat)


def _incident(row: Any) -> Incident:
    return Incident(row.id, row.opened, row.ended, tuple(_parts(json.loads(row.parts or "[]"))))


def _parts(kept: Iterable[Mapping[str, Any]]) -> Iterator[Part]:
    for one in kept:
        scope = Scope(**{**one["scope"], "sites": tuple(one["scope"]["sites"])})
        ended = None if one["ended"] is None else datetime.fromisoformat(one["ended"])
        started = datetime.fromisoformat(one["started"])
        yield Part(one["experiment"], one["what"], started, one["voices"], scope, ended)
