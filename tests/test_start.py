"""How the program starts: what it does not load, and who looks for rings."""

import gc
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
