"""Run one analysis: `payload.pyz dimuon --input URL --mode copy --result result.json --expect '{"events": 10000}'`."""

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .analyses import ANALYSES, Analysis
from .inputs import chunks, stage_in
from .meter import Meter
from .outcome import PHASES, Exit, PayloadError
from .pairs import NAME as PAIRS
from .pairs import Pairs

_ENOSPC = 28


def main(arguments: list[str] | None = None) -> int:
    """Measure, analyse, check, write; the exit code says in which phase it failed."""
    asked = _parser().parse_args(arguments)
    meter = Meter()
    found: dict[str, Any] = {}
    try:
        found = _work(asked, meter)
        code, words = Exit.OK, ""
    except PayloadError as error:
        code, words = error.code, str(error)
    except Exception as error:  # noqa: BLE001 -- the boundary: whatever breaks is a result, not only a traceback in a log
        code, words = Exit.CRASHED, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    if words:
        sys.stderr.write(f"{asked.analysis}: {words}\n")
    return _write(asked.result, meter, {"exit": int(code), "phase": _phase(code), "words": words, **found})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "payload", description="A test job: a real analysis that checks its own answer."
    )
    parser.add_argument("analysis", choices=sorted((*ANALYSES, PAIRS)))
    parser.add_argument(
        "--input", required=True, action="append", help="a path, http(s):// or root://; repeatable"
    )
    parser.add_argument(
        "--mode", choices=("copy", "stream", "local"), default="copy", help="local reads a path as it is"
    )
    parser.add_argument(
        "--result", type=Path, default=Path("result.json"), help="where the one JSON result goes"
    )
    parser.add_argument("--tree", help="another name of the tree")
    parser.add_argument("--expect", type=json.loads, default={}, help='{"events": N, "checksum": "..."}')
    return parser


def _work(asked: argparse.Namespace, meter: Meter) -> dict[str, Any]:
    with meter.phase("environment"):
        work: Pairs | Columns = Pairs() if asked.analysis == PAIRS else Columns(asked.analysis, asked.tree)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        sources = list(asked.input)
        if asked.mode == "copy":
            with meter.phase("stage-in"):
                copied = [(Path(folder) / str(n), url) for n, url in enumerate(sources)]
                sources = [str(_staged(url, into, meter)) for into, url in copied]
        with meter.phase("payload"):
            for source in sources:
                work.fill(source, meter)
                if asked.mode == "local":
                    meter.bytes_read += Path(source).stat().st_size
    found = {"number": work.number, "unit": work.unit, "checksum": work.checksum}
    _check(work.known, found, asked.expect, meter)
    return found


def _staged(url: str, folder: Path, meter: Meter) -> Path:
    folder.mkdir()
    before = meter.bytes_read
    path = stage_in(url, folder, meter)
    meter.bytes_read += before
    return path


class Columns:
    """One histogram, filled from the branches of a tree."""

    def __init__(self, name: str, tree: str | None) -> None:
        self._analysis = ANALYSES[name]
        self._tree = tree or self._analysis.tree
        self._histogram = _histogram(self._analysis)
        self.unit, self.known = self._analysis.unit, self._analysis.known

    def fill(self, source: str, meter: Meter) -> None:
        """Read a file, or stream it."""
        branches = self._analysis.branches
        for events in chunks(source, self._tree, None if branches is None else list(branches), meter):
            self._histogram.fill(self._analysis.values(events))

    @property
    def number(self) -> float:
        """What physics knows."""
        return self._analysis.number(self._histogram)

    @property
    def checksum(self) -> str:
        """SHA-256 of the counts, under- and overflow included, as little-endian 64-bit integers."""
        return hashlib.sha256(self._histogram.values(flow=True).astype("<i8").tobytes()).hexdigest()


def _histogram(analysis: Analysis) -> Any:
    try:
        import hist  # noqa: PLC0415 -- what is missing is an answer
    except ImportError as error:
        raise PayloadError(Exit.ENVIRONMENT, str(error)) from error
    bins, low, high = analysis.axis
    return hist.Hist(hist.axis.Regular(bins, low, high), storage=hist.storage.Int64())


def _check(known: tuple[float, float], found: dict[str, Any], expect: dict[str, Any], meter: Meter) -> None:
    """A wrong answer is a failure, and one that nothing else would notice."""
    events = expect.get("events")
    if events is not None and events != meter.events:
        raise PayloadError(Exit.EVENTS_MISSING, f"{meter.events} events were read, {events} are there")
    low, high = known
    if not low <= found["number"] <= high:
        raise PayloadError(
            Exit.WRONG_ANSWER, f"{found['number']:.6g} {found['unit']} is not between {low:g} and {high:g}"
        )
    if expect.get("checksum") not in {None, found["checksum"]}:
        raise PayloadError(
            Exit.WRONG_ANSWER, f"the histogram is {found['checksum'][:12]}, not {expect['checksum'][:12]}"
        )


def _phase(code: Exit) -> str:
    return PHASES.get(code // 10, "")


def _write(path: Path, meter: Meter, outcome: dict[str, Any]) -> int:
    """Stage out: the result appears whole or not at all, so its own phase ends just before its last octet."""
    began = time.time()
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    document = {"schema": 1, "job": os.environ.get("HELPDESK_JOB", ""), **outcome}
    try:
        aside.touch()
        meter.phases["stage-out"] = [began, time.time()]
        aside.write_text(json.dumps({**document, **meter.reading()}), encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        sys.stderr.write(f"{path}: {error.strerror}\n")
        return int(Exit.DISK_FULL if error.errno == _ENOSPC else Exit.CANNOT_WRITE)
    return int(outcome["exit"])


if __name__ == "__main__":
    sys.exit(main())
