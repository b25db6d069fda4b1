"""Every job that is intended gets one record, whatever engines, payloads and power cuts do."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from helpdesk.errors import UsageError
from helpdesk.robots.engine import Batch, EngineError, EngineInfo, Fetched, Handle, JobSpec, Status
from helpdesk.robots.engines import folders
from helpdesk.robots.engines.local import LocalEngine
from helpdesk.robots.record import Blame, JobState, Phase
from helpdesk.robots.robot import Turned
from helpdesk.robots.serving import OVERDUE, SILENT
from helpdesk.robots.turn import SLOW, Turns
from tests.desk import PROJECT
from tests.robots import LANE, SCRIPTS, T0, Floor, intents, recipe


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    made = Floor(tmp_path)
    yield made
    made.close()


OUTCOMES = {
    "good": (JobState.SUCCESS, "", None),
    "wrong": (JobState.FAILED, "payload:31", Phase.PAYLOAD),
    "silent": (JobState.FAILED, "local:no_result", Phase.REPORT),
    "garbage": (JobState.FAILED, "local:bad_result", Phase.REPORT),
    "crash": (JobState.FAILED, "signal:11", Phase.PAYLOAD),
    "lies": (JobState.SUCCESS, "", None),
}


@pytest.mark.parametrize("template", OUTCOMES)
def test_outcome(floor: Floor, template: str) -> None:
    """However a payload ends, its record says the right thing, and what it claims is believed only where it can be true."""
    floor.turn(*intents(template, 1))
    floor.until_done()
    [record] = floor.records().values()
    state, native, phase = OUTCOMES[template]
    assert (record.state, record.native_code, record.phase) == (state, native, phase)
    assert (record.site, record.campaign_id, record.t_scheduled, record.dataset) == (
        "DESY-HH",
        "manual",
        T0,
        "zmumu",
    )
    assert record.events_processed == (5 if template == "good" else None)
    assert record.wall_s is None
    assert (record.blame is None) == (state is JobState.SUCCESS)
    if template == "wrong":
        assert record.native_text == "the histogram is another"
        assert record.raw["exit_code"] == 31


def test_planned_once(floor: Floor) -> None:
    """The same intention, planned again while its job runs and after it has ended, is one job."""
    for _ in range(3):
        floor.turn(*intents("good", 2))
    floor.until_done()
    floor.turn(*intents("good", 2))
    assert (len(floor.ran()), len(floor.records()), floor.live()) == (2, 2, 0)


def test_full_queue(floor: Floor) -> None:
    """A lane takes no more than it may have on its way; the rest is told."""
    floor.robot = replace(floor.robot, most=3)
    turned = floor.turn(*intents("slow", 5))
    assert (len(turned.submitted), len(turned.kept)) == (3, 2)
    floor.until_done()


class Faulty(LocalEngine):
    """The engine `local` on a bad day: what is in `broken` fails, before or after it was done."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "jobs", {"desy": 8})
        self.broken: dict[str, tuple[bool, bool]] = {}  # method -> (passing, after it was done)
        self.forgets = False
        self.stands = False  # a queue from which nothing comes
        self.odd = ""  # the method that raises what no engine may raise
        self.cancelled: list[Handle] = []

    def _fail(self, method: str, *, done: bool) -> None:
        if method == self.odd:
            raise OverflowError("date value out of range")
        if method in self.broken and self.broken[method][1] == done:
            raise EngineError(f"{method} failed", passing=self.broken[method][0])

    async def describe(self) -> EngineInfo:
        self._fail("describe", done=False)
        return await super().describe()

    async def submit(self, batch: Batch) -> Sequence[Handle]:
        self._fail("submit", done=False)
        told = await super().submit(batch)
        self._fail("submit", done=True)
        return told

    async def poll(self, handles: Collection[Handle]) -> Sequence[Status]:
        self._fail("poll", done=False)
        if self.stands:
            return [Status(one, JobState.SUBMITTED) for one in handles]
        return [Status(one, None) for one in handles] if self.forgets else await super().poll(handles)

    async def cancel(self, handles: Collection[Handle]) -> None:
        self.cancelled += handles
        await super().cancel(handles)

    async def fetch(self, handles: Collection[Handle], into: Path) -> Sequence[Fetched]:
        self._fail("fetch", done=False)
        return await super().fetch(handles, into)


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[tuple[Floor, Faulty]]:
    engine = Faulty(tmp_path)
    made = Floor(tmp_path, engine)
    yield made, engine
    made.close()


