"""pymap in a thread: an in-memory IMAP server without CONDSTORE that takes any keyword.

It announces neither CONDSTORE nor QRESYNC: the daemon runs on it as on Exchange or Yahoo (tier plain).
"""

import argparse
import asyncio
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

from pymap.backend.dict import DictBackend, Identity
from pymap.backend.dict.mailbox import MailboxData
from pymap.imap import IMAPService
from pymap.mailbox import MailboxSnapshot
from pymap.parsing.specials.flag import Recent, Wildcard, get_system_flags
from pymap.user import UserMetadata
from pysasl.hashing import BuiltinHash

from tests.servers.process import free_port

PASSWORD: Final = "secret"
DEMO_USER: Final = "demo"


@dataclass(frozen=True, slots=True)
class Pymap:
    """A running server; a user exists after `add_user`."""

    port: int
    add_user: Callable[[str], None]
    stop: Callable[[], None]
    host: str = "127.0.0.1"
    password: str = PASSWORD


def start() -> Pymap:
    """Start the server in a thread of its own."""
    _allow_any_keyword()
    port = free_port()
    runner = _Runner(port)
    runner.start()
    if not runner.ready.wait(20):
        raise RuntimeError("pymap did not start")
    return Pymap(port=port, add_user=runner.add_user, stop=runner.stop)


class _Runner(threading.Thread):
    def __init__(self, port: int) -> None:
        super().__init__(name="pymap", daemon=True)
        self.ready = threading.Event()
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._done: asyncio.Event | None = None
        self._backend: Any = None
        self._config: Any = None

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.run_until_complete(_cancel_the_rest())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def add_user(self, name: str) -> None:
        asyncio.run_coroutine_threadsafe(self._add(name), self._loop).result(10)

    def stop(self) -> None:
        done = self._done
        if done is not None:
            self._loop.call_soon_threadsafe(done.set)
        self.join(10)

    async def _serve(self) -> None:
        self._done = asyncio.Event()
        self._backend, self._config = await DictBackend.init(_arguments(self._port))
        self._config.apply_context()
        async with AsyncExitStack() as stack:
            await self._backend.start(stack)
            await IMAPService(self._backend, self._config).start(stack)
            self.ready.set()
            await self._done.wait()

    async def _add(self, name: str) -> None:
        password = BuiltinHash(rounds=1).hash(PASSWORD)  # a login need not cost 100 ms
        identity = Identity(name, self._backend.login, None, frozenset())
        await identity.set(UserMetadata(self._config, name, password=password))


async def _cancel_the_rest() -> None:
    """End the connections that clients left open."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


def _arguments(port: int) -> argparse.Namespace:
    return argparse.Namespace(
        host="127.0.0.1",
        port=str(port),
        cert=None,
        key=None,
        tls=False,
        proxy_protocol=None,
        inherited_sockets=None,
        debug=False,
        skip_services=[],
        passlib_cfg=None,
        demo_data=False,
        demo_user=DEMO_USER,
        demo_password=PASSWORD,
    )


def _allow_any_keyword() -> None:
    r"""Let the dict backend offer `\*`: it stores only system flags as shipped, though its core handles keywords."""
    base = (get_system_flags() - {Recent}) | {Wildcard}

    def permanent(self: Any) -> frozenset[Any]:
        return frozenset(base | {flag for mail in self._messages.values() for flag in mail.permanent_flags})

    def shown(self: Any) -> frozenset[Any]:
        return frozenset((self.permanent_flags | self.session_flags) - {Wildcard})

    MailboxData.permanent_flags = property(permanent)  # type: ignore[method-assign, assignment]
    MailboxSnapshot.flags = property(shown)  # type: ignore[method-assign, assignment]
