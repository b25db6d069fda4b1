"""Data sets for test jobs, made from small real samples by a seeded generator: any size, the same octets of physics each time.

| data set | made from | events are |
|---|---|---|
| `zmumu` | 2,304 simulated Z decays that ship in scikit-hep-testdata, drawn again and smeared | CMS NanoAOD's names of muons |
| `physlite` | 2,421 events of the same package, drawn again and smeared | ATLAS PHYSLITE's names of electrons and jets, in MeV |
| `bhh` | nothing: **synthetic** two-body decays of a B meson over a falling background | names as in LHCb's ntuples |
| `zpairs` | nothing: **synthetic** decays of a Z boson, without any package | lines of CSV (`helpdesk.robots.payload.pairs`) |

Beside each file lies a manifest (`FILE.json`): how many events, its size and SHA-256, and the right answers.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from helpdesk.errors import UsageError
from helpdesk.robots import pairs_data
from helpdesk.robots.answers import answer
from helpdesk.robots.payload.pairs import NAME as PAIRS_ANALYSIS

PAIRS = "zpairs"
CHUNK = 200_000  # events written at a time: memory does not grow with the file
SMEAR = 0.01  # of each momentum, so that no event is the same twice
_B_MASS, _PION = 5279.66, 139.57039  # MeV, PDG

Progress = Callable[[int], None]
"""Told how many events were written."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a data set is: a job that reads it can check its answer."""

    dataset: str
    events: int
    seed: int
    size: int
    sha256: str
    answers: Mapping[str, str]  # analysis -> checksum of its histogram


def make(
    dataset: str, events: int, target: Path, *, seed: int = 1, progress: Progress = lambda _n: None
) -> Manifest:
    """Write a data set and its manifest; `UsageError` names what is missing or unknown."""
    if dataset not in DATASETS:
        raise UsageError(f"no data set {dataset!r}: there are {', '.join(DATASETS)}")
    if events < 1:
        raise UsageError(f"a data set of {events} events is none")
    format_, other = (".csv", ".root") if dataset == PAIRS else (".root", ".csv")
    if target.suffix == other:
        raise UsageError(
            f"{target}: {dataset} is written as {format_[1:].upper()}: {target.with_suffix(format_)}"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_suffix(".part")
    if dataset == PAIRS:
        pairs_data.write(events, aside, seed, progress)
        answers = _answers((PAIRS_ANALYSIS,), aside, "")
    else:
        sample = _SAMPLES[dataset]
        _write_tree(sample, events, aside, seed, progress)
        answers = _answers(sample.analyses, aside, sample.tree)
    aside.replace(target)
    manifest = Manifest(dataset, events, seed, target.stat().st_size, _sha256(target), answers)
    manifest_of(target).write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
    return manifest


def _write_tree(sample: "_Sample", events: int, target: Path, seed: int, progress: Progress) -> None:
    try:
        import numpy as np  # noqa: PLC0415 -- the extra `robots`: the board does without
        import uproot  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            f"{error}; in a checkout, pip install '.[robots]' brings what test jobs need"
        ) from error
    draw = sample.prepare()
    random = np.random.default_rng(seed)
    with uproot.recreate(target, compression=uproot.ZLIB(1)) as file:
        tree = None
        for size in _sizes(events):
            chunk = draw(random, size)
            if tree is None:
                tree = file.mktree(
                    sample.tree,
                    {
                        name: value.dtype if hasattr(value, "dtype") else value.type
                        for name, value in chunk.items()
                    },
                )
            tree.extend(chunk)
            progress(size)


def manifest_of(target: Path) -> Path:
    """Where the manifest of a file lies."""
    return target.with_name(f"{target.name}.json")


