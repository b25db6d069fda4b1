"""The data set `zpairs`: **synthetic** decays of a Z boson into two muons, as lines of CSV; plain Python makes it and reads it."""

import random
from collections.abc import Callable, Iterator
from math import cos, pi, sin, sqrt
from pathlib import Path

from helpdesk.robots.payload.pairs import COLUMNS

STEP = 10_000  # events between two words about the progress
_Z_MASS, _WIDTH = 91.19, 2.8  # GeV: its mass, and what a detector makes of its width


def write(events: int, target: Path, seed: int, progress: Callable[[int], None]) -> None:
    """Write the lines; the same seed gives the same ones."""
    chance = random.Random(seed)  # noqa: S311 -- physics, no secret
    with target.open("w", encoding="ascii", newline="\n") as file:
        file.write(f"{','.join(COLUMNS)}\n")
        for start in range(0, events, STEP):
            count = min(STEP, events - start)
            file.writelines(_lines(chance, count))
            progress(count)


def _lines(chance: random.Random, count: int) -> Iterator[str]:
    for _ in range(count):
        mass = max(10.0, chance.gauss(_Z_MASS, _WIDTH))
        cosine, angle = chance.uniform(-1, 1), chance.uniform(0, 2 * pi)
        sine, half = sqrt(1 - cosine * cosine), mass / 2
        px, py, pz = half * sine * cos(angle), half * sine * sin(angle), half * cosine
        speed = chance.expovariate(1.0)  # gamma * beta along the beam
        gamma = sqrt(1 + speed * speed)
        forth, back = gamma * pz + speed * half, -gamma * pz + speed * half
        yield ",".join(f"{one:.3f}" for one in (px, py, forth, -px, -py, back)) + "\n"
