"""The heartbeat: says outside that the daemon is well, and by every way there is when it is not.

Wellness is one thing: a poll of the mailbox has succeeded within the limit.  Beyond it the watchdog is not fed any
more (unless our login is refused, which no new process mends), /healthz and a metric say so, the log does, and the admins get a mail past
the mailbox.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from helpdesk import alarm
from helpdesk.board import Board
from helpdesk.health import Answer, healthz
from helpdesk.logs import outline, scrub
from helpdesk.outbox import State
from helpdesk.outlets import Outlets
from helpdesk.report import Report, utc
from helpdesk.store import holds
from helpdesk.systemd import watchdog_seconds
from helpdesk.vitals import Clocks, Pulse

LONGEST_INTERVAL = 10.0
ALARM_AGAIN = 60.0
"""Seconds after which an alarm that could not be sent is tried again."""

ALARM_NEXT = 3600.0
"""Seconds after which one that was sent is thought of again: there is one a day."""

UNDECIDED = frozenset({State.PLANNED, State.SENDING, State.UNKNOWN})


class Heart:
    """Told of every poll by the daemon; runs beside it in the same event loop."""

    def __init__(
        self, board: Board, outlets: Outlets, clocks: Clocks, silence: timedelta, received: Callable[[], int]
    ) -> None:
        self._board = board
        self._outlets = outlets
        self._clocks = clocks
        self._received = received  # bytes that the mail server has sent
        self._pulse = Pulse(silence.total_seconds(), clocks.steady())
        self._heard = 0
        self._last: Report | None = None
        self._trouble = ""
        self._alarm_at = float("-inf")
        self._alarm: asyncio.Task[None] | None = None
        self._since = clocks.wall()

    async def run(self) -> None:
        """Beat until cancelled."""
        watched = watchdog_seconds(self._outlets.environment)
        interval = min(LONGEST_INTERVAL, self._pulse.limit / 4, (watched or LONGEST_INTERVAL) / 3)
        while True:
            self._look()
            if watched is not None and not self._pulse.wants_restart(self._clocks.steady()):
                self._outlets.systemd("WATCHDOG=1")
            await asyncio.sleep(interval)

    def polling(self) -> None:
        """A poll begins."""
        self._pulse.begin(self._clocks.steady())

    def polled(self, report: Report) -> None:
        """A cycle was completed."""
        self._last, self._trouble = report, ""
        self._since = report.now
        if self._pulse.beat(self._clocks.steady()):
            self._outlets.log.info("polls succeed again")
            self._outlets.metrics.failing(failing=False)

    def rests(self, trouble: str = "", *, refused: bool = False) -> None:
        """The poll is over; `trouble` says why it failed, `refused` that we were not let in."""
        self._pulse.end(refused=refused)
        self._trouble = trouble

    def healthz(self) -> Answer:
        """The page /healthz."""
        last = None if self._last is None else utc(self._last.now)
        return healthz(self._board.name, last, self._why())

    def _why(self) -> list[str]:
        why = []
        if self._pulse.failing:
            why.append(self._complaint())
        elif self._last is None:
            why.append(self._trouble or "no poll has succeeded yet")
        if self._last is not None:
            why += [f"held: {hold.what}" for hold in self._last.held if hold.what in holds.BOARD]
        return [scrub(text) for text in why]

    def _complaint(self) -> str:
        return f"no look at the mailbox has succeeded since {utc(self._since)}: {self._reason()}"

    def _reason(self) -> str:
        return self._trouble or "it takes too long"

    def _look(self) -> None:
        tick = self._clocks.steady()
        heard, before = self._received(), self._heard
        self._heard = heard
        if heard > before:
            self._pulse.news = tick
        if self._pulse.check(tick):
            self._outlets.log.error("no poll succeeds", since=utc(self._since), reason=self._reason())
            self._outlets.metrics.failing(failing=True)
            self._outlets.status(f"FAILING: {self._complaint()}")
        idle = self._alarm is None or self._alarm.done()
        if self._pulse.failing and idle and tick >= self._alarm_at:
            self._alarm_at = tick + ALARM_AGAIN
            self._alarm = asyncio.create_task(self._sound())

    async def _sound(self) -> None:
        """Send the alarm from a thread of its own: the worker may be what hangs."""
        try:
            state = await asyncio.to_thread(alarm.sound, self._board, self._complaint(), self._clocks.wall())
            self._outlets.log.warning("the alarm about it", state=state)
            if state not in UNDECIDED:
                self._alarm_at = self._clocks.steady() + ALARM_NEXT
        except Exception as error:  # noqa: BLE001 -- an alarm that fails must not end what it watches
            facts = outline(error)
            self._outlets.log.error("the alarm could not be sent", **facts)  # noqa: TRY400 -- its words may quote a mail
