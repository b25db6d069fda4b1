"""A small HTTP server for data sets, with byte ranges, and with the failures that storage really has."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: Path

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *_args: object) -> None:
        pass

    def _answer(self, *, body: bool) -> None:
        kind, _, name = self.path.strip("/").partition("/")
        if kind.isdigit():
            self.send_error(int(kind))
            return
        content = (self.folder / name).read_bytes()
        partial = "," not in self.headers.get(
            "Range", ","
        )  # RFC 9110 section 14.2: several ranges may be ignored
        start, end = self._range(len(content)) if partial else (0, len(content))
        part = content[start:end]
        self.send_response(206 if partial else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if body:
            self.wfile.write(part[: len(part) // 2] if kind == "short" else part)
        if kind == "short":
            self.close_connection = True

    def _range(self, size: int) -> tuple[int, int]:
        asked = self.headers.get("Range", "").removeprefix("bytes=")
        first, _, last = asked.partition("-")
        if not first:
            return 0, size
        return int(first), min(int(last) + 1 if last else size, size)


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The files of a folder below `URL/data/`; `URL/404/x` is an error, `URL/short/x` breaks off in the middle."""
    handler = type("Handler", (_Handler,), {"folder": folder})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
