"""A test job says what it measured, knows whether its own answer is right, and tells in which phase it failed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from helpdesk.errors import UsageError
from helpdesk.robots import datasets, payloads
from helpdesk.robots.payload.outcome import PHASES, Exit
from helpdesk.robots.payload.pairs import mass
from tests.servers import file_server, storage
from tests.servers.process import short_directory

EVENTS = 4000
SETS = {"dimuon": "zmumu", "electrons-jets": "physlite", "b-to-hh": "bhh", "read": "zmumu", "pairs": "zpairs"}


@dataclass(frozen=True)
class Ended:
    """A job that ran."""

    code: int
    result: Mapping[str, Any]
    said: str


def file_of(dataset: str) -> str:
    """What a data set is written as."""
    return f"{dataset}.csv" if dataset == "zpairs" else f"{dataset}.root"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage element with every data set, and the payload."""
    folder = tmp_path_factory.mktemp("store")
    for name in set(SETS.values()):
        datasets.make(name, EVENTS, folder / file_of(name), seed=7)
    payloads.pack(folder / "payload.pyz")
    return folder


@pytest.fixture(scope="module")
def http(store: Path) -> Iterator[str]:
    with file_server.serve(store) as url:
        yield url


def run(
    store: Path,
    folder: Path,
    analysis: str,
    url: str,
    mode: str = "copy",
    enter: Sequence[str] = (),
    **expect: Any,
) -> Ended:
    """Run a job in a folder of its own, without this project anywhere near; `enter`: where its storage is."""
    command = payloads.argv(store / "payload.pyz", analysis, [url], mode, expect)
    isolated = [*enter, command[0], "-I", *command[1:]]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(
        isolated,
        cwd=folder,
        env={**environment, "HELPDESK_JOB": "j1"},
        capture_output=True,
        text=True,
        check=False,
    )
    path = folder / "result.json"
    return Ended(ended.returncode, json.loads(path.read_text()) if path.exists() else {}, ended.stderr)


