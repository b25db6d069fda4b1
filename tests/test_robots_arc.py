"""The engine arc beyond the contract: states and errors of A-REX, what is asked of it, and what it may do to us."""

import asyncio
import gc
import json
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from helpdesk.robots.codes import NOTHING, Lookup
from helpdesk.robots.engine import EngineError, Handle, JobSpec
from helpdesk.robots.engines import arc_jobs, folders
from helpdesk.robots.engines.arc import IDS, ArcEngine, Place
from helpdesk.robots.engines.arc_jobs import ending_of, status_of
from helpdesk.robots.engines.arc_rest import Login, opened
from helpdesk.robots.record import JobState
from tests.contract.test_engine import LIMITS, QUEUE, batch, do, finished, job
from tests.servers import arex
from tests.servers.arex import Arex

ONE = Handle("j1", "t1:abc")
INFO = {
    "Name": "t1:j1", "ExecutionNode": "wn17.desy.example", "SubmissionTime": "2026-11-29T13:17:57Z",
    "StartTime": "2026-11-29T13:18:00Z", "EndTime": "2026-11-29T13:18:05Z",
}  # fmt: skip
DONE = {"exit_code": 0, "signal": 0, "killed_for": "", "began": 1e9, "ended": 1e9 + 5, "node": "wn18"}


@pytest.fixture(scope="module")
def element() -> Iterator[Arex]:
    with arex.computing_element() as running:
        yield running


@pytest.fixture
def login(element: Arex, tmp_path: Path) -> Login:
    return Login(arex.credential(element, tmp_path), authorities=arex.trusted(element, tmp_path))


@pytest.fixture
def engine(element: Arex, login: Login, tmp_path: Path) -> ArcEngine:
    element.asked.clear()
    return ArcEngine(tmp_path / "arc", Place(QUEUE, element.url, arex.QUEUE), login)


STATES: dict[object, JobState | None] = {
    **dict.fromkeys(
        ("ACCEPTING", "ACCEPTED", "PREPARING", "PREPARED", "SUBMITTING", "QUEUING", "HELD"), JobState.SUBMITTED
    ),
    **dict.fromkeys(
        ("RUNNING", "EXITINGLRMS", "OTHER", "EXECUTED", "FINISHING", "KILLING"), JobState.RUNNING
    ),
    **dict.fromkeys(("None", "", "SOMETHING NEW", 7, None), None),
}  # fmt: skip


@pytest.mark.parametrize("word", STATES, ids=repr)
def test_states(word: object) -> None:
    """Every state that A-REX's REST interface has is ours, and of any other nothing is known."""
    told = status_of(ONE, word, INFO, None)
    assert (told.state, told.ended, told.native_code) == (STATES[word], None, "")


ERRORS = {
    "LRMS error: (42) Job finished with wrong exit code - 42 != 0": "arc:LRMS",
    "LRMS error: (31) Job finished with wrong exit code - 31 != 0": "payload:31",
    "LRMS error: (271) job killed: wall": "arc:LRMS",
    "User file: payload.pyz - Timeout waiting": "arc:STAGE_IN",
    "Data download failed": "arc:STAGE_IN",
    "Data upload failed": "arc:STAGE_OUT",
    "Job submission to LRMS failed": "arc:SUBMIT",
    "Failed extracting LRMS ID due to some internal error": "arc:SUBMIT",
    "Proxy expired": "arc:PROXY",
    "Internal error": "arc:FAILED",
    "": "arc:FAILED",
}


@pytest.mark.parametrize("error", ERRORS)
def test_errors(error: str) -> None:
    """A job that failed without a word of its runner has the code of A-REX's sentence, which is kept."""
    told = status_of(ONE, "FAILED", {**INFO, "Error": error} if error else INFO, None)
    assert (told.state, told.native_code, told.native_text) == (JobState.FAILED, ERRORS[error], error)
    assert Lookup().meaning(told.native_code) is not NOTHING
    assert told.node == "wn17.desy.example"
    assert told.ended == datetime(2026, 11, 29, 13, 18, 5, tzinfo=UTC)


