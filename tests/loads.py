"""A load test over the engine `local` in real time; also a process of its own, to be killed: `python -m tests.loads FOLDER`."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from helpdesk.robots.load.asking import Wish, asked
from helpdesk.robots.load.control import Rules
from helpdesk.robots.load.values import LoadTest, State
from helpdesk.robots.loading import LoadTests
from helpdesk.robots.schedule import Lane
from helpdesk.robots.turn import Turns
from helpdesk.store import load_tests
from tests.robots import LANE, Floor


def ask(floor: Floor, template: str = "good", lane: Lane = LANE, **wish: object) -> LoadTest:
    """Somebody asks for a test."""
    test = asked((lane, template), "v1", Wish(**wish), "Ann", datetime.now(UTC))  # type: ignore[arg-type]  # a shorthand
    with floor.database.begin() as conn:
        load_tests.ask(conn, test)
    return test


def now_of(floor: Floor, test: str) -> LoadTest:
    with floor.database.connect() as conn:
        found = load_tests.find(conn, test)
    assert found is not None
    return found


def go(floor: Floor, *, looks: int = 0, seconds: float = 60) -> None:
    """Step and turn until no test is left, or so often."""

    async def work() -> None:
        loads, turns = LoadTests(floor.robot, Rules()), Turns(floor.robot)
        async with asyncio.timeout(seconds):
            for look in range(1_000_000):
                await loads.step(datetime.now(UTC))
                await turns.turn((), datetime.now(UTC))
                if not loads.busy or look + 1 == looks:
                    return
                await asyncio.sleep(0.05)

    asyncio.run(work())


def unfinished(floor: Floor) -> bool:
    with floor.database.connect() as conn:
        return any(one.state is not State.ENDED for one in load_tests.unfinished(conn))


def main() -> None:
    floor = Floor(Path(sys.argv[1]))
    if not unfinished(floor):
        ask(floor, "slow", concurrency=6, jobs=60)
    go(floor, seconds=600)


if __name__ == "__main__":
    main()
