"""The textbook world: independent jobs, prompt records, outages of four kinds, failures of a central service."""

from functools import partial
from random import Random

from helpdesk.robots.world.making import (
    ERRORS,
    Making,
    black_hole,
    half,
    hard,
    lasting,
    one_template,
    outages,
)
from helpdesk.robots.world.parts import DAY, T0, Place, Post, Template, Trouble, World

TEMPLATES = ("read", "analysis", "simulation")


def textbook(seed: int, days: float = 30, sites: int = 100) -> World:
    """A hundred sites that are tested every ten minutes or so, and a central failure every eleven days."""
    rng = Random(f"textbook {seed}")
    rate, noise = rng.uniform(125, 150), rng.uniform(0.03, 0.05)
    places = tuple(_place(rng, number, rate, noise) for number in range(sites))
    templates = tuple(Template(name, 60 * rng.uniform(8, 15)) for name in TEMPLATES)
    span = (T0 + DAY, T0 + days * DAY)
    makers: dict[str, Making] = {
        "hard": hard,
        "half": half,
        "one_template": partial(one_template, templates=TEMPLATES),
        "black_hole": black_hole,
    }
    troubles = list(outages(rng, places, span, 20, dict.fromkeys(makers, 1.0), makers))
    troubles += _central(rng, places, span, max(1, round(days / 11)))
    return World("textbook", seed, days, places, templates, tuple(troubles), post=Post(delay_s=10))


def _place(rng: Random, number: int, rate: float, noise: float) -> Place:
    return Place(
        name=f"SITE{number:03}",
        region=f"R{number % 10}",
        se=f"se{number:03}",
        tier=2 if number >= 10 else 1,
        jobs_per_day=rate,
        nodes=rng.choice((50, 100, 200)),
        noise=noise * rng.uniform(0.6, 1.4),
        flaky={},
        wait_s=rng.uniform(30, 120),
        wave=0.0,
        peak=0.0,
        user_hours=24 * rng.lognormvariate(5.3, 0.6),
    )


def _central(rng: Random, places: tuple[Place, ...], span: tuple[float, float], number: int) -> list[Trouble]:
    """One in each part of the time; half of them in one template."""
    everywhere, width = frozenset(one.name for one in places), (span[1] - span[0]) / number
    made = []
    for part in range(number):
        at = span[0] + width * (part + rng.uniform(0.05, 0.75))
        end = min(at + lasting(rng, 3, 1, 8), span[1])
        name = rng.choice(TEMPLATES) if rng.random() < 0.5 else None
        made.append(Trouble("central", at, end, everywhere, 0.95, rng.choice(ERRORS), template=name))
    return made
