"""The least that a first sync can cost: a bare socket that asks for the same and reads the answers without parsing them."""

import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Self

from tests.benchmarks.plain import CHUNK, Plain

_READING: Final = (b"ENABLE ", b"EXAMINE ", b"UID FETCH ")


class Recorder:
    """Stands between one client and the server, and notes what the client says; use it as a context manager."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._notes: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, name="recorder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._thread.join(10)

    @property
    def port(self) -> int:
        """Where the client finds it."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def reading(self) -> Sequence[bytes]:
        """The commands that read mail and select folders, without their tags."""
        commands = [line.partition(b" ")[2] for line in b"".join(self._notes).split(b"\r\n")]
        return [command for command in commands if command.startswith(_READING)]

    def _serve(self) -> None:
        try:
            near, _ = self._listener.accept()
        except OSError:  # nobody came
            return
        with near, socket.create_connection(("127.0.0.1", self._target)) as far:
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_pump, args=(far, near, None), daemon=True)
            back.start()
            _pump(near, far, self._notes)
            back.join(10)


def replay(port: int, user: str, commands: Sequence[bytes]) -> tuple[float, int]:
    """Say the same to the server: the seconds, and how many octets it answered."""
    with Plain(port, user) as line:
        started = time.perf_counter()
        octets = sum(line.skim(command) for command in commands)
        return time.perf_counter() - started, octets


def _pump(source: socket.socket, target: socket.socket, notes: list[bytes] | None) -> None:
    with suppress(OSError):  # one end is gone: so is the conversation
        while octets := source.recv(CHUNK):
            if notes is not None:
                notes.append(octets)
            target.sendall(octets)
        target.shutdown(socket.SHUT_WR)
