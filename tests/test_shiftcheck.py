"""`helpdesk check` reads the shift calendar as it reads every server, and keeps no copy of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from helpdesk.shifts import bounded
from helpdesk.shifts.icalendars import expand
from tests.calendars import calendar
from tests.desk import Desk, memory_desk
from tests.servers.process import free_port
from tests.test_cli_shifts import MORNING, NOW, SHIFTS, configure, write


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A board with a calendar; it is expanded in this process, which is quicker."""
    monkeypatch.setattr(bounded, "expand", expand)
    made = memory_desk(tmp_path, monkeypatch)
    configure(made)
    write(made, SHIFTS)
    return made


def found(desk: Desk) -> Mapping[str, Any]:
    """What is said of the calendar; nothing has been written."""
    before = desk.files()
    checks = json.loads(desk.say("check", "--json", "--now", NOW).out)["checks"]
    assert desk.files() == before
    return next((one for one in checks if one["name"] == "shifts"), {})


def test_a_calendar_that_is_right(desk: Desk) -> None:
    """Who is on duty is named."""
    right = found(desk)
    assert (right["ok"], right["what"]) == (True, "the calendar can be read; on duty: Ann Archer")


def test_a_week_with_gaps_is_a_warning(desk: Desk) -> None:
    """What should be put right in the week ahead is said, and where to see it."""
    write(desk, calendar(MORNING))
    warned = found(desk)
    assert warned["ok"]
    assert "nobody" in warned["todo"]
    assert "`helpdesk shifts`" in warned["todo"]


def test_a_calendar_that_cannot_be_read(desk: Desk) -> None:
    """What is no calendar is wrong, one that cannot be reached is exit code 3, and a secret address is not shown."""
    write(desk, b"<html>Sign in</html>")
    wrong = found(desk)
    assert not wrong["ok"]
    assert "is no iCalendar document" in wrong["what"]
    assert "[shifts] calendar" in wrong["todo"]
    configure(desk, f"https://localhost:{free_port()}/secret-token/basic.ics")
    away = found(desk)
    assert not away["ok"]
    assert "secret-token" not in json.dumps(away)
    assert desk.say("check", "--now", NOW).code == 3


def test_without_a_calendar_nothing_is_said(desk: Desk) -> None:
    """A board without shifts has nothing to check."""
    desk.write_config()
    assert found(desk) == {}
