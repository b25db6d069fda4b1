"""What reports read of a week, on SQLite and on PostgreSQL alike."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from helpdesk.reporting import Reader
from helpdesk.robots.record import TestKind
from helpdesk.settings.times import WeekMoment
from helpdesk.sites import Contacts, SiteTelling
from helpdesk.store import db, records, verdicts
from helpdesk.store.records import Tally
from helpdesk.store.verdicts import Change
from tests.databases import Database
from tests.weeks import BAD, GOOD, MONDAY, WEEK, jobs

DAY = timedelta(days=1)


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    database.make()
    made = db.open_engine(database.url)
    yield made
    made.dispose()


def fill(engine: Engine) -> None:
    """Jobs of two templates, of a load test, of others, and of another site and week."""
    big = replace(GOOD, events_processed=3_000_000_000, wall_s=0.5, cores=4)
    untold = replace(GOOD, events_processed=None)
    found = [
        *jobs(GOOD, 20),
        *jobs(big, 2, template="big"),
        *jobs(untold, 3, template="untold"),
        *jobs(BAD, 4),
        *jobs(BAD, 5, test_kind=TestKind.STRESS, node="s"),
        *(replace(one, job=f"import-{one.job}") for one in jobs(BAD, 6, node="f")),
        *(replace(one, job=f"ral-{one.job}", site="RAL") for one in jobs(GOOD, 7, node="r")),
        *jobs(GOOD, 8, WEEK.end, node="later"),
    ]
    with engine.begin() as conn:
        records.add(conn, found)


def test_successes_are_added_up(engine: Engine) -> None:
    """Successes are counted and their work added up by template; only jobs that tell both figures are work."""
    fill(engine)
    with db.reading(engine) as conn:
        found = list(records.tallies(conn, ["DESY-HH", "RAL"], WEEK.start, WEEK.end))
    assert sorted(found, key=lambda one: (one.site, one.template)) == [
        Tally("DESY-HH", "atlas", "big", 2, 6_000_000_000, 4.0),
        Tally("DESY-HH", "atlas", "dimuon", 20, 400_000, 20_000.0),
        Tally("DESY-HH", "atlas", "untold", 3, 0, 0.0),
        Tally("RAL", "atlas", "dimuon", 7, 140_000, 7_000.0),
    ]


def test_what_ended(engine: Engine) -> None:
    """Our functional tests of the week are read, failures alone too; what others measured is counted."""
    fill(engine)
    with db.reading(engine) as conn:
        ended = list(records.ended(conn, ["DESY-HH"], WEEK.start, WEEK.end))
        failed = list(records.failed(conn, ["DESY-HH"], WEEK.start, WEEK.end))
        others = records.foreign(conn, "DESY-HH", WEEK.start, WEEK.end)
        nobody = list(records.ended(conn, [], WEEK.start, WEEK.end))
    assert (len(ended), len(failed), others, nobody) == (29, 4, 6, [])


def test_what_stood(engine: Engine) -> None:
    """Of each site and experiment the changes of a time are read, and the last one before it."""
    made = [
        Change(
            WEEK.start + place * DAY,
            experiment,
            site,
            "exclude" if place % 2 else "include",
            f"{place}",
            "v1",
        )
        for place in (-3, -2, -1, 1, 3, 9)
        for experiment, site in (("atlas", "DESY-HH"), ("cms", "DESY-HH"), ("atlas", "RAL"))
    ]
    with engine.begin() as conn:
        verdicts.add(conn, made)
    with db.reading(engine) as conn:
        found = verdicts.holding(conn, ["DESY-HH"], WEEK.start, WEEK.end)
    assert [(one.experiment, one.reason) for one in found] == [
        (experiment, place) for place in ("-1", "1", "3") for experiment in ("atlas", "cms")
    ]


def test_a_whole_report(engine: Engine) -> None:
    """A report comes to the same figures on both."""
    fill(engine)
    telling = SiteTelling(
        {name: Contacts((), "Europe/Berlin") for name in ("DESY-HH", "RAL")},
        lanes=frozenset({("atlas", "DESY-HH"), ("atlas", "RAL")}),
        tiers={"DESY-HH": 2, "RAL": 2},
        weekly=WeekMoment(0, 480),
    )
    with db.reading(engine) as conn:
        week = Reader(telling, conn, MONDAY).report("DESY-HH", WEEK)
    assert (week.rows[0].this.good, week.rows[0].this.bad, week.foreign) == (25, 4, 6)
    assert [one.failed for one in week.fixes] == [4]
