"""What happens to several sites at once, what is nobody's fault, and what was announced."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from random import Random

from helpdesk.robots.world.making import ERRORS, lasting
from helpdesk.robots.world.parts import DAY, HOUR, Downtime, Place, Trouble

Span = tuple[float, float]


def _times(rng: Random, span: Span, every_days: float) -> Iterator[float]:
    at = span[0] + rng.expovariate(1 / (every_days * DAY))
    while at < span[1]:
        yield at
        at += rng.expovariate(1 / (every_days * DAY))


def shared(rng: Random, places: Sequence[Place], span: Span) -> Iterator[Trouble]:
    """A storage element fails, and every site behind it."""
    behind = defaultdict(set)
    for one in places:
        behind[one.se].add(one.name)
    for sites in behind.values():
        if len(sites) > 1:
            for at in _times(rng, span, 15):
                share, error = rng.uniform(0.7, 0.97), rng.choice(ERRORS[:3])
                yield Trouble("shared", at, at + lasting(rng, 6), frozenset(sites), share, error)


def others(rng: Random, places: Sequence[Place], span: Span, templates: Sequence[str]) -> Iterator[Trouble]:
    """Central services, whole or in part, and services of a region."""
    everywhere = [one.name for one in places]
    for at in _times(rng, span, 6):
        reach = rng.choice((1.0, 1.0, 0.7, 0.4))
        sites = frozenset(name for name in everywhere if rng.random() < reach)
        name = rng.choice(templates) if rng.random() < 0.4 else None
        share, error = rng.choice((0.95, 0.95, 0.6)), rng.choice(ERRORS)
        yield Trouble("central", at, at + lasting(rng, 3, 0.7, 12), sites, share, error, template=name)
    regions = defaultdict(set)
    for one in places:
        regions[one.region].add(one.name)
    for named in regions.values():
        if len(named) > 3:
            for at in _times(rng, span, 25):
                error = rng.choice(ERRORS)
                yield Trouble("region", at, at + lasting(rng, 4, 1, 12), frozenset(named), 0.9, error)


def nobodys(rng: Random, places: Sequence[Place], span: Span) -> Iterator[Trouble]:
    """Bursts of failures, swollen queues, gaps in the reports."""
    for one in places:
        sites = frozenset({one.name})
        for at in _times(rng, span, 8):
            share = rng.uniform(0.1, 0.25)
            yield Trouble("burst", at, at + lasting(rng, 2, 0.5), sites, share, rng.choice(ERRORS))
        for at in _times(rng, span, 10):
            yield Trouble("surge", at, at + lasting(rng, 5, 2), sites, rng.uniform(3, 12), ramp_s=2 * HOUR)
    everywhere = frozenset(one.name for one in places)
    for at in _times(rng, span, 8):
        sites = everywhere
        if rng.random() < 0.4:
            region = rng.choice(places).region
            sites = frozenset(one.name for one in places if one.region == region)
        yield Trouble("gap", at, at + lasting(rng, 2, 0.5, 8), sites, rng.choice((0.0, 0.3, 1.0)))


def downtimes(rng: Random, places: Sequence[Place], span: Span) -> tuple[tuple[Downtime, ...], list[Trouble]]:
    """Announced work: on time, over early, overrunning; some of it only a warning."""
    planned, works = [], []
    for one in places:
        for at in _times(rng, span, 25):
            length = lasting(rng, 8, 3, 36)
            told = at - rng.uniform(1, 72) * HOUR
            if rng.random() < 0.2:
                planned.append(Downtime(one.name, told, at, at + length, "warning"))
                continue
            planned.append(Downtime(one.name, told, at, at + length))
            real = length * rng.choice((1.0, 1.0, rng.uniform(0.3, 0.8), rng.uniform(1.1, 1.8)))
            error = rng.choice(ERRORS)
            works.append(Trouble("downtime", at, at + real, frozenset({one.name}), 0.95, error))
    return tuple(planned), works
