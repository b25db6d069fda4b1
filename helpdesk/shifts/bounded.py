"""Expand a calendar in a process of its own, with limits of time and memory: a hostile one cannot hang who asks.

The process gets no environment but what it needs to start: it reads what strangers wrote, and our passwords may be there.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import helpdesk
from helpdesk.shifts import wire
from helpdesk.shifts.values import CalendarError, Expanded, Window

WALL_SECONDS: Final = 90
"""For a process that has 20 seconds of its own, on a machine with much to do."""

_PROGRAM: Final = (sys.executable, "-P", "-m", "helpdesk.shifts.expanding")
_PASSED: Final = ("PATH", "LD_LIBRARY_PATH", "TZDIR", "PYTHONTZPATH", "SYSTEMROOT", "HOME")


def expand(octets: bytes, zone: str, window: Window) -> Expanded:
    """Every occurrence that touches the window, by start; CalendarError if the calendar cannot be used.

    `zone` (an IANA name) is where all-day events and floating times are.
    """
    try:
        done = subprocess.run(  # noqa: S603 -- our own module, no shell
            _PROGRAM,
            input=wire.asked(zone, window) + octets,
            capture_output=True,
            env=_environment(),
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CalendarError("takes too long to read") from None
    if done.returncode < 0:
        raise CalendarError("takes too long to read")  # the kernel ended it
    if done.returncode > 0:
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise CalendarError(f"cannot be read ({last.partition(':')[0] or 'no answer'})")
    return wire.answer(done.stdout)


def _environment() -> dict[str, str]:
    """Enough to find Python, its libraries and us, installed or in a folder."""
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    package = Path(helpdesk.__file__).parent.parent
    inherited = os.environ.get("PYTHONPATH")
    return {
        **passed,
        "PYTHONPATH": os.pathsep.join([str(package), *([inherited] if inherited else [])]),
        "PYTHONUTF8": "1",
    }
