"""Load tests: a row each, from when one is asked for until it has ended; their jobs and records carry the test's id as campaign."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from helpdesk.errors import UsageError
from helpdesk.robots.load.control import Seen
from helpdesk.robots.load.values import LoadTest, State, Step, shape_of
from helpdesk.robots.outcome import OnItsWay
from helpdesk.robots.record import JobState, Record
from helpdesk.robots.schedule import Lane
from helpdesk.store import jobs, records
from helpdesk.store.core import LOAD_TEST

FAST = timedelta(days=1)
"""So much may the clock have been ahead when a test was asked for: a record that is not found would be a job that was never sent."""

_ORDER = (LOAD_TEST.c.asked, LOAD_TEST.c.id)


def ask(conn: Connection, test: LoadTest) -> None:
    """Enter a test; UsageError where the site has one that has not ended."""
    for one in unfinished(conn):
        if one.lane.site == test.lane.site:
            raise UsageError(_taken(one))
    try:
        conn.execute(insert(LOAD_TEST).values(_row(test)))
    except IntegrityError as error:
        raise UsageError(f"{test.lane.site} has a load test that has not ended") from error


def _taken(one: LoadTest) -> str:
    return (
        f"{one.lane.site} has a load test that has not ended: {one.id}, {one.state} since"
        f" {one.began or one.asked:%Y-%m-%d %H:%M} UTC (`helpdesk loadtest run --resume {one.id}` goes on with it,"
        f" `helpdesk loadtest stop {one.id}` ends it)"
    )


def unfinished(conn: Connection) -> Sequence[LoadTest]:
    """The tests that have not ended, by when they were asked for."""
    query = select(LOAD_TEST).where(LOAD_TEST.c.ended.is_(None)).order_by(*_ORDER)
    return [_test(row) for row in conn.execute(query)]


def find(conn: Connection, test_id: str) -> LoadTest | None:
    """The test of this id, or of the only one that begins so."""
    prefix = (
        select(LOAD_TEST).where(LOAD_TEST.c.id.startswith(test_id, autoescape=True)).order_by(LOAD_TEST.c.id)
    )
    found = [_test(row) for row in conn.execute(prefix.limit(2))]
    exact = [one for one in found if one.id == test_id]
    return exact[0] if exact else found[0] if len(found) == 1 else None


def read(conn: Connection, *, site: str | None = None, most: int | None = None) -> Sequence[LoadTest]:
    """The newest tests, the newest first."""
    query = select(LOAD_TEST).order_by(*(one.desc() for one in _ORDER))
    if site is not None:
        query = query.where(LOAD_TEST.c.site == site)
    return [_test(row) for row in conn.execute(query.limit(most))]


def like(conn: Connection, test: LoadTest, since: datetime) -> Sequence[LoadTest]:
    """Ended tests of the same template and shape, anywhere, that were asked for since then and before this one; oldest first."""
    query = select(LOAD_TEST).where(
        LOAD_TEST.c.template == test.template,
        LOAD_TEST.c.shape == test.shape.key,
        LOAD_TEST.c.ended.is_not(None),
        LOAD_TEST.c.asked.between(since, test.asked),
        LOAD_TEST.c.id != test.id,
    )
    return [_test(row) for row in conn.execute(query.order_by(*_ORDER))]


def count(conn: Connection, by: str, since: datetime) -> int:
    """How many tests somebody asked for since then."""
    query = select(func.count()).where(LOAD_TEST.c.by == by, LOAD_TEST.c.asked > since)
    return int(conn.execute(query).scalar_one())


def ended_since(conn: Connection, since: datetime) -> Sequence[LoadTest]:
    """Those that have ended since then, the first that ended first."""
    query = select(LOAD_TEST).where(LOAD_TEST.c.ended >= since).order_by(LOAD_TEST.c.ended, LOAD_TEST.c.id)
    return [_test(row) for row in conn.execute(query)]


def keep(conn: Connection, test: LoadTest) -> None:
    """Write down how far it is; who wants it stopped is not ours to write."""
    values = _row(test)
    del values["id"], values["stop_by"]
    conn.execute(update(LOAD_TEST).where(LOAD_TEST.c.id == test.id).values(values))


def stop(conn: Connection, test_id: str, by: str) -> None:
    """Somebody wants it stopped: whoever runs it does that at the next look.  The first who says so is named."""
    mine = (LOAD_TEST.c.id == test_id, LOAD_TEST.c.ended.is_(None), LOAD_TEST.c.stop_by == "")
    conn.execute(update(LOAD_TEST).where(*mine).values(stop_by=by))


def live(conn: Connection, test: LoadTest) -> list[OnItsWay]:
    """Its jobs without a record."""
    return [one for one in jobs.live(conn) if one.campaign_id == test.id]


def ended(conn: Connection, test: LoadTest) -> list[Record]:
    """Its records, in the order in which we learned of them."""
    return list(records.read(conn, site=test.lane.site, campaign=test.id, since=test.asked - FAST))


def seen(conn: Connection, test: LoadTest) -> Seen:
    """What is known of its jobs."""
    there, told = live(conn, test), ended(conn, test)
    waiting = sum(one.state != JobState.RUNNING.value for one in there)
    return Seen(len(there) + len(told), len(there), waiting, told)


def _row(test: LoadTest) -> dict[str, Any]:
    names = ("id", "template", "version", "most", "hours", "by", "asked", "began", "filled_until", "stopped")
    more = ("stop_by", "reason", "ended", "looked", "skipped")
    return {
        **{name: getattr(test, name) for name in (*names, *more)},
        "site": test.lane.site,
        "experiment": test.lane.experiment,
        "engine": test.lane.engine,
        "queue": test.lane.queue,
        "shape": test.shape.key,
        "state": test.state.value,
        "steps": json.dumps([[one.concurrency, one.began.isoformat(), one.first] for one in test.steps]),
        "gaps": json.dumps([[start.isoformat(), end.isoformat()] for start, end in test.gaps]),
    }


def _test(row: Any) -> LoadTest:
    asked = LoadTest(
        row.id,
        Lane(row.site, row.experiment, row.engine, row.queue),
        row.template,
        row.version,
        shape_of(row.shape),
        row.most,
        row.hours,
        row.by,
        row.asked,
    )
    names = ("began", "filled_until", "stopped", "stop_by", "reason", "ended", "looked", "skipped")
    moment = datetime.fromisoformat
    return replace(
        asked,
        **{name: getattr(row, name) for name in names},
        state=State(row.state),
        steps=tuple(Step(jobs_, moment(began), first) for jobs_, began, first in json.loads(row.steps)),
        gaps=tuple((moment(start), moment(end)) for start, end in json.loads(row.gaps)),
    )
