"""The analysis that needs nothing but Python: the invariant mass of two muons, from lines of CSV.

A line is `px1,py1,pz1,px2,py2,pz2` in GeV; muons are taken as massless.  Only sums, products and square roots are used, which
IEEE 754 rounds the same everywhere: the same lines give the same counts on every machine.
"""

import hashlib
import struct
from math import isfinite, sqrt
from pathlib import Path

from .inputs import named, told_apart
from .meter import Meter
from .outcome import Exit, PayloadError

NAME = "pairs"
COLUMNS = ("px1", "py1", "pz1", "px2", "py2", "pz2")
BINS = 300  # of 1 GeV, and one below and above


class Pairs:
    """One histogram of masses, filled file by file."""

    unit = "GeV"
    known = (88.0, 94.0)
    """Where the mean of the peak must lie: a Z boson weighs 91 GeV everywhere."""

    def __init__(self) -> None:
        self._counts = [0] * (BINS + 2)

    def fill(self, source: str, meter: Meter) -> None:
        """Read a file; PayloadError says which line is none."""
        if "://" in source:
            raise PayloadError(Exit.USAGE, f"{NAME} reads copies of files, no streams: {source}")
        with told_apart(source), Path(source).open(encoding="ascii") as lines:
            if next(lines, "").strip() != ",".join(COLUMNS):
                raise PayloadError(Exit.WRONG_DATA, f"{named(source)} has no columns {','.join(COLUMNS)}")
            for number, line in enumerate(lines, 2):
                try:
                    place = int(mass(*map(float, line.split(",")))) + 1
                except (ValueError, TypeError) as error:
                    raise PayloadError(
                        Exit.WRONG_DATA, f"{named(source)}: line {number} is no pair"
                    ) from error
                self._counts[min(place, BINS + 1)] += 1
                meter.events += 1

    @property
    def number(self) -> float:
        """The mean of the histogram between 71 and 111 GeV, 0 without anything there."""
        peak = [(low + 0.5, self._counts[low + 1]) for low in range(71, 111)]
        total = sum(count for _, count in peak)
        return sum(center * count for center, count in peak) / total if total else 0.0

    @property
    def checksum(self) -> str:
        """SHA-256 of the counts, under- and overflow included, as little-endian 64-bit integers."""
        return hashlib.sha256(struct.pack(f"<{len(self._counts)}q", *self._counts)).hexdigest()


def mass(px1: float, py1: float, pz1: float, px2: float, py2: float, pz2: float) -> float:
    """Of two massless particles together, in GeV; ValueError if there is none (an infinity, no number)."""
    energy = sqrt(px1 * px1 + py1 * py1 + pz1 * pz1) + sqrt(px2 * px2 + py2 * py2 + pz2 * pz2)
    px, py, pz = px1 + px2, py1 + py2, pz1 + pz2
    square = energy * energy - px * px - py * py - pz * pz
    if not isfinite(square):
        raise ValueError("no mass")
    return sqrt(max(0.0, square))  # rounding can leave a little less than nothing
