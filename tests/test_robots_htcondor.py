"""The engine htcondor beyond the contract: ads as the manual has them, what its schedd does to jobs, and its client's errors."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from helpdesk.robots.codes import NOTHING, Lookup
from helpdesk.robots.engine import EngineError, Handle, Status
from helpdesk.robots.engines import condor_client, folders, notes
from helpdesk.robots.engines.condor_ads import AGAIN, status_of
from helpdesk.robots.engines.htcondor import HTCondorEngine, asker
from helpdesk.robots.record import JobState, Phase
from tests.contract.test_engine import QUEUE, batch, do, finished, job
from tests.servers import condor
from tests.servers.condor import Schedd

pytestmark = pytest.mark.skipif(not condor.AVAILABLE, reason="HTCondor has no wheel for this system")

HERE = f'TARGET.HelpdeskSite == "{QUEUE}"'
ONE = Handle("j1", "t1:7.0")
QDATE = 1_790_000_000
AD: dict[str, Any] = {
    "HelpdeskTag": "t1", "HelpdeskJob": "j1", "ClusterId": 7, "ProcId": 0, "QDate": QDATE, "JobStartDate": QDATE + 10,
    "JobCurrentStartExecutingDate": QDATE + 11, "LastRemoteHost": "slot1_3@wn17.desy.example", "EnteredCurrentStatus": QDATE + 90,
}  # fmt: skip
WAITING = {name: value for name, value in AD.items() if "Start" not in name}


@pytest.fixture
def schedd() -> Iterator[Schedd]:
    with condor.pool() as running:
        yield running


@pytest.fixture
def engine(schedd: Schedd, tmp_path: Path) -> HTCondorEngine:
    return HTCondorEngine(tmp_path / "jobs", {QUEUE: HERE}, ask=condor.asker(schedd))


ADS = {
    "idle": ({**WAITING, "JobStatus": 1}, JobState.SUBMITTED, ""),
    "running": ({**AD, "JobStatus": 2}, JobState.RUNNING, ""),
    "suspended": ({**AD, "JobStatus": 7}, JobState.RUNNING, ""),
    "being removed": ({**AD, "JobStatus": 3}, JobState.RUNNING, ""),
    "its input is spooled": ({**WAITING, "JobStatus": 5, "HoldReasonCode": 16}, JobState.SUBMITTED, ""),
    "held by its user": (
        {**WAITING, "JobStatus": 5, "HoldReasonCode": 1, "HoldReason": "via condor_hold (by user ann)"},
        JobState.FAILED,
        "htcondor:1",
    ),
    "not started": (
        {**AD, "JobStatus": 5, "HoldReasonCode": 6, "HoldReasonSubCode": 2, "HoldReason": "Error from slot1@wn17: Failed to execute"},
        JobState.FAILED,
        "htcondor:6",
    ),
    "more memory than its slot": (
        {**AD, "JobStatus": 5, "HoldReasonCode": 34, "HoldReasonSubCode": 102, "HoldReason": "memory usage exceeded request_memory"},
        JobState.FAILED,
        "htcondor:34",
    ),
    "ran too long": (
        {**AD, "JobStatus": 5, "HoldReasonCode": 47, "HoldReason": "The job exceeded allowed execute duration"},
        JobState.TIMEOUT,
        "htcondor:47",
    ),
    "evicted": (
        {**AD, "JobStatus": 5, "HoldReasonCode": 3, "HoldReasonSubCode": AGAIN, "HoldReason": "it had started"},
        JobState.FAILED,
        "htcondor:EVICTED",
    ),
    "held by the pool": (
        {**WAITING, "JobStatus": 5, "HoldReasonCode": 26, "HoldReason": "The system macro SYSTEM_PERIODIC_HOLD"},
        JobState.FAILED,
        "htcondor:26",
    ),
    "killed with its runner": (
        {**AD, "JobStatus": 4, "CompletionDate": QDATE + 90, "ExitBySignal": True, "ExitSignal": 9},
        JobState.FAILED,
        "signal:9",
    ),
    "nothing is there": (
        {**AD, "JobStatus": 4, "CompletionDate": QDATE + 90, "ExitBySignal": False, "ExitCode": 0},
        JobState.FAILED,
        "local:no_result",
    ),
    "the runner could not": ({**AD, "JobStatus": 4, "ExitBySignal": False, "ExitCode": 2}, JobState.FAILED, "htcondor:EXIT"),
    "no such status": ({**AD, "JobStatus": 99}, None, ""),
    "rubbish": ({"JobStatus": "five", "QDate": "yesterday", "RemoteHost": 3, "HoldReasonCode": None}, None, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ADS)
def test_ads(name: str) -> None:
    """An ad in the queue as the manual describes it is a state and a code that our table knows, with the reason in HTCondor's words."""
    ad, state, native = ADS[name]
    told = status_of(ONE, ad, None, queued=True)
    assert (told.state, told.native_code) == (state, native)
    if native:
        assert Lookup().meaning(native) is not NOTHING
        assert told.native_text
        assert told.ended == datetime.fromtimestamp(QDATE + 90, UTC)
        assert told.node == "wn17.desy.example"
    if native in {"htcondor:1", "htcondor:26"}:
        assert told.phase is Phase.QUEUE


