"""How the program starts: what it does not load, and who looks for rings."""

import gc
import signal
import subprocess
import sys

import pytest

from helpdesk import start

HEAVY = ("alembic", "apscheduler", "authlib", "helpdesk.daemon", "httpx", "pygments", "structlog")


def test_a_command_loads_no_more_than_it_needs() -> None:
    """To look at the board, neither the daemon's libraries nor those of rare errands are loaded."""
    code = f"import sys, helpdesk.cli; print([one for one in {HEAVY!r} if one in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_collector_is_at_work_after_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rings that come later are found: the collector is only more patient."""
    before = gc.get_threshold()
    monkeypatch.setattr(sys, "argv", ["helpdesk", "--version"])
    try:
        with pytest.raises(SystemExit):
            start.main()
        assert gc.isenabled()
        assert gc.get_threshold()[0] == start.COLLECT_AFTER
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def test_ctrl_c_while_it_loads_says_nothing() -> None:
    """A program that is told to end while it loads ends by that signal, without a traceback."""
    program = (
        "import os, signal; from helpdesk.start import ending_at_once\n"
        "with ending_at_once():\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (-signal.SIGINT, "", "")


def test_ctrl_c_means_what_it_meant_when_it_has_loaded() -> None:
    """Afterwards the handler is the one from before, also where a shell wants the signal to be ignored."""
    for before in (signal.default_int_handler, signal.SIG_IGN):
        kept = signal.signal(signal.SIGINT, before)
        try:
            with start.ending_at_once():
                pass
            assert signal.getsignal(signal.SIGINT) is before
        finally:
            signal.signal(signal.SIGINT, kept)
