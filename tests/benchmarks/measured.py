"""`helpdesk` as a process that leaves the most memory that it ever had, in octets, in a file.

python -m tests.benchmarks.measured FILE ARGUMENTS...
"""

import re
import resource
import sys
from pathlib import Path

from helpdesk import start


def main() -> None:
    """Do as the command does."""
    target = Path(sys.argv.pop(1))
    try:
        start.main()
    finally:
        target.write_text(str(peak()))


def peak() -> int:
    """VmHWM, because ru_maxrss also counts what was there before this program was loaded."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.exists() else None
    return 1024 * (int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main()
