"""The only door to aiosmtplib: letters out, one transaction each (RFC 5321), and an honest word on how each ended.

The line between "surely not accepted" and "nobody knows" is the first octet after the answer 354: the transaction is
spoken command by command here, because `sendmail` does not tell on which side of it a connection was lost.
"""

import asyncio
import base64
import re
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Literal

import aiosmtplib
from aiosmtplib.protocol import normalize_message_line_endings

from helpdesk.connecting import trouble
from helpdesk.errors import HelpdeskError, LoginRefusedError, UnreachableError
from helpdesk.ports import Delivery, Letter, Outcome, Told
from helpdesk.smtp_reply import Reply, delivery, one_line

MAX_FAILURES = 2
"""Connections that fail in a row before the rest of the letters is left for later."""

GOODBYE_SECONDS = 5.0

_PATH = re.compile(r"[^\s<>\"\x00-\x1f\x7f\ud800-\udfff]+")
_DOT = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are there; the secret is asked for when it is needed, and kept nowhere."""

    username: str
    secret: Callable[[], str] = field(repr=False)
    method: Literal["password", "xoauth2", "oauthbearer"] = "password"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where letters are handed in; without a TLS context of the caller's, certificates are verified by the system's."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"] = "starttls"
    tls: ssl.SSLContext | None = None
    timeout: float = 60.0  # seconds for a command
    data_timeout: float = (
        240.0  # for the answer to the final dot; RFC 5321 section 4.5.3.2.6 waits longer to avoid duplicates,
    )
    # which our own copy does better, and meanwhile nobody looks at the mailbox
    helo: str | None = None  # None: this machine's name


class SmtpMailer:
    """The `Mailer` of `helpdesk.ports`: synchronous, for a thread in which no event loop runs."""

    def __init__(self, server: SmtpServer, login: Login | None = None) -> None:
        self._server = server
        self._login = login

    def send(self, letters: Iterable[Letter], told: Told | None = None) -> Iterator[tuple[Letter, Delivery]]:
        """Send each letter when its result is asked for; one connection is kept while it works."""
        if not letters:
            return
        with asyncio.Runner() as runner, closing(_Door(runner, self._server, self._login)) as door:
            for letter in letters:
                yield letter, door.deliver(letter, told)

    def probe(self) -> str:
        """Connect, log in and leave; the extensions that the server offers, or `UnreachableError`."""
        with asyncio.Runner() as runner, closing(_Door(runner, self._server, self._login)) as door:
            return door.probe()


class _LostError(Exception):
    """The connection ended, or is of no use, before an octet of the letter was sent."""


class _Door:
    """The connection, as the synchronous side sees it, and its memory of failures."""

    def __init__(self, runner: asyncio.Runner, server: SmtpServer, login: Login | None) -> None:
        self._runner = runner
        self._connection = _Connection(server, login)
        self._failures = 0
        self._trouble: UnreachableError | None = None  # what the last failure was

    def deliver(self, letter: Letter, told: Told | None) -> Delivery:
        """One transaction, on a fresh connection if the kept one turns out to be dead."""
        if self._failures >= MAX_FAILURES:
            return Delivery(Outcome.TEMPORARY, f"not tried: {self._trouble}", unreached=self._trouble)
        try:
            done = self._runner.run(self._deliver(letter, told))
        except LoginRefusedError as error:
            self._failures = MAX_FAILURES  # asking again may lock the account
            return self._later(error)
        except (UnreachableError, _LostError) as error:
            self._failures += 1
            return self._later(error)
        if done.outcome is Outcome.UNKNOWN:
            self._failures += 1
            self._trouble = UnreachableError(done.answer)
        else:
            self._failures = 0
        return done

    def probe(self) -> str:
        """Connect and log in; what EHLO answered."""
        return self._runner.run(self._connection.open())

    def close(self) -> None:
        """Say goodbye, whatever state the connection is in."""
        self._runner.run(self._connection.close())

    async def _deliver(self, letter: Letter, told: Told | None) -> Delivery:
        if await self._connection.alive():
            with suppress(_LostError):  # servers end connections that are idle or carried their share
                return await self._connection.transact(letter, told)
        await self._connection.open()
        return await self._connection.transact(letter, told)

    def _later(self, error: Exception) -> Delivery:
        self._trouble = error if isinstance(error, UnreachableError) else UnreachableError(str(error))
        return Delivery(Outcome.TEMPORARY, str(error), unreached=self._trouble)


class _Connection:
    """One connection and the words spoken over it."""

    def __init__(self, server: SmtpServer, login: Login | None) -> None:
        self._server = server
        self._login = login
        self._client = aiosmtplib.SMTP()

    async def alive(self) -> bool:
        """Tell whether the connection still stands, as far as this side has heard."""
        await asyncio.sleep(0)  # the loop stood still since the last letter: it reads what arrived
        return self._client.is_connected

    async def open(self) -> str:
        """Connect, verify, log in; what EHLO answered."""
        secret = self._secret()
        await self.close()
        server = self._server
        self._client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=server.tls or ssl.create_default_context(),
            timeout=server.timeout,
            local_hostname=server.helo,
        )
        try:
            await self._client.connect()
            reply = await self._client.ehlo()
            await self._log_in(secret)
        except (aiosmtplib.SMTPException, OSError) as error:
            await self.close()
            if isinstance(error, aiosmtplib.SMTPAuthenticationError) and error.code >= 500:
                raise LoginRefusedError(f"{server.host} refused the login: {_said(error)}") from error
            words = f"{server.host}:{server.port}: {_said(error)}"
            raise UnreachableError(words, trouble=trouble(error)) from error
        return one_line(reply.message)

    async def transact(self, letter: Letter, told: Told | None) -> Delivery:
        """MAIL, RCPT, DATA; `_LostError` when the connection ended before the text of the letter was begun."""
        if not _PATH.fullmatch(letter.sender):
            return Delivery(Outcome.PERMANENT, f"{one_line(letter.sender)!r} is no address")
        international = _is_international(letter)
        if international and not self._client.supports_extension("smtputf8"):
            return Delivery(
                Outcome.PERMANENT, "the server takes ASCII addresses and headers only (no SMTPUTF8)"
            )
        text = normalize_message_line_endings(letter.content)
        reply = await self._command(
            f"MAIL FROM:<{letter.sender}>", *self._options(text, international=international)
        )
        if not reply.good:
            return Delivery(reply.refusal, str(reply))
        replies = {to: await self._recipient(to) for to in letter.recipients}
        refused = {to: reply for to, reply in replies.items() if not reply.good}
        if len(refused) == len(replies):
            await self._reset()
            return delivery(None, "", refused)
        if refused and told is not None:
            told(letter, delivery(None, "", refused))
        reply = await self._command("DATA")
        if reply.code != 354:
            await self._reset()
            return delivery(reply.refusal, str(reply), refused)
        reply = await self._text(text)
        return delivery(reply.verdict, str(reply), refused)

    async def _recipient(self, address: str) -> Reply:
        """RCPT; what could end the command is refused here (RFC 5321 section 4.2.3, code 553)."""
        if not _PATH.fullmatch(address):
            return Reply(553, "this is no address")
        return await self._command(f"RCPT TO:<{address}>")

    async def close(self) -> None:
        """QUIT if somebody listens, then the socket."""
        transport = self._client.transport
        with suppress(aiosmtplib.SMTPException, OSError):
            if self._client.is_connected:
                await self._client.quit(timeout=GOODBYE_SECONDS)
        self._client.close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
            await asyncio.sleep(0)

    def _secret(self) -> str:
        """Ask for the password or token: before connecting, so that the server's patience is not spent."""
        try:
            return self._login.secret() if self._login else ""
        except UnreachableError:
            raise
        except (HelpdeskError, OSError) as error:
            raise UnreachableError(f"no credential for {self._server.host}: {_said(error)}") from error

    async def _log_in(self, secret: str) -> None:
        if self._login is None:
            return
        if self._login.method == "xoauth2":
            await self._client.auth_xoauth2(self._login.username, secret)
            return
        if self._login.method == "oauthbearer":
            await self._bear(self._login.username, secret)
            return
        if self._server.security != "none":
            self._client.AUTH_METHODS = ("plain", "login")  # TLS hides it; CRAM-MD5 often is offered in vain
        await self._client.login(self._login.username, secret)

    async def _bear(self, username: str, token: str) -> None:
        """AUTH OAUTHBEARER (RFC 7628 section 3.1); after a challenge, which is a refusal, its section 3.2.3."""
        user = username.replace("=", "=3D").replace(",", "=2C")
        words = f"n,a={user},\1host={self._server.host}\1port={self._server.port}\1auth=Bearer {token}\1\1"
        encoded = base64.b64encode(words.encode())
        answer = await self._client.execute_command(b"AUTH", b"OAUTHBEARER", encoded)
        if answer.code == 334:
            answer = await self._client.execute_command(b"AQ==")
        if answer.code != 235:
            raise aiosmtplib.SMTPAuthenticationError(answer.code, answer.message)

    def _options(self, text: bytes, *, international: bool) -> list[str]:
        """Parameters of MAIL: RFC 1870, RFC 6152, RFC 6531; each only where the server offers it."""
        options = [f"SIZE={len(text)}"] if self._client.supports_extension("size") else []
        if not text.isascii() and self._client.supports_extension("8bitmime"):
            options.append("BODY=8BITMIME")
        return [*options, "SMTPUTF8"] if international else options

    async def _command(self, *words: str) -> Reply:
        """One command and its answer; nothing that fails here can have sent the letter."""
        try:
            answer = await self._client.execute_command(*(word.encode() for word in words))
        except (aiosmtplib.SMTPException, OSError) as error:
            self._client.close()
            raise _LostError(_said(error)) from error
        reply = Reply(answer.code, one_line(answer.message))
        if reply.code == 421:  # the server closes the channel: RFC 5321 section 3.8
            raise _LostError(str(reply))
        return reply

    async def _reset(self) -> None:
        """Forget the transaction; its answer is known, so a connection that ends here changes nothing."""
        with suppress(_LostError):
            await self._command("RSET")

    async def _text(self, text: bytes) -> Reply:
        """Send the letter and the final dot; when no answer comes, the code of the reply is 0."""
        protocol = self._client.protocol
        if protocol is None or not protocol.is_connected:
            raise _LostError("the connection was lost after DATA")
        protocol.write(_DOT.sub(b"..", text) + b".\r\n")
        try:
            answer = await protocol.read_response(timeout=self._server.data_timeout)
        except (aiosmtplib.SMTPException, OSError) as error:
            self._client.close()
            return Reply(0, f"no answer after the letter was sent: {_said(error)}")
        if answer.code == 421:
            self._client.close()
        return Reply(answer.code, one_line(answer.message))


def _is_international(letter: Letter) -> bool:
    """Tell whether addresses or header need SMTPUTF8 (RFC 6531); a body outside ASCII does not."""
    header = normalize_message_line_endings(letter.content).partition(b"\r\n\r\n")[0]
    return not ("".join((letter.sender, *letter.recipients)).isascii() and header.isascii())


def _said(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return str(Reply(error.code, one_line(error.message)))
    return one_line(str(error)) or type(error).__name__
