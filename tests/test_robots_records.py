"""One record an attempt, written once, read back as it was."""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, insert, select

from helpdesk.robots.codes import Lookup
from helpdesk.robots.engine import Fetched, Handle, Status
from helpdesk.robots.outcome import OnItsWay, Work, record_of
from helpdesk.robots.record import Blame, JobState, Phase, Record, TestKind
from helpdesk.store import db, migrations, records
from helpdesk.store.core import JOB, RECORD

NOW = datetime(2026, 6, 8, 12, 0, tzinfo=UTC)
FAILED = Record(
    job="j1",
    experiment="atlas",
    site="DESY-HH",
    template="dimuon",
    template_version="abc",
    test_kind=TestKind.FUNCTIONAL,
    campaign_id="routine",
    attempt=1,
    engine="slurm",
    queue="desy",
    node="wn-117",
    t_scheduled=NOW,
    t_submitted=NOW + timedelta(seconds=1),
    t_final=NOW + timedelta(minutes=9),
    t_observed=NOW + timedelta(minutes=10),
    state=JobState.FAILED,
    phase=Phase.STAGE_IN,
    error_class="stage_in",
    native_code="pilot:1099",
    native_text="cannot open root://se/\u202efile",
    blame=Blame.SITE,
    bytes_read=5_000_000_000,
    raw={"phases": {"stage-in": [1.5, 2.5]}},
)

ON_ITS_WAY = OnItsWay(
    "j1", "t1", "submitted", "atlas", "routine", "functional", "dimuon", "abc", "DESY-HH", "slurm", "desy", 1, "7_0", "submitted",
    NOW, NOW, None, None,
)  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'r.db'}"
    migrations.upgrade(url)
    engine = db.open_engine(url)
    yield engine
    engine.dispose()


def test_columns() -> None:
    """The table has the record's fields, in their order, and its key."""
    assert [one.name for one in RECORD.columns] == ["id", *(one.name for one in fields(Record))]


def test_as_it_was(engine: Engine) -> None:
    """What is written is read back, times with their zone, nothing as nothing."""
    with engine.begin() as conn:
        assert records.add(conn, [FAILED]) == 1
        assert list(records.read(conn)) == [FAILED]


def test_written_once(engine: Engine) -> None:
    """An engine that tells twice, or another thing later, changes nothing; a job that has a record is on its way no more."""
    job = {"job": "j1", "stage": "submitted", "experiment": "atlas", "campaign_id": "routine", "test_kind": "functional", "template": "dimuon", "template_version": "abc", "site": "DESY-HH", "engine": "slurm", "queue": "desy", "tag": "", "vo": "", "attempt": 1, "engine_job_id": "", "state": "submitted", "t_scheduled": NOW}  # fmt: skip
    with engine.begin() as conn:
        conn.execute(insert(JOB).values(job))
        twice = replace(FAILED, state=JobState.SUCCESS)
        assert records.add(conn, [FAILED, twice]) == 1
        assert records.add(conn, [twice]) == 0
        assert [one.state for one in records.read(conn)] == [JobState.FAILED]
        assert conn.execute(select(func.count()).select_from(JOB)).scalar_one() == 0


def test_windows(engine: Engine) -> None:
    """Records are found by site and by when we learned of them, in that order."""
    hours = [
        replace(FAILED, job=f"j{n}", site="AB"[n % 2], t_observed=NOW + timedelta(hours=n))
        for n in (3, 1, 2, 0)
    ]
    with engine.begin() as conn:
        records.add(conn, hours)
        assert [one.job for one in records.read(conn)] == ["j0", "j1", "j2", "j3"]
        assert [one.job for one in records.read(conn, site="B")] == ["j1", "j3"]
        since, until = NOW + timedelta(hours=1), NOW + timedelta(hours=3)
        assert [one.job for one in records.read(conn, since=since, until=until)] == ["j1", "j2"]


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(
    jobs=st.lists(TEXT.filter(bool), min_size=1, max_size=8, unique=True),
    text=TEXT,
    number=st.one_of(st.none(), st.integers(0, 2**62)),
    wall=st.one_of(st.none(), st.floats(0, 1e9)),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
def test_any_text(engine: Engine, jobs: list[str], text: str, number: int | None, wall: float | None) -> None:
    """Whatever an engine says of its jobs is kept to the letter."""
    made = [
        replace(
            FAILED,
            job=job,
            node=text,
            native_text=text,
            events_processed=number,
            wall_s=wall,
            raw={"said": text},
        )
        for job in jobs
    ]
    with engine.begin() as conn:
        records.add(conn, made)
        found = {one.job: one for one in records.read(conn)}
        assert [found[job] for job in jobs] == made
        conn.rollback()


def test_the_payload_says_why() -> None:
    """Where the payload's own code is believed, its words are too: `NonZeroExitCode` of a batch system tells nobody what is wrong."""
    said = {"exit": 10, "phase": "stage-in", "words": "zmumu.root: No such file"}
    handle = Handle("j1", "7_0")
    status = Status(handle, JobState.FAILED, native_code="slurm:FAILED", native_text="NonZeroExitCode")
    left = Fetched(handle, json.dumps(said).encode(), "")
    found = record_of(ON_ITS_WAY, status, left, Work(), Lookup(), NOW)
    assert (found.native_code, found.native_text) == ("payload:10", "zmumu.root: No such file")
    limit = replace(status, native_code="slurm:TIMEOUT", native_text="TimeLimit")
    assert record_of(ON_ITS_WAY, limit, left, Work(), Lookup(), NOW).native_text == "TimeLimit"
