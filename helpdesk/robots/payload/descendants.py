"""Everything that a process started, however it detached itself: found, measured, ended.

On Linux the process is made the reaper of its descendants (prctl(2), PR_SET_CHILD_SUBREAPER); they are found in proc(5), where each may end
while it is looked at.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 2.0  # seconds between SIGTERM and SIGKILL
_SUBREAPER = 36
_PAGE = os.sysconf("SC_PAGE_SIZE")


def reap_all() -> None:
    """Orphans among our descendants become our children."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def end_all() -> None:
    """End what the command left behind; a while of forks is followed to its end."""
    for sign, patience in ((signal.SIGTERM, PATIENCE), (signal.SIGKILL, PATIENCE)):
        deadline = time.monotonic() + patience
        while (left := descendants()) and time.monotonic() < deadline:
            for pid in left:
                _signal(pid, sign)
            _collect()
            time.sleep(0.02)


def _signal(pid: int, sign: int) -> None:
    try:
        os.kill(pid, sign)
    except OSError:
        return


def _collect() -> None:
    """Take in children that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def descendants() -> list[int]:
    """Every living process below this one."""
    below = _children if Path(f"/proc/self/task/{os.getpid()}/children").exists() else _children_by_scan()
    found, open_ = [], [os.getpid()]
    while open_:
        children = [one for one in below(open_.pop()) if _stat(one)[:1] not in ([], ["Z"])]
        found += children
        open_ += children
    return found


def _children(pid: int) -> list[int]:
    """The children of all threads of a process, as the kernel lists them (proc(5))."""
    found: list[int] = []
    for thread in _threads(pid):
        try:
            found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text(encoding="ascii").split())
        except OSError:
            continue  # it has just ended
    return found


def _threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - Path.iterdir is no shorter, and Path.glob raises when the process ends meanwhile
    except OSError:
        return []


def _children_by_scan() -> Callable[[int], list[int]]:
    """The same where the kernel lists no children: every process is asked for its parent."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(entry.name))
        if fields:
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    return lambda pid: children.get(pid, [])


def _stat(pid: int) -> list[str]:
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        )
    except OSError:
        return []


def resident(pid: int) -> int:
    """The octets of memory that a process has (proc(5), stat: rss); 0 if it has ended."""
    fields = _stat(pid)
    return int(fields[21]) * _PAGE if len(fields) > 21 else 0
