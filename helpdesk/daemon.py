"""Wake, drain, stop: an event loop that decides when, and a worker thread that does the work.

Whatever wakes the daemon says nothing but "look": the watcher of the mailbox, the time since the last look, the earliest
due time of the board, SIGHUP.  Wake-ups during a run make one more run.  Polls are counted by the steady clock, so that
a wall clock that jumps delays none; only due times, which are moments of the wall clock, go through the scheduler.
"""

import asyncio
import os
import random
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, ParamSpec, Protocol, TypeVar

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from helpdesk import cycle
from helpdesk.bell import Bell
from helpdesk.board import Board
from helpdesk.errors import HeldError, LoginRefusedError, UsageError
from helpdesk.health import Answer, listen
from helpdesk.heart import Heart
from helpdesk.logs import outline
from helpdesk.mailbox.backoff import Backoff
from helpdesk.metrics import CONTENT_TYPE
from helpdesk.outlets import Outlets
from helpdesk.ports import Mailbox
from helpdesk.report import Report
from helpdesk.shifts.duty import DutyThread
from helpdesk.vitals import ClockGuard, Clocks
from helpdesk.worker import Worker

DRAIN_SECONDS = 60.0
"""How long the running cycle may take after the first SIGTERM; systemd's own patience is 90 seconds."""

TWICE_SECONDS = 1.0
"""Signals this close together are one: `timeout`, terminals and containers signal the whole group and us."""

BREATH_SECONDS = 0.5
"""Between two runs, however often the mailbox changes."""

COUNT_SECONDS = 60.0
"""Counting what wants attention reads every open thread: seldom enough to cost a busy mailbox nothing."""

LOST = Backoff(first=1, longest=300)
REFUSED = Backoff(first=60, longest=1800)
"""Logins that are refused too often lock accounts."""

P = ParamSpec("P")
T = TypeVar("T")


class Watcher(Protocol):
    """Something that waits for news from the mailbox in a thread of its own."""

    @property
    def problem(self) -> str:
        """Why it hears nothing now, or ""."""

    @property
    def alive(self) -> bool:
        """Whether it waits at all; where the server cannot tell, nobody does."""

    def start(self) -> None:
        """Begin to watch."""

    def stop(self) -> None:
        """End, soon."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the daemon is made of; `helpdesk.app` puts it together."""

    board: Board
    connect: Callable[[], Mailbox]
    watcher: Callable[[Callable[[], None]], Watcher]  # given what to call when there may be news
    clocks: Clocks
    outlets: Outlets
    poll_seconds: float
    http_port: int | None
    silence: timedelta  # so long may no poll succeed


def serve(parts: Parts) -> int:
    """Keep the board until somebody asks to stop; the exit code."""
    return asyncio.run(_Daemon(parts).run())


