"""What every private server needs: a short directory, free ports, patience, and a sure end."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_ROOM: Final = 2 << 30


def short_directory() -> Path:
    """Make a directory whose unix socket paths stay under 100 characters, readable for `nobody` when we are root."""
    directory = Path(tempfile.mkdtemp(prefix="hd", dir="/tmp"))
    if os.geteuid() == 0:
        directory.chmod(0o755)
    return directory


def memory() -> str | None:
    """A folder in memory, if there is room: what waits for a disk's answer there waits for nothing.

    The tests end processes and never the power, so they see no difference.
    """
    shared = Path("/dev/shm")  # noqa: S108 - what lies there is made by mkdtemp or by pytest
    roomy = shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > _ROOM
    return str(shared) if roomy and not os.statvfs(shared).f_flag & getattr(os, "ST_NOEXEC", 0) else None


def free_port() -> int:
    """Find a port that nobody uses.

    It is below those that Linux gives to clients, so that none of their connections takes it before its server is there
    or while the server is away; and it is any of many, so that two processes that look at once find different ones.
    """
    while True:
        port = 10_000 + secrets.randbelow(22_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_for_greeting(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 10) -> None:
    """Wait until the server says something, or tell what its log says."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 0.5) as probe:
                probe.settimeout(5)
                if probe.recv(4):
                    return
        except OSError:
            time.sleep(0.01)
    said = log.read_text(errors="replace")[-2000:] if log.exists() else ""
    raise RuntimeError(f"{process.args!r} gave no greeting on port {port}: {said}")


def leash() -> list[str]:
    """Begin a command line whose process ends when the tests are killed and cannot stop it any more."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


def kill_group(process: subprocess.Popen[bytes], directory: Path) -> None:
    """End the server and its children at once, and remove its directory."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
    shutil.rmtree(directory, ignore_errors=True)
