"""What systemd is told: sd_notify(3) as one datagram, without its library."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


def notify(environment: Mapping[str, str], *words: str) -> None:
    """Send words like READY=1 to $NOTIFY_SOCKET, if there is one; whoever does not listen misses nothing."""
    path = environment.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
        door.setblocking(False)
        door.sendto("\n".join(words).encode(), address)


def watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """How long systemd waits for a WATCHDOG=1 before it restarts us; None where it does not watch this process."""
    text = environment.get("WATCHDOG_USEC", "")
    if not text.isdecimal() or int(text) == 0:
        return None
    meant = environment.get("WATCHDOG_PID", "")
    return int(text) / 1e6 if meant in {"", str(os.getpid())} else None
