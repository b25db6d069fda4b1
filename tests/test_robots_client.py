"""Client programs of batch systems: which of their errors leave open what was taken."""

import asyncio
import json

import pytest

from helpdesk.robots.engine import Batch, EngineError, Handle, JobSpec, Limits
from helpdesk.robots.engines.command import VERBS, CommandEngine
from helpdesk.robots.engines.process import Client
from helpdesk.robots.engines.slurm import PASSING
from helpdesk.robots.record import JobState

UNCERTAIN = (
    "sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received",
    "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
    "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
    "sbatch: error: Batch job submission failed: Unexpected message received",
    "sbatch: error: slurm_receive_msg: Connection reset by peer",
)
REFUSED = (
    "sbatch: error: invalid partition specified: nowhere",
    "sbatch: error: Batch job submission failed: Access/permission denied",
)


def error_of(script: str) -> EngineError:
    """What a client that runs this script is told."""
    with pytest.raises(EngineError) as caught:
        asyncio.run(Client({}, PASSING).ask(["sh", "-c", script]))
    return caught.value


def test_a_client_that_is_killed() -> None:
    """It may have handed its batch over: the batch is looked for, and not planned again."""
    assert error_of("kill -9 $$").passing


@pytest.mark.parametrize("said", UNCERTAIN)
def test_a_connection_that_broke(said: str) -> None:
    """The controller may have taken the batch all the same."""
    assert error_of(f"echo '{said}' >&2; exit 1").passing


@pytest.mark.parametrize("said", REFUSED)
def test_a_refusal(said: str) -> None:
    """What was refused was not taken."""
    assert not error_of(f"echo '{said}' >&2; exit 1").passing


GARBAGE = (
    {"id": "1", "job": "a", "tag": ["t1"], "state": ["running"], "phase": {}},
    {"id": "\ud800", "job": "a", "tag": "t1", "state": "success"},
    {"id": "x\0y", "job": "a", "tag": "t1"},
    {"id": ["1"], "job": "a", "tag": "t1"},
    {"id": "x" * 501, "job": "a", "tag": "t1"},
    {"id": "", "job": "a", "tag": "t1"},
    {"job": "a", "tag": {}, "queues": 7},
)


@pytest.mark.parametrize("line", GARBAGE, ids=repr)
def test_garbage_of_a_command(line: dict[str, object]) -> None:
    """What a program says of one job and makes no sense concerns that job alone; an id that no database takes is none."""
    good = {"id": "2", "job": "b", "tag": "t1", "state": "running"}
    said = "\n".join(map(json.dumps, (line, good)))
    engine = CommandEngine(dict.fromkeys(VERBS, ("printf", "%s", said)))
    one, two = Handle("a", "1"), Handle("b", "2")
    assert [x.state for x in asyncio.run(engine.poll([one, two]))] == [None, JobState.RUNNING]
    assert ("t1", two) in asyncio.run(engine.reconcile({"t1"}))
    assert all(
        len(x.engine_job_id) < 500 and x.engine_job_id.isprintable()
        for _, x in asyncio.run(engine.reconcile({"t1"}))
    )
    specs = tuple(JobSpec(name, ("x",), Limits(1, 1, 1)) for name in "ab")
    assert two in asyncio.run(engine.submit(Batch("t1", "q", specs)))
    assert asyncio.run(engine.describe()).queues == ()
