"""The engine `local` on a machine that has no /proc, as other systems than Linux: a mount namespace hides it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.desk import environment

PROGRAM = """
import asyncio, sys
from pathlib import Path
from helpdesk.robots.engine import Batch, JobSpec, Limits
from helpdesk.robots.engines.local import LocalEngine
from helpdesk.robots.record import FINAL

async def main():
    assert not Path("/proc/self").exists()
    engine = LocalEngine(Path(sys.argv[1]), {"desy": 1})
    jobs = [JobSpec(name, ("/bin/sh", "-c", script), Limits(60, 10**9, 10**9)) for name, script in
            (("slow", "sleep 0.7"), ("bad", "exit 31"), ("endless", "exec sleep 300"))]
    handles = await engine.submit(Batch("t1", "desy", tuple(jobs)))
    seen, told = [], await engine.poll(handles[:2])
    while not all(one.state in FINAL for one in told):
        await asyncio.sleep(0.02)
        told = await engine.poll(handles[:2])
        seen += [one.state.value for one in told]
    while (await engine.poll(handles[2:]))[0].state.value != "running":
        await asyncio.sleep(0.02)
    print("running" in seen, "lost" in seen, *(one.state.value for one in told), await engine.end(20))

asyncio.run(main())
"""


def test_a_job_that_runs_is_not_lost(tmp_path: Path) -> None:
    """A job is seen running and ends as it does, another is ended with all that there is: none counts as lost."""
    hide = 'mount -t tmpfs none /proc && exec "$@"'
    command = ["unshare", "-rm", "sh", "-c", hide, "sh", sys.executable, "-c", PROGRAM, str(tmp_path)]
    if shutil.which("unshare") is None or subprocess.run([*command[:3], "-c", "mount -t tmpfs none /proc"], check=False, capture_output=True).returncode:  # fmt: skip
        pytest.skip("this machine lets nobody hide /proc")
    told = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False, timeout=60)
    assert (told.stdout, told.stderr) == ("True False success failed True\n", "")
