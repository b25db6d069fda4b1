"""What systemd would hear: the datagrams of sd_notify(3) on a socket of ours."""

import shutil
import socket
from contextlib import suppress
from typing import Self

from tests.servers.process import short_directory


class Systemd:
    """Listens; use it as a context manager."""

    def __init__(self, watchdog_seconds: float) -> None:
        self._folder = short_directory()
        path = str(self._folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        self._socket.setblocking(False)
        self._heard: list[str] = []
        self.environment = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": str(round(watchdog_seconds * 1e6))}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        shutil.rmtree(self._folder)

    def heard(self, after: int = 0) -> list[str]:
        """Every datagram until now but the first `after`."""
        with suppress(BlockingIOError):
            while True:
                self._heard.append(self._socket.recv(4096).decode())
        return self._heard[after:]
