"""What a payload measures of itself: the wall time of its phases, CPU, memory, octets, and where it ran."""

import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # getrusage(2): octets there, kilobytes on Linux


@dataclass
class Meter:
    """Phases in the order in which they began: {name: [start, end]} in epoch seconds, so that hosts compare."""

    began: float = field(default_factory=time.time)
    phases: dict[str, list[float]] = field(default_factory=dict)
    bytes_read: int = 0
    events: int = 0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a part of the work; one that fails has its end too."""
        self.phases[name] = [time.time(), 0.0]
        try:
            yield
        finally:
            self.phases[name][1] = time.time()

    @property
    def latest(self) -> str:
        """The phase that was begun last, "" before the first."""
        return next(reversed(self.phases), "")

    def reading(self) -> dict[str, object]:
        """Everything measured so far, in the record's words."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "node": platform.node(),
            "cpu_model": _cpu_model(),
            "t_started": self.began,
            "phases": self.phases,
            "wall_s": time.time() - self.began,
            "cpu_user_s": used.ru_utime,
            "cpu_sys_s": used.ru_stime,
            "max_rss_bytes": used.ru_maxrss * _RSS_UNIT,
            "io_wait_s": _io_wait(),
            "bytes_read": self.bytes_read,
            "events_processed": self.events,
        }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _io_wait() -> float | None:
    """Seconds that this process waited for block devices (proc(5), field 42 of stat); None where nobody counts."""
    try:
        fields = (
            Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        )
        return int(fields[39]) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return None