def test_an_ad_of_the_history() -> None:
    """A job that was removed and has left the queue was cancelled, for the reason that HTCondor gives."""
    ad = {**WAITING, "JobStatus": 3, "RemoveReason": "via condor_rm (by user root)"}
    told = status_of(ONE, ad, None, queued=False)
    assert (told.state, told.native_code) == (JobState.CANCELLED, "htcondor:REMOVED")
    assert told.native_text == "via condor_rm (by user root)"


@pytest.mark.parametrize("status", [3, 4, 5])
def test_the_runner_knows_better(status: int) -> None:
    """Where a runner wrote how its job ended, that is how it ended, whatever HTCondor did with it afterwards."""
    left = Status(Handle("j1", "t1/j1"), JobState.FAILED, native_code="payload:31")
    told = status_of(
        ONE, {**AD, "JobStatus": status, "ExitCode": 31, "HoldReason": "x"}, left, queued=status != 3
    )
    assert (told.handle, told.state, told.native_code) == (ONE, JobState.FAILED, "payload:31")
    assert told.submitted == datetime.fromtimestamp(QDATE, UTC)


def test_evicted(engine: HTCondorEngine, schedd: Schedd, tmp_path: Path) -> None:
    """A job that lost its machine does not run again, not even when a person releases it; it failed, evicted."""
    handles = do(engine.submit(batch("t1", job("long", f"echo ran >> {tmp_path}/ran; sleep 60"))))
    ran = tmp_path / "ran"
    while not (ran.exists() and ran.read_text()):
        assert do(engine.poll(handles))[0].state in {JobState.SUBMITTED, JobState.RUNNING}
        time.sleep(0.05)
    schedd.evict("long")
    told = finished(engine, handles)["long"]
    assert (told.state, told.native_code) == (JobState.FAILED, "htcondor:EVICTED")
    assert "run again" in told.native_text
    schedd.job("long")["JobStatus"] = 1  # condor_release
    assert finished(engine, handles)["long"].native_code == "htcondor:EVICTED"
    assert ran.read_text() == "ran\n"


def test_removed_by_somebody(engine: HTCondorEngine, schedd: Schedd) -> None:
    """Of a job that waited and was removed the history tells; a running one's runner says that it was cancelled."""
    schedd.slots = 1
    handles = do(engine.submit(batch("t1", job("runs", "sleep 60"), job("waits", "exit 0"))))
    while do(engine.poll(handles[:1]))[0].state is not JobState.RUNNING:
        time.sleep(0.05)
    do(engine.cancel(handles))
    told = finished(engine, handles)
    assert {one.state for one in told.values()} == {JobState.CANCELLED}
    assert "cancelled by helpdesk" in told["waits"].native_text
    assert schedd.questions["act"] == 1