def read_manifest(target: Path, manifest: Path | None = None) -> Manifest:
    """The manifest of a file, beside it or elsewhere; `UsageError` if it has none that can be read."""
    path = manifest or manifest_of(target)
    try:
        return Manifest(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{path}: {error}; make the data set again") from error


def _sizes(events: int) -> Iterator[int]:
    for start in range(0, events, CHUNK):
        yield min(CHUNK, events - start)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _answers(analyses: Iterable[str], target: Path, tree: str) -> dict[str, str]:
    """What the analyses make of it: the production code says, so a wrong library shows at the far end, not here."""
    return {analysis: answer(analysis, target, tree) for analysis in analyses}


@dataclass(frozen=True, slots=True)
class _Sample:
    tree: str
    analyses: tuple[str, ...]
    prepare: Callable[[], Callable[[Any, int], dict[str, Any]]]


def _zmumu() -> Callable[[Any, int], dict[str, Any]]:
    import awkward as ak  # noqa: PLC0415 -- the extra
    import numpy as np  # noqa: PLC0415

    source = _shipped("uproot-Zmumu.root", ["pt1", "eta1", "phi1", "Q1", "pt2", "eta2", "phi2", "Q2"])

    def draw(random: Any, size: int) -> dict[str, Any]:
        rows = random.integers(0, len(source), size)
        columns = {name: np.asarray(source[name])[rows] for name in source.fields}
        pairs = {
            part: np.stack([columns[f"{part}1"], columns[f"{part}2"]], axis=1).astype("f4")
            for part in ("pt", "eta", "phi")
        }
        pairs["pt"] *= random.normal(1, SMEAR, (size, 2)).astype("f4")
        pairs["mass"] = np.full((size, 2), 0.105658, dtype="f4")
        pairs["charge"] = np.stack([columns["Q1"], columns["Q2"]], axis=1).astype("i4")
        muons = ak.zip({part: ak.from_regular(ak.from_numpy(value)) for part, value in pairs.items()})
        return {"event": np.arange(size, dtype="i8"), "Muon": muons}

    return draw


def _physlite() -> Callable[[Any, int], dict[str, Any]]:
    import awkward as ak  # noqa: PLC0415 -- the extra
    import numpy as np  # noqa: PLC0415

    kinds = {"Electrons": "Electron", "Jets": "Jet"}
    names = [f"{kind}_P{axis}" for kind in kinds.values() for axis in "xyz"]
    source = _shipped("uproot-HZZ.root", names)

    def draw(random: Any, size: int) -> dict[str, Any]:
        rows = random.integers(0, len(source), size)
        chunk: dict[str, Any] = {"event": np.arange(size, dtype="i8")}
        for shown, kind in kinds.items():
            px, py, pz = (source[f"{kind}_P{axis}"][rows] for axis in "xyz")
            pt = np.sqrt(px * px + py * py)
            counts = ak.num(pt)
            smear = ak.unflatten(random.normal(1, SMEAR, int(ak.sum(counts))).astype("f4"), counts)
            chunk[f"Analysis{shown}AuxDyn.pt"] = ak.values_astype(1000 * pt * smear, "float32")
            chunk[f"Analysis{shown}AuxDyn.eta"] = ak.values_astype(np.arcsinh(pz / pt), "float32")
        return chunk

    return draw


def _bhh() -> Callable[[Any, int], dict[str, Any]]:
    import numpy as np  # noqa: PLC0415 -- the extra

    def draw(random: Any, size: int) -> dict[str, Any]:
        signal = random.random(size) < 0.4
        mass = np.where(signal, random.normal(_B_MASS, 20, size), 4900 + random.exponential(600, size))
        momentum = np.sqrt(np.maximum(mass**2 / 4 - _PION**2, 0))
        cosine, angle = random.uniform(-1, 1, size), random.uniform(0, 2 * np.pi, size)
        sine = np.sqrt(1 - cosine**2)
        at_rest = np.stack(
            [momentum * sine * np.cos(angle), momentum * sine * np.sin(angle), momentum * cosine]
        )
        boost = 20_000 + random.exponential(60_000, size)  # MeV along the beam
        energy, gamma = np.sqrt(boost**2 + mass**2), np.sqrt(1 + (boost / mass) ** 2)
        chunk: dict[str, Any] = {"event": np.arange(size, dtype="i8")}
        for name, sign in (("h1", 1.0), ("h2", -1.0)):
            px, py, pz = sign * at_rest
            chunk[f"{name}_PX"], chunk[f"{name}_PY"] = px, py
            chunk[f"{name}_PZ"] = gamma * (pz + boost / energy * mass / 2)
            chunk[f"{name}_PROBNNpi"] = np.where(signal, random.beta(8, 1, size), random.beta(2, 2, size))
        chunk["B_IPCHI2"] = random.exponential(4, size)
        return chunk

    return draw


def _shipped(name: str, branches: list[str]) -> Any:
    """A sample that ships in a package, read whole: it is small."""
    try:
        import skhep_testdata  # noqa: PLC0415 -- the extra
        import uproot  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            f"{error}; in a checkout, pip install '.[robots]' brings what test jobs need"
        ) from error
    with uproot.open(skhep_testdata.data_path(name)) as file:
        return file["events"].arrays(branches)


_SAMPLES: Mapping[str, _Sample] = {
    "zmumu": _Sample("Events", ("dimuon", "read"), _zmumu),
    "physlite": _Sample("CollectionTree", ("electrons-jets",), _physlite),
    "bhh": _Sample("DecayTree", ("b-to-hh",), _bhh),
}
DATASETS = tuple(sorted((*_SAMPLES, PAIRS)))
