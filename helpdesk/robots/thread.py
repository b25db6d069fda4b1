"""The robots in a daemon: a step now and then, in a thread of their own, so that a slow engine stops no mail."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from helpdesk.robots.service import Service
from helpdesk.robots.turn import Turned

STEP_SECONDS = 15.0
"""Between two looks at jobs: short beside what a job takes, long beside what a look costs."""

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
        self._thread = threading.Thread(target=self._run, name="robots", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step that is running; one that takes long is left behind: a crash does no harm."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(GOODBYE_SECONDS)

    def _run(self) -> None:
        troubles: frozenset[tuple[str, str]] = frozenset()
        with asyncio.Runner() as runner:
            while not self._over.is_set():
                now = self._wall()
                try:
                    self._before(now)
                    turned = runner.run(self._service.step(now))
                except Exception as error:  # noqa: BLE001 - the boundary: the mail must go on, and so must the next step
                    self._failed(error)
                else:
                    troubles = self._told(turned, troubles)
                self._over.wait(STEP_SECONDS)

    def _told(self, turned: Turned, before: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        """A line for what happened, and one for each trouble that is new."""
        if turned.submitted or turned.records:
            self._tell("jobs", {"submitted": len(turned.submitted), "ended": len(turned.records)})
        now = self._service.troubles or frozenset()
        for engine, words in sorted(now - before):
            self._tell("trouble", {"engine": engine, "words": words})
        return now
