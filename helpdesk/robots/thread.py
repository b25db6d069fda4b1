"""The robots in a daemon: a step now and then, in a thread of their own, so that a slow engine stops no mail."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from helpdesk.robots.robot import Turned
from helpdesk.robots.service import Service

STEP_SECONDS = 15.0
"""Between two looks at jobs: short beside what a job takes, long beside what a look costs."""

BUSY_SECONDS = 2.0
"""The same while a load test runs: a job that has ended is followed by the next one."""

PATIENCE_SECONDS = 5.0
"""What a step waits for engines: one that takes longer goes on beside the next steps (`helpdesk.robots.turn`)."""

GOODBYE_SECONDS = 20.0


class RobotThread:
    """Steps until it is stopped; whatever goes wrong in a step is told, and the next one may go well."""

    def __init__(
        self,
        service: Service,
        wall: Callable[[], datetime],
        tell: Callable[[str, Mapping[str, object]], None],
        failed: Callable[[Exception], None],
        before: Callable[[datetime], None] = lambda _now: None,
    ) -> None:
        self._service = service
        self._wall = wall
        self._tell = tell
        self._failed = failed
        self._before = before  # each step, where no event loop runs
        self._over = threading.Event()
        self._wake: Callable[[], object] | None = None
        self._thread = threading.Thread(target=self._run, name="robots", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step that is running; one that takes long is left behind: a crash does no harm."""
        self._over.set()
        if self._wake is not None:
            with contextlib.suppress(RuntimeError):  # its loop is closed: it has ended
                self._wake()
        if self._thread.is_alive():
            self._thread.join(GOODBYE_SECONDS)

    def _run(self) -> None:
        troubles: frozenset[tuple[str, str]] = frozenset()
        with contextlib.suppress(Exception):  # as below
            self._service.began(self._wall())
        with asyncio.Runner() as runner:
            over = asyncio.Event()
            self._wake = partial(runner.get_loop().call_soon_threadsafe, over.set)
            while not self._over.is_set():
                now = self._wall()
                try:
                    self._before(now)
                    turned = runner.run(self._service.step(now))
                except Exception as error:  # noqa: BLE001 - the boundary: the mail must go on, and so must the next step
                    self._failed(error)
                    with contextlib.suppress(
                        Exception
                    ):  # where nothing can be written: the board's own alarms say that
                        self._service.broke(error, now)
                else:
                    troubles = self._told(turned, troubles)
                runner.run(_rest(over, BUSY_SECONDS if self._service.busy else STEP_SECONDS))

    def _told(self, turned: Turned, before: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        """A line for what happened, and one for each trouble that is new."""
        if turned.submitted or turned.records:
            self._tell("jobs", {"submitted": len(turned.submitted), "ended": len(turned.records)})
        now = self._service.troubles or frozenset()
        for engine, words in sorted(now - before):
            self._tell("trouble", {"engine": engine, "words": words})
        return now


async def _rest(over: asyncio.Event, seconds: float) -> None:
    """Until the next step, or the end; engines that take long go on meanwhile."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await over.wait()
