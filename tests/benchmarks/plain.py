"""A bare socket to a private server: commands go out, octets come in, and nobody parses them."""

import re
import socket
import time
from collections.abc import Sequence
from typing import Final, Self

from tests.servers.dovecot import PASSWORD

CHUNK: Final = 1 << 18
PATIENCE: Final = 600.0
_TAG: Final = b"x "
_ID = re.compile(rb"UID (\d+).*?\r\nMessage-ID: (<[^>]+>)", re.DOTALL | re.IGNORECASE)
_EXISTS = re.compile(rb"\* (\d+) EXISTS\r\n")


class Plain:
    """One connection, logged in."""

    def __init__(self, port: int, user: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.recv(4096)  # the greeting
        self.say(f"LOGIN {user} {PASSWORD}".encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, command: bytes) -> bytes:
        """Send a command and read its answer."""
        self.socket.sendall(_TAG + command + b"\r\n")
        return b"".join(self._answer())

    def skim(self, command: bytes) -> int:
        """Send a command and read its answer, but keep nothing; how many octets it had."""
        self.socket.sendall(_TAG + command + b"\r\n")
        return sum(map(len, self._answer()))

    def ids(self, folder: str, most: int) -> Sequence[tuple[int, str]]:
        """UID and Message-ID of the first mails of a folder."""
        self.say(f'SELECT "{folder}"'.encode())
        said = self.say(f"FETCH 1:{most} (UID BODY.PEEK[HEADER.FIELDS (Message-ID)])".encode())
        return [(int(uid), own.decode()) for uid, own in _ID.findall(said)]

    def deliver(self, octets: bytes) -> None:
        """Let a mail arrive in the inbox."""
        self.say(b"APPEND INBOX {%d+}\r\n%s" % (len(octets), octets))

    def _answer(self) -> Sequence[bytes]:
        """All up to the tagged line; nothing follows it, because nothing else was asked."""
        chunks, end = [], b""
        while not _is_last(end):
            chunk = self.socket.recv(CHUNK)
            if not chunk:
                raise ConnectionResetError("the server closed the connection")
            chunks.append(chunk)
            end = chunk[-4096:] if len(chunk) >= 4096 else (end + chunk)[-4096:]
        return chunks


class Ear:
    """A mail client that shows the inbox and waits in IDLE: what it is told, a person sees."""

    def __init__(self, port: int, user: str) -> None:
        self._line = Plain(port, user)
        said = self._line.say(b"EXAMINE INBOX")
        self._line.socket.sendall(b"x IDLE\r\n")
        self.messages = int(_EXISTS.findall(said)[-1])
        self._heard = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.socket.close()

    def wait(self, messages: int, seconds: float) -> float:
        """Wait until the inbox has so many; the moment."""
        end = time.monotonic() + seconds
        while self.messages < messages:
            self._line.socket.settimeout(max(end - time.monotonic(), 0.001))
            chunk = self._line.socket.recv(CHUNK)
            if not chunk:
                raise ConnectionResetError("the server closed the connection")
            self._heard = (self._heard + chunk)[-4096:]
            told = _EXISTS.findall(self._heard)
            self.messages = int(told[-1]) if told else self.messages
        return time.perf_counter()


def _is_last(end: bytes) -> bool:
    line = end[end.rfind(b"\n", 0, -1) + 1 :]
    if not (end.endswith(b"\r\n") and line.startswith(_TAG)):
        return False
    if not line.startswith(_TAG + b"OK"):
        raise RuntimeError(f"the server refused: {line[:200]!r}")
    return True
