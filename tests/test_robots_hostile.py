"""A site whose jobs leave anything behind: what becomes of them, and that nobody waits for it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from helpdesk.robots.codes import Lookup
from helpdesk.robots.engine import Fetched, Handle, Status
from helpdesk.robots.exchange import as_document
from helpdesk.robots.outcome import OnItsWay, Work, record_of
from helpdesk.robots.record import JobState
from tests.robots import T0, Floor, intents, recipe

LEFT = {
    "a pipe for a result": ("mkfifo result.json", "local:no_result"),
    "a link without an end": ("ln -s /dev/zero result.json", "local:no_result"),
    "a link to another file": ("ln -s /etc/passwd result.json", "local:no_result"),
    "a pipe for a log": ("rm log; mkfifo log; exit 3", "payload:3"),
    "a log without an end": ("rm log; ln -s /dev/zero log; exit 3", "payload:3"),
    "a folder for a result": ("mkdir result.json", "local:no_result"),
    "a pipe for a pid": ("rm runner.pid; mkfifo runner.pid; exit 3", "payload:3"),
    "colours and bells": (r"""printf '{"exit": 31, "words": "\\u001b[31mred\\u0007\\u202e", "node": "\\u001b]0;x\\u0007wn"}' > result.json; exit 31""", "payload:31"),
    "megabytes": ("head -c 3000000 /dev/urandom; head -c 3000000 /dev/zero > result.json; exit 3", "payload:3"),
}  # fmt: skip


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    made = Floor(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("what", LEFT)
def test_what_a_job_leaves_keeps_nobody_waiting(floor: Floor, what: str) -> None:
    """Whatever lies where its result, its log or its pid should be, a job has a record of bounded size, and the others go on."""
    script, code = LEFT[what]
    floor.robot = replace(floor.robot, recipes={**floor.robot.recipes, "odd": recipe(script)})
    floor.turn(*intents("odd", 1), *intents("good", 2))
    floor.until_done(seconds=30)
    odd, *good = sorted(floor.records().values(), key=lambda one: one.template != "odd")
    assert (odd.native_code, {one.state for one in good}) == (code, {JobState.SUCCESS})
    told = json.dumps(as_document(odd))
    assert len(told) < 30_000
    assert "root:" not in told
    assert f"{odd.native_text}{odd.node}".isprintable()


def test_a_number_that_is_none(floor: Floor) -> None:
    """What a payload measured as NaN is nothing in the record, which stays JSON for whoever reads it."""
    script = """printf '{"exit": 0, "wall_s": NaN, "values": {"mass": Infinity}}' > result.json"""
    floor.robot = replace(floor.robot, recipes={**floor.robot.recipes, "odd": recipe(script)})
    floor.turn(*intents("odd", 1))
    floor.until_done()
    [record] = floor.records().values()
    assert record.raw["result"] == {"exit": 0, "wall_s": None, "values": {"mass": None}}
    json.dumps(as_document(record), allow_nan=False)


JOB = OnItsWay(
    "j1", "t1", "submitted", "atlas", "routine", "functional", "dimuon", "v1", "DESY-HH", "slurm", "desy", 1, "t1:1_0",
    "running", T0, T0, None, None,
)  # fmt: skip


@pytest.mark.parametrize("days", [-20000, -1, 1, 20000])
def test_a_node_whose_clock_is_wrong(days: int) -> None:
    """Its jobs ended when we saw that, so that what fails there is evidence of today; small differences of clocks are believed."""
    now, handle = T0 + timedelta(hours=1), Handle("j1", "t1:1_0")
    wrong = T0 + timedelta(days=days)
    status = Status(handle, JobState.FAILED, started=wrong, ended=wrong)
    record = record_of(JOB, status, Fetched(handle, b"", "", 11), Work(), Lookup(), now)
    assert (record.t_started, record.t_final) == (None, now)
    near = replace(status, started=T0 - timedelta(minutes=1), ended=T0 + timedelta(minutes=30))
    record = record_of(JOB, near, Fetched(handle, b"", "", 11), Work(), Lookup(), now)
    assert (record.t_started, record.t_final) == (near.started, near.ended)
