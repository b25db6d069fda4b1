"""A wire between a client and a server that can be cut, mended, and stopped or broken at a chosen word."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self


class Relay:
    """Listens on a port of its own and passes everything on; use it as a context manager."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self.port = 0
        self.connections = 0
        self._gate = b""
        self.poison = b""  # a word of the server's over which a connection ends
        self.reached = threading.Event()  # the gate's word is there and is not passed on
        self._ready = threading.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="relay")

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the relay did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def cut(self) -> None:
        """End all connections, and let nobody in."""
        self._do(self._cut)

    def mend(self) -> None:
        """Let clients in again, on the same port."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop_at(self, word: bytes) -> None:
        """Pass on nothing from the first client whose words hold `word`; `reached` tells, `go_on` passes it on."""
        self.reached.clear()
        self._gate = word
        self._do(self._open.clear)

    def go_on(self) -> None:
        """Open the gate for good."""
        self._gate = b""
        self._do(self._open.set)

    def _do(self, act: Callable[[], object]) -> None:
        done = threading.Event()

        def run() -> None:
            act()
            done.set()

        self._loop.call_soon_threadsafe(run)
        done.wait(10)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over, self._open = asyncio.Event(), asyncio.Event()
        await self._listen()
        self._ready.set()
        await self._over.wait()
        self._cut()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _cut(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, far_writer}
        with suppress(OSError):
            await asyncio.gather(self._pass(reader, far_writer, gated=True), self._pass(far_reader, writer))
        for end in (writer, far_writer):
            end.transport.abort()
            self._writers.discard(end)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, gated: bool = False
    ) -> None:
        while octets := await reader.read(1 << 16):
            if gated and self._gate and self._gate in octets:
                self.reached.set()
                await self._open.wait()
            if not gated and self.poison and self.poison in octets:
                raise ConnectionResetError
            writer.write(octets)
            await writer.drain()
        with suppress(OSError):
            writer.write_eof()
