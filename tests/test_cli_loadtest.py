"""`helpdesk loadtest` on a board whose site is this machine: real jobs under load."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from helpdesk import app, config
from helpdesk.cli import loadtest_run
from helpdesk.store import load_tests
from tests.desk import Desk, environment, memory_desk
from tests.servers import slurm

MORE = """
[[site]]
name = "DESY-HH"
[[site.queue]]
experiment = "atlas"
engine = "{engine}"
queue = "desy"
[[site]]
name = "EMPTY"
[[dataset]]
name = "zpairs"
inputs = ["zpairs.csv"]
[[template]]
name = "pairs"
experiment = "atlas"
payload = "pairs"
max_wall_minutes = 10
max_memory_mb = 400
dataset = "zpairs"
[robots]
folder = "robots"
slots = 2
{more}
"""


def prepared(desk: Desk, events: int = 20_000, engine: str = "local", more: str = "") -> Desk:
    desk.write_config(more=MORE.format(engine=engine, more=more))
    desk.read("robots", "data", "zpairs", "--events", str(events), "--to", str(desk.folder / "zpairs.csv"))
    return desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return prepared(memory_desk(tmp_path, monkeypatch))


@pytest.fixture
def database(desk: Desk) -> Iterator[Engine]:
    with app.opened(config.load(desk.config), writing=False) as engine:
        yield engine


def test_run_and_report(desk: Desk) -> None:
    """A test runs to its end; the report says events/s first, is the same from the records afterwards, and is a page too."""
    told = desk.read("loadtest", "run", "DESY-HH", "--concurrency", "2", "--jobs", "6")
    assert (told["state"], told["jobs"]) == ("ended", {"ended": 6, "succeeded": 6, "cut_off": 0})
    assert told["events"] == 120_000
    assert told["events_per_second"]["value"] == pytest.approx(120_000 / told["seconds"])
    assert told["limits"][0].startswith("Only 6 jobs ended")
    assert desk.read("loadtest", "report", told["id"]) == told
    assert [one["id"] for one in desk.read("loadtest", "list")] == [told["id"]]
    text = desk.say("loadtest", "report", told["id"][:6]).out
    assert text.index("EVENTS/S") < text.index("LATENCY") < text.index("WHAT LIMITS")
    assert desk.say("loadtest", "report", "--html", str(desk.folder / "r.html")).code == 0
    assert "events/s over the whole test" in (desk.folder / "r.html").read_text()
    assert told["id"] in desk.say("loadtest", "list", columns=160).out


def test_a_failing_site(desk: Desk) -> None:
    """Failures stand with phase, code, node and an example job; a test in which nothing succeeds ends with exit code 1."""
    (desk.folder / "zpairs.csv").unlink()
    said = desk.say("loadtest", "run", "DESY-HH", "--concurrency", "4", "--jobs", "40", columns=200)
    assert said.code == 1
    assert "of 2" in said.out
    told = desk.read("loadtest", "report")
    assert told["reason"].endswith("jobs failed")
    assert 20 <= told["jobs"]["ended"] + told["jobs"]["cut_off"] < 40
    [kind] = told["failures"]
    assert (kind["phase"], kind["native_code"]) == ("stage-in", "payload:10")
    assert kind["example"]["job"]
    assert told["nodes"][0]["failed"] == told["jobs"]["ended"]


@pytest.mark.parametrize(
    "words",
    [
        ("run",),
        ("run", "NOWHERE"),
        ("run", "EMPTY"),
        ("run", "DESY-HH", "--ramp", "4,2"),
        ("run", "DESY-HH", "--ramp", "1,2", "--rate", "60/h"),
        ("run", "DESY-HH", "--template", "dimuon"),
        ("run", "--resume", "lt0"),
        ("report",),
        ("report", "lt0"),
        ("stop",),
    ],
)
def test_what_cannot_be_tested(desk: Desk, words: tuple[str, ...]) -> None:
    """What makes no test, or names none, is refused in a sentence with exit code 2, and nothing is sent."""
    desk.say("db", "upgrade")
    assert desk.say("loadtest", *words).code == 2


def _process(desk: Desk, *words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "helpdesk", "loadtest", *words, "--json", "--config", str(desk.config)],
        env=environment(),
        cwd=desk.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _ended(desk: Desk, most: int = 1) -> None:
    """Wait until so many jobs have their record."""
    deadline = time.monotonic() + 60
    with app.opened(config.load(desk.config), writing=False) as engine:
        while time.monotonic() < deadline:
            with engine.connect() as conn:
                found = load_tests.unfinished(conn)
                if found and len(load_tests.ended(conn, found[0])) >= most:
                    return
            time.sleep(0.05)
    raise AssertionError("nothing ended")


def test_ctrl_c(desk: Desk) -> None:
    """Ctrl-C cancels what is there and reports on what was; the command ends by itself, and nothing is left on the machine."""
    desk.say("db", "upgrade")
    process = _process(desk, "run", "DESY-HH", "--concurrency", "4", "--jobs", "500")
    _ended(desk, 3)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    told = json.loads(out)
    assert process.returncode == 0, errors
    assert told["state"] == "ended"
    assert "stopped it" in told["reason"]
    assert 3 <= told["jobs"]["ended"] < 100
    assert desk.read("robots", "status")["sites"][0]["on_the_way"] == 0


def test_who_carried_it_out_is_gone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that looks on carries the test out itself once who worked on the board is gone: a command for another site ends, too."""
    monkeypatch.setattr(loadtest_run, "ALONE", timedelta(seconds=1))
    desk.say("db", "upgrade")
    works = threading.Event()

    def other() -> None:
        settings = config.load(desk.config)
        with app.opened(settings, writing=True) as engine:
            works.set()
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                with engine.connect() as conn:
                    if load_tests.unfinished(conn):
                        return
                time.sleep(0.05)

    holder = threading.Thread(target=other)
    holder.start()
    assert works.wait(60)
    said = desk.say("loadtest", "run", "DESY-HH", "--concurrency", "2", "--jobs", "2", "--json")
    holder.join()
    assert (said.code, said.document["jobs"]["succeeded"]) == (0, 2)
    assert said.err.count("this command looks on") == 1


