"""What the robots knew of a site at a moment, from verdicts and records: nothing that was learned later."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, func, or_, select

from helpdesk.blame.facts import Failure, Incident, Out, SiteFacts
from helpdesk.robots.codes import TABLES, table
from helpdesk.robots.record import Blame, JobState, TestKind
from helpdesk.store import incidents, meta, verdicts
from helpdesk.store.core import RECORD, VERDICT
from helpdesk.store.incidents import Part
from helpdesk.store.verdicts import Change

LATELY = timedelta(hours=3)
"""How far before a moment, or before the verdict, failures are looked at."""
MOST = 300  # records, the newest
TURN = "robots.turn"
"""In `meta`: when the robots last looked around (`helpdesk.robots.service.LAST`)."""
SILENT = timedelta(minutes=30)
"""How long the robots may be silent until nothing that they left open goes on."""
PAST = timedelta(days=2)
"""How old a mail may be that is put beside failures of many sites."""
MAX_DATASETS = 20
_NOBODYS = (Blame.USER.value, Blame.EXPERIMENT.value, Blame.ROBOT.value)
_COLUMNS = (
    RECORD.c.state,
    RECORD.c.phase,
    RECORD.c.error_class,
    RECORD.c.native_code,
    RECORD.c.native_text,
    RECORD.c.blame,
    RECORD.c.t_final,
)


def of_site(conn: Connection, site: str, at: datetime, now: datetime) -> SiteFacts:
    """The site as it was known at a moment; `now` says until when it was out, if that is over."""
    changes = _standing(conn, site, at)
    first = min((one for one in changes if one.action == "exclude"), key=lambda one: one.at, default=None)
    out = None if first is None else _out(conn, first, at, now)
    rows = _records(conn, site, (at if out is None else out.since) - LATELY, at)
    failed = [one for one in rows if one.state != JobState.SUCCESS.value]
    kinds = Counter((one.phase or "", one.error_class, one.native_code) for one in failed)
    failures = [
        Failure(phase, error_class, code, _text(failed, code), count)
        for (phase, error_class, code), count in kinds.most_common()
    ]
    if not failures and first is not None:
        failures = _of_verdict(first)
    since = min((one.t_final for one in failed), default=None)
    return SiteFacts(site, out, tuple(failures), len(failed), len(rows), since)


def _standing(conn: Connection, site: str, at: datetime) -> Sequence[Change]:
    """The last change of each experiment by then."""
    last = (
        select(func.max(VERDICT.c.id))
        .where(VERDICT.c.site == site, VERDICT.c.at <= at)
        .group_by(VERDICT.c.experiment)
    )
    return verdicts.with_ids(conn, last)


def _out(conn: Connection, change: Change, at: datetime, now: datetime) -> Out:
    """Since when, why, and until when if it has come back since."""
    back = select(func.min(VERDICT.c.at)).where(
        VERDICT.c.site == change.site,
        VERDICT.c.experiment == change.experiment,
        VERDICT.c.action == "include",
        VERDICT.c.at > at,
        VERDICT.c.at <= now,
    )
    until: datetime | None = conn.execute(back).scalar_one_or_none()
    cause = str(change.evidence.get("cause", "evidence" if change.by == "robot" else "pin"))
    return Out(change.at, change.reason, cause, until)


def _records(conn: Connection, site: str, since: datetime, at: datetime) -> Sequence[Any]:
    """The test jobs that ended in a stretch of time and were known at its end, but those that are nobody's here."""
    mine = (
        RECORD.c.site == site,
        RECORD.c.t_final.between(since, at),
        or_(RECORD.c.t_observed.is_(None), RECORD.c.t_observed <= at),
        RECORD.c.test_kind != TestKind.STRESS.value,
        RECORD.c.state != JobState.CANCELLED.value,
        or_(RECORD.c.blame.is_(None), RECORD.c.blame.not_in(_NOBODYS)),
    )
    query = select(*_COLUMNS).where(*mine).order_by(RECORD.c.t_final.desc(), RECORD.c.id.desc()).limit(MOST)
    return conn.execute(query).all()


def _text(failed: Sequence[Any], code: str) -> str:
    """What the newest failure of a code says."""
    return next((str(one.native_text) for one in failed if one.native_code == code), "")


def _of_verdict(change: Change) -> list[Failure]:
    """The classes of a verdict whose records are gone, with the phase where a class has one."""
    classes = change.evidence.get("classes")
    found: Mapping[str, Any] = classes if isinstance(classes, Mapping) else {}
    return [
        Failure(_phase_of(name), name, count=count)
        for name, count in Counter({str(one): int(number) for one, number in found.items()}).most_common()
    ]


@cache
def _phases() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name in TABLES:
        for one in table(name).values():
            found.setdefault(one.error_class, set()).add(str(one.phase or ""))
    return {name: frozenset(phases) for name, phases in found.items()}


def _phase_of(error_class: str) -> str:
    phases = _phases().get(error_class, frozenset())
    return next(iter(phases)) if len(phases) == 1 else ""


# -- failures of many sites -------------------------------------------------------------------------------------------


def of_many(conn: Connection, now: datetime) -> Sequence[Incident]:
    """The failures of many sites of the last days, part by part; of robots that are silent nothing goes on."""
    text = meta.get(conn, TURN)
    heard = None if text is None else datetime.fromisoformat(text)
    end = None if heard is not None and now - heard <= SILENT else heard or now
    return list(_parts(conn, now - PAST, end))


def _parts(conn: Connection, since: datetime, end: datetime | None) -> Iterator[Incident]:
    for row in incidents.since(conn, since):
        for part in row.parts:
            kind, what = _cell(part)
            data = _read_by(conn, what, part.started) if kind == "template" else ()
            yield Incident(kind, what, part.started, part.what, data, part.ended or end)


def _cell(part: Part) -> tuple[str, str]:
    """What its failures have in common, as far as a mail can say it."""
    scope = part.scope
    if scope.error_class:
        return "class", scope.error_class
    if scope.template:
        return "version" if scope.version else "template", scope.template
    return ("region" if scope.sites else "all"), ""


def _read_by(conn: Connection, template: str, since: datetime) -> tuple[str, ...]:
    """The data sets that a template's jobs read since then."""
    mine = (RECORD.c.t_observed >= since, RECORD.c.template == template, RECORD.c.dataset != "")
    query = select(RECORD.c.dataset).where(*mine).distinct().order_by(RECORD.c.dataset).limit(MAX_DATASETS)
    return tuple(conn.execute(query).scalars())
