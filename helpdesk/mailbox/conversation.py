"""One command at a time: what the server says between a command and its tagged answer belongs to that command.

This is the only place that sends commands after the login.  imaplib's own reader is not used from then on: it mixes
what belongs to one command with what belongs to the next, and keeps for ever what nobody asks for.
"""

import contextlib
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, Protocol

from helpdesk.errors import MailboxRefusedError, MailboxUnreachableError
from helpdesk.mailbox.stream import Stream

Parts = list[bytes]
"""One untagged response without its `* `: text, literal, text, literal, ... text."""

PATIENCE: Final = {"THROTTLED": 300.0, "UNAVAILABLE": 60.0, "INUSE": 30.0, "LIMIT": 60.0}
"""Seconds to stay away for a response code (RFC 5530) that says "not now"; LIMIT only at login."""

_TAGGED = re.compile(
    rb"(?P<status>OK|NO|BAD) ?(?:\[(?P<code>[^\]]*)\])? ?(?P<text>.*)\Z", re.IGNORECASE | re.DOTALL
)
_BACKOFF = re.compile(r"Backoff Time: (\d+) milliseconds", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[^ -~]+")
_LONELY = "authenticated but not connected"  # Exchange: the session behind the proxy is gone
_SHORT_LITERAL: Final = 4096  # LITERAL- (RFC 7888 section 5)


class RowReader(Protocol):
    """Takes FETCH responses out of the stream before anybody else looks at them."""

    def take(self, stream: Stream) -> bool:
        """Read the complete rows at the front of the buffer; True when more octets are needed to go on."""

    def odd(self, parts: Parts) -> bool:
        """Read one response that `take` left; False when it is none of ours."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A tagged answer and the untagged responses before it."""

    command: str
    status: str
    code: str  # the response code without brackets, as APPENDUID 38505 3955
    text: str
    untagged: Sequence[Parts]

    @property
    def ok(self) -> bool:
        """Whether the command was done."""
        return self.status == "OK"

    @property
    def atom(self) -> str:
        """The name of the response code, or ""."""
        return self.code.partition(" ")[0].upper()

    def check(self) -> "Answer":
        """Raise what a NO or a BAD means."""
        if not self.ok:
            code = f"[{self.code}] " if self.code else ""
            raise MailboxRefusedError(f"{self.command}: the server answered {self.status} {code}{self.text}")
        return self


def plain(text: str | bytes) -> str:
    """A server's words, safe for a log: printable, on one line, and not long."""
    words = text.decode("latin-1") if isinstance(text, bytes) else text
    return _UNPRINTABLE.sub(" ", words).strip()[:300]


def patience(words: str) -> float | None:
    """How many seconds the server asks us to stay away, if it does."""
    told = _BACKOFF.search(words)
    if told:
        return int(told[1]) / 1000
    named = re.match(r"\W*(?:BYE )?\[(\w+)", words)
    return PATIENCE.get(named[1].upper()) if named else None


class Conversation:
    """Commands and answers on one connection that has logged in.

    Whatever breaks the connection, or leaves an answer half read, ends it: then every command is a
    `MailboxUnreachableError`, and a new connection is the cure.
    """

    def __init__(self, connection: socket.socket, stream: Stream) -> None:
        self._connection = connection
        self._stream = stream
        self._number = 0
        self._idle = True
        self.commands = 0
        self.capabilities: frozenset[str] = frozenset()

    @property
    def received(self) -> int:
        """Octets received so far."""
        return self._stream.received

    def run(self, command: str, *, literal: bytes | None = None, rows: RowReader | None = None) -> Answer:
        """Send one command, with a literal as its last argument if there is one, and read its answer."""
        if not self._idle:
            self.end()
            raise MailboxUnreachableError("the connection to the mailbox was given up")
        self._idle = False
        self._number += 1
        self.commands += 1
        tag = b"h%d" % self._number
        try:
            answer = self._exchange(tag, command, literal, rows)
        except TimeoutError:
            self.end()
            raise MailboxUnreachableError(f"{_verb(command)}: the server does not answer") from None
        except OSError as error:
            self.end()
            raise MailboxUnreachableError(f"{_verb(command)}: {plain(str(error))}") from None
        self._idle = True
        return self._obey(answer)

    def hand_over(self) -> tuple[socket.socket, Stream]:
        """Give up the connection to somebody who reads what comes unasked (IDLE)."""
        self._idle = False
        return self._connection, self._stream

    def end(self) -> None:
        """Throw the connection away."""
        self._idle = False
        with contextlib.suppress(OSError):  # it may be broken already
            self._connection.shutdown(socket.SHUT_RDWR)  # wakes whoever waits for it in another thread
        self._connection.close()

    def logout(self, seconds: float) -> None:
        """Say goodbye if the connection still works, wait no longer than `seconds`, and close it."""
        if self._idle:
            self._connection.settimeout(seconds)
            try:
                self._connection.sendall(b"bye LOGOUT\r\n")
                while not self._stream.response()[0].startswith(b"bye "):
                    pass
            except OSError:  # it is closed next
                pass
        self.end()

    def _exchange(self, tag: bytes, command: str, literal: bytes | None, rows: RowReader | None) -> Answer:
        untagged: list[Parts] = []
        line = tag + b" " + command.encode("ascii")
        if literal is None:
            self._connection.sendall(line + b"\r\n")
        elif self._needs_no_invitation(len(literal)):
            self._connection.sendall(line + b" {%d+}\r\n" % len(literal) + literal + b"\r\n")
        else:
            self._connection.sendall(line + b" {%d}\r\n" % len(literal))
            refused = self._read(tag, command, untagged, invited=True)
            if refused:
                return refused
            self._connection.sendall(literal + b"\r\n")
        answer = self._read(tag, command, untagged, rows=rows)
        if answer is None:
            raise ConnectionResetError("the server asks for something that there is not")
        return answer

    def _needs_no_invitation(self, octets: int) -> bool:
        """Tell whether a literal may follow at once (RFC 7888)."""
        short = "LITERAL-" in self.capabilities and octets <= _SHORT_LITERAL
        return "LITERAL+" in self.capabilities or short

    def _read(
        self,
        tag: bytes,
        command: str,
        untagged: list[Parts],
        *,
        rows: RowReader | None = None,
        invited: bool = False,
    ) -> Answer | None:
        """Read up to the tagged answer, or up to the invitation `+` (None) where one is expected."""
        stream = self._stream
        while True:
            if rows and rows.take(stream):
                stream.fill()
                continue
            parts = stream.response()
            start = parts[0]
            if start.startswith(b"* "):
                parts[0] = start[2:]
                if parts[0][:4].upper() == b"BYE ":
                    self._farewell(parts[0][4:])
                if not (rows and rows.odd(parts)):
                    untagged.append(parts)
            elif start.startswith(tag + b" "):
                return _answer(command, start[len(tag) + 1 :], untagged)
            elif invited and start.startswith(b"+"):
                return None
            else:
                raise ConnectionResetError("the server says something that fits no command")

    def _farewell(self, words: bytes) -> NoReturn:
        self.end()
        said = plain(words)
        raise MailboxUnreachableError(f"the server ended the connection: {said}", retry_after=patience(said))

    def _obey(self, answer: Answer) -> Answer:
        """Stay away when the server asks for it."""
        if answer.ok:
            return answer
        said = f"[{answer.code}] {answer.text}"
        wait = None if answer.atom == "LIMIT" else patience(said)
        if wait is not None or _LONELY in answer.text:
            self.end()
            raise MailboxUnreachableError(f"{answer.command}: the server says {said}", retry_after=wait)
        return answer


def _verb(command: str) -> str:
    words = command.split(" ", 2)
    return " ".join(words[:2]) if words[0] == "UID" else words[0]


def _answer(command: str, line: bytes, untagged: list[Parts]) -> Answer:
    found = _TAGGED.match(line)
    if not found:
        raise ConnectionResetError("the server's answer is neither OK, NO nor BAD")
    return Answer(
        command=_verb(command),
        status=found["status"].decode("ascii").upper(),
        code=plain_code(found["code"] or b""),
        text=plain(found["text"]),
        untagged=untagged,
    )


def plain_code(code: bytes) -> str:
    """A response code as text; it may be long (COPYUID of many messages)."""
    return code.decode("latin-1")
