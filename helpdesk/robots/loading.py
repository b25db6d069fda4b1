"""Load tests at work: what each does next is committed with its jobs before an engine hears of it, as in a turn (docs/loadtest.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from helpdesk.robots.engine import EngineError, Handle
from helpdesk.robots.load.control import Rules, control, name
from helpdesk.robots.load.values import LoadTest, State
from helpdesk.robots.outcome import OnItsWay, lost
from helpdesk.robots.record import JobState, Record, TestKind
from helpdesk.robots.robot import Robot
from helpdesk.store import jobs, load_tests, records, requests

AGAIN = timedelta(minutes=1)  # after so long a job that is still there is cancelled once more


class LoadTests:
    """All load tests of a board; who takes turns asks for a step before each."""

    def __init__(self, robot: Robot, rules: Rules) -> None:
        self._robot = robot
        self._rules = rules
        self._cancelled: dict[str, datetime] = {}  # jobs that we asked an engine to end
        self.busy = False  # whether one runs: look more often

    async def step(self, now: datetime) -> list[tuple[str, str]]:
        """Plan what each test sends next, and cancel what is there of those that stop; (engine, what is wrong)."""
        with self._robot.database.begin() as conn:
            tests = load_tests.unfinished(conn)
            tests = [_versioned(self._robot, one) for one in tests]
            moves = [control(one, load_tests.seen(conn, one), self._rules, now) for one in tests]
            for move in moves:
                load_tests.keep(conn, move.test)
                jobs.plan(conn, [_planned(move.test, number, at) for number, at in move.send])
            stopping = [one.test for one in moves if one.test.state is State.STOPPING]
            there = {one.id: load_tests.live(conn, one) for one in stopping}
            records.add(conn, [_unsent(self._robot, one, now) for mine in there.values() for one in mine if one.stage == jobs.PLANNED])  # fmt: skip
            if any(one.test.state is State.ENDED for one in moves):
                requests.ring(conn)  # who asked by mail gets the report
        self.busy = any(one.test.state is not State.ENDED for one in moves)
        return await self._cancel([one for mine in there.values() for one in mine], now)

    async def _cancel(self, there: Sequence[OnItsWay], now: datetime) -> list[tuple[str, str]]:
        """End what runs; it gets its record when its engine says that it has ended."""
        self._cancelled = {one.job: self._cancelled[one.job] for one in there if one.job in self._cancelled}
        troubles: list[tuple[str, str]] = []
        for engine, mine in _by_engine(there).items():
            due = [one for one in mine if self._cancelled.get(one.job, now - AGAIN) <= now - AGAIN]
            if engine not in self._robot.engines or not due:
                continue
            try:
                await self._robot.engines[engine].cancel([Handle(one.job, one.engine_job_id) for one in due])
                self._cancelled |= dict.fromkeys((one.job for one in due), now)
            except EngineError as error:
                troubles.append((engine, str(error)))
        return troubles


def _by_engine(there: Sequence[OnItsWay]) -> Mapping[str, list[OnItsWay]]:
    found: dict[str, list[OnItsWay]] = {}
    for one in there:
        if one.stage == jobs.SUBMITTED:
            found.setdefault(one.engine, []).append(one)
    return found


def _versioned(robot: Robot, test: LoadTest) -> LoadTest:
    """A test that was asked for by mail learns the version of its template when it begins."""
    recipe = robot.recipes.get(test.template)
    return test if test.version or recipe is None else replace(test, version=recipe.version)


def _planned(test: LoadTest, number: int, at: datetime) -> OnItsWay:
    lane = test.lane
    return OnItsWay(
        job=name(test.id, number),
        tag="",
        stage=jobs.PLANNED,
        experiment=lane.experiment,
        campaign_id=test.id,
        test_kind=TestKind.STRESS.value,
        template=test.template,
        template_version=test.version,
        site=lane.site,
        engine=lane.engine,
        queue=lane.queue,
        attempt=1,
        engine_job_id="",
        state=JobState.SUBMITTED.value,
        t_scheduled=at,
        t_submitted=None,
        t_started=None,
        silent_since=None,
    )


def _unsent(robot: Robot, job: OnItsWay, now: datetime) -> Record:
    """The record of a job that the engine never heard of, because its test stopped before."""
    words = "its load test was stopped before it was sent"
    return replace(lost(job, "local:cancelled", words, robot.lookup, now), state=JobState.CANCELLED)