def test_bulk(engine: HTCondorEngine, schedd: Schedd) -> None:
    """A batch is one submit, a poll of all batches one query, and nothing is asked of the history while they are in the queue."""
    schedd.slots = 0
    handles = [
        *do(engine.submit(batch("t1", *(job(f"a{n}", "exit 0") for n in range(300))))),
        *do(engine.submit(batch("t2", *(job(f"b{n}", "exit 0") for n in range(300))))),
    ]
    assert {one.state for one in do(engine.poll(handles))} == {JobState.SUBMITTED}
    do(engine.cancel(handles))
    assert schedd.questions == {"submit": 2, "query": 1, "act": 1}


def test_a_lost_answer(engine: HTCondorEngine, schedd: Schedd, tmp_path: Path) -> None:
    """A batch whose answer was lost is found by its tag in the queue or the history, and not submitted again; another is not found."""
    handles = do(engine.submit(batch("t1", job("quick", "exit 0"))))
    do(engine.submit(batch("t2", job("other", "exit 0"))))
    (tmp_path / "jobs/t1/cluster").unlink()
    assert do(engine.reconcile(["t1", "t3"])) == [("t1", handles[0])]
    finished(engine, handles)
    assert do(engine.submit(batch("t1", job("quick", "exit 0")))) == handles
    (tmp_path / "jobs/t1/cluster").unlink()
    with schedd.lock:
        schedd._leave(schedd.job("quick"))
    assert do(engine.reconcile(["t1"])) == [("t1", handles[0])]
    assert schedd.questions["submit"] == 2


def test_no_history(engine: HTCondorEngine, schedd: Schedd, tmp_path: Path) -> None:
    """Where no history is kept, a batch that the schedd never took is not there, and one that it has is found."""
    schedd.remembers = False
    handles = do(engine.submit(batch("t1", job("quick", "exit 0"))))
    (tmp_path / "jobs/t1/cluster").unlink()
    folders.write_batch(tmp_path / "jobs", batch("t2", job("never", "exit 0")))
    assert do(engine.reconcile(["t1", "t2"])) == [("t1", handles[0])]


def test_forgotten(engine: HTCondorEngine, schedd: Schedd, tmp_path: Path) -> None:
    """Ended and held jobs stay in the queue until they are forgotten, and then nothing of them is left, here and there."""
    handles = do(engine.submit(batch("t1", job("good", "exit 0"), job("held", "sleep 60"))))
    finished(engine, [one for one in handles if one.job == "good"])
    schedd.hold("held", 1, 0, "via condor_hold")
    finished(engine, handles)
    assert len(schedd.queue) == 2
    do(engine.forget(["t1"]))
    schedd.turn()
    assert [one["JobStatus"] for one in schedd.queue] in ([], [3])  # 3: its machine lets it go
    assert not (tmp_path / "jobs/t1").exists()


def test_forgotten_while_it_is_down(engine: HTCondorEngine, schedd: Schedd, tmp_path: Path) -> None:
    """Nobody forgets a batch twice: its folder goes although the schedd does not answer, which lets go of its jobs by itself."""
    finished(engine, do(engine.submit(batch("t1", job("good", "exit 0")))))
    schedd.down = True
    with pytest.raises(EngineError):
        do(engine.forget(["t1"]))
    assert not (tmp_path / "jobs/t1").exists()


def test_odd_names(schedd: Schedd, tmp_path: Path) -> None:
    """Spaces, quotes, dollars and umlauts in the folder's name reach the machine as they are."""
    root = tmp_path / """it's "$(HOME)" ä b"""
    engine = HTCondorEngine(root, {QUEUE: HERE}, ask=condor.asker(schedd))
    handles = do(engine.submit(batch("t1", job("good", "exit 0"))))
    assert finished(engine, handles)["good"].state is JobState.SUCCESS


@pytest.mark.parametrize("broken", ["((foo", "TARGET.Site = 3", 'Site == "DESY'])
def test_broken_requirements(schedd: Schedd, tmp_path: Path, broken: str) -> None:
    """Requirements that are no expression are refused before anything is submitted: htcondor2 would take them in silence."""
    engine = HTCondorEngine(tmp_path / "jobs", {QUEUE: broken}, ask=condor.asker(schedd))
    for work in (engine.describe(), engine.submit(batch("t1", job("j", "exit 0")))):
        with pytest.raises(EngineError, match="no ClassAd expression") as caught:
            do(work)
        assert not caught.value.passing
    assert schedd.queue == []


