"""Bytes from a server, cut into IMAP responses (RFC 9051 sections 2.2 and 4.3): lines, and literals of exact size.

A timeout in the middle of a line loses nothing: what has arrived stays in the buffer.
"""

import re
from typing import Final, Protocol

CHUNK: Final = 1 << 18
LONGEST_LINE: Final = 1 << 26
"""A SEARCH of six million UIDs fits; a server that sends more without a line end is not one."""

_LITERAL = re.compile(rb"~?\{(\d+)\+?\}\Z")
_WORDS = re.compile(rb"\* (?:OK|NO|BAD|BYE|PREAUTH)\b", re.IGNORECASE)


class Source(Protocol):
    """What a socket is to its reader."""

    def recv(self, most: int, /) -> bytes:
        """Wait for octets; none at the end."""


class Stream:
    """A buffered reader on one socket; `buffer` from `at` on has arrived and is not yet read."""

    def __init__(self, connection: Source) -> None:
        self._connection = connection
        self.buffer = b""
        self.at = 0
        self.received = 0

    def fill(self) -> None:
        """Wait for more from the server; the end of the stream is a ConnectionResetError."""
        chunk = self._receive(CHUNK)
        self.buffer = self.buffer[self.at :] + chunk
        self.at = 0

    def line(self) -> bytes:
        """Read one line, its end included."""
        searched = self.at
        while (end := self.buffer.find(b"\n", searched)) < 0:
            searched = len(self.buffer) - self.at
            if searched > LONGEST_LINE:
                raise ConnectionResetError("the server sends a line without an end")
            self.fill()
        line = self.buffer[self.at : end + 1]
        self.at = end + 1
        return line

    def octets(self, count: int) -> bytes:
        """Read exactly `count` octets."""
        parts = [self.buffer[self.at : self.at + count]]
        self.at += len(parts[0])
        missing = count - len(parts[0])
        while missing:
            parts.append(self._receive(min(missing, CHUNK)))
            missing -= len(parts[-1])
        return b"".join(parts)

    def response(self) -> list[bytes]:
        """Read one response: text, literal, text, literal, ... text, line ends removed."""
        parts = [self.line().rstrip(b"\r\n")]
        while (size := _LITERAL.search(parts[-1])) and not _WORDS.match(parts[0]):
            parts += [self.octets(int(size[1])), self.line().rstrip(b"\r\n")]
        return parts

    def response_if_here(self) -> list[bytes] | None:
        """Read one response if all of it has arrived; None, and nothing read, if not."""
        start = self.at
        if not self.has_line:
            return None
        parts = [self.line().rstrip(b"\r\n")]
        while (size := _LITERAL.search(parts[-1])) and not _WORDS.match(parts[0]):
            end = self.at + int(size[1])
            if self.buffer.find(b"\n", end) < 0:
                self.at = start
                return None
            parts += [self.octets(int(size[1])), self.line().rstrip(b"\r\n")]
        return parts

    @property
    def has_line(self) -> bool:
        """Whether a line can be read without waiting."""
        return self.buffer.find(b"\n", self.at) >= 0

    def _receive(self, most: int) -> bytes:
        chunk = self._connection.recv(most)
        if not chunk:
            raise ConnectionResetError("the server closed the connection")
        self.received += len(chunk)
        return chunk
