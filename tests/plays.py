"""One process that plays random days on the memory server: `python -m tests.plays NUMBER SEED`.

It says every hundred plays how far it is; a failure ends it with Hypothesis' smallest example and exit code 1.
"""

import sys
import time

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.test_machine_memory import MemoryBoard


def main() -> None:
    number, lot = int(sys.argv[1]), int(sys.argv[2])
    played, start = 0, time.monotonic()

    class Counted(MemoryBoard):
        """The machine, and a line now and then."""

        def teardown(self) -> None:
            nonlocal played
            super().teardown()
            played += 1
            if played % 100 == 0:
                sys.stderr.write(f"lot {lot}: {played} of {number} plays, {time.monotonic() - start:.0f} s\n")

    run_state_machine_as_test(
        seed(lot)(Counted),
        settings=settings(
            max_examples=number,
            stateful_step_count=20,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    sys.stdout.write(f"lot {lot}: {played} plays\n")


if __name__ == "__main__":
    main()