ENDINGS = [
    ("FINISHED", DONE, JobState.SUCCESS, ""),
    ("FINISHED", None, JobState.FAILED, "local:no_result"),
    ("FINISHED", {**DONE, "exit_code": 31}, JobState.FAILED, "payload:31"),
    ("FAILED", {**DONE, "exit_code": 31}, JobState.FAILED, "payload:31"),
    ("FAILED", {**DONE, "exit_code": None, "signal": 11}, JobState.FAILED, "signal:11"),
    (
        "FAILED",
        {**DONE, "exit_code": None, "signal": 15, "killed_for": "wall"},
        JobState.TIMEOUT,
        "payload:60",
    ),
    ("FAILED", DONE, JobState.FAILED, "arc:STAGE_OUT"),
    ("KILLED", DONE, JobState.CANCELLED, "arc:KILLED"),
    ("KILLED", None, JobState.CANCELLED, "arc:KILLED"),
    ("WIPED", None, JobState.LOST, "arc:WIPED"),
]


@pytest.mark.parametrize(("word", "ending", "state", "native"), ENDINGS)
def test_endings(word: str, ending: dict[str, Any] | None, state: JobState, native: str) -> None:
    """A-REX says whether a job ended and the runner how, and where A-REX failed a job that ran well, that is what is told."""
    word_of_runner = ending_of(None if ending is None else json.dumps(ending).encode())
    told = status_of(ONE, word, {**INFO, "Error": "Data upload failed"}, word_of_runner)
    assert (told.state, told.native_code) == (state, native)
    if ending is not None:
        assert told.node == "wn18"
    if native:
        assert Lookup().meaning(native) is not NOTHING


RUBBISH = [
    b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"exit_code": "0"}', b'{"exit_code": true}', b'{"exit_code": [0]}', b"\xff",
]  # fmt: skip


@pytest.mark.parametrize("content", RUBBISH, ids=lambda one: repr(one[:20]))
def test_a_runners_word_that_is_none(content: bytes) -> None:
    """What a site wrote into exit.json and is no runner's word is none."""
    assert ending_of(content) is None


def test_odd_times() -> None:
    """Times that cannot be are none, whoever tells them."""
    ending = ending_of(b'{"exit_code": 0, "began": 1e300, "ended": -5, "node": "\\u001b[31mred"}')
    told = status_of(ONE, "FINISHED", {"SubmissionTime": ["yesterday"], "EndTime": 7}, ending)
    assert (told.submitted, told.started, told.ended) == (None, None, None)
    assert "\x1b" not in told.node
    for odd in ("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00Z"):
        assert status_of(ONE, "FINISHED", {"SubmissionTime": odd, "EndTime": odd}, None).submitted is None


def test_description() -> None:
    """A document holds every job with its name, its limits and its inputs, whatever stands in the names."""
    jobs = [JobSpec("j<1>", ("x",), LIMITS), JobSpec("j&2", ("x",), LIMITS)]
    root = ET.fromstring(arc_jobs.description("t1", jobs, "", "python3"))  # noqa: S314 -- it is ours
    names = [one.text for one in root.iter(f"{arex.ADL}Name")]
    assert [one for one in names if one and one.startswith("t1:")] == ["t1:j<1>", "t1:j&2"]
    assert root.find(f".//{arex.ADL}QueueName") is None
    assert root.findtext(f".//{arex.ADL}WallTime") == "360"


def test_bulk(engine: ArcEngine, element: Arex) -> None:
    """A batch is one POST and two uploads a job; a poll of what is on its way is one question, a cancel another."""
    element.slots = 0
    try:
        handles = do(engine.submit(batch("t-bulk", *(job(f"j{n}", "exit 0") for n in range(40)))))
        assert [one.job for one in handles] == [f"j{n}" for n in range(40)]
        assert {one.state for one in do(engine.poll(handles))} == {JobState.SUBMITTED}
        do(engine.cancel(handles))
        assert element.asked == {
            "POST jobs new": 1,
            "PUT jobs": 80,
            "POST jobs status": 1,
            "POST jobs kill": 1,
        }
        assert {one.state for one in do(engine.poll(handles))} == {JobState.CANCELLED}
        do(engine.forget(["t-bulk"]))
        assert element.jobs == {}
        assert [one.state for one in do(engine.poll(handles[:2]))] == [None, None]
    finally:
        element.slots = 4


