"""What squeue says, and what it may say when it is another program, or of another day."""

from pathlib import Path

import pytest

from helpdesk.robots.engine import Handle
from helpdesk.robots.engines.slurm import SlurmEngine
from helpdesk.robots.record import JobState
from tests.contract.test_engine import do

ONE = Handle("a", "t1:17_0")
ROW = "17|0|{}|wn-1|1780000000|1780000100|1780000200|t1|None"
SAID = {
    "": None,
    ROW.format("FAILED").replace("t1", "theirs"): None,  # the same number, of another array
    ROW.format("RUNNING"): JobState.RUNNING,
    ROW.format("OUT_OF_MEMORY"): JobState.FAILED,
    ROW.format("NODE_FAIL"): JobState.LOST,
    ROW.format("RESIZING"): None,
    ROW.format("REQUEUE_HOLD"): None,
    ROW.format("\x1b[31mCOMPLETED"): None,
    "slurm_load_jobs error": None,
    "\x00\xff|||||||": None,
    ROW.format("COMPLETED").replace("1780000200", "99999999999999"): JobState.SUCCESS,
}


@pytest.mark.parametrize("said", SAID, ids=repr)
def test_what_squeue_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """A job has ended when Slurm names an end that is known; of any other word nothing follows, however well the program ends."""
    (tmp_path / "said").write_text(said)
    program = tmp_path / "squeue"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/said\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    [told] = do(SlurmEngine(tmp_path / "jobs").poll([ONE]))
    assert told.state is SAID[said]
    assert told.native_code.isprintable()