def test_killed_and_resumed(desk: Desk) -> None:
    """A command that was killed is gone on with, or ended: until then the site has no other test."""
    desk.say("db", "upgrade")
    process = _process(desk, "run", "DESY-HH", "--concurrency", "2", "--jobs", "14")
    _ended(desk)
    process.kill()
    process.communicate()
    refused = desk.say("loadtest", "run", "DESY-HH", "--concurrency", "1", "--jobs", "2")
    assert refused.code == 2
    assert "has a load test that has not ended" in refused.err
    [one] = desk.read("loadtest", "list")
    told = desk.read("loadtest", "run", "--resume", one["id"])
    assert told["state"] == "ended"
    assert told["jobs"]["ended"] == 14
    assert desk.say("loadtest", "stop", one["id"]).code == 2


@pytest.mark.skipif(not slurm.AVAILABLE and os.environ.get("CI") != "true", reason="Slurm is not installed")
def test_on_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real Slurm carries a load test out, and a stop cancels its jobs there."""
    with slurm.cluster(("desy",)) as grid:
        desk = prepared(
            memory_desk(tmp_path, monkeypatch), engine="slurm", more=f'slurm_conf = "{grid.configuration}"'
        )
        told = desk.read("loadtest", "run", "DESY-HH", "--concurrency", "3", "--jobs", "7")
        assert (told["state"], told["jobs"]["succeeded"]) == ("ended", 7)
        assert told["reason"] == "all jobs were sent and have ended"
        process = _process(desk, "run", "DESY-HH", "--concurrency", "12", "--jobs", "500")
        _ended(desk, 2)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=120)
        assert json.loads(out)["state"] == "ended", errors
        assert grid.ask("squeue", "-h").split() == []
