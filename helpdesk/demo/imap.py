"""The only door to pymap: an IMAP server in memory that takes any keyword.

It announces neither CONDSTORE nor QRESYNC: the board works on it as on the poorest servers (tier plain).
"""

import argparse
import asyncio
import logging
import socket
from typing import Any, cast

from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import Config, Identity, Login
from pymap.backend.dict.mailbox import MailboxData
from pymap.imap import IMAPServer
from pymap.mailbox import MailboxSnapshot
from pymap.parsing.specials.flag import Recent, Wildcard, get_system_flags
from pymap.user import UserMetadata
from pysasl.hashing import BuiltinHash

from helpdesk.demo.loop import Loop


class ImapServer:
    """A server on a listening socket of the caller's, in `loop`; its users and their mail last as long as it does."""

    def __init__(self, loop: Loop, listening: socket.socket) -> None:
        _allow_any_keyword()
        logging.getLogger("pymap").addHandler(logging.NullHandler())
        self._loop = loop
        self._listening = listening
        self._server: asyncio.Server | None = None
        self._config: Any = None
        self._login: Any = None
        self.port: int = listening.getsockname()[1]

    def start(self) -> None:
        """Begin to serve."""
        self._loop.call(self._start())

    def add_user(self, name: str, password: str) -> None:
        """Make a user with an empty INBOX."""
        self._loop.call(self._add(name, password))

    def stop(self) -> None:
        """Take no more connections; those that are open end with the loop."""
        self._loop.call(self._stop())

    async def _start(self) -> None:
        self._config = Config.from_args(_arguments())
        self._config.apply_context()
        self._login = Login(self._config)
        serve = IMAPServer(self._login, self._config)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else 40 ms for each command
            whole = cast("asyncio.StreamWriter", _Whole(writer))
            await serve(reader, whole, SocketInfo.get(writer, None))

        self._server = await asyncio.start_server(connected, sock=self._listening)

    async def _add(self, name: str, password: str) -> None:
        hashed = BuiltinHash(rounds=1).hash(password)  # a login need not cost 100 ms
        identity = Identity(name, self._login, None, frozenset())
        await identity.set(UserMetadata(self._config, name, password=hashed))

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()  # and no wait_closed: from Python 3.12 on it waits for every client to leave


class _Whole:
    """A stream on which an answer leaves in one piece: pymap writes word by word, and each would be a segment."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._words = bytearray()

    def write(self, words: bytes) -> None:
        self._words += words

    async def drain(self) -> None:
        words, self._words = self._words, bytearray()
        self._writer.write(words)
        await self._writer.drain()

    def close(self) -> None:
        self._writer.close()


def _arguments() -> argparse.Namespace:
    return argparse.Namespace(
        host="127.0.0.1",
        port="0",
        cert=None,
        key=None,
        tls=False,
        proxy_protocol=None,
        inherited_sockets=None,
        debug=False,
        skip_services=[],
        passlib_cfg=None,
        demo_data=False,
        demo_user="",
        demo_password="",
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
