"""An engine whose silence ends: a question that it does not answer becomes an `EngineError`, whatever keeps it.

Engines bound their own clients.  This is for what they did not think of: a program of somebody else's that has no bound, a process that
cannot even be killed because its file system hangs.
"""

import asyncio
from collections.abc import Collection, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from helpdesk.robots.engine import Batch, Engine, EngineError, EngineInfo, Fetched, Handle, Status

T = TypeVar("T")

ANSWER_SECONDS = 1800.0
"""How long an engine may take for one answer: long beside any that comes, short beside the day after which a job is overdue."""

PARTING_SECONDS = 20.0
"""What a question that is given up may need to end: ARC's engine closes its sockets."""


class Bounded:
    """`engine`, asked with a patience of `seconds`; a question that does not even end when it is given up is the last until it does."""

    def __init__(self, engine: Engine, seconds: float = ANSWER_SECONDS) -> None:
        self._engine, self._seconds = engine, seconds
        self._stuck: asyncio.Task[Any] | None = None

    async def describe(self) -> EngineInfo:
        """See `Engine`."""
        return await self._within("describe", self._engine.describe())

    async def submit(self, batch: Batch) -> Sequence[Handle]:
        """See `Engine`."""
        return await self._within("submit", self._engine.submit(batch))

    async def poll(self, handles: Collection[Handle]) -> Sequence[Status]:
        """See `Engine`."""
        return await self._within("poll", self._engine.poll(handles))

    async def fetch(self, handles: Collection[Handle], into: Path) -> Sequence[Fetched]:
        """See `Engine`."""
        return await self._within("fetch", self._engine.fetch(handles, into))

    async def cancel(self, handles: Collection[Handle]) -> None:
        """See `Engine`."""
        await self._within("cancel", self._engine.cancel(handles))

    async def reconcile(self, tags: Collection[str]) -> Sequence[tuple[str, Handle]]:
        """See `Engine`."""
        return await self._within("reconcile", self._engine.reconcile(tags))

    async def forget(self, tags: Collection[str]) -> None:
        """See `Engine`."""
        await self._within("forget", self._engine.forget(tags))

    async def _within(self, what: str, asking: Coroutine[Any, Any, T]) -> T:
        if self._stuck is not None and not self._stuck.done():
            asking.close()
            raise EngineError(
                "a question to it has not ended yet, and it is not asked before that", passing=True
            )
        task = asyncio.ensure_future(asking)
        try:
            await asyncio.wait([task], timeout=self._seconds)
        finally:
            gave_up = not task.done()
            task.cancel()
        if gave_up:
            await asyncio.wait([task], timeout=PARTING_SECONDS)
        if task.done() and not task.cancelled():
            return task.result()
        if not task.done():
            self._stuck = task
            task.add_done_callback(_heard)
        raise EngineError(f"it did not answer {what} in {self._seconds / 60:g} min", passing=True)


def _heard(task: asyncio.Task[Any]) -> None:
    """What it says at last nobody waits for; an error that nobody looks at would be logged."""
    if not task.cancelled():
        task.exception()
