"""What every engine promises, whatever batch system is behind it."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from helpdesk.robots.engine import Batch, Engine, EngineError, Handle, JobSpec, Limits, Status
from helpdesk.robots.engines.arc import ArcEngine, Place
from helpdesk.robots.engines.arc_rest import Login
from helpdesk.robots.engines.command import VERBS, CommandEngine
from helpdesk.robots.engines.htcondor import HTCondorEngine
from helpdesk.robots.engines.local import LocalEngine
from helpdesk.robots.engines.process import Client
from helpdesk.robots.engines.slurm import SlurmEngine
from helpdesk.robots.record import FINAL, JobState
from tests.desk import PROJECT
from tests.servers import arex, condor, slurm

QUEUE = "DESY-HH"
LIMITS = Limits(wall_s=60, memory_bytes=500_000_000, disk_bytes=50_000_000, output_bytes=100_000)
T = TypeVar("T")
Make = Callable[[], Engine]
"""A new engine object over the same batch system: what a restarted daemon has."""


@pytest.fixture(scope="session")
def grid() -> Iterator[slurm.Slurm]:
    """A real Slurm with four sites."""
    if not slurm.AVAILABLE:
        if os.environ.get("CI") == "true":
            pytest.fail("Slurm is missing, and this is CI")
        pytest.skip("Slurm is not installed")
    with slurm.cluster() as running:
        yield running


@pytest.fixture
def schedd() -> Iterator[condor.Schedd]:
    """A schedd of ours: there is none to be had."""
    if not condor.AVAILABLE:
        pytest.skip("HTCondor has no wheel for this system")
    with condor.pool() as running:
        yield running


@pytest.fixture(scope="session")
def element() -> Iterator[arex.Arex]:
    """A computing element of ours; the real one takes a minute a job (test_arc_for_real.py)."""
    with arex.computing_element() as running:
        yield running


@pytest.fixture(params=["local", "command", "slurm", "htcondor", "arc"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Engines over one batch system with the queue DESY-HH and four slots or more."""
    jobs = tmp_path / "jobs"
    if request.param == "slurm":
        grid: slurm.Slurm = request.getfixturevalue("grid")
        return lambda: SlurmEngine(jobs, configuration=grid.configuration)
    if request.param == "arc":
        running: arex.Arex = request.getfixturevalue("element")
        login = Login(
            certificate=arex.credential(running, tmp_path), authorities=arex.trusted(running, tmp_path)
        )
        return lambda: ArcEngine(jobs, Place(QUEUE, running.url, arex.QUEUE), login)
    if request.param == "htcondor":
        ask = condor.asker(request.getfixturevalue("schedd"))
        return lambda: HTCondorEngine(jobs, {QUEUE: f'TARGET.HelpdeskSite == "{QUEUE}"'}, ask=ask)
    if request.param == "command":
        return lambda: CommandEngine(
            {verb: (sys.executable, "-m", "tests.servers.batch_command", str(jobs), verb) for verb in VERBS},
            Client({"PYTHONPATH": str(PROJECT)}),
        )
    return lambda: LocalEngine(jobs, {QUEUE: 4})


@pytest.fixture
def b1() -> str:
    """The tag of a batch: never used before."""
    return f"t{uuid4().hex[:12]}"