@pytest.mark.parametrize("analysis", sorted(SETS))
def test_right_answer(store: Path, tmp_path: Path, analysis: str) -> None:
    """Every analysis finds the same histogram in a copied data set as was found when the set was made, and measures itself."""
    data = store / file_of(SETS[analysis])
    manifest = datasets.read_manifest(data)
    ended = run(store, tmp_path, analysis, str(data), events=EVENTS, checksum=manifest.answers[analysis])
    assert (ended.code, ended.said, ended.result["words"]) == (0, "", "")
    assert ended.result["events_processed"] == EVENTS
    assert ended.result["bytes_read"] == manifest.size
    assert ended.result["job"] == "j1"
    assert list(ended.result["phases"]) == ["environment", "stage-in", "payload", "stage-out"]
    assert all(start <= end for start, end in ended.result["phases"].values())
    assert ended.result["max_rss_bytes"] > 10_000_000
    assert ended.result["cpu_user_s"] > 0
    assert [one.name for one in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.parametrize("mode", ["copy", "stream"])
def test_over_http(store: Path, tmp_path: Path, http: str, mode: str) -> None:
    """A set that is copied or streamed from a server gives the same answer."""
    checksum = datasets.read_manifest(store / "zmumu.root").answers["dimuon"]
    ended = run(store, tmp_path, "dimuon", f"{http}/data/zmumu.root", mode, events=EVENTS, checksum=checksum)
    assert (ended.code, ended.said) == (0, "")
    assert ended.result["bytes_read"] > 0


def _real(kind: str) -> pytest.MarkDecorator:
    there = storage.NGINX if kind == "nginx" else storage.XROOTD
    return pytest.mark.skipif(not there, reason=f"{kind} is not installed, or this user may not start it")


REAL = [
    pytest.param(kind, protocol, mode, marks=_real(kind), id=f"{kind}-{protocol}-{mode}")
    for kind, protocol in (("xrootd", "root"), ("xrootd", "http"), ("nginx", "http"))
    for mode in ("copy", "stream")
]


@pytest.fixture(scope="module")
def element(store: Path) -> Iterator[Callable[[str], storage.Storage]]:
    """Real storage elements, each started when it is first asked for."""
    data = short_directory()  # the server is somebody else, who may read no folder of pytest's
    for file in store.glob("*.root"):
        shutil.copyfile(file, data / file.name)
    _truncated(store, data)
    with ExitStack() as stack:
        started: dict[str, storage.Storage] = {}

        def get(kind: str) -> storage.Storage:
            if kind not in started:
                start = storage.nginx if kind == "nginx" else storage.xrootd
                started[kind] = stack.enter_context(start(data))
            return started[kind]

        yield get
    shutil.rmtree(data)


@pytest.mark.parametrize(("kind", "protocol", "mode"), REAL)
def test_real_storage(
    store: Path,
    tmp_path: Path,
    element: Callable[[str], storage.Storage],
    kind: str,
    protocol: str,
    mode: str,
) -> None:
    """A set on a real storage element gives the same answer, copied or streamed, and what is not there is not found."""
    there = element(kind)
    checksum = datasets.read_manifest(store / "zmumu.root").answers["dimuon"]
    base = there.urls[protocol]
    good = run(
        store,
        tmp_path,
        "dimuon",
        f"{base}/zmumu.root",
        mode,
        enter=there.enter,
        events=EVENTS,
        checksum=checksum,
    )
    assert (good.code, good.said) == (0, "")
    assert good.result["bytes_read"] > 0
    missing = run(store, tmp_path, "dimuon", f"{base}/none.root", mode, enter=there.enter)
    assert missing.code == Exit.NOT_FOUND, missing.said


@pytest.mark.parametrize("mode", [pytest.param(mode, marks=_real("xrootd")) for mode in ("copy", "stream")])
def test_broken_data_on_real_storage(
    store: Path,
    tmp_path: Path,
    element: Callable[[str], storage.Storage],
    mode: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over root:// a truncated set is corrupt, one of another kind is wrong data, and a server that is away cannot be reached."""
    monkeypatch.setenv("XRD_CONNECTIONWINDOW", "2")  # a site may have less patience than we
    there = element("xrootd")
    base = there.urls["root"]
    told = {
        name: run(store, tmp_path, "dimuon", f"{url}/{name}", mode, enter=there.enter).code
        for name, url in {
            "cut.root": base,
            "bhh.root": base,
            "zmumu.root": "root://127.0.0.1:9/",
            "none.root": "root://nowhere.invalid/",
        }.items()
    }
    assert told == {
        "cut.root": Exit.CORRUPT,
        "bhh.root": Exit.WRONG_DATA,
        "zmumu.root": Exit.CANNOT_CONNECT,
        "none.root": Exit.CANNOT_CONNECT,
    }


def _truncated(store: Path, folder: Path) -> str:
    path = folder / "cut.root"
    path.write_bytes((store / "zmumu.root").read_bytes()[:20_000])
    return str(path)


def _corrupt(store: Path, folder: Path) -> str:
    octets = bytearray((store / "zmumu.root").read_bytes())
    octets[3000:20_000] = os.urandom(17_000)
    path = folder / "corrupt.root"
    path.write_bytes(octets)
    return str(path)


def _no_root(_store: Path, folder: Path) -> str:
    path = folder / "page.root"
    path.write_text("<html>maintenance</html>")
    return str(path)


def _other(store: Path, folder: Path) -> str:
    return str(shutil.copy(store / "bhh.root", folder / "other.root"))


BROKEN: Mapping[str, tuple[Callable[[Path, Path], str], Exit]] = {
    "not there": (lambda _store, folder: str(folder / "none.root"), Exit.NOT_FOUND),
    "truncated": (_truncated, Exit.CORRUPT),
    "corrupt": (_corrupt, Exit.CORRUPT),
    "no ROOT file": (_no_root, Exit.CORRUPT),
    "another set": (_other, Exit.WRONG_DATA),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_data(store: Path, tmp_path: Path, what: str) -> None:
    """Data that is missing, broken or another is a failure of the stage-in, with the reason in words."""
    make, code = BROKEN[what]
    ended = run(store, tmp_path, "dimuon", make(store, tmp_path))
    assert ended.code == code == ended.result["exit"], ended.said
    assert ended.result["phase"] == "stage-in" == PHASES[code // 10]
    assert ended.result["words"] in ended.said
    if what == "another set":
        assert (
            ended.result["words"] == "other.root has no tree 'Events'"
        )  # the same in each job, wherever the copy lies


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("404/x.root", Exit.NOT_FOUND),
        ("403/x.root", Exit.REFUSED),
        ("503/x.root", Exit.CANNOT_CONNECT),
        ("short/zmumu.root", Exit.CORRUPT),
    ],
)
@pytest.mark.parametrize("mode", ["copy", "stream"])
def test_broken_server(store: Path, tmp_path: Path, http: str, path: str, mode: str, code: Exit) -> None:
    """A server's refusals are told apart by who has to mend them."""
    ended = run(store, tmp_path, "dimuon", f"{http}/{path}", mode)
    assert ended.code == code or (mode == "stream" and 10 <= ended.code < 20), ended.said
    assert ended.result["phase"] == "stage-in"


def test_nobody_listens(store: Path, tmp_path: Path) -> None:
    """A server that is down is told from a file that is missing."""
    assert run(store, tmp_path, "dimuon", "http://127.0.0.1:9/zmumu.root").code == Exit.CANNOT_CONNECT


def test_wrong_answer(store: Path, tmp_path: Path) -> None:
    """A histogram that is not the right one is a failure, however well everything else went."""
    ended = run(store, tmp_path, "dimuon", str(store / "zmumu.root"), checksum="0" * 64)
    assert (ended.code, ended.result["phase"]) == (Exit.WRONG_ANSWER, "payload")


def test_events_missing(store: Path, tmp_path: Path) -> None:
    """Fewer events than are known to be there are a failure of the data."""
    assert (
        run(store, tmp_path, "dimuon", str(store / "zmumu.root"), events=EVENTS + 1).code
        == Exit.EVENTS_MISSING
    )


def test_cannot_write(store: Path, tmp_path: Path) -> None:
    """A result that cannot be written is a failure of the stage-out, told by the exit code alone."""
    command = [
        *payloads.argv(store / "payload.pyz", "dimuon", [str(store / "zmumu.root")], "local", {}),
        "--result",
        "no/such/r.json",
    ]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == Exit.CANNOT_WRITE


def test_missing_library(store: Path, tmp_path: Path) -> None:
    """A site without the libraries is a failure of the environment."""
    command = payloads.argv(store / "payload.pyz", "dimuon", [str(store / "zmumu.root")], "local", {})
    bare = [command[0], "-S", *command[1:]]  # without site-packages
    ended = subprocess.run(
        bare, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == Exit.ENVIRONMENT
    assert json.loads((tmp_path / "result.json").read_text())["phase"] == "environment"


def test_packed_the_same() -> None:
    """The packed payload is the same octets each time, so its hash names its version."""
    payloads.packed.cache_clear()
    first = payloads.packed()
    payloads.packed.cache_clear()
    assert payloads.packed() == first


def test_same_seed_same_data(tmp_path: Path) -> None:
    """A seed gives the same physics each time, another seed gives other."""
    made = [
        datasets.make("bhh", 1000, tmp_path / f"{n}.root", seed=seed).answers
        for n, seed in enumerate((1, 1, 2))
    ]
    assert made[0] == made[1] != made[2]


def test_larger_than_a_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set that is written in many chunks has every event once."""
    monkeypatch.setattr(datasets, "CHUNK", 300)
    told: list[int] = []
    manifest = datasets.make("zmumu", 1000, tmp_path / "z.root", progress=told.append)
    assert told == [300, 300, 300, 100]
    assert (manifest.events, manifest.size) == (1000, (tmp_path / "z.root").stat().st_size)


def test_every_analysis_has_a_set() -> None:
    """Each payload that a template can name is tried on a data set, and has one."""
    assert sorted(SETS) == list(payloads.NAMES)
    assert set(SETS.values()) == set(datasets.DATASETS)


def test_plain_python_is_enough(tmp_path: Path) -> None:
    """The data set `zpairs` is made and analysed, rightly, by a Python that finds no package at all."""
    data = tmp_path / "z.csv"
    manifest = datasets.make("zpairs", 500, data)
    payload = payloads.pack(tmp_path / "payload.pyz")
    expect = json.dumps({"events": 500, "checksum": manifest.answers["pairs"]})
    command = [sys.executable, "-I", "-S", str(payload), "pairs", "--input", str(data), "--expect", expect]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads((tmp_path / "result.json").read_text())["number"] == pytest.approx(91.2, abs=0.5)


def test_two_muons_have_the_mass_that_is_known() -> None:
    """Two muons back to back have their energies' sum as mass, and two side by side none."""
    assert mass(45.0, 0.0, 0.0, -45.0, 0.0, 0.0) == 90.0
    assert mass(3.0, 4.0, 0.0, 3.0, 4.0, 0.0) == 0.0


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("a,b\n1,2\n", 20),
        ("{}\n1,2,3\n", 20),
        ("{}\n1,2,3,4,5,nan\n", 20),
        ("{}\n1e308,1e308,1,1,1,1\n", 20),
        ("{}\n45,0,0,-45,0,0\n", 21),
        ("{}\n45,0,0,-45,0,0\n1,0,0,-1,0,0\n", 31),
        ("\u00e9", 12),
        ("", 20),
    ],
)
def test_lines_that_are_no_pairs(tmp_path: Path, said: str, code: int) -> None:
    """Whatever stands in a file of pairs becomes the right exit code: no data 12 or 20, too few 21, a wrong answer 31."""
    data = tmp_path / "z.csv"
    data.write_text(said.replace("{}", "px1,py1,pz1,px2,py2,pz2"), encoding="utf-8")
    payloads.pack(tmp_path / "payload.pyz")
    ended = run(tmp_path, tmp_path, "pairs", str(data), events=2, checksum="0" * 64)
    assert ended.code == code, ended.said


def test_unknown_set(tmp_path: Path) -> None:
    """A set that nobody can make is refused with the names of those that can be made."""
    with pytest.raises(UsageError, match="zmumu"):
        datasets.make("mc08", 10, tmp_path / "x.root")


def test_no_manifest(tmp_path: Path) -> None:
    """A file without a manifest says how to get one."""
    with pytest.raises(UsageError, match="make the data set again"):
        datasets.read_manifest(tmp_path / "x.root")
