"""The process in which a calendar is expanded: `python -m helpdesk.shifts.expanding`, started by `helpdesk.shifts.bounded`.

It reads one line of JSON and the calendar's octets from stdin, writes one JSON document to stdout, and may use so much
time and memory and no more: whatever a calendar asks for, only this process suffers.
"""

import json
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from helpdesk.shifts.icalendars import expand
from helpdesk.shifts.values import CalendarError
from helpdesk.shifts.wire import request, told

SERIES_SECONDS: Final = 1.0
"""Of this process's own time, for the events of one UID: a rule that never matches looks for years up to 9999."""

PROCESS_SECONDS: Final = 20
MEMORY_OCTETS: Final = 1 << 30


def main() -> None:
    """Read, expand, tell."""
    _limit()
    zone, window = request(sys.stdin.buffer.readline())
    try:
        answer = told(expand(sys.stdin.buffer.read(), zone, window, _guarded))
    except CalendarError as error:
        answer = {"error": str(error)}
    json.dump(answer, sys.stdout)


def _limit() -> None:
    """Bound this process; the kernel ends it when its time is up, whatever it is doing.

    Time is bounded by a timer and not by RLIMIT_CPU, because a hardened service may set no limits (systemd's @resources);
    there its own MemoryMax bounds the memory.
    """
    signal.signal(signal.SIGVTALRM, _interrupt)
    signal.setitimer(signal.ITIMER_PROF, PROCESS_SECONDS)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_OCTETS, MEMORY_OCTETS))


@contextmanager
def _guarded() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_VIRTUAL, SERIES_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _interrupt(*_: Any) -> None:
    raise TimeoutError


if __name__ == "__main__":
    main()