def do(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def job(name: str, script: str, limits: Limits = LIMITS) -> JobSpec:
    return JobSpec(name, ("/bin/sh", "-c", script), limits, (("GREETING", "hello"),))


def batch(tag: str, *jobs: JobSpec, queue: str = QUEUE) -> Batch:
    return Batch(tag, queue, jobs)


def finished(engine: Engine, handles: Sequence[Handle], seconds: float = 120) -> dict[str, Status]:
    """Poll until every job has ended."""

    async def wait() -> dict[str, Status]:
        deadline = time.monotonic() + seconds
        while True:
            told = {one.handle.job: one for one in await engine.poll(handles)}
            if all(one.state in FINAL for one in told.values()):
                return told
            assert time.monotonic() < deadline, told
            await asyncio.sleep(0.1)

    return do(wait())


def test_success_and_failure(make: Make, b1: str, tmp_path: Path) -> None:
    """A job that ends with 0 succeeded, another failed; results, logs and exit codes come back, times are in order."""
    engine = make()
    good = job("good", 'echo "$GREETING from $HELPDESK_JOB"; echo "{}" > result.json')
    handles = do(engine.submit(batch(b1, good, job("bad", "echo oh no; exit 31"))))
    assert [one.job for one in handles] == ["bad", "good"] or [one.job for one in handles] == ["good", "bad"]
    told = finished(engine, handles)
    assert (told["good"].state, told["bad"].state) == (JobState.SUCCESS, JobState.FAILED)
    assert told["good"].node
    ended = {one.handle.job: one for one in do(engine.fetch(handles, tmp_path))}
    assert (ended["good"].exit_code, ended["bad"].exit_code) == (0, 31)
    assert ended["good"].result.strip() == b"{}"
    assert "hello from good" in ended["good"].log_tail
    assert "oh no" in ended["bad"].log_tail
    for one in told.values():
        assert one.submitted is not None
        assert one.started is not None
        assert one.ended is not None
        assert one.submitted.timestamp() - 2 <= one.started.timestamp() <= one.ended.timestamp() + 2


def test_a_tag_is_submitted_once(make: Make, b1: str, tmp_path: Path) -> None:
    """The same batch, submitted again by an engine that remembers nothing, runs once."""
    once = job("once", f"echo ran >> {tmp_path}/ran")
    first = do(make().submit(batch(b1, once)))
    engine = make()
    second = do(engine.submit(batch(b1, once)))
    assert [one.engine_job_id for one in first] == [one.engine_job_id for one in second]
    finished(engine, second)
    assert (tmp_path / "ran").read_text() == "ran\n"


def test_found_again(make: Make, b1: str) -> None:
    """After a restart every job of a batch is found, running, waiting and finished, and those of no other."""
    engine = make()
    handles = do(engine.submit(batch(b1, job("quick", "exit 0"), job("slow", "sleep 2"))))
    do(engine.submit(batch(f"{b1}-2", job("other", "exit 0"))))
    finished(engine, [one for one in handles if one.job == "quick"])
    again = make()
    found = do(again.reconcile([b1, "b9"]))
    assert sorted((tag, one.job) for tag, one in found) == [(b1, "quick"), (b1, "slow")]
    assert {one.engine_job_id for _, one in found} == {one.engine_job_id for one in handles}
    assert {one.state for one in finished(again, handles).values()} == {JobState.SUCCESS}


def test_more_than_there_is_room_for(make: Make, b1: str) -> None:
    """Jobs wait for room, and all get it."""
    handles = do((engine := make()).submit(batch(b1, *(job(f"j{n:02}", "sleep 0.05") for n in range(12)))))
    assert len(handles) == 12
    assert {one.state for one in finished(engine, handles).values()} == {JobState.SUCCESS}


@pytest.mark.parametrize("nap", [0, 0.5, 2])
def test_cancel(make: Make, b1: str, nap: float) -> None:
    """A job that is cancelled ends, whether it runs, waits or just begins, and is no success; the others go on."""
    engine = make()
    handles = do(engine.submit(batch(b1, job("long", "sleep 100"), job("short", "sleep 0.5"))))
    do(asyncio.sleep(nap))
    do(engine.cancel([one for one in handles if one.job == "long"]))
    told = finished(engine, handles)
    assert told["short"].state is JobState.SUCCESS
    assert told["long"].state in {JobState.CANCELLED, JobState.FAILED}


def test_cancel_everything(make: Make, b1: str) -> None:
    """A batch that is cancelled before it began has ended, every job of it."""
    engine = make()
    handles = do(engine.submit(batch(b1, *(job(f"j{number}", "sleep 100") for number in range(40)))))
    do(engine.cancel(handles))
    told = finished(engine, handles)
    assert {one.state for one in told.values()} <= {JobState.CANCELLED, JobState.FAILED}


def test_unknown_job(make: Make) -> None:
    """Of a job that the engine never saw it says that it knows nothing."""
    nobody = Handle("nobody", "b7/nobody")
    assert [one.state for one in do(make().poll([nobody]))] == [None]


def test_unknown_queue(make: Make, b1: str) -> None:
    """A queue that is not there is an error that asking again does not mend."""
    with pytest.raises(EngineError) as caught:
        do(make().submit(batch(b1, job("j", "exit 0"), queue="NOWHERE")))
    assert not caught.value.passing


def test_describe(make: Make) -> None:
    """An engine names its queues."""
    assert QUEUE in do(make().describe()).queues


LIMITED = {
    "wall": (Limits(1, 500_000_000, 50_000_000), "sleep 60", JobState.TIMEOUT),
    "memory": (
        Limits(60, 100_000_000, 50_000_000),
        "exec python3 -c 'x = bytearray(400_000_000); import time; time.sleep(60)'",
        JobState.FAILED,
    ),
    "disk": (
        Limits(60, 500_000_000, 5_000_000, 10_000),
        "head -c 20000000 /dev/urandom > big; sleep 60",
        JobState.FAILED,
    ),
    "output": (Limits(60, 500_000_000, 50_000_000, 10_000), "yes; sleep 60", JobState.FAILED),
}


@pytest.mark.parametrize("limit", LIMITED)
def test_limits(make: Make, b1: str, tmp_path: Path, limit: str) -> None:
    """A job that takes more than it may is ended, and the limit is named."""
    limits, script, state = LIMITED[limit]
    engine = make()
    handles = do(engine.submit(batch(b1, job("greedy", script, limits))))
    assert finished(engine, handles)["greedy"].state is state
    ended = do(engine.fetch(handles, tmp_path))[0]
    assert ended.killed_for == limit
    assert len(ended.log_tail) < 20_000


def test_children_that_detach(make: Make, b1: str, tmp_path: Path) -> None:
    """What a job leaves running is ended with it, even if it has detached itself."""
    engine = make()
    script = f"setsid sh -c 'sleep 3; echo alive > {tmp_path}/alive' & exit 0"
    handles = do(engine.submit(batch(b1, job("forks", script))))
    assert finished(engine, handles)["forks"].state is JobState.SUCCESS
    time.sleep(3.5)
    assert not (tmp_path / "alive").exists()


def test_no_secrets_in_the_environment(
    make: Make, b1: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job does not see the environment of the daemon."""
    monkeypatch.setenv("HELPDESK_PASSWORD", "hunter2")
    engine = make()
    handles = do(engine.submit(batch(b1, job("curious", "env"))))
    finished(engine, handles)
    assert "hunter2" not in do(engine.fetch(handles, tmp_path))[0].log_tail


def test_a_python_that_needs_its_libraries_path(
    request: pytest.FixtureRequest, make: Make, b1: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where jobs run with our own interpreter they learn where it finds its libraries: one of environment modules does not start otherwise."""
    if "arc" in request.node.name or "command" in request.node.name:
        pytest.skip("its jobs do not run with our interpreter")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/python/lib")
    engine = make()
    handles = do(engine.submit(batch(b1, job("linked", "env"))))
    finished(engine, handles)
    assert "LD_LIBRARY_PATH=/opt/python/lib" in do(engine.fetch(handles, tmp_path))[0].log_tail