@pytest.mark.parametrize(
    ("method", "passing", "after"),
    [("describe", True, False), ("submit", False, False), ("poll", True, False), ("fetch", True, False)],
)
def test_engine_down(faulty: tuple[Floor, Faulty], method: str, passing: bool, after: bool) -> None:
    """An engine that is down for a while is told, costs nothing, and gets its jobs when it is back."""
    floor, engine = faulty
    engine.broken[method] = (passing, after)
    troubles = floor.turn(*intents("good", 2)).troubles
    time.sleep(0.7)
    troubles += floor.turn().troubles
    assert ("local", f"{method} failed") in troubles
    engine.broken.clear()
    floor.until_done()
    assert Counter(one.state for one in floor.records().values()) == {JobState.SUCCESS: 2}
    assert len(floor.ran()) == 2


def test_a_queue_that_is_refused(faulty: tuple[Floor, Faulty]) -> None:
    """A queue that its engine does not have costs the sites behind the other queues of that engine nothing."""
    floor, _engine = faulty
    odd = replace(LANE, site="AAA", queue="aaa")
    refused = [replace(one, lane=odd, job=f"odd-{one.job}") for one in intents("good", 1)]
    assert [name for name, _ in floor.turn(*refused, *intents("good", 2)).troubles] == ["local"]
    for _ in range(100):
        if len(floor.records()) == 2:
            break
        time.sleep(0.1)
        floor.turn()
    assert (len(floor.ran()), len(floor.records()), floor.live()) == (2, 2, 1)


def test_a_refused_batch_leaves_nothing(tmp_path: Path) -> None:
    """What an engine wrote down before it was refused goes, however often it is refused."""

    class Refused(LocalEngine):
        async def submit(self, batch: Batch) -> Sequence[Handle]:
            folders.write_batch(tmp_path / "jobs", batch)
            raise EngineError("no such partition", passing=False)

    floor = Floor(tmp_path, Refused(tmp_path / "jobs", {"desy": 8}))
    for _ in range(3):
        assert floor.turn(*intents("good", 1)).troubles == [("local", "no such partition")]
    assert (folders.batches(tmp_path / "jobs"), floor.live()) == ([], 1)
    floor.close()


@pytest.mark.parametrize("method", ["describe", "submit", "poll", "fetch"])
def test_an_engine_that_breaks(faulty: tuple[Floor, Faulty], method: str) -> None:
    """What nobody thought of, in the answer of one engine, is told by its place and costs no other engine a turn."""
    floor, engine = faulty
    floor.robot = replace(floor.robot, engines={**floor.robot.engines, "other": LocalEngine(floor.folder / "other", {"desy": 8})})  # fmt: skip
    engine.odd = method
    other = [
        replace(one, lane=replace(LANE, engine="other"), job=f"o-{one.job}") for one in intents("good", 2)
    ]
    told = floor.turn(*intents("good", 1), *other).troubles
    while not told or Counter(one.engine for one in floor.records().values())["other"] < 2:
        told += floor.turn().troubles
    assert {name for name, _ in told} == {"local"}
    assert all(words.startswith("OverflowError in test_robots_turn.py") for _, words in told)
    engine.odd = ""
    floor.until_done()
    assert len(floor.records()) == 3


def test_answer_of_a_submission_lost(faulty: tuple[Floor, Faulty]) -> None:
    """A batch that was accepted although its submission failed is found, not submitted again."""
    floor, engine = faulty
    engine.broken["submit"] = (True, True)
    assert floor.turn(*intents("good", 3)).submitted == []
    engine.broken.clear()
    floor.until_done()
    assert {one.state for one in floor.records().values()} == {JobState.SUCCESS}
    assert len(floor.ran()) == 3


def test_batch_that_never_arrived(faulty: tuple[Floor, Faulty]) -> None:
    """A batch of which the engine has nothing is lost, not tried again, and nobody's fault but ours."""
    floor, engine = faulty
    engine.broken["submit"] = (True, False)
    floor.turn(*intents("good", 1))
    engine.broken.clear()
    [record] = floor.turn().records
    assert (record.state, record.phase, record.blame) == (JobState.LOST, Phase.SUBMIT, Blame.ROBOT)
    assert floor.ran() == []


