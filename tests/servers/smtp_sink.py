"""An SMTP server in a thread that keeps what it gets, and fails on cue: aiosmtpd with a script.

with SmtpSink() as sink:
    sink.script(Fault(Stage.RCPT, "450 4.2.0 greylisted"), Fault(Stage.TEXT, DROP))
    ...
    assert sink.received[0].content == ...
"""

import asyncio
import base64
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

DROP = ""
"""Instead of an answer: the connection ends."""


class Stage(StrEnum):
    """Where in a transaction a fault happens."""

    GREETING = "greeting"
    EHLO = "ehlo"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"  # the command, before a word of the mail
    TEXT = "text"  # after the final dot
    RSET = "rset"
    QUIT = "quit"


@dataclass(frozen=True, slots=True)
class Fault:
    """One deviation: an answer (or DROP) at a stage, after some seconds; used up when it happens, unless `lasting`."""

    stage: Stage
    answer: str = DROP
    to: str = ""  # at RCPT and TEXT: only for this recipient
    accepted: bool = False  # at TEXT: the mail is kept all the same
    after: float = 0.0
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """One mail that arrived, with its envelope."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    options: tuple[str, ...]  # of MAIL FROM
    encrypted: bool
    login: str


class SmtpSink:
    """The server; `received` is what arrived, in order.  Use it as a context manager."""

    def __init__(
        self,
        *,
        security: Literal["tls", "starttls", "none"] = "none",
        tls: ssl.SSLContext | None = None,
        users: Mapping[str, str] | None = None,
        utf8: bool = True,
    ) -> None:
        self.security = security
        self.tls = tls
        self.users = users  # name -> password or token; None: nobody logs in
        self.utf8 = utf8
        self.host = "127.0.0.1"
        self.port = 0
        self.received: list[Received] = []
        self.connections = 0
        self.commands: list[str] = []  # those that belong to a transaction, as they were understood
        self.logins = 0  # attempts
        self.transports: set[asyncio.BaseTransport] = set()
        self._faults: list[Fault] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="smtp-sink")

    def script(self, *faults: Fault) -> None:
        """Add faults; each happens once, the first that fits first."""
        self._faults.extend(faults)

    def mend(self) -> None:
        """No more faults, those that last neither."""
        self._faults.clear()

    def take(self, stage: Stage, *to: str) -> Fault | None:
        """Use up the next fault for this stage."""
        for fault in self._faults:
            if fault.stage is stage and fault.to in ("", *to):
                if not fault.lasting:
                    self._faults.remove(fault)
                return fault
        return None

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the SMTP sink did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def hang_up(self) -> None:
        """End all connections now, as a server does that is restarted or lost its patience."""
        asyncio.run_coroutine_threadsafe(self._abort(), self._loop).result(10)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        context = self.tls if self.security == "tls" else None
        server = await self._loop.create_server(lambda: _Session(self), self.host, 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()
        await self._abort()

    async def _abort(self) -> None:
        for transport in list(self.transports):
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
        await asyncio.sleep(0)


class _Session(SMTP):
    """One connection: aiosmtpd's, with the script in between."""

    def __init__(self, sink: SmtpSink) -> None:
        offers_tls = sink.security == "starttls"
        super().__init__(
            _Hooks(sink),
            hostname="localhost",
            ident="sink",
            enable_SMTPUTF8=sink.utf8,
            tls_context=sink.tls if offers_tls else None,
            require_starttls=offers_tls,
            auth_required=sink.users is not None,
            auth_require_tls=offers_tls,
            authenticator=self._authenticate_user,
            loop=asyncio.get_running_loop(),
        )
        self._sink = sink

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._sink.transports.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._sink.transports.discard(self.transport)
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        self._sink.connections += 1
        if fault := self._sink.take(Stage.GREETING):
            await self.push(await self.suffer(fault))
            self._writer.close()
            return
        await super()._handle_client()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 -- aiosmtpd finds commands by name
        self._sink.commands.append("DATA")
        fault = self._sink.take(Stage.DATA)
        if fault is None:
            await super().smtp_DATA(arg)
        else:
            await self.push(await self.suffer(fault))

    @property
    def encrypted(self) -> bool:
        """Whether TLS protects this connection."""
        return self.transport is not None and self.transport.get_extra_info("sslcontext") is not None

    async def suffer(self, fault: Fault) -> str:
        """Wait, then give the fault's answer, or end the connection (and this task with it)."""
        await asyncio.sleep(fault.after)
        if fault.answer == DROP and isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()
            await asyncio.Event().wait()
        return fault.answer

    async def auth_XOAUTH2(self, _: object, args: list[str]) -> AuthResult:  # noqa: N802
        return await self._bearer(base64.b64decode(args[1]).decode(), "user=", '{"status":"401"}')

    async def auth_OAUTHBEARER(self, _: object, args: list[str]) -> AuthResult:  # noqa: N802
        words = base64.b64decode(args[1]).decode().removeprefix("n,a=").replace(",\1", "\1", 1)
        return await self._bearer(words, "", '{"status":"invalid_token"}')

    async def _bearer(self, words: str, prefix: str, challenge: str) -> AuthResult:
        user, *fields = words.split("\1")
        user = user.removeprefix(prefix)
        token = next(one.removeprefix("auth=Bearer ") for one in fields if one.startswith("auth="))
        self._sink.logins += 1
        if (self._sink.users or {}).get(user) == token:
            return AuthResult(success=True, auth_data=LoginPassword(user.encode(), b""))
        await self.push(b"334 " + base64.b64encode(challenge.encode()))
        await self._reader.readline()
        return AuthResult(success=False, handled=False)

    def _authenticate_user(self, *args: Any) -> AuthResult:
        given = args[-1]
        self._sink.logins += 1
        right = (self._sink.users or {}).get(given.login.decode()) == given.password.decode()
        return AuthResult(success=right, handled=False, auth_data=given)


