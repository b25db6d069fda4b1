"""The wiring: settings become a board, and nothing that is not built is pretended."""

from pathlib import Path

import pytest

from helpdesk import app, wiring
from helpdesk.config import settings_of
from helpdesk.errors import HeldError, UsageError
from tests.world import CONFIG


def test_a_dialect_that_is_not_built_is_refused(tmp_path: Path) -> None:
    """A mailbox that wants Gmail's labels is not touched as if it wanted keywords."""
    text = CONFIG.replace('username = "dast"\n', 'username = "dast"\ndialect = "gmail"\n')
    with pytest.raises(UsageError, match="not built yet"):
        wiring.dialect(settings_of(tmp_path / "helpdesk.toml", text))


def test_nothing_is_planned_without_the_lock(tmp_path: Path) -> None:
    """When somebody removes the lock file, the next transaction of the instance that held it fails, and so its plan."""
    settings = settings_of(tmp_path / "helpdesk.toml", CONFIG)
    with app.opened(settings, writing=True) as engine:
        with engine.begin():
            pass
        (tmp_path / "board.db.lock").unlink()
        with pytest.raises(HeldError, match="removed the lock"), engine.begin():
            pass
