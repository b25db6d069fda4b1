"""One connection that waits for news: IDLE (RFC 2177), with NOTIFY (RFC 5465) for all folders at once.

It reads by itself because IMAPClient's IDLE loses what comes in the segment of `+ idling`, gives up on a line in two
segments and on literals, and takes the end of the stream for silence (trap B5).
"""

import re
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from helpdesk.errors import MailboxUnreachableError
from helpdesk.mailbox.answers import encoded
from helpdesk.mailbox.conversation import Conversation, patience, plain

EVERYTHING: Final = (
    "NOTIFY SET (selected (MessageNew MessageExpunge FlagChange)) "
    "(personal (MessageNew MessageExpunge FlagChange MailboxName))"
)
_NEWS = re.compile(rb"\* (?:\d+ (?:EXISTS|EXPUNGE|FETCH)|VANISHED|STATUS|LIST)\b", re.IGNORECASE)


class _Why(Enum):
    """Why waiting ended."""

    NEWS = auto()
    TIME = auto()
    STOP = auto()


@dataclass(frozen=True, slots=True)
class Pace:
    """How long one IDLE lasts (a server may end it after 29 minutes, a NAT much earlier), and how long an answer."""

    idle_seconds: float = 9 * 60
    answer_seconds: float = 30


class Idler:
    """Waits on a logged-in connection; `stop` is a socket that becomes readable when it is time to leave."""

    def __init__(
        self, conversation: Conversation, stop: socket.socket, wake: Callable[[], None], pace: Pace
    ) -> None:
        self._connection, self._stream = conversation.hand_over()
        self._stop = stop
        self._wake = wake
        self._pace = pace
        self._number = 0

    def wait(self) -> bool:
        """Do one IDLE from beginning to end; False when it was told to stop."""
        self._number += 1
        tag = b"i%d" % self._number
        self._connection.sendall(tag + b" IDLE\r\n")
        why = self._listen(tag, b"+", self._pace.answer_seconds)
        if why is _Why.NEWS:
            why = self._listen(tag, tag, self._pace.idle_seconds)
            if why is _Why.TIME:
                self._connection.sendall(b"DONE\r\n")
                why = self._listen(tag, tag, self._pace.answer_seconds)
        if why is _Why.TIME:
            raise MailboxUnreachableError("the server does not answer any more")
        return why is not _Why.STOP

    def _listen(self, tag: bytes, end: bytes, seconds: float) -> _Why:
        """Read until a line starts with `end` (NEWS), the time is up, or it is time to leave."""
        deadline = time.monotonic() + seconds
        while True:
            while (response := self._stream.response_if_here()) is not None:
                if self._heard(response[0], tag) and response[0].startswith(end):
                    return _Why.NEWS
            why = self._ready(deadline)
            if why is not _Why.NEWS:
                return why
            self._fill()

    def _heard(self, line: bytes, tag: bytes) -> bool:
        """Wake up for news; True for what is no news: a continuation or the tagged answer."""
        if line.startswith(b"* "):
            if line[:5].upper() == b"* BYE":
                said = plain(line[6:])
                raise MailboxUnreachableError(
                    f"the server ended the connection: {said}", retry_after=patience(said)
                )
            if _NEWS.match(line):
                self._wake()
            return False
        if line.startswith(tag) and not line[len(tag) :].upper().startswith(b" OK"):
            raise MailboxUnreachableError(f"the server does not let us wait: {plain(line)}")
        return True

    def _fill(self) -> None:
        """Take what has arrived; under TLS that may be a record without a word in it."""
        self._connection.settimeout(0)
        try:
            self._stream.fill()
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        finally:
            self._connection.settimeout(self._pace.answer_seconds)

    def _ready(self, deadline: float) -> _Why:
        if isinstance(self._connection, ssl.SSLSocket) and self._connection.pending():
            return _Why.NEWS
        with selectors.DefaultSelector() as selector:
            selector.register(self._connection, selectors.EVENT_READ)
            selector.register(self._stop, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select(max(0.0, deadline - time.monotonic()))}
        if self._stop in ready:
            return _Why.STOP
        return _Why.NEWS if ready else _Why.TIME


def prepare(conversation: Conversation, inbox: str) -> bool:
    """Select what to wait for, all folders where the server can; False where it cannot tell anything by itself."""
    offered = conversation.capabilities
    if "IDLE" not in offered:
        return False
    conversation.run(f"EXAMINE {encoded(inbox)}").check()
    if "NOTIFY" in offered:
        conversation.run(EVERYTHING)  # a NO leaves plain IDLE on the inbox
    return True
