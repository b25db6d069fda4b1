"""What every private server needs: a short directory, free ports, patience, and a sure end."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path


def short_directory() -> Path:
    """Make a directory whose unix socket paths stay under 100 characters, readable for `nobody` when we are root."""
    directory = Path(tempfile.mkdtemp(prefix="hd", dir="/tmp"))
    if os.geteuid() == 0:
        directory.chmod(0o755)
    return directory


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
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
