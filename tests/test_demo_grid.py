"""The grid of the demo: real jobs at four sites that break in different ways, and nothing of it stays."""

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from helpdesk.demo.grid import BROKEN, DATA, HUNGRY, Grid
from helpdesk.robots import datasets
from helpdesk.robots.engine import Batch, Handle, JobSpec, Limits
from helpdesk.robots.payloads import argv, pack
from helpdesk.robots.record import FINAL, JobState

NOW = datetime(2009, 6, 20, 6, 0, tzinfo=UTC)
LIMITS = Limits(60, 500_000_000, 50_000_000)


@pytest.fixture
def grid(tmp_path: Path) -> Iterator[Grid]:
    made = Grid(tmp_path / "grid", tmp_path / "storage", lambda: NOW)
    made.build()
    yield made
    made.close()


def codes(grid: Grid, folder: Path, queue: str, count: int = 1, tag: str = "t1") -> Mapping[str, int | None]:
    """Run jobs at a site: the exit code of each, by job, in their order."""
    payload, data = pack(folder / "payload.pyz"), folder / "storage" / DATA
    expect = {"events": 1000, "checksum": datasets.read_manifest(data).answers["pairs"]}
    words = argv(payload, "pairs", [str(data)], "copy", expect)
    specs = tuple(JobSpec(f"{tag}j{n}", words, LIMITS) for n in range(count))
    handles = asyncio.run(grid.submit(Batch(tag, queue, specs)))
    _ended(grid, handles)
    fetched = asyncio.run(grid.fetch(handles, folder))
    return {one.handle.job: one.exit_code for one in fetched}


def _ended(grid: Grid, handles: object) -> None:
    end = time.monotonic() + 60
    while any(one.state not in FINAL for one in asyncio.run(grid.poll(handles))):  # type: ignore[arg-type]  # as `submit` gave them
        assert time.monotonic() < end
        time.sleep(0.02)


def test_storage_that_is_lost_fails_its_own_site_only(grid: Grid, tmp_path: Path) -> None:
    """Without its disk server a site's jobs fail in stage-in, others go on; with it back they are right again."""
    grid.lose_storage("DESY-HH")
    assert codes(grid, tmp_path, "desy", tag="a") == {"aj0": 10}
    assert codes(grid, tmp_path, "cern", tag="b") == {"bj0": 0}
    grid.mend_storage("DESY-HH")
    assert codes(grid, tmp_path, "desy", tag="c") == {"cj0": 0}


def test_a_bad_reading_is_found_by_its_answer(grid: Grid, tmp_path: Path) -> None:
    """One job reads other numbers and says that its answer is wrong; the next one is right."""
    grid.rot("FZK-LCG2")
    assert codes(grid, tmp_path, "fzk", tag="a") == {"aj0": 31}
    assert codes(grid, tmp_path, "fzk", tag="b") == {"bj0": 0}


def test_a_black_hole_takes_a_part_of_the_jobs(grid: Grid, tmp_path: Path) -> None:
    """On one node there is not even Python: every fourth job of the site falls into it, and it is named."""
    grid.break_node("TRIUMF")
    told = codes(grid, tmp_path, "triumf", 2 * HUNGRY)
    assert [*told.values()] == [127, 0, 0, 0] * 2
    handles = [Handle(job, f"t1/{job}") for job in told]
    nodes = {one.handle.job: one.node for one in asyncio.run(grid.poll(handles))}
    assert {nodes[job] for job, code in told.items() if code} == {f"wn{BROKEN}.triumf.example"}
    assert f"wn{BROKEN}.triumf.example" not in {nodes[job] for job, code in told.items() if not code}


def test_jobs_live_by_the_clock_of_the_demo(grid: Grid, tmp_path: Path) -> None:
    """Whatever tells of a time says one of 2009: submission, start and end, and the payload's own phases."""
    [job] = codes(grid, tmp_path, "cern")
    [told] = asyncio.run(grid.poll([Handle(job, f"t1/{job}")]))
    assert told.state is JobState.SUCCESS
    assert told.submitted is not None
    assert told.started is not None
    assert told.ended is not None
    soon = NOW + timedelta(minutes=2)
    assert NOW - timedelta(seconds=5) <= told.submitted <= told.started <= told.ended < soon
    [left] = asyncio.run(grid.fetch([told.handle], tmp_path))
    assert f'"node": "{told.node}"' in left.result.decode()


def test_closing_ends_every_job(tmp_path: Path) -> None:
    """Jobs that run, wait or have just been started are ended, with all that they started, and no folder is held."""
    grid = Grid(tmp_path / "grid", tmp_path / "storage", lambda: NOW)
    grid.build()
    trace = tmp_path / "pids"
    words = ("/bin/sh", "-c", f"sleep 300 & echo $! >> {trace}; sleep 300")
    specs = tuple(JobSpec(f"j{n}", words, LIMITS) for n in range(5))
    asyncio.run(grid.submit(Batch("t1", "desy", specs)))
    end = time.monotonic() + 60
    while not (trace.exists() and len(trace.read_text().split()) == 2):
        assert time.monotonic() < end
        time.sleep(0.02)
    grid.close()
    assert len(trace.read_text().split()) == 2
    for pid in map(int, trace.read_text().split()):
        assert not _lives(pid)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
