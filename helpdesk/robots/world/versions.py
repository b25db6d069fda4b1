"""New versions of templates reach the sites by and by; some are bad, and are taken back."""

from collections.abc import Sequence
from random import Random

from helpdesk.robots.world.making import ERRORS
from helpdesk.robots.world.parts import DAY, HOUR, Place, Release, Trouble

Span = tuple[float, float]


def versions(
    rng: Random, places: Sequence[Place], span: Span, templates: Sequence[str]
) -> tuple[tuple[Release, ...], list[Trouble]]:
    """All releases, and the bugs in some."""
    releases: list[Release] = []
    bugs: list[Trouble] = []
    everywhere = frozenset(one.name for one in places)
    for template in templates:
        at, number = span[0] + rng.uniform(2, 12) * DAY, 2
        while at < span[1] - 2 * DAY:
            bad = rng.random() < 0.4
            since = _staged(rng, places, at, first=rng.uniform(0.05, 0.3))
            releases.append(Release(template, str(number), since))
            if bad:
                end = at + rng.uniform(4, 14) * HOUR
                share, error = rng.uniform(0.5, 1), rng.choice(ERRORS)
                had = frozenset(name for name, when in since.items() if when < end)
                bugs.append(
                    Trouble("template", at, end, had, share, error, template=template, version=str(number))
                )
                number += 1
                releases.append(Release(template, str(number), dict.fromkeys(everywhere, end)))
            number += 1
            at += rng.uniform(8, 20) * DAY
    return tuple(releases), bugs


def _staged(rng: Random, places: Sequence[Place], at: float, first: float) -> dict[str, float]:
    """Some sites at once, the others over a day and a half."""
    late = {one.name: at + rng.uniform(3, 36) * HOUR for one in places}
    return {name: at if rng.random() < first else when for name, when in late.items()}
