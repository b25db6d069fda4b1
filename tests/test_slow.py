"""What takes longer: `make slow`.  HELPDESK_INTERLEAVINGS (10,000) and HELPDESK_SIEGES (10) say how many of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.servers import dovecot
from tests.test_machine_dovecot import play
from tests.test_sending_killed import play as killed
from tests.test_sending_machine import Outbox

INTERLEAVINGS = int(os.environ.get("HELPDESK_INTERLEAVINGS", "10000"))
SIEGES = int(os.environ.get("HELPDESK_SIEGES", "10"))
BIG = 200_000_000  # octets

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]


def test_ten_thousand_interleavings_on_memory() -> None:
    """Whatever humans, mail and crashes do: consistent, silent afterwards, nothing lost; 10,000 random plays."""
    lots = os.cpu_count() or 1
    share = max(1, INTERLEAVINGS // lots)
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.plays", str(share), str(lot)], stdout=subprocess.PIPE, text=True
        )
        for lot in range(1, lots + 1)
    ]
    told = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0] * lots, told
    assert sum(int(one.split()[2]) for one in told) >= share * lots


def test_many_interleavings_on_dovecot(dovecot_mdbox: dovecot.Dovecot) -> None:
    """The same on a real server, for a fiftieth of the plays."""
    play(dovecot_mdbox, max(10, INTERLEAVINGS // 50))


def test_a_huge_mail_costs_no_more_memory_than_a_small_one(
    dovecot_mdbox: dovecot.Dovecot, tmp_path: Path
) -> None:
    """A new mail of 200 MB, in the inbox of a board with rules that look at bodies, is read as far as the rules look."""
    peaks = [_peak(dovecot_mdbox, tmp_path / str(size), size) for size in (10_000, BIG)]
    assert peaks[1] - peaks[0] < 20_000  # KB: a hundredth of what the mail and its copies would take


def _peak(server: dovecot.Dovecot, folder: Path, size: int) -> int:
    folder.mkdir()
    deliver, look = (
        [sys.executable, "-m", "tests.huge", what, str(server.port), f"huge{size}", str(folder), str(size)]
        for what in ("deliver", "look")
    )
    subprocess.run(look, check=True, capture_output=True)  # adopts the empty mailbox
    subprocess.run(deliver, check=True, capture_output=True)
    output = subprocess.run(look, check=True, capture_output=True, text=True).stdout
    return int(output.split()[-1])


@pytest.mark.parametrize("seed", range(3, 3 + SIEGES))
def test_killed_at_any_moment_again_and_again(tmp_path: Path, seed: int) -> None:
    """What tests/test_sending_killed.py promises, with other dice."""
    killed(tmp_path, seed, prompt=seed % 2 == 1)


def test_many_lives_of_the_outbox() -> None:
    """What tests/test_sending_machine.py promises, for a third as many plays as of the board."""
    many = settings(max_examples=max(10, INTERLEAVINGS // 3), stateful_step_count=40, deadline=None)
    run_state_machine_as_test(Outbox, settings=settings(many, suppress_health_check=list(HealthCheck)))
