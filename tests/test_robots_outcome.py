"""What a job says of itself was written far away: whatever it is, a record is made of it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from helpdesk.robots.codes import Lookup
from helpdesk.robots.engine import Fetched, Handle, Status
from helpdesk.robots.outcome import OnItsWay, Work, record_of
from helpdesk.robots.record import JobState

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HUGE = 10**400  # no float
JOB = OnItsWay(
    job="j", tag="t", stage="submitted", experiment="atlas", campaign_id="routine", test_kind="functional", template="dimuon",
    template_version="1", site="DESY-HH", engine="arc", queue="q", attempt=1, engine_job_id="t:x", state="running",
    t_scheduled=NOW, t_submitted=NOW, t_started=None, silent_since=None,
)  # fmt: skip


@pytest.mark.parametrize(
    "result",
    [
        {"t_started": HUGE},
        {"t_started": -HUGE},
        {"t_started": True},
        {"t_started": float("inf")},
        {"wall_s": HUGE},
        {"wall_s": float("nan")},
        {"bytes_read": HUGE},
        {"phases": {"payload": [-HUGE, HUGE], "stage-in": [1, 2, 3], "x": None}},
    ],
    ids=lambda one: next(iter(one)),
)
def test_numbers_that_cannot_be(result: dict[str, Any]) -> None:
    """They are left out."""
    left = Fetched(Handle("j", "t:x"), json.dumps({"exit": 31, **result}).encode(), "", 31)
    made = record_of(JOB, Status(Handle("j", "t:x"), JobState.FAILED), left, Work(), Lookup(), NOW)
    assert made.native_code == "payload:31"
    assert (made.t_started, made.wall_s, made.bytes_read, made.t_payload_end) == (None, None, None, None)
