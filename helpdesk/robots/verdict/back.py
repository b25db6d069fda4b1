"""The way back: a sequential test of what came since a site was put out, in all and in each template that was to blame."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log

from helpdesk.robots.verdict.evidence import background, since
from helpdesk.robots.verdict.tuning import Tuning
from helpdesk.robots.verdict.values import NO_RESULT, Result, Score, Site

FEWEST = 3
"""Successes in all, whatever the odds."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What is proven, and how many successes are missing by template."""

    done: bool
    hopeful: bool  # the newest result is a success
    missing: dict[int, int]
    successes: int


def guilty(blamed: Score) -> list[int]:
    """The templates that must show that they work: those that failed twice or more."""
    return [template for template, failures in blamed.templates.items() if failures > 1]


def prove(site: Site, now: float, usual: float, tuning: Tuning) -> Proof:
    """How far a site is on its way back.

    The alternative is that it fails as it did: the more of its jobs failed, the sooner a success tells.
    """
    found = [one for one in since(site, site.out_at) if one.cause != NO_RESULT]
    bad = min(max(tuning.bad, site.blamed.share - 0.05), 0.9)
    count = len(site.tries)
    usually = [background(site, template, usual, tuning) for template in range(count)]
    need = tuning.proof * site.damping(now)
    alone = need / 2 + 0.4
    pooled, single, run = _sums(found, usually, bad)
    up = log((1 - min(usually)) / (1 - bad))
    missing = {
        template: ceil((alone - single[template]) / up)
        for template in guilty(site.blamed)
        if single[template] < alone
    }
    short = max(ceil((need - pooled) / up), FEWEST - run) - sum(missing.values())
    places = guilty(site.blamed) or list(range(count))
    for number in range(max(0, short)):
        template = number % count if len(places) == count else places[number % len(places)]
        missing[template] = missing.get(template, 0) + 1
    return Proof(not missing, bool(found) and not found[-1].failed, missing, run)


def _sums(found: Sequence[Result], usually: Sequence[float], bad: float) -> tuple[float, list[float], int]:
    pooled, single, run = 0.0, [0.0] * len(usually), 0
    for one in found:
        usual = usually[one.template]
        nats = -one.weight * log(bad / usual) if one.failed else log((1 - usual) / (1 - bad))
        run = 0 if one.failed else run + 1
        pooled = max(0.0, pooled + nats)
        single[one.template] = max(0.0, single[one.template] + nats)
    return pooled, single, run
