"""How others see from outside whether the daemon is well: /healthz and /metrics, on this machine only.

A few lines of HTTP/1.1 (RFC 9112) in the daemon's own event loop: if that stands still, nobody answers, and that is
an answer.  Every request is bounded in size, time and number, and none is logged.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus

from helpdesk.errors import UsageError

HOST = "127.0.0.1"
MAX_REQUEST = 8192  # octets of a request line and its header
MAX_SECONDS = 5.0  # for a whole request and its answer
MAX_CONNECTIONS = 16

Answer = tuple[HTTPStatus, str, bytes]
"""Status, Content-Type, body."""

Page = Callable[[], Answer]


async def listen(port: int, pages: Mapping[str, Page]) -> asyncio.Server:
    """Serve pages on 127.0.0.1; a port that is taken is a mistake in the configuration."""
    door = _Door(pages)
    try:
        return await asyncio.start_server(door.answer, HOST, port, limit=MAX_REQUEST)
    except OSError as error:
        raise UsageError(
            f"[daemon] http_port: nobody can listen on {HOST}:{port} ({error.strerror}); another daemon may use it"
        ) from error


def healthz(board: str, last_poll: str | None, why: list[str]) -> Answer:
    """Say in one line of JSON whether all is well; `why` is empty then."""
    words = {"status": "failing" if why else "ok", "board": board, "last_poll": last_poll, "why": why}
    status = HTTPStatus.SERVICE_UNAVAILABLE if why else HTTPStatus.OK
    return status, "application/json", json.dumps(words).encode() + b"\n"


class _Door:
    """Counts who is being served."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        self._pages = pages
        self._busy = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer, and the end of the connection."""
        self._busy += 1
        try:
            if self._busy <= MAX_CONNECTIONS:
                async with asyncio.timeout(MAX_SECONDS):
                    await self._converse(reader, writer)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asks so gets nothing
        finally:
            self._busy -= 1
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, status, kind, body = _answer(head, self._pages)
        lines = (
            f"HTTP/1.1 {status.value} {status.phrase}",
            f"Content-Type: {kind}",
            f"Content-Length: {len(body)}",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
            "Connection: close",
        )
        writer.write("\r\n".join((*lines, "", "")).encode() + (b"" if method == "HEAD" else body))
        await writer.drain()
        with suppress(OSError):
            writer.write_eof()


def _answer(head: bytes, pages: Mapping[str, Page]) -> tuple[str, HTTPStatus, str, bytes]:
    words = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return "", *_plain(HTTPStatus.BAD_REQUEST)
    method, path = words[0], words[1].partition("?")[0]
    if method not in {"GET", "HEAD"}:
        return method, *_plain(HTTPStatus.METHOD_NOT_ALLOWED)
    page = pages.get(path)
    return method, *(_plain(HTTPStatus.NOT_FOUND) if page is None else page())


def _plain(status: HTTPStatus) -> Answer:
    return status, "text/plain; charset=utf-8", f"{status.phrase}\n".encode()
