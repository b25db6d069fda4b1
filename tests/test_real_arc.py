"""The engine arc against the real A-REX: what the contract suite promises, as far as a minute a job allows."""

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from helpdesk.robots.engine import EngineError, Handle, Limits, Status
from helpdesk.robots.engines import arc_jobs, folders
from helpdesk.robots.engines.arc import IDS, ArcEngine, Place
from helpdesk.robots.engines.arc_rest import Login, opened
from helpdesk.robots.record import FINAL, JobState
from tests.contract.test_engine import batch, do, job
from tests.servers import arc

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not arc.AVAILABLE, reason="ARC is not installed (deploy/install-arc), or we are not root"
    ),
]


@pytest.fixture(scope="module")
def element() -> Iterator[arc.Arc]:
    with arc.computing_element() as running:
        yield running


@pytest.fixture
def engine(element: arc.Arc, tmp_path: Path) -> Iterator[ArcEngine]:
    with element.inside():
        yield make(element, tmp_path, element.proxy)


def make(element: arc.Arc, root: Path, proxy: Path) -> ArcEngine:
    return ArcEngine(root, Place("grid", element.url, "fork"), Login(proxy, authorities=element.authority))


def until(
    engine: ArcEngine, handles: Sequence[Handle], states: Collection[JobState | None]
) -> dict[str, Status]:
    """Poll until every job is in one of these states."""

    async def wait() -> dict[str, Status]:
        deadline = time.monotonic() + 400
        while True:
            told = {one.handle.job: one for one in await engine.poll(handles)}
            if all(one.state in states for one in told.values()):
                return told
            assert time.monotonic() < deadline, told
            await asyncio.sleep(2)

    return do(wait())


def test_jobs(engine: ArcEngine, element: arc.Arc, tmp_path: Path) -> None:
    """A good job, one that ends with 42 and one that is cancelled end so; all are found by their names, fetched, and forgotten."""
    assert do(engine.describe()).version.startswith("6.")
    tag = f"t{uuid4().hex[:8]}"
    good = job("good", 'echo "$GREETING from $HELPDESK_JOB"; echo "{}" > result.json')
    jobs = (
        good,
        job("bad", "echo oh no; exit 42"),
        job("long", "sleep 600", Limits(900, 500_000_000, 50_000_000)),
    )
    handles = do(engine.submit(batch(tag, *jobs, queue="grid")))
    assert [one.job for one in handles] == ["good", "bad", "long"]
    (tmp_path / tag / IDS).unlink()  # the answer was lost
    again = make(element, tmp_path, element.proxy)
    assert sorted(do(again.reconcile([tag, "b9"])), key=str) == sorted(
        ((tag, one) for one in handles), key=str
    )
    assert do(again.submit(batch(tag, *jobs, queue="grid"))) == handles
    until(engine, handles[2:], {JobState.RUNNING})
    do(engine.cancel(handles[2:]))
    told = until(engine, handles, FINAL)
    assert {name: (one.state, one.native_code) for name, one in told.items()} == {
        "good": (JobState.SUCCESS, ""),
        "bad": (JobState.FAILED, "payload:42"),
        "long": (JobState.CANCELLED, told["long"].native_code),
    }
    for name in ("good", "bad"):
        one = told[name]
        assert one.submitted is not None
        assert one.started is not None
        assert one.ended is not None
        assert one.submitted.timestamp() - 2 <= one.started.timestamp() <= one.ended.timestamp()
        assert one.node
    ended = {one.handle.job: one for one in do(engine.fetch(handles, tmp_path))}
    assert (ended["good"].exit_code, ended["bad"].exit_code) == (0, 42)
    assert ended["good"].result.strip() == b"{}"
    assert "hello from good" in ended["good"].log_tail
    assert "oh no" in ended["bad"].log_tail
    do(engine.forget([tag]))
    assert not (tmp_path / tag).exists()
    until(engine, handles, {None})


def test_cut_short(engine: ArcEngine, element: arc.Arc, tmp_path: Path) -> None:
    """A batch that was created when the daemon died, before it had its inputs, is found by its names and gets them."""
    tag = f"t{uuid4().hex[:8]}"
    mine = batch(tag, job("one", "exit 0"), queue="grid")
    folders.write_batch(tmp_path, mine)

    async def create() -> None:
        async with opened(element.url, Login(element.proxy, authorities=element.authority)) as rest:
            await rest.new(arc_jobs.description(tag, mine.jobs, "fork", "python3"))

    do(create())
    [(found, handle)] = do(engine.reconcile([tag]))
    assert (found, handle.job) == (tag, "one")
    assert until(engine, [handle], FINAL)["one"].state is JobState.SUCCESS
    do(engine.forget([tag]))


@pytest.mark.usefixtures("engine")
def test_refused(element: arc.Arc, tmp_path: Path) -> None:
    """A queue that the computing element has not, and a stranger, are refused for good."""
    for refused in (
        ArcEngine(
            tmp_path,
            Place("grid", element.url, "nowhere"),
            Login(element.proxy, authorities=element.authority),
        ),
        make(element, tmp_path / "stranger", element.stranger),
    ):
        with pytest.raises(EngineError) as caught:
            do(refused.submit(batch(f"t{uuid4().hex[:8]}", job("one", "exit 0"), queue="grid")))
        assert not caught.value.passing
