"""Records of test jobs: written many at a time, read as a stream."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, delete, func, insert, select

from helpdesk.robots.record import FOREIGN, Blame, JobState, Phase, Record, TestKind
from helpdesk.store.bulk import run_many
from helpdesk.store.core import JOB, RECORD, chunks

COLUMNS = tuple(one.name for one in fields(Record))
"""The columns of the table, of CSV and of Parquet."""

_TIMES = tuple(name for name in COLUMNS if name.startswith("t_"))
_ADD = insert(RECORD)


def add(conn: Connection, records: Iterable[Record]) -> int:
    """Write records, and take their jobs off the list of those on their way; how many were new.

    A job that has a record keeps it: an engine that tells twice, or two things, is believed the first time.
    """
    written = 0
    for chunk in chunks(records, 5000):
        by_job = {one.job: one for one in reversed(chunk)}
        known = _known(conn, by_job)
        fresh = [one for job, one in by_job.items() if job not in known]
        run_many(conn, _ADD, COLUMNS, map(_row, reversed(fresh)), _TIMES)
        for jobs in chunks(by_job):
            conn.execute(delete(JOB).where(JOB.c.job.in_(jobs)))
        written += len(fresh)
    return written


def read(
    conn: Connection,
    *,
    site: str | None = None,
    campaign: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[Record]:
    """Records in the order in which we learned of them; `since` and `until` bound when that was."""
    query = select(RECORD).order_by(RECORD.c.t_observed, RECORD.c.id)
    if campaign is not None:
        query = query.where(RECORD.c.campaign_id == campaign)
    if site is not None:
        query = query.where(RECORD.c.site == site)
    if since is not None:
        query = query.where(RECORD.c.t_observed >= since)
    if until is not None:
        query = query.where(RECORD.c.t_observed < until)
    for row in conn.execution_options(yield_per=2000).execute(query):
        yield _record(row)


def ended(conn: Connection, sites: Iterable[str], start: datetime, end: datetime) -> Iterator[Record]:
    """Our functional tests at these sites that ended between two moments."""
    for chunk in chunks(sites):
        for row in conn.execute(select(RECORD).where(*_tests(chunk, start, end))):
            yield _record(row)


def failed(conn: Connection, sites: Iterable[str], start: datetime, end: datetime) -> Iterator[Record]:
    """Of those, all that did not succeed."""
    for chunk in chunks(sites):
        bad = (*_tests(chunk, start, end), RECORD.c.state != JobState.SUCCESS.value)
        for row in conn.execute(select(RECORD).where(*bad)):
            yield _record(row)


@dataclass(frozen=True, slots=True)
class Tally:
    """The successes of one template at a site: how many, and the work of those that tell events and wall time."""

    site: str
    experiment: str
    template: str
    good: int
    events: int
    core_s: float


def tallies(conn: Connection, sites: Iterable[str], start: datetime, end: datetime) -> Iterator[Tally]:
    """Of those, the successes, added up by the database."""
    columns = (RECORD.c.site, RECORD.c.experiment, RECORD.c.template)
    told = (RECORD.c.events_processed > 0) & (RECORD.c.wall_s > 0)
    events = func.sum(case((told, RECORD.c.events_processed), else_=0))
    cores = case((RECORD.c.cores > 1, RECORD.c.cores), else_=1)
    seconds = func.sum(case((told, RECORD.c.wall_s * cores), else_=0.0))
    for chunk in chunks(sites):
        good = (*_tests(chunk, start, end), RECORD.c.state == JobState.SUCCESS.value)
        query = select(*columns, func.count(), events, seconds).where(*good).group_by(*columns)
        for site, experiment, template, number, done, spent in conn.execute(query):
            yield Tally(site, experiment, template, number, int(done), float(spent))


def foreign(conn: Connection, site: str, start: datetime, end: datetime) -> int:
    """How many results of others there are of a site between two moments."""
    at = func.coalesce(RECORD.c.t_final, RECORD.c.t_observed)
    query = select(func.count()).where(
        RECORD.c.site == site, RECORD.c.job.startswith(FOREIGN), at >= start, at < end
    )
    return conn.execute(query).scalar_one()


def _tests(sites: Iterable[str], start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        RECORD.c.site.in_(list(sites)),
        RECORD.c.t_final >= start,
        RECORD.c.t_final < end,
        RECORD.c.test_kind == TestKind.FUNCTIONAL.value,
        ~RECORD.c.job.startswith(FOREIGN),
    )


def _known(conn: Connection, jobs: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for chunk in chunks(jobs):
        found.update(conn.execute(select(RECORD.c.job).where(RECORD.c.job.in_(chunk))).scalars())
    return found


def _row(record: Record) -> tuple[Any, ...]:
    return tuple(_plain(getattr(record, name)) for name in COLUMNS)


def _plain(value: Any) -> Any:
    return json.dumps(value, default=str) if isinstance(value, dict) else value


def _record(row: Any) -> Record:
    values = {name: getattr(row, name) for name in COLUMNS}
    values["test_kind"], values["state"] = TestKind(row.test_kind), JobState(row.state)
    values["phase"] = None if row.phase is None else Phase(row.phase)
    values["blame"] = None if row.blame is None else Blame(row.blame)
    values["raw"] = json.loads(row.raw) if row.raw else {}
    return Record(**values)
