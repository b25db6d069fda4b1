"""A web server that gives a calendar, over TLS or without, and does what a bad one does."""

import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class CalendarServer:
    """What it answers, and what it was asked; `port` is free again after `stop`."""

    octets: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    """Where a path leads; every other path is the calendar."""

    pause: float = 0.0
    """Seconds before each octet: a slow drip."""

    sized: bool = True
    """Whether it says how much will come."""

    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    port: int = 0
    scheme: str = "https"

    def url(self, path: str = "/shifts.ics", host: str = "localhost") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"


class _Handler(BaseHTTPRequestHandler):
    told: CalendarServer

    def do_GET(self) -> None:
        told = self.told
        told.asked.append((self.path, dict(self.headers)))
        if self.path in told.redirects:
            self.send_response(302)
            self.send_header("Location", told.redirects[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        etag = told.headers.get("ETag")
        unchanged = etag is not None and self.headers.get("If-None-Match") == etag
        self.send_response(304 if unchanged else told.status)
        octets = b"" if unchanged else told.octets
        length = {"Content-Length": str(len(octets))} if told.sized else {}
        for name, value in {**told.headers, **length}.items():
            self.send_header(name, value)
        self.end_headers()
        self._write(octets)

    def _write(self, octets: bytes) -> None:
        try:
            for start in range(0, len(octets), 1 if self.told.pause else 65_536):
                time.sleep(self.told.pause)
                self.wfile.write(octets[start : start + (1 if self.told.pause else 65_536)])
        except OSError:  # the other side has had enough
            pass

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that does not trust us hangs up: nothing to tell."""


@contextmanager
def serving(tls: ssl.SSLContext | None, octets: bytes = b"") -> Iterator[CalendarServer]:
    """A server on 127.0.0.1, until the context ends."""
    told = CalendarServer(octets, scheme="http" if tls is None else "https")
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"told": told}))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    told.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