class _Hooks:
    """aiosmtpd asks these what to answer."""

    def __init__(self, sink: SmtpSink) -> None:
        self._sink = sink

    async def handle_EHLO(  # noqa: N802
        self, server: _Session, session: Session, _: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        session.host_name = name
        fault = self._sink.take(Stage.EHLO)
        return [await server.suffer(fault)] if fault else answers

    async def handle_MAIL(  # noqa: N802
        self, server: _Session, _: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self._sink.commands.append("MAIL")
        if fault := self._sink.take(Stage.MAIL):
            return await server.suffer(fault)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: _Session, _: Session, envelope: Envelope, address: str, __: list[str]
    ) -> str:
        self._sink.commands.append("RCPT")
        if fault := self._sink.take(Stage.RCPT, address):
            return await server.suffer(fault)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: _Session, session: Session, envelope: Envelope) -> str:  # noqa: N802
        fault = self._sink.take(Stage.TEXT, *envelope.rcpt_tos)
        if fault is None or fault.accepted:
            who: object = session.auth_data
            login = who.login.decode() if isinstance(who, LoginPassword) else ""
            self._sink.received.append(
                Received(
                    sender=envelope.mail_from or "",
                    recipients=tuple(envelope.rcpt_tos),
                    content=envelope.original_content or b"",
                    options=tuple(envelope.mail_options),
                    encrypted=server.encrypted,
                    login=login,
                )
            )
        return await server.suffer(fault) if fault else f"250 2.0.0 queued as {len(self._sink.received)}"

    async def handle_RSET(self, server: _Session, *_: object) -> str:  # noqa: N802
        fault = self._sink.take(Stage.RSET)
        return await server.suffer(fault) if fault else "250 OK"

    async def handle_QUIT(self, server: _Session, *_: object) -> str:  # noqa: N802
        fault = self._sink.take(Stage.QUIT)
        return await server.suffer(fault) if fault else "221 Bye"
