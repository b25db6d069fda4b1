"""One event loop in a thread of its own, for servers that live beside a synchronous program."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds after which a server that does not start, or does not end, never will."""


class Loop:
    """A running event loop; at the end of a `with` everything that runs in it is cancelled and its thread has ended."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop and wait for its result; not to be called from inside the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def _run(self) -> None:
        self._loop.set_exception_handler(_quiet)
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(_cancel_the_rest())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            self._loop.close()


async def _cancel_the_rest() -> None:
    """End the connections that clients left open."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    await asyncio.sleep(0)  # transports that were closed say goodbye in the next turn of the loop


def _quiet(_loop: asyncio.AbstractEventLoop, _context: dict[str, Any]) -> None:
    """A client that hangs up in the middle of a word is no news."""
