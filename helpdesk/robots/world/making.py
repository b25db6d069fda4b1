"""Drawing sites and outages at random: the part that the worlds share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

from helpdesk.robots.world.parts import DAY, HOUR, Place, Trouble

ERRORS = (
    ("stage-in", "stage-in", 1099),
    ("stage-in", "stage-in-timeout", 1151),
    ("stage-out", "stage-out", 1137),
    ("auth", "auth", 1163),
    ("environment", "cvmfs", 1377),
    ("environment", "container", 1306),
    ("submit", "submit", 9),
    ("pilot", "site-other", 1144),
)

Making = Callable[[Random, Place, float], Sequence[Trouble]]
"""An outage of a site that begins at a time."""


def lasting(rng: Random, median_h: float, least_h: float = 1.5, most_h: float = 48.0) -> float:
    """Seconds that something lasts."""
    return min(max(rng.lognormvariate(0, 0.7) * median_h, least_h), most_h) * HOUR


def outages(
    rng: Random,
    places: Sequence[Place],
    days: tuple[float, float],
    every_days: float,
    kinds: Mapping[str, float],
    make: Mapping[str, Making],
) -> Iterator[Trouble]:
    """Outages of single sites, never two at once, with at least eight quiet hours between."""
    start, end = days
    for place in places:
        at = start + rng.expovariate(1 / (every_days * DAY))
        while at < end:
            kind = rng.choices(list(kinds), list(kinds.values()))[0]
            made = make[kind](rng, place, at)
            yield from made
            at = max(one.end for one in made) + 8 * HOUR + rng.expovariate(1 / (every_days * DAY))


def hard(rng: Random, place: Place, at: float, slow: float = 0.0) -> Sequence[Trouble]:
    """Everything fails."""
    sites = frozenset({place.name})
    return [Trouble("hard", at, at + lasting(rng, 6), sites, 0.97, rng.choice(ERRORS), slow=slow)]


def half(rng: Random, place: Place, at: float) -> Sequence[Trouble]:
    """Every other job fails."""
    share = rng.uniform(0.45, 0.6)
    return [Trouble("half", at, at + lasting(rng, 6), frozenset({place.name}), share, rng.choice(ERRORS))]


def one_template(rng: Random, place: Place, at: float, templates: Sequence[str]) -> Sequence[Trouble]:
    """Jobs of one template fail."""
    sites, name = frozenset({place.name}), rng.choice(templates)
    return [Trouble("one_template", at, at + lasting(rng, 6), sites, 0.95, rng.choice(ERRORS), template=name)]


def black_hole(rng: Random, place: Place, at: float) -> Sequence[Trouble]:
    """One node fails jobs so fast that it catches most of them."""
    nodes = frozenset({int(rng.random() * place.nodes)})
    end, sites = at + lasting(rng, 4), frozenset({place.name})
    share = rng.uniform(0.4, 0.8)
    return [Trouble("black_hole", at, end, sites, 0.98, rng.choice(ERRORS), nodes=nodes, draws=share)]


def free(start: float, end: float, sites: frozenset[str], troubles: Sequence[Trouble]) -> bool:
    """Whether nothing else of its kind happens to these sites then."""
    return not any(x.start < end + HOUR and x.end > start - HOUR and x.sites & sites for x in troubles)
