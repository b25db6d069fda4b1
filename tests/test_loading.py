"""Load tests with real jobs: each job once, whatever is killed; what is stopped leaves nothing behind."""

import asyncio
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from helpdesk.errors import UsageError
from helpdesk.robots import loadreport
from helpdesk.robots.load.values import State
from helpdesk.robots.record import JobState, TestKind
from helpdesk.store import jobs, load_tests
from helpdesk.store.core import LOAD_TEST
from tests.desk import PROJECT
from tests.loads import ask, go, now_of, unfinished
from tests.robots import LANE, Floor, intents, recipe
from tests.test_robots_service import Works


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    made = Floor(tmp_path)
    yield made
    made.close()


def test_run_to_its_end(floor: Floor) -> None:
    """A test sends what it was asked to, and its records are stress records of its campaign; the report is made of them."""
    test = ask(floor, concurrency=3, jobs=12)
    go(floor)
    ended = now_of(floor, test.id)
    found = list(floor.records().values())
    assert (ended.state, ended.reason) == (State.ENDED, "all jobs were sent and have ended")
    assert {(one.test_kind, one.campaign_id) for one in found} == {(TestKind.STRESS, test.id)}
    assert len(found) == len(floor.ran()) == 12
    with floor.database.connect() as conn:
        told = loadreport.told(conn, ended)
    assert (told.figures.jobs, told.figures.events) == (12, 60)
    assert (told.last, told.peers) == (None, None)


def test_beside_the_last(floor: Floor) -> None:
    """A second test of the same shape is compared with the first, one of another shape is not."""
    for concurrency in (3, 3, 2):
        test = ask(floor, concurrency=concurrency, jobs=6)
        go(floor)
        with floor.database.connect() as conn:
            told = loadreport.told(conn, now_of(floor, test.id))
            first = load_tests.read(conn)[-1].id
        assert (told.last and told.last.of) == (first if concurrency == 3 and test.id != first else None)


def test_a_clock_that_was_put_right(floor: Floor) -> None:
    """A test that was asked for by a clock an hour fast goes to its end once the clock was put right: its records are its own."""
    test = ask(floor, concurrency=2, jobs=5)
    with floor.database.begin() as conn:
        fast = {"asked": test.asked + timedelta(hours=1)}
        conn.execute(update(LOAD_TEST).where(LOAD_TEST.c.id == test.id).values(fast))
    go(floor, seconds=30)
    ended = now_of(floor, test.id)
    assert (ended.state, len(floor.ran())) == (State.ENDED, 5)
    with floor.database.connect() as conn:
        assert loadreport.told(conn, ended).figures.jobs == 5


def test_kill_9(tmp_path: Path) -> None:
    """After kill -9 of the process in the middle, again and again, the test goes on to its end: no job runs twice, none is lost."""
    chance = random.Random(7)  # noqa: S311 - moments of kills, no secret
    floor = Floor(tmp_path)
    for goal in (5, 15, 30):
        process = subprocess.Popen([sys.executable, "-m", "tests.loads", str(tmp_path)], cwd=PROJECT)
        while len(floor.ran()) < goal:
            time.sleep(chance.uniform(0.01, 0.06))
        process.kill()
        process.wait()
    assert unfinished(floor)
    go(floor)
    ran = Counter(floor.ran())
    states = Counter(one.state for one in floor.records().values())
    assert max(ran.values()) == 1
    assert states.total() == 60
    assert states[JobState.SUCCESS] == len(ran)
    assert (
        states[JobState.SUCCESS] >= 60 - 3 * 6
    )  # a batch that was killed before its engine had it is lost, and says so
    floor.close()


def test_stopped(floor: Floor) -> None:
    """A test that is stopped cancels what runs and what waits, sends nothing more, and counts none of that as a failure."""
    floor.robot = replace(floor.robot, recipes={**floor.robot.recipes, "long": recipe("sleep 60")})
    test = ask(floor, "long", concurrency=12, jobs=40)
    go(floor, looks=6)
    with floor.database.begin() as conn:
        load_tests.stop(conn, test.id, "Dieter")
        load_tests.stop(conn, test.id, "somebody later")
    began = time.monotonic()
    go(floor)
    assert time.monotonic() - began < 30
    ended = now_of(floor, test.id)
    assert ended.reason == "Dieter stopped it"
    states = Counter(one.state for one in floor.records().values())
    assert (states, floor.live()) == ({JobState.CANCELLED: 12}, 0)
    with floor.database.connect() as conn:
        told = loadreport.told(conn, ended)
    assert (told.figures.jobs, told.figures.cut_off, told.figures.failures) == (0, 12, ())


def test_what_was_never_sent_is_cancelled_too(floor: Floor) -> None:
    """Jobs that waited for their engine when the test was stopped get a record, and the engine never gets them."""
    floor.robot = replace(floor.robot, engines={})
    test = ask(floor, concurrency=4, jobs=40)
    go(floor, looks=1)
    with floor.database.begin() as conn:
        load_tests.stop(conn, test.id, "Dieter")
    go(floor)
    assert Counter(one.state for one in floor.records().values()) == {JobState.CANCELLED: 4}
    assert {one.native_code for one in floor.records().values()} == {"local:cancelled"}
    assert (floor.ran(), floor.live()) == ([], 0)


def test_a_job_that_was_taken_back_is_not_sent(floor: Floor) -> None:
    """A job whose record came while its engine kept us waiting is not handed over any more."""
    floor.robot = replace(floor.robot, engines={})
    floor.turn(*intents("good", 2))
    with floor.database.begin() as conn:
        first, second = (one.job for one in jobs.live(conn))
        jobs.hand_over(conn, [first], "tag1")
        assert jobs.hand_over(conn, [first, second, "nobody"], "tag2") == {second}


def test_one_at_a_time(floor: Floor) -> None:
    """A site has one test at a time; another site may have its own, and when the first has ended the next may come."""
    ask(floor, concurrency=1, jobs=2)
    with pytest.raises(UsageError, match="has a load test that has not ended"):
        ask(floor, concurrency=2, jobs=2)
    ask(floor, lane=replace(LANE, site="RAL"), concurrency=1, jobs=2)
    go(floor)
    ask(floor, concurrency=2, jobs=2)
    go(floor)
    assert len(floor.records()) == 6


def test_robots_go_on_beside_it(floor: Floor) -> None:
    """A load test that fills a queue keeps no routine job and no probe from going."""
    floor.robot = replace(floor.robot, most=2)
    ask(floor, "slow", concurrency=8, jobs=24)
    go(floor, looks=1)
    assert floor.turn(*intents("good", 2)).kept == []
    go(floor)


def test_verdicts_hear_nothing_of_it(tmp_path: Path) -> None:
    """A daemon carries a test out in its steps; its failures put no site out, now or after a restart, and no policy sees them."""
    works = Works(Floor(tmp_path))
    lane = replace(LANE, site="RAL", experiment="atlas")
    test = ask(works.floor, "wrong", lane, concurrency=5, jobs=25)
    for _ in range(8):
        works.now = datetime.now(UTC)
        asyncio.run(works.service.step(works.now))
        works.floor.until_done(works.now)
    works.restarted()
    asyncio.run(works.service.step(works.now))
    assert now_of(works.floor, test.id).state is State.ENDED
    assert len(works.floor.records()) >= 20
    assert not works.service.busy
    assert works.changes() == []
    assert not any(one["record"] == "job" for policy in works.policies for one in policy.seen)
    works.floor.close()