class _Daemon:
    """Everything here runs in the event loop, but what is handed to the worker."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tell = parts.outlets
        self._worker = Worker(parts.board, parts.connect, parts.outlets.metrics.connected)
        self._heart = Heart(
            parts.board, parts.outlets, parts.clocks, parts.silence, lambda: self._worker.received
        )
        self._guard = ClockGuard(parts.clocks.wall(), parts.clocks.steady())
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="worker")
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._failures = 0  # in a row
        self._watcher: Watcher | None = None
        self._succeeded = False
        self._uncounted = True  # something has changed since the open threads were counted
        self._counted: float | None = None  # when that was, by the steady clock
        self._stopping = False
        self._stop_asked = 0.0  # by the loop's time
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()  # wait no longer, not even for a server that wants to be left alone

    async def run(self) -> int:
        """Start everything, work until told to stop, close everything."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._unhandled)
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._look_now)
        pages = {"/healthz": self._heart.healthz, "/metrics": self._metrics_page}
        door = await listen(self._parts.http_port, pages) if self._parts.http_port else None
        self._scheduler.start()
        heart = asyncio.create_task(self._heart.run())
        duty = DutyThread(
            self._parts.board.duty, self._parts.clocks.wall, partial(_from_thread, loop, self._wake)
        )
        bell = Bell(self._parts.board.engine, partial(_from_thread, loop, self._wake))
        duty.start()
        bell.start()
        self._tell.systemd("READY=1")
        self._tell.log.info("started", act=self._parts.board.act, poll_seconds=self._parts.poll_seconds)
        try:
            while not self._stopping:
                await self._rest(*await self._turn())
                if heart.done():  # only a bug ends it, and without it nobody would learn of the next one
                    heart.result()
        finally:
            if door is not None:
                door.close()
            self._scheduler.shutdown(wait=False)
            await self._hang_up()
            self._pool.shutdown()
            heart.cancel()
            duty.stop()
            bell.stop()
        self._tell.log.info("stopped")
        return 0

    async def _turn(self) -> tuple[asyncio.Event, float]:
        """Look once; what to wait for before the next look, and how long at most."""
        self._wake.clear()
        self._hurry.clear()
        self._heart.polling()
        try:
            converged = await self._poll()
        except Exception as error:  # the boundary: whatever a look runs into, the next one may go well
            if isinstance(error, HeldError) or (isinstance(error, UsageError) and not self._succeeded):
                raise
            wait = self._delay(error)
            refused = isinstance(error, LoginRefusedError)
            self._heart.rests(self._tell.failed(error, wait), refused=refused)
            await self._hang_up()
            return self._hurry, wait
        self._heart.rests()
        return self._wake if converged else self._hurry, self._parts.poll_seconds

    async def _poll(self) -> bool:
        """Cycles at one `now` until they have converged (if not, only time helps), or somebody wants us to stop."""
        now, tick = self._parts.clocks.wall(), self._parts.clocks.steady()
        doubt = self._guard.doubt(now, tick)
        stamp = await self._in_worker(self._worker.begin, now, doubt)
        if doubt is not None:
            self._guard.accept(now, tick)
        allowed = cycle.budget(self._parts.board)
        total, last = Report(stamp.at), Report(stamp.at, again=True)
        for number in range(cycle.MAX_CYCLES):
            if self._stopping or not last.again:
                break
            self._tell.log.cycle = stamp.cycle + number
            last = await self._in_worker(self._worker.cycle, stamp.at, allowed)
            total.add(last)
            self._succeeded = True
            self._tell.metrics.cycle(last)
            self._heart.polled(last)
        if last.again and not self._stopping:
            last.held.append(await self._in_worker(cycle.give_up, self._parts.board, stamp.at))
        self._failures = 0
        self._uncounted |= self._tell.concluded(total, last)
        whole = self._uncounted and (self._counted is None or tick - self._counted >= COUNT_SECONDS)
        self._tell.counted(await self._in_worker(self._worker.figures, whole=whole), last)
        if whole:
            self._uncounted, self._counted = False, tick
        self._schedule(await self._in_worker(self._worker.next_due, self._parts.clocks.wall()))
        self._watch()
        return not last.again

    async def _in_worker(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(*args, **kwargs))

    def _delay(self, error: Exception) -> float:
        """How long to leave a server alone after an error."""
        self._failures += 1
        backoff = REFUSED if isinstance(error, LoginRefusedError | UsageError) else LOST
        jitter = random.random()  # noqa: S311 -- no secret, only to keep many clients out of step
        return backoff.delay(self._failures, jitter, getattr(error, "retry_after", None))

    async def _rest(self, event: asyncio.Event, seconds: float) -> None:
        """Wait for an event, but never so shortly that a busy mailbox would keep us running all the time."""
        await _until(self._hurry, min(BREATH_SECONDS, seconds))
        await _until(event, seconds)

    def _schedule(self, due: datetime | None) -> None:
        """Look again when the earliest wait of the board ends."""
        if self._scheduler.get_job("due") is not None:
            self._scheduler.remove_job("due")
        if due is not None:
            self._scheduler.add_job(self._due, "date", run_date=due, id="due", misfire_grace_time=None)

    async def _due(self) -> None:
        self._wake.set()

    def _watch(self) -> None:
        """Wait for news beside the polls, once the server is known to let us in."""
        if self._watcher is None and not self._stopping:
            loop = asyncio.get_running_loop()
            self._watcher = self._parts.watcher(partial(_from_thread, loop, self._wake))
            self._watcher.start()
        if self._watcher is not None:
            self._tell.watching(alive=self._watcher.alive, problem=self._watcher.problem)

    async def _hang_up(self) -> None:
        """Close both connections; the next look makes new ones."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            await asyncio.to_thread(watcher.stop)
        await self._in_worker(self._worker.hang_up)

    def _look_now(self) -> None:
        self._wake.set()
        self._hurry.set()

    def _stop(self) -> None:
        """Let the running cycle end; asked again, or if that takes too long, end at once: a crash does no harm."""
        loop = asyncio.get_running_loop()
        if self._stopping:
            if loop.time() - self._stop_asked > TWICE_SECONDS:
                self._end()
            return
        self._stopping, self._stop_asked = True, loop.time()
        self._tell.systemd("STOPPING=1")
        self._tell.log.info("stopping")
        self._look_now()
        loop.call_later(DRAIN_SECONDS, self._end)

    def _end(self) -> None:
        self._tell.log.error("ended in the middle of a cycle")
        os._exit(1)

    def _metrics_page(self) -> Answer:
        return HTTPStatus.OK, CONTENT_TYPE, self._tell.metrics.text()

    def _unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log what nobody waits for, without its words."""
        self._tell.log.error("an error in the event loop", **outline(context.get("exception")))


def _from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Set an event from another thread; nobody minds when the loop is over."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(event.set)


async def _until(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
