"""On what it was measured: without that, seconds mean nothing."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_VERSIONS: Final = {
    "dovecot": "--version",
    "mbsync": "--version",
    "notmuch": "--version",
    "afew": "--version",
    "imapfilter": "-V",
}


def machine() -> Mapping[str, object]:
    """Cores, processor, memory, load, and the versions of all who take part."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "load": [round(one, 2) for one in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: _version(name, ask) for name, ask in _VERSIONS.items()},
    }


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", described.read_text()) if described.exists() else None
    return found[1] if found else platform.processor()


def _version(program: str, ask: str) -> str:
    where = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if where is None:
        return "not installed"
    said = subprocess.run([where, ask], capture_output=True, text=True, check=False)
    found = re.search(r"\d+(?:\.\d+)+", said.stdout + said.stderr)
    return found[0] if found else "installed"
