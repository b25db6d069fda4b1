"""The only door to aiosmtpd: the list server and everybody's mail server in one.

What comes for the list is handed on with the list's header fields; what comes for the board itself (the copies of its
own mails) is handed on as it is; both land in the board's inbox before the sender hears OK.  What comes for anybody
else stays here as a `Letter`.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from email.parser import BytesHeaderParser

from aiosmtpd.smtp import SMTP, Envelope, Session

from helpdesk.demo.loop import Loop

MARK = "X-HELPDESK-DEMO"
"""In the answer to EHLO, with the port of the IMAP server: who reads it knows that no mail leaves this machine."""

MAX_OCTETS = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that reached somebody outside the mailbox; `at` by the clock of the demo."""

    at: datetime
    sender: str  # of the envelope
    recipient: str
    message_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Round:
    """What the postman knows: two addresses that lead into the board's inbox, how to get there, what time it is."""

    members: str  # the mailing list
    board: str
    deliver: Callable[[bytes], None]
    clock: Callable[[], datetime]


class Post:
    """An SMTP server on a listening socket of the caller's, in `loop`."""

    def __init__(self, loop: Loop, listening: socket.socket, walk: Round, imap_port: int) -> None:
        logging.getLogger("mail").addHandler(logging.NullHandler())
        self._loop = loop
        self._listening = listening
        self._round = walk
        self._imap_port = imap_port
        self._postman = ThreadPoolExecutor(1, thread_name_prefix="postman")  # `deliver` waits for a server
        self._server: asyncio.Server | None = None
        self._letters: list[Letter] = []
        self.landed = 0  # mails in the board's inbox
        self.port: int = listening.getsockname()[1]

    @property
    def letters(self) -> Sequence[Letter]:
        """All that left for the world, oldest first."""
        return tuple(self._letters)

    def start(self) -> None:
        """Begin to serve."""
        self._loop.call(self._start())

    def stop(self) -> None:
        """Take no more connections, and let the mail that was accepted land."""
        self._loop.call(self._stop())
        self._postman.shutdown()

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(
                self,
                data_size_limit=MAX_OCTETS,
                enable_SMTPUTF8=True,
                hostname="demo.example.org",
                ident="helpdesk demo",
                loop=loop,
            ),
            sock=self._listening,
        )

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def handle_EHLO(  # noqa: N802 -- aiosmtpd finds its hooks by name
        self, _server: SMTP, session: Session, _envelope: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        """Say what this server is."""
        session.host_name = name
        return [*answers[:-1], f"250-{MARK} {self._imap_port}", answers[-1]]

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Hand a mail to everybody it is for, each once."""
        content = envelope.original_content or b""
        if any(self._is_list(to) for to in envelope.rcpt_tos):
            await self._land(self._listed() + content)
        if any(self._is_board(to) for to in envelope.rcpt_tos):
            await self._land(content)
        sender, now = envelope.mail_from or "", self._round.clock()
        message_id = str(BytesHeaderParser().parsebytes(content)["Message-ID"])
        away = [to.lower() for to in envelope.rcpt_tos if not self._is_list(to) and not self._is_board(to)]
        self._letters += [Letter(now, sender, to, message_id, content) for to in away]
        return "250 2.0.0 delivered"

    async def _land(self, mail: bytes) -> None:
        await asyncio.get_running_loop().run_in_executor(self._postman, self._round.deliver, mail)
        self.landed += 1

    def _is_list(self, address: str) -> bool:
        return address.lower() == self._round.members

    def _is_board(self, address: str) -> bool:
        local, _, domain = address.lower().partition("@")
        return f"{local.partition('+')[0]}@{domain}" == self._round.board

    def _listed(self) -> bytes:
        """What a list server puts on every mail (RFC 2919, RFC 2369)."""
        members = self._round.members
        return (
            f"List-Id: <{members.replace('@', '.')}>\r\nList-Post: <mailto:{members}>\r\nPrecedence: list\r\n"
        ).encode()
