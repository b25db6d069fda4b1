"""Client programs of batch systems: which of their errors leave open what was taken."""

import asyncio

import pytest

from helpdesk.robots.engine import EngineError
from helpdesk.robots.engines.process import Client
from helpdesk.robots.engines.slurm import PASSING

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
