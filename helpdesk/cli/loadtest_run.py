"""A load test at a terminal: carried out here or by a daemon, with how far it is, until it has ended or somebody stops it."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine

from helpdesk import app
from helpdesk.cli import screen
from helpdesk.errors import HelpdeskError, UsageError
from helpdesk.robots import kitchen, manning
from helpdesk.robots.load.control import Seen
from helpdesk.robots.load.values import LoadTest, State, events_of, failed
from helpdesk.robots.loading import LoadTests
from helpdesk.robots.turn import Turns
from helpdesk.settings import Settings
from helpdesk.store import load_tests, requests

NEAR, FAR = 0.5, 2.0
"""Seconds between two looks: at processes of this machine, and at a batch system."""
GOODBYE = timedelta(minutes=2)
"""How long a stopped test is waited for; what is still there then, the next helpdesk that works on the board cancels."""
ALONE = timedelta(seconds=20)
"""Who looks on tries to carry a test out himself when nobody looked at it for so long."""
LINE = timedelta(minutes=1)  # without a terminal: between two lines


@dataclass
class Watching:
    """A test that somebody waits for, and who stops it with Ctrl-C."""

    engine: Engine
    test: str
    who: str
    over: asyncio.Event = field(default_factory=asyncio.Event)
    pressed: int = 0
    quiet: bool = False  # no lines but errors

    def look(self) -> tuple[LoadTest, Seen]:
        """How far it is."""
        with self.engine.connect() as conn:
            found = load_tests.find(conn, self.test)
            if found is None:
                raise UsageError(f"the load test {self.test} is not in the database any more")
            return found, load_tests.seen(conn, found)

    def stop(self) -> None:
        """Ctrl-C: at the next look nothing more is sent, and what is there is cancelled."""
        with self.engine.begin() as conn:
            load_tests.stop(conn, self.test, self.who)
            requests.ring(conn)


async def run_here(settings: Settings, watching: Watching) -> None:
    """Step and turn until the test has ended."""
    robot = kitchen.robot(settings, watching.engine)
    loads, turns, told = LoadTests(robot, manning.load_rules(settings)), Turns(robot), set[str]()
    near = {one.engine for one in kitchen.lanes(settings)} == {"local"}

    async def once() -> None:
        troubles = await loads.step(app.clock())
        troubles += (await turns.turn([], app.clock())).troubles
        for name, words in troubles:
            if words not in told:
                told.add(words)
                screen.complain(f"{name}: {words}")

    await _wait(watching, once, NEAR if near else FAR)


async def follow(watching: Watching) -> bool:
    """Look on while another process does it; False: nobody looks at the test any more, or ever did.

    The other may be a command that goes when its own work is done, and not a daemon.
    """

    async def once() -> None:
        return

    return await _wait(watching, once, 1.0, alone=ALONE)


async def _wait(
    watching: Watching,
    once: Callable[[], Awaitable[None]],
    seconds: float,
    alone: timedelta | None = None,
) -> bool:
    """Until it has ended; Ctrl-C stops the test, a second one leaves it to the next helpdesk.  False: it was left `alone` for so long."""
    began = app.clock()
    with _signals(watching), _display(quiet=watching.quiet) as show:
        since: datetime | None = None
        while True:
            await once()
            test, seen = watching.look()
            show(test, seen)
            if test.state is State.ENDED:
                return True
            if alone is not None and not watching.pressed and _left(test, began, alone):
                return False
            if watching.pressed:
                watching.stop()
                since = since or app.clock()
                if watching.pressed > 1 or app.clock() - since > GOODBYE:
                    raise HelpdeskError(
                        f"{seen.there} jobs of {test.id} are still there: the next helpdesk that works on this board"
                        f" cancels them (`helpdesk loadtest stop {test.id}`)"
                    )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await watching.over.wait()
            watching.over.clear()


def _left(test: LoadTest, began: datetime, alone: timedelta) -> bool:
    """Whether nobody has looked at a test for a while, since we look on."""
    return app.clock() - max(began, test.looked or began) > alone


@contextmanager
def _signals(watching: Watching) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop the test, not the process."""
    loop = asyncio.get_running_loop()

    def pressed() -> None:
        watching.pressed += 1
        screen.complain(
            "Stopping: nothing more is sent, and what is there is cancelled."
            if watching.pressed == 1
            else "Leaving."
        )
        watching.over.set()

    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, pressed)
    try:
        yield
    finally:
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(one)


@contextmanager
def _display(*, quiet: bool) -> Iterator[Callable[[LoadTest, Seen], None]]:
    """A bar on a terminal; a line when a step begins, and now and then, where there is none."""
    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    if quiet or not sys.stderr.isatty():
        yield (lambda _test, _seen: None) if quiet else _Lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("load test", total=None)

        def show(test: LoadTest, seen: Seen) -> None:
            progress.update(task, description=words(test, seen), completed=len(seen.records), total=test.most)

        yield show


class _Lines:
    """Plain lines on stderr."""

    def __init__(self) -> None:
        self._said: tuple[object, ...] = ()
        self._at: datetime | None = None

    def __call__(self, test: LoadTest, seen: Seen) -> None:
        now, news = app.clock(), (test.state, len(test.steps), test.filled_until is None)
        if news != self._said or self._at is None or now - self._at >= LINE:
            self._said, self._at = news, now
            screen.complain(f"{now:%H:%M:%S} {words(test, seen)}, {len(seen.records)} of {test.most} ended")


def words(test: LoadTest, seen: Seen) -> str:
    """How far a test is, in a line."""
    bad = sum(map(failed, seen.records))
    step = ""
    if test.steps:
        number, all_ = len(test.steps), len(test.shape.steps)
        step = f" {test.steps[-1].concurrency} at once{f' (step {number} of {all_})' if all_ > 1 else ''},"
    seconds = (app.clock() - test.began).total_seconds() if test.began else 0.0
    rate = f", {sum(map(events_of, seen.records)) / seconds:,.0f} events/s" if seconds > 1 else ""
    failures = f", {bad} failed" if bad else ""
    return f"{test.lane.site} {test.state}:{step} {seen.there - seen.waiting} run, {seen.waiting} wait{failures}{rate}"
