"""A scripted IMAP peer: a dialogue given as data, played once, word for word.

Anything that the dialogue does not foresee ends the connection and fails the test when the peer is closed, and so does
a turn that was never reached.
"""

import re
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

GREETING: Final = b"* OK ready\r\n"
CAPABILITIES: Final = (
    "IMAP4rev1 UIDPLUS MOVE UNSELECT ESEARCH ENABLE CONDSTORE QRESYNC LITERAL+ LIST-EXTENDED LIST-STATUS"
)
PLAIN_CAPABILITIES: Final = "IMAP4rev1"
_LITERAL = re.compile(r"\{(\d+)(\+?)\}\Z")


@dataclass(frozen=True, slots=True)
class Turn:
    r"""What the client must send (without its tag), and what it then hears.

    `<tag>` in the answer becomes the tag of the last tagged line.  A sequence of answers is sent in segments of their
    own, a moment apart.  `then` says how it goes on: "on", "close" the connection, or "hang" without a word.
    """

    expect: str | re.Pattern[str]
    say: bytes | Sequence[bytes] = b"<tag> OK done\r\n"
    then: str = "on"


def logged_in(capabilities: str = CAPABILITIES) -> list[Turn]:
    """Play the usual beginning: CAPABILITY, LOGIN, CAPABILITY, and ENABLE where it is offered."""
    told = Turn("CAPABILITY", f"* CAPABILITY {capabilities}\r\n<tag> OK done\r\n".encode())
    turns = [told, Turn('LOGIN ann "secret"'), told]
    offered = set(capabilities.split())
    if {"ENABLE", "QRESYNC"} <= offered:
        turns.append(Turn("ENABLE QRESYNC CONDSTORE", b"* ENABLED QRESYNC CONDSTORE\r\n<tag> OK done\r\n"))
    elif {"ENABLE", "CONDSTORE"} <= offered:
        turns.append(Turn("ENABLE CONDSTORE", b"* ENABLED CONDSTORE\r\n<tag> OK done\r\n"))
    return turns


def selected(name: str = "INBOX", *, uidvalidity: int = 7, command: str = "SELECT") -> Turn:
    """Play the selecting of a folder."""
    words = f"* 3 EXISTS\r\n* OK [UIDVALIDITY {uidvalidity}] ok\r\n* OK [UIDNEXT 10] ok\r\n<tag> OK [READ-WRITE] done\r\n"
    return Turn(f'{command} "{name}"', words.encode())


class ScriptedPeer:
    """Listens on a free port and plays one dialogue per connection, in their order."""

    def __init__(self, *dialogues: Sequence[Turn], greeting: bytes = GREETING) -> None:
        self._dialogues = [list(dialogue) for dialogue in dialogues]
        self._greeting = greeting
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self.port: int = self._socket.getsockname()[1]
        self.heard: list[str] = []
        self.connections = 0
        self._problems: list[str] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._play_all, name="scripted peer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._socket.close()
        self._thread.join(10)
        assert not self._thread.is_alive(), "the scripted peer does not end"
        if kind is None:
            assert not self._problems, "; ".join(self._problems)
            left = [turn.expect for dialogue in self._dialogues for turn in dialogue]
            assert not left, f"these turns were never reached: {left}"

    def _play_all(self) -> None:
        while not self._closing.is_set() and self._dialogues:
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            except OSError:  # closed by __exit__
                return
            self.connections += 1
            with connection:
                connection.settimeout(0.05)
                self._play(_Line(connection, self._closing), self._dialogues[0])
            if not self._dialogues[0]:
                self._dialogues.pop(0)

    def _play(self, line: "_Line", dialogue: list[Turn]) -> None:
        line.send(self._greeting)
        while (command := line.read()) is not None:
            if command == "LOGOUT":
                line.send(b"* BYE\r\n<tag> OK bye\r\n")
                return
            self.heard.append(command)
            turn = dialogue.pop(0) if dialogue else None
            if turn is None or not _fits(turn.expect, command):
                expected = turn.expect if turn else "nothing more"
                self._problems.append(f"expected {expected!r}, heard {command[:200]!r}")
                return
            for segment in [turn.say] if isinstance(turn.say, bytes) else turn.say:
                line.send(segment)
            while turn.then == "hang" and line.read() is not None:
                pass  # until the client has gone
            if turn.then != "on":
                return


class _Line:
    """The peer's end of one connection; reading gives up when the peer closes."""

    def __init__(self, connection: socket.socket, closing: threading.Event) -> None:
        self._connection = connection
        self._closing = closing
        self._buffer = b""
        self._tag = b"*"

    def send(self, words: bytes) -> None:
        try:
            self._connection.sendall(words.replace(b"<tag>", self._tag))
        except OSError:  # the client has gone: the turns left over tell
            return
        time.sleep(0.02)  # so that two segments stay two

    def read(self) -> str | None:
        """Read one command with its literals and without its tag; None at the end."""
        line = self._until_line()
        if line is None:
            return None
        text = line.decode("latin-1")
        tag, space, rest = text.partition(" ")
        if space:
            self._tag, text = tag.encode(), rest
        while size := _LITERAL.search(text):
            if not size[2]:
                self.send(b"+ go on\r\n")
            literal = self._exactly(int(size[1]))
            more = self._until_line()
            if literal is None or more is None:
                return None
            text += "\r\n" + (literal + more).decode("latin-1")
        return text

    def _until_line(self) -> bytes | None:
        while b"\r\n" not in self._buffer:
            if not self._fill():
                return None
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _exactly(self, count: int) -> bytes | None:
        while len(self._buffer) < count:
            if not self._fill():
                return None
        octets, self._buffer = self._buffer[:count], self._buffer[count:]
        return octets

    def _fill(self) -> bool:
        while not self._closing.is_set():
            try:
                chunk = self._connection.recv(1 << 16)
            except TimeoutError:
                continue
            except OSError:
                return False
            self._buffer += chunk
            return bool(chunk)
        return False


def _fits(expected: str | re.Pattern[str], heard: str) -> bool:
    return heard == expected if isinstance(expected, str) else bool(expected.fullmatch(heard))
