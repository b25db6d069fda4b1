"""The engine slurm beyond the contract: what a real Slurm says, or says no more, of jobs that never began."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from helpdesk.robots.engine import Handle
from helpdesk.robots.engines import folders, notes
from helpdesk.robots.engines.slurm import SlurmEngine
from helpdesk.robots.record import JobState
from tests.contract.test_engine import QUEUE, batch, do, job
from tests.servers import slurm
from tests.servers.daemon import eventually

pytestmark = pytest.mark.skipif(
    not slurm.AVAILABLE and os.environ.get("CI") != "true", reason="Slurm is not installed"
)


def sent(engine: SlurmEngine, count: int) -> tuple[str, Sequence[Handle]]:
    """An array of jobs that take long, and its number."""
    handles = do(engine.submit(batch("t1", *(job(f"j{number:02}", "sleep 100") for number in range(count)))))
    return handles[0].engine_job_id.partition(":")[2].partition("_")[0], handles


def waiting(grid: slurm.Slurm, array: str) -> int:
    """How many tasks of an array have not begun, where others have."""
    states = Counter(grid.ask("squeue", "-h", "-r", "-j", array, "-o", "%T").split())
    return states["PENDING"] if states["RUNNING"] else 0


def test_a_task_that_failed_before_its_runner_began(tmp_path: Path) -> None:
    """A task whose node could not even start its runner is no cancelled one when Slurm has forgotten it: nothing is known of it."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "$SLURM_ARRAY_TASK_ID" = 0 ] && exit 127\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    with slurm.cluster((QUEUE,), remembers=2) as grid:
        engine = SlurmEngine(tmp_path / "jobs", configuration=grid.configuration, python=str(python))
        array, handles = sent(engine, slurm.CPUS + 4)
        eventually(lambda: waiting(grid, array) and "0" not in grid.ask("squeue", "-h", "-r", "-t", "all", "-o", "%K").split(), "it is forgotten", 120)  # fmt: skip
        told = {one.handle.job: one.state for one in do(engine.poll(handles))}
        assert told.pop("j00") is None
        assert set(told.values()) == {JobState.SUBMITTED, JobState.RUNNING}
        do(engine.cancel([one for one in handles if one.job == "j11"]))
        assert {one.handle.job: one.state for one in do(engine.poll(handles))}["j11"] is JobState.CANCELLED


def test_tasks_that_somebody_cancels(tmp_path: Path) -> None:
    """Where the people of a site cancel all that waits, that is what is told of it at once."""
    with slurm.cluster((QUEUE,)) as grid:
        engine = SlurmEngine(tmp_path / "jobs", configuration=grid.configuration)
        array, handles = sent(engine, slurm.CPUS + 4)
        eventually(lambda: waiting(grid, array) == 4, "some wait")
        eventually(lambda: all((tmp_path / "jobs" / "t1" / f"j{n:02}" / "runner.pid").exists() for n in range(slurm.CPUS)), "the others run", 60)  # fmt: skip
        grid.ask("scancel", "--state=PENDING", array)
        told = {one.handle.job: one.state for one in do(engine.poll(handles))}
        assert [told[f"j{n:02}"] for n in range(slurm.CPUS, slurm.CPUS + 4)] == [JobState.CANCELLED] * 4
        do(engine.cancel(handles))


def test_an_array_that_slurm_has_forgotten(tmp_path: Path) -> None:
    """Of a batch whose answer was lost, and which Slurm has forgotten since, what ran is there: it says so itself."""
    with slurm.cluster((QUEUE,)) as grid:
        engine = SlurmEngine(tmp_path, configuration=grid.configuration)
        notes.prepare(tmp_path)
        folders.write_batch(tmp_path, batch("t1", job("ran", "exit 0"), job("waits", "exit 0")))
        assert do(engine.reconcile(["t1"])) == []
        command = [sys.executable, str(tmp_path / "payload.pyz"), "run", str(tmp_path / "t1"), "0"]
        subprocess.run(command, check=True)
        found = [one for _, one in do(engine.reconcile(["t1"]))]
        told = {one.handle.job: one.state for one in do(engine.poll(found))}
        assert told == {"ran": JobState.SUCCESS, "waits": None}


def test_a_number_that_was_given_again(tmp_path: Path) -> None:
    """A controller that lost its state gives another array the number of ours: what that does is no news of our jobs, and no cancelling of ours ends it."""
    with slurm.cluster((QUEUE,)) as grid:
        engine = SlurmEngine(tmp_path / "jobs", configuration=grid.configuration)
        array, handles = sent(engine, 2)
        eventually(lambda: waiting(grid, array) == 0 and "RUNNING" in grid.ask("squeue", "-h", "-r", "-j", array, "-o", "%T"), "they run", 60)  # fmt: skip
        old = [Handle(f"o{number}", f"t0:{array}_{number}") for number in range(2)]
        assert [one.state for one in do(engine.poll(old))] == [None, None]
        do(engine.cancel(old))
        assert [one.state for one in do(engine.poll(handles))] == [JobState.RUNNING] * 2
        do(engine.cancel(handles))
        eventually(lambda: {one.state for one in do(engine.poll(handles))} == {JobState.CANCELLED}, "they are cancelled", 60)  # fmt: skip