def test_an_answer_that_was_lost(engine: ArcEngine, element: Arex, login: Login, tmp_path: Path) -> None:
    """A batch that was created, and whose daemon died before the uploads, is found by its names and gets them; it is not sent again."""
    mine, other = batch("t-cut", job("a", "exit 0"), job("b", "exit 0")), batch("t-cut2", job("a", "exit 0"))
    for one in (mine, other):
        folders.write_batch(tmp_path / "arc", one)

    async def create() -> None:
        async with opened(element.url, login) as rest:
            for one in (mine, other):
                await rest.new(arc_jobs.description(one.tag, one.jobs, arex.QUEUE, "python3"))

    do(create())
    found = do(engine.reconcile(["t-cut", "t-nothing"]))
    assert sorted((tag, one.job) for tag, one in found) == [("t-cut", "a"), ("t-cut", "b")]
    assert {one.state for one in finished(engine, [one for _, one in found]).values()} == {JobState.SUCCESS}
    assert element.named("t-cut2:a").uploaded == set()
    assert sorted(do(engine.submit(mine)), key=str) == sorted((one for _, one in found), key=str)
    assert element.asked["POST jobs new"] == 2
    do(engine.forget(["t-cut"]))


def test_an_upload_that_was_cut_short(engine: ArcEngine, element: Arex, tmp_path: Path) -> None:
    """An upload that fails may pass; what is there whole is not sent again, what is not, is."""
    element.broken["PUT jobs"] = (500, b"disk full")
    with pytest.raises(EngineError, match="500") as caught:
        do(engine.submit(batch("t-half", job("a", "exit 0"))))
    assert caught.value.passing
    assert (tmp_path / "arc/t-half" / IDS).exists()
    [(_, handle)] = do(engine.reconcile(["t-half"]))
    sent = element.asked["PUT jobs"]
    assert do(engine.reconcile(["t-half"])) == [("t-half", handle)]
    assert element.asked["PUT jobs"] == sent
    assert finished(engine, [handle])["a"].state is JobState.SUCCESS


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_an_upload_that_is_refused(engine: ArcEngine, element: Arex, status: int) -> None:
    """A batch that was created is looked for again, whatever is said to its uploads: planned anew, its other jobs would run twice."""
    element.broken["PUT jobs"] = (status, b"no")
    with pytest.raises(EngineError, match=str(status)) as caught:
        do(engine.submit(batch(f"t-put-{status}", job("a", "exit 0"), job("b", "exit 0"))))
    assert caught.value.passing
    found = do(engine.reconcile([f"t-put-{status}"]))
    told = finished(engine, [one for _, one in found])
    assert {name: one.state for name, one in told.items()} == dict.fromkeys("ab", JobState.SUCCESS)


def test_nothing_outlives_its_connection(engine: ArcEngine, element: Arex) -> None:
    """An error among many uploads ends them all before it is told."""

    async def work() -> int:
        element.broken["PUT jobs"] = (503, b"busy")
        with pytest.raises(EngineError, match="503"):
            await engine.submit(batch("t-many", *(job(f"j{n}", "exit 0") for n in range(20))))
        return len(asyncio.all_tasks())

    element.slots = 0
    try:
        assert do(work()) == 1
        gc.collect()  # a socket that was left open would be told now
    finally:
        element.slots = 4