def test_engine_that_forgets(faulty: tuple[Floor, Faulty]) -> None:
    """Jobs of which the engine knows nothing are lost after an hour, not before."""
    floor, engine = faulty
    floor.turn(*intents("good", 1))
    engine.forgets = True
    floor.turn(now=T0 + timedelta(minutes=1))
    assert floor.turn(now=T0 + SILENT).records == []
    [record] = floor.turn(now=T0 + SILENT + timedelta(minutes=1)).records
    assert (record.state, record.native_code) == (JobState.LOST, "local:unknown_job")


def test_engine_that_is_silent_for_days(faulty: tuple[Floor, Faulty]) -> None:
    """A job that should have ended long ago is lost, even if its engine cannot be asked."""
    floor, engine = faulty
    floor.turn(*intents("good", 1))
    engine.broken["poll"] = (True, False)
    assert floor.turn(now=T0 + OVERDUE).records == []
    [record] = floor.turn(now=T0 + OVERDUE + timedelta(minutes=2)).records
    assert record.native_code == "local:engine_silent"


def test_runner_killed(floor: Floor) -> None:
    """A job whose runner is killed is lost with its node, at once."""
    floor.turn(*intents("slow", 1))
    [pid_file] = _wait_for(floor, "runner.pid")
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
    floor.until_done()
    [record] = floor.records().values()
    assert (record.state, record.native_code) == (JobState.LOST, "local:runner_died")


