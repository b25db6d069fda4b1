"""Jobs on their way: intended, handed over, at their engine (docs/robots.md)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from helpdesk.robots.outcome import OnItsWay
from helpdesk.robots.record import TestKind
from helpdesk.robots.schedule import Lane
from helpdesk.store.core import JOB, RECORD, chunks

PLANNED, SUBMITTING, SUBMITTED = "planned", "submitting", "submitted"
STRESS = TestKind.STRESS.value
_COLUMNS = [JOB.c[one.name] for one in fields(OnItsWay)]


def plan(conn: Connection, jobs: Sequence[OnItsWay]) -> int:
    """Enter what is intended; a job that is there, or has a record, is not entered again.  How many were new."""
    new = unknown(conn, [one.job for one in jobs])
    fresh = {one.job: one for one in jobs if one.job in new}
    if fresh:
        conn.execute(insert(JOB), [asdict(one) for one in fresh.values()])
    return len(fresh)


def unknown(conn: Connection, names: Iterable[str]) -> set[str]:
    """Those that are no jobs on their way, and have no record."""
    found: set[str] = set()
    for chunk in chunks(names):
        known = set(conn.execute(select(JOB.c.job).where(JOB.c.job.in_(chunk))).scalars())
        known |= set(conn.execute(select(RECORD.c.job).where(RECORD.c.job.in_(chunk))).scalars())
        found |= set(chunk) - known
    return found


def live(conn: Connection, stage: str | None = None, engine: str | None = None) -> list[OnItsWay]:
    """The jobs without a record, by when they were meant to go."""
    query = select(*_COLUMNS).order_by(JOB.c.t_scheduled, JOB.c.job)
    if stage is not None:
        query = query.where(JOB.c.stage == stage)
    if engine is not None:
        query = query.where(JOB.c.engine == engine)
    return [OnItsWay(**row) for row in conn.execute(query).mappings()]


def hand_over(conn: Connection, jobs: Iterable[str], tag: str) -> set[str]:
    """Their batch has a name and is about to be submitted: committed before the engine is asked.  Those that are still wanted."""
    for chunk in chunks(jobs):
        conn.execute(
            update(JOB).where(JOB.c.job.in_(chunk), JOB.c.stage == PLANNED).values(stage=SUBMITTING, tag=tag)
        )
    return set(conn.execute(select(JOB.c.job).where(JOB.c.tag == tag)).scalars())


def accepted(conn: Connection, ids: Iterable[tuple[str, str]], at: datetime) -> None:
    """The engine has them, under these ids."""
    rows = [{"key": job, "its_id": engine_job_id, "at": at} for job, engine_job_id in ids]
    if rows:
        new: dict[str, Any] = {
            "stage": SUBMITTED,
            "engine_job_id": bindparam("its_id"),
            "t_submitted": bindparam("at"),
        }
        conn.execute(
            update(JOB).where(JOB.c.job == bindparam("key"), JOB.c.stage == SUBMITTING).values(new), rows
        )


def seen(conn: Connection, states: Iterable[tuple[str, str, datetime | None, datetime | None]]) -> None:
    """What the engine said: (job, state, started, silent since)."""
    rows = [
        {"key": job, "now": state, "began": started, "since": silent}
        for job, state, started, silent in states
    ]
    if rows:
        new: dict[str, Any] = {
            "state": bindparam("now"),
            "t_started": bindparam("began"),
            "silent_since": bindparam("since"),
        }
        conn.execute(update(JOB).where(JOB.c.job == bindparam("key")).values(new), rows)


def taken_back(conn: Connection, tag: str) -> None:
    """The engine refused the batch before it took any of it: it is planned again."""
    conn.execute(update(JOB).where(JOB.c.tag == tag, JOB.c.stage == SUBMITTING).values(stage=PLANNED, tag=""))


def waiting(conn: Connection) -> Counter[Lane]:
    """How many jobs are on their way, by lane; those of load tests keep nobody else from going."""
    columns = (JOB.c.site, JOB.c.experiment, JOB.c.engine, JOB.c.queue)
    query = select(*columns, func.count().label("n")).where(JOB.c.test_kind != STRESS).group_by(*columns)
    return Counter(
        {Lane(row.site, row.experiment, row.engine, row.queue): row.n for row in conn.execute(query)}
    )


def finished_tags(conn: Connection, tags: Iterable[str]) -> set[str]:
    """Of these batches, those of which no job is on its way any more."""
    wanted = {tag for tag in tags if tag}
    left: set[str] = set()
    for chunk in chunks(wanted):
        left |= set(conn.execute(select(JOB.c.tag).where(JOB.c.tag.in_(chunk)).distinct()).scalars())
    return wanted - left