def test_some_are_refused(element: Arex, login: Login, tmp_path: Path) -> None:
    """A batch of which every job is refused is an error for good, in A-REX's words, and can be planned again."""
    engine = ArcEngine(tmp_path / "arc", Place(QUEUE, element.url, "nowhere"), login)
    with pytest.raises(EngineError, match="nowhere is not allowed") as caught:
        do(engine.submit(batch("t-no", job("a", "exit 0"), job("b", "exit 0"))))
    assert not caught.value.passing


def test_words_of_the_other_side(element: Arex, login: Login, tmp_path: Path) -> None:
    """A job is told of the payload and the python that are there, not of those that are here."""
    payload = tmp_path / "payload.pyz"
    engine = ArcEngine(tmp_path / "arc", Place(QUEUE, element.url), login, payload=payload, python="python3")
    argv = (sys.executable, str(payload), "--help")
    handles = do(engine.submit(batch("t-words", JobSpec("a", argv, LIMITS))))
    assert finished(engine, handles)["a"].state is JobState.SUCCESS
    assert "usage" in do(engine.fetch(handles, tmp_path))[0].log_tail
    assert str(tmp_path) not in (element.named("t-words:a").folder / "batch.jsonl").read_text()


def test_token(element: Arex, login: Login, tmp_path: Path) -> None:
    """A token instead of a certificate is enough, and a wrong one is refused for good without being named."""
    place = Place(QUEUE, element.url)
    right = ArcEngine(tmp_path, place, Login(token=lambda: arex.TOKEN, authorities=login.authorities))
    told = do(right.describe())
    assert (told.version, told.queues) == ("6.17.0", (QUEUE,))
    assert told.notes == (element.url, "queue grid: production, 0 running, 3 waiting")
    wrong = ArcEngine(tmp_path, place, Login(token=lambda: "hunter2", authorities=login.authorities))
    with pytest.raises(EngineError, match="403") as caught:
        do(wrong.describe())
    assert not caught.value.passing
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "token", ["hunter2\x01", "hunter2\nhunter3", "hunter2\u00e9", "hunter2\x7f", "hunter2 ", ""]
)
def test_a_token_that_is_none(element: Arex, login: Login, tmp_path: Path, token: str) -> None:
    """What no header can hold is an error for good, and is not named: a damaged file must not end up in a log."""
    place, odd = Place(QUEUE, element.url), Login(token=lambda: token, authorities=login.authorities)
    with pytest.raises(EngineError) as caught:
        do(ArcEngine(tmp_path, place, odd).describe())
    told = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in told
    assert not caught.value.passing