def test_no_answer(engine: HTCondorEngine, schedd: Schedd) -> None:
    """A schedd that does not answer may answer later, and a batch whose submission failed so is looked for, not sent again."""
    schedd.down = True
    for work in (engine.describe(), engine.submit(batch("t1", job("j", "exit 0"))), engine.reconcile(["t1"])):
        with pytest.raises(EngineError, match="Failed to connect") as caught:
            do(work)
        assert caught.value.passing
    schedd.down = False
    assert do(engine.reconcile(["t1"])) == []


def test_the_real_client() -> None:
    """The client as a process: nobody listens, which may pass, and the sentence is HTCondor's."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        pool = f"127.0.0.1:{nobody.getsockname()[1]}"
        engine = HTCondorEngine(Path("unused"), {QUEUE: HERE}, pool=pool, schedd="s1", ask=asker("/dev/null"))
        with pytest.raises(EngineError, match=r"^HTCondor: (?!try again)") as caught:
            do(engine.describe())
    assert caught.value.passing


def test_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without HTCondor's package the error says what to install."""
    (tmp_path / "htcondor2.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    engine = HTCondorEngine(tmp_path, {QUEUE: HERE}, ask=asker(None))
    with pytest.raises(EngineError, match=r"pip install '\.\[htcondor\]'") as caught:
        do(engine.describe())
    assert not caught.value.passing


@pytest.mark.parametrize(
    "rubbish", ["Segmentation fault", '{"cluster": "x"}', "[1]", "", '{"cluster": 7, "first": 0, "jobs": 1}']
)
def test_garbage(tmp_path: Path, rubbish: str) -> None:
    """An answer that makes no sense is an error that may pass: the batch of two may be there, and is looked for by its tag."""

    async def ask(_told: bytes) -> str:
        return rubbish

    engine = HTCondorEngine(tmp_path / "jobs", {QUEUE: HERE}, ask=ask)
    with pytest.raises(EngineError) as caught:
        do(engine.submit(batch("t1", job("a", "exit 0"), job("b", "exit 0"))))
    assert caught.value.passing


def test_attributes() -> None:
    """Of an ad only what has a value is told: no undefined attribute, no error, no expression that cannot be evaluated."""
    import classad2  # noqa: PLC0415 - skipped where it is not installed

    ad = classad2.ClassAd('[A = 1; B = undefined; C = 1 / "x"; D = A + 1; E = {1}; F = "text"; G = true]')
    assert condor_client.plain(ad, "ABCDEFGH") == {"A": 1, "D": 2, "F": "text", "G": True}
    assert json.dumps(condor_client.plain(ad, "G")) == '{"G": true}'


def test_one_python_for_all(engine: HTCondorEngine, schedd: Schedd) -> None:
    """What a machine runs is the python that we name, and jobs ask for no more than the largest of their batch."""
    schedd.slots = 0
    do(engine.submit(batch("t1", job("j", "exit 0"))))
    ad = schedd.job("j")
    assert ad["Cmd"] == sys.executable
    assert (ad.eval("RequestMemory"), ad.eval("AllowedExecuteDuration")) == (500_000_000 // 2**20 + 100, 180)


def test_a_cluster_that_the_schedd_has_forgotten(engine: HTCondorEngine, tmp_path: Path) -> None:
    """Of a batch whose answer was lost, and which the schedd has forgotten since, what ran is there: it says so itself."""
    home = tmp_path / "jobs"
    notes.prepare(home)
    folders.write_batch(home, batch("t1", job("ran", "exit 0"), job("waits", "exit 0")))
    assert do(engine.reconcile(["t1"])) == []
    subprocess.run([sys.executable, str(home / "payload.pyz"), "run", str(home / "t1"), "0"], check=True)
    found = [one for _, one in do(engine.reconcile(["t1"]))]
    told = {one.handle.job: one.state for one in do(engine.poll(found))}
    assert told == {"ran": JobState.SUCCESS, "waits": None}
