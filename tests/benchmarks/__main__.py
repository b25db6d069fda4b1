"""Run the benchmarks, all or those that are named: progress on stderr, a table at the end.

The exit code is 0 whether or not a goal is met, and 1 when something could not run that should have.
"""

import argparse
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from helpdesk.errors import HelpdeskError
from tests.benchmarks import (
    changes,
    closing,
    first_sync,
    memory,
    pipeline,
    quiet,
    reply,
    robots,
    sending,
    table,
    threading_speed,
    verdicts,
)
from tests.benchmarks.figures import Figure
from tests.benchmarks.lab import Lab
from tests.benchmarks.machine import machine
from tests.servers import dovecot

FAILURES: Final = (HelpdeskError, OSError, RuntimeError, subprocess.SubprocessError)

Benchmark = Callable[[Lab], Iterable[Figure]]

BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "threading": threading_speed.measure,
    "first-sync": first_sync.measure,
    "quiet": quiet.measure,
    "changes": changes.measure,
    "reply": reply.measure,
    "closing": closing.measure,
    "pipeline": pipeline.measure,
    "memory": memory.measure,
    "sending": sending.measure,
    "robots": robots.measure,
    "verdicts": verdicts.measure,
}


def main(arguments: list[str] | None = None) -> int:
    """Measure; the exit code."""
    options = _options(arguments)
    if dovecot.BINARY is None:
        _say("not run: install dovecot-imapd (make servers)")
        return 1
    described, results, failed = machine(), dict[str, list[Figure]](), False
    with Lab(options.messages, options.rounds, _say) as lab:
        for name in options.names or BENCHMARKS:
            started = time.perf_counter()
            _say(f"{name} ...")
            try:
                results[name] = list(BENCHMARKS[name](lab))
            except FAILURES:  # the boundary: the others can still be measured
                failed = True
                traceback.print_exc()
            _say(f"{name}: {time.perf_counter() - started:.0f} s")
    table.show(results, described)
    if options.json is not None:
        table.save(options.json, results, described, datetime.now(UTC))
    return int(failed)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all if none")
    parser.add_argument("--messages", type=int, default=100_000, help="in the large mailbox (100,000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often to take turns (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    return options


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