def test_certificates(element: Arex, login: Login, tmp_path: Path) -> None:
    """A computing element that no trusted authority vouches for is not spoken to; a key that others may read is not used."""
    place = Place(QUEUE, element.url)
    with pytest.raises(EngineError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        do(ArcEngine(tmp_path, place, Login(login.certificate)).describe())
    assert not caught.value.passing
    assert login.certificate is not None
    login.certificate.chmod(0o644)
    with pytest.raises(EngineError, match="chmod 600") as caught:
        do(ArcEngine(tmp_path, place, login).describe())
    assert not caught.value.passing
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    broken.chmod(0o600)
    with pytest.raises(EngineError, match=r"broken\.pem"):
        do(ArcEngine(tmp_path, place, Login(broken)).describe())
    with pytest.raises(EngineError, match="No such file"):
        do(ArcEngine(tmp_path, place, Login(tmp_path / "missing")).describe())


@pytest.mark.parametrize(
    "answer", [(500, b""), (201, b"{"), (201, b"<html>"), (503, b"busy"), (201, b'{"job": [1, "x", null]}')]
)
def test_garbage(engine: ArcEngine, element: Arex, answer: tuple[int, bytes]) -> None:
    """An answer to a new batch that makes no sense is an error after which the batch is looked for, not sent again."""
    element.broken["POST jobs new"] = answer
    with pytest.raises(EngineError) as caught:
        do(engine.submit(batch(f"t-{answer[0]}-{len(answer[1])}", job("a", "exit 0"))))
    assert caught.value.passing


def test_garbage_about_one_job(engine: ArcEngine, element: Arex, tmp_path: Path) -> None:
    """A result that is too large, and a log without an end, concern their job alone."""
    script = "head -c 2000000 /dev/zero > result.json; echo fine"
    handles = do(
        engine.submit(batch("t-large", job("large", script), job("good", "echo '{}' > result.json")))
    )
    finished(engine, handles)
    element.named("t-large:good").folder.joinpath("good/exit.json").write_text("{")
    told = {one.handle.job: one for one in do(engine.poll(handles))}
    assert (told["large"].state, told["good"].state) == (JobState.SUCCESS, JobState.FAILED)
    assert told["good"].native_code == "local:no_result"
    ended = {one.handle.job: one for one in do(engine.fetch(handles, tmp_path))}
    assert (ended["large"].result, ended["large"].log_tail) == (b"", "fine\n")
    assert ended["good"].result == b"{}\n"


@pytest.mark.parametrize("name", ["exit.json", "result.json"])
def test_a_file_that_cannot_be_read(engine: ArcEngine, element: Arex, tmp_path: Path, name: str) -> None:
    """A job whose files cannot be read for now has not ended yet and stops nobody; where that is so of all, it is an error."""
    script = "echo '{}' > result.json; echo fine"
    handles = do(engine.submit(batch(f"t-{name}", job("bad", script), job("good", script))))
    finished(engine, handles)
    element.unreadable = {f"bad/{name}": 500, "good/log": 403}
    try:
        told = {one.handle.job: one.state for one in do(engine.poll(handles))}
        assert told == {"bad": JobState.RUNNING, "good": JobState.SUCCESS}
        [left] = do(engine.fetch([one for one in handles if one.job == "good"], tmp_path))
        assert (left.result, left.log_tail, left.exit_code) == (b"{}\n", "", 0)
        element.unreadable[f"good/{name}"] = 500
        with pytest.raises(EngineError, match="500"):
            do(engine.poll(handles))
    finally:
        element.unreadable = {}
    assert {one.state for one in finished(engine, handles).values()} == {JobState.SUCCESS}


def test_nobody_answers(engine: ArcEngine, element: Arex, tmp_path: Path) -> None:
    """A computing element that hangs up may be there later; what is here of a batch that is forgotten goes all the same."""
    element.deaf = True
    try:
        (tmp_path / "arc/t-old").mkdir(parents=True)
        (tmp_path / "arc/t-old" / IDS).write_text('{"a": "b"}')
        for work in (
            engine.describe(),
            engine.forget(["t-old"]),
            engine.poll([ONE]),
            engine.submit(batch("t-deaf", job("a", "exit 0"))),
        ):
            with pytest.raises(EngineError, match=r"^ARC") as caught:
                do(work)
            assert caught.value.passing
    finally:
        element.deaf = False
    assert do(engine.reconcile(["t-deaf"])) == []
    assert not (tmp_path / "arc/t-old").exists()


def test_odd_ids(engine: ArcEngine, element: Arex) -> None:
    """An id that is no name of a job is never put into an address."""
    odd = [Handle("../x", "t1:../../delegations"), Handle("j", "t1:a?b"), Handle("j", "t1:")]
    assert [one.state for one in do(engine.poll(odd))] == [None, None, None]
    assert set(element.asked) <= {"POST jobs status"}


def test_each_file_is_read_once(engine: ArcEngine, element: Arex, tmp_path: Path) -> None:
    """Result, ending and log of a job cost one request each, from its end to its record; after a restart they are there as well."""
    handles = do(engine.submit(batch("t-once", job("a", "echo '{\"exit\": 0}' > result.json; echo fine"))))
    finished(engine, handles)
    before = element.asked["GET jobs"]
    do(engine.poll(handles))
    [found] = do(engine.fetch(handles, tmp_path))
    assert element.asked["GET jobs"] - before == 3
    assert (json.loads(found.result), found.exit_code, found.log_tail) == ({"exit": 0}, 0, "fine\n")
    assert do(engine.fetch(handles, tmp_path)) == [found]