def _wait_for(floor: Floor, name: str) -> list[Path]:
    deadline = time.monotonic() + 20
    while not (found := list(floor.folder.glob(f"jobs/*/*/{name}"))):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def killed_and_restarted(folder: Path, number: int, seed: int) -> Floor:
    """A robot process that is killed again and again while its jobs run: each time when some more of them have run."""
    chance = random.Random(seed)  # noqa: S311 - moments of kills, no secret
    moments = sorted(chance.sample(range(1, number * 3 // 4), 6))
    command = [sys.executable, "-m", "tests.robots", str(folder), str(number)]
    for moment in [0, *moments]:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, start_new_session=True)
        until = time.monotonic() + 120
        while len(_ran(folder)) < moment:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        process.wait()
    subprocess.run(command, cwd=PROJECT, stdout=subprocess.DEVNULL, check=True, timeout=900)
    return Floor(folder)


def _ran(folder: Path) -> list[str]:
    trace = folder / "ran"
    return trace.read_text().split() if trace.exists() else []


def check_all_done_once(floor: Floor, number: int) -> None:
    states = Counter(one.state for one in floor.records().values())
    assert (
        sum(states.values())
        == number
        == len({one.job for one in intents("slow", number)} & set(floor.records()))
    )
    assert max(Counter(floor.ran()).values()) == 1
    assert floor.live() == 0
    assert states[JobState.SUCCESS] + states[JobState.LOST] == number
    lost = [one for one in floor.records().values() if one.state is JobState.LOST]
    assert all(one.native_code == "local:never_submitted" for one in lost), lost
    assert not set(floor.ran()) & {one.job for one in lost}


def test_kill_9(tmp_path: Path) -> None:
    """After kill -9 of the daemon in the middle of running jobs each is found again: none runs twice, none is forgotten."""
    floor = killed_and_restarted(tmp_path, 120, seed=1)
    check_all_done_once(floor, 120)
    floor.close()


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_kill_9_among_a_thousand(tmp_path: Path) -> None:
    """The same with 1,000 jobs."""
    floor = killed_and_restarted(tmp_path, 1000, seed=2)
    check_all_done_once(floor, 1000)
    floor.close()


def test_another_lane_waits_for_nobody(floor: Floor) -> None:
    """A job for an engine that is not there is told, and the others are served."""
    elsewhere = [
        replace(one, job=f"{one.job}x", lane=replace(LANE, engine="slurm")) for one in intents("good", 1)
    ]
    floor.turn(*elsewhere, *intents("good", 1))
    time.sleep(0.5)
    floor.turn()
    assert [one.site for one in floor.records().values()] == ["DESY-HH"]


class Deaf(Faulty):
    """Asked what it is, it says nothing until somebody wakes it, and may be out of order then."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.awake, self.asked = asyncio.Event(), 0

    async def describe(self) -> EngineInfo:
        self.asked += 1
        await self.awake.wait()
        return await super().describe()


def test_a_dead_engine_keeps_nobody_waiting(tmp_path: Path) -> None:
    """While one engine does not answer the jobs of the others run to their end; it is asked once, told of, and served when it is back."""

    async def play(floor: Floor, deaf: Deaf) -> None:
        turns, long = Turns(floor.robot, patience=0.1), T0 + 2 * SLOW
        deaf.broken["describe"] = (True, False)
        waiting = [
            replace(one, lane=replace(LANE, engine="deaf"), job=f"d-{one.job}") for one in intents("good", 2)
        ]
        assert (await turns.turn([*waiting, *intents("good", 2)], T0)).troubles == []
        turned = Turned()
        while not floor.records():
            turned = await turns.turn((), long)
        assert ([name for name, _ in turned.troubles], deaf.asked) == (["deaf"], 1)
        assert "12:00 UTC, and has not answered" in turned.troubles[0][1]
        deaf.awake.set()
        turned = await turns.turn((), long)
        while deaf.asked == 1:
            turned = await turns.turn((), long)
        assert turned.troubles == [("deaf", "describe failed")]
        deaf.awake.clear()
        await turns.turn((), long)
        assert (await turns.turn((), long + SLOW)).troubles == [
            ("deaf", "describe failed")
        ]  # it has been since then
        deaf.broken.clear()
        deaf.awake.set()
        while floor.live():
            turned = await turns.turn((), long)
        assert turned.troubles == []

    floor = Floor(tmp_path)
    deaf = Deaf(tmp_path / "deaf")
    floor.robot = replace(floor.robot, engines={**floor.robot.engines, "deaf": deaf})
    asyncio.run(play(floor, deaf))
    assert {one.state for one in floor.records().values()} == {JobState.SUCCESS}
    assert len(floor.records()) == 4
    floor.close()


def test_a_job_that_cannot_be_described(floor: Floor) -> None:
    """A template whose data set is gone is told in words; its jobs wait, and those of the other templates go."""

    def gone(_job: str) -> JobSpec:
        raise UsageError("no data set has a weight above 0")

    floor.robot = replace(floor.robot, recipes={**floor.robot.recipes, "odd": replace(recipe(""), spec=gone)})
    turned = floor.turn(*intents("odd", 2), *intents("good", 2))
    assert turned.troubles == [("local", "no data set has a weight above 0")]
    floor.robot = replace(floor.robot, recipes={**floor.robot.recipes, "odd": recipe(SCRIPTS["good"])})
    floor.until_done()
    assert Counter(one.state for one in floor.records().values()) == {JobState.SUCCESS: 4}


def test_what_is_overdue_is_cancelled(faulty: tuple[Floor, Faulty]) -> None:
    """A job that nobody waits for any more is taken back at its engine: otherwise a site whose queue stands still would collect them."""
    floor, engine = faulty
    [sent] = floor.turn(*intents("good", 1)).submitted
    engine.stands = True
    [record] = floor.turn(now=T0 + OVERDUE + timedelta(minutes=2)).records
    assert (record.native_code, engine.cancelled) == ("local:overdue", [Handle(sent.job, sent.engine_job_id)])


def test_a_job_without_a_home(floor: Floor) -> None:
    """What was planned for a template, or an engine, that left the configuration has a record after a day, and its place is free."""
    elsewhere = [
        replace(one, job=f"{one.job}x", lane=replace(LANE, engine="slurm")) for one in intents("good", 1)
    ]
    engines = floor.robot.engines
    floor.robot = replace(floor.robot, engines={})
    floor.turn(*elsewhere, *intents("good", 1))
    floor.robot = replace(floor.robot, recipes={"wrong": floor.robot.recipes["wrong"]}, engines=engines)
    assert floor.turn(now=T0 + OVERDUE).records == []
    late = floor.turn(now=T0 + OVERDUE + timedelta(minutes=1)).records
    assert [(one.state, one.native_code) for one in late] == [(JobState.LOST, "local:never_submitted")] * 2
    assert floor.live() == 0
