"""The rough world: what textbooks leave out, with figures that are drawn anew for each seed.

Sites of all sizes, queues that swell by day, retries, flaky racks, bursts; outages that creep, flap, lose jobs or hide
behind a shared storage element; failures of a region, of a service, of a template's new version; records that come late,
twice, out of order or never; announced downtimes that end early, overrun, or are no outage at all.
"""

from random import Random

from helpdesk.robots.world.bad_days import downtimes, nobodys, others, shared
from helpdesk.robots.world.making import ERRORS, black_hole, half, hard, lasting, one_template, outages
from helpdesk.robots.world.parts import DAY, HOUR, T0, Place, Post, Template, Trouble, World
from helpdesk.robots.world.versions import versions

KINDS = {
    "hard": 3.0,
    "half": 2.0,
    "one_template": 1.5,
    "black_hole": 1.5,
    "lost": 1.5,
    "ramp": 1.5,
    "flap": 1.0,
    "rack": 1.5,
}


def rough(seed: int, days: float = 30, sites: int = 60) -> World:
    """Sixty sites in six to nine regions, a fifth of them tested twice a day."""
    rng = Random(f"rough {seed}")
    places = _places(rng, sites)
    names = [f"t{number}" for number in range(rng.choice((3, 3, 4)))]
    templates = tuple(Template(name, 60 * rng.uniform(8, 40), probe=rng.uniform(0.2, 0.5)) for name in names)
    span = (T0 + 2 * DAY, T0 + days * DAY)
    slow = rng.uniform(0, 0.3)
    makers = {
        "hard": lambda rng, place, at: hard(rng, place, at, slow),
        "half": half,
        "one_template": lambda rng, place, at: one_template(rng, place, at, names),
        "black_hole": black_hole,
        "lost": _lost,
        "ramp": _ramp,
        "flap": _flap,
        "rack": _rack,
    }
    troubles = list(outages(rng, places, span, rng.uniform(12, 25), KINDS, makers))
    troubles += shared(rng, places, span)
    troubles += others(rng, places, span, names)
    releases, bugs = versions(rng, places, span, names)
    planned, works = downtimes(rng, places, span)
    troubles += [*bugs, *works, *nobodys(rng, places, span)]
    post = Post(
        delay_s=rng.uniform(30, 240),
        tail=rng.uniform(0, 0.03),
        twice=rng.uniform(0, 0.03),
        never=rng.uniform(0.002, 0.02),
        lost_after_s=rng.uniform(4, 12) * HOUR,
        lost_told=rng.uniform(0.2, 1),
        retry=rng.uniform(0.1, 0.6),
    )
    return World("rough", seed, days, places, templates, tuple(troubles), planned, releases, post)


def _places(rng: Random, sites: int) -> tuple[Place, ...]:
    regions, small, shared_se = rng.randint(6, 9), rng.uniform(0.15, 0.25), rng.uniform(0.15, 0.3)
    heavy = rng.uniform(0.8, 2.0)  # the smaller, the heavier the tail of the background
    made: list[Place] = []
    group = 0
    for number in range(sites):
        if group == 0 and rng.random() < shared_se / 3:
            group = 3
        se = made[-1].se if 0 < group < 3 and made else f"se{number:03}"
        region = made[-1].region if 0 < group < 3 and made else f"R{rng.randrange(regions)}"
        group = max(0, group - 1)
        made.append(_place(rng, number, (region, se), rng.random() < small, heavy))
    return tuple(made)


def _place(rng: Random, number: int, home: tuple[str, str], small: bool, heavy: float) -> Place:
    size = 1.0 if small else rng.lognormvariate(0, 0.5)
    nodes = rng.choice((4, 8, 16)) if small else rng.choice((40, 80, 160, 320))
    noise = min(0.02 + 0.03 * rng.gammavariate(heavy, 1 / heavy) ** 1.5, 0.2)
    rack = range(start := rng.randrange(nodes), min(start + max(1, nodes // 20), nodes))
    return Place(
        name=f"SITE{number:02}",
        region=home[0],
        se=home[1],
        tier=3 if small else rng.choice((1, 2, 2)),
        jobs_per_day=2.0 if small else min(max(72 * size, 20), 200),
        nodes=nodes,
        noise=noise,
        flaky=dict.fromkeys(rack, rng.uniform(0.1, 0.5)) if rng.random() < 0.4 else {},
        wait_s=60 * rng.lognormvariate(1.5, 0.6),
        wave=rng.uniform(0, 2.0),
        peak=rng.random() * DAY,
        user_hours=24 * (20 if small else 200 * size) * rng.lognormvariate(0, 0.3),
    )


def _lost(rng: Random, place: Place, at: float) -> list[Trouble]:
    """Jobs vanish."""
    return [Trouble("lost", at, at + lasting(rng, 10, 3), frozenset({place.name}), rng.uniform(0.8, 1))]


def _ramp(rng: Random, place: Place, at: float) -> list[Trouble]:
    """It gets worse by and by."""
    end, share = at + lasting(rng, 18, 8, 72), rng.uniform(0.6, 0.95)
    ramp = (end - at) * rng.uniform(0.3, 0.7)
    return [Trouble("ramp", at, end, frozenset({place.name}), share, rng.choice(ERRORS), ramp_s=ramp)]


def _flap(rng: Random, place: Place, at: float) -> list[Trouble]:
    """Bad, good, bad, good."""
    end, period = at + lasting(rng, 8, 4), rng.uniform(20, 90) * 60
    return [Trouble("flap", at, end, frozenset({place.name}), 0.95, rng.choice(ERRORS), period_s=period)]


def _rack(rng: Random, place: Place, at: float) -> list[Trouble]:
    """Neighbours fail together."""
    width = max(1, int(place.nodes * rng.uniform(0.4, 0.8)))
    first = rng.randrange(place.nodes - width + 1)
    nodes, sites = frozenset(range(first, first + width)), frozenset({place.name})
    error, share = rng.choice(ERRORS), width / place.nodes
    return [Trouble("rack", at, at + lasting(rng, 8), sites, 0.95, error, nodes=nodes, draws=share)]
