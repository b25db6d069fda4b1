"""The fate of one job: when it starts and ends, where, and what becomes of it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, exp, pi
from random import Random

from helpdesk.robots.world.parts import DAY, HOUR, Place, Template, Trouble, World

NOISE = (
    ("stage-in", "stage-in", 1099),
    ("stage-out", "stage-out", 1137),
    ("payload", "payload", 1),
    ("payload", "memory", 1212),
    ("pilot", "site-other", 1144),
)
_WALL_S = 2.5 * HOUR


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a job; without an end it vanishes."""

    node: str
    started: float
    ended: float | None
    state: str
    error: tuple[str, str, int] | None


class Nature:
    """What is true at a site at a time, found quickly."""

    def __init__(self, world: World) -> None:
        self._days: defaultdict[tuple[str, int], list[Trouble]] = defaultdict(list)
        for one in world.troubles:
            for day in range(int(one.start // DAY), int(one.end // DAY) + 1):
                for site in one.sites:
                    self._days[site, day].append(one)
        self._releases: defaultdict[str, list[tuple[str, dict[str, float]]]] = defaultdict(list)
        for release in world.releases:
            self._releases[release.template].append((release.version, dict(release.since)))

    def troubles(self, site: str, start: float, end: float) -> Sequence[Trouble]:
        """Whatever goes on at a site between two times."""
        today = self._days.get((site, int(start // DAY)), ())
        if int(end // DAY) != int(start // DAY):
            today = [*today, *(x for x in self._days.get((site, int(end // DAY)), ()) if x not in today)]
        return [one for one in today if one.start < end and one.end > start]

    def version(self, site: str, template: str, at: float) -> str:
        """The version of a template that a job gets."""
        found, since = "1", float("-inf")
        for version, begins in self._releases[template]:
            begun = begins.get(site, float("inf"))
            if since < begun <= at:
                found, since = version, begun
        return found

    def wait(self, place: Place, at: float, rng: Random) -> float:
        """How long a job waits."""
        level = place.wave * max(0.0, cos(2 * pi * ((at % DAY) - place.peak) / DAY))
        surge = 1.0
        for one in self.troubles(place.name, at, at + 1):
            if one.kind == "surge":
                surge = max(surge, one.share * one.strength(at))
        return place.wait_s * surge * exp(level) * rng.lognormvariate(0, 0.6)


def fate(nature: Nature, place: Place, template: Template, at: float, rng: Random, *, probe: bool) -> Fate:
    """Let a job happen that was submitted `at`."""
    started = at + nature.wait(place, at, rng) * (0.5 if probe else 1.0)
    ended = started + template.run_s * (template.probe if probe else 1.0) * rng.lognormvariate(0, 0.25)
    version = nature.version(place.name, template.name, at)
    found = [one for one in nature.troubles(place.name, at, ended) if one.kind not in {"surge", "gap"}]
    node = _node(place, found, started, rng)
    name = f"wn{node:03}.{place.name.lower()}"
    for one in found:
        if _meets(one, template.name, version, node, max(started, one.start), rng):
            return _failed(one, name, started, ended, rng)
    if rng.random() < place.flaky.get(node, place.noise):
        error = rng.choice(NOISE)
        return Fate(name, started, started + (ended - started) * rng.random(), "failed", error)
    return Fate(name, started, ended, "success", None)


def _node(place: Place, found: Sequence[Trouble], started: float, rng: Random) -> int:
    for one in found:
        if one.draws and one.nodes and one.start <= started < one.end and rng.random() < one.draws:
            return sorted(one.nodes)[int(rng.random() * len(one.nodes))]
    return int(rng.random() * place.nodes)


def _meets(one: Trouble, template: str, version: str, node: int, at: float, rng: Random) -> bool:
    if one.end <= at or (one.template not in {None, template}):
        return False
    if one.version is not None and one.version != version:
        return False
    if one.nodes is not None and node not in one.nodes:
        return False
    return rng.random() < one.share * one.strength(at)


def _failed(one: Trouble, node: str, started: float, ended: float, rng: Random) -> Fate:
    if one.kind == "lost":
        return Fate(node, started, None, "lost", None)
    if one.start > started:  # it was running when the trouble came
        return Fate(node, started, one.start + rng.uniform(30, 300), "failed", one.error)
    if rng.random() < one.slow:
        return Fate(node, started, started + _WALL_S, "timeout", ("payload", "walltime", 1213))
    took = min(ended - started, 120 + rng.expovariate(1 / 180))
    return Fate(node, started, started + took, "failed", one.error)
