"""Which probes to send: to sites in doubt, to sites on their way back, to sites that are seldom tested; within a budget."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from helpdesk.robots.verdict.back import Proof, guilty
from helpdesk.robots.verdict.evidence import SERIOUS, SLIGHT
from helpdesk.robots.verdict.tuning import DAY, HOUR, MINUTE, Tuning
from helpdesk.robots.verdict.values import Site

FIRST, SECOND, PLENTY = 0.2, SERIOUS, 1.3
"""From which level on a site is in doubt, in serious doubt, and beyond it."""
AGAIN_S = 20 * MINUTE
"""How long probes that bring nothing are waited for."""
MOST = 6


@dataclass(slots=True)
class Budget:
    """Tokens: each routine job earns a part of a probe; some come with time, for worlds of small sites."""

    most: float
    left: float

    def earn(self, tokens: float) -> None:
        """Add, up to the most."""
        self.left = min(self.most, self.left + tokens)

    def spend(self, number: int, keep: float = 0.0) -> int:
        """As many as there are; `keep` is the share of the most that is left for what matters more."""
        granted = max(0, min(number, int(self.left - keep * self.most)))
        self.left -= granted
        return granted


Ask = tuple[int, int]
"""A template and how many probes."""


def doubt(site: Site, now: float) -> list[Ask]:
    """One probe after a first failure, four in serious doubt: where it fails, and a look elsewhere."""
    level, waited = site.score.level, now - site.asked_at
    news = site.failures > site.asked
    first = SLIGHT if site.slow else FIRST
    if level < first or waited < 4 * MINUTE or (not news and (level < SECOND or waited < 1.5 * AGAIN_S)):
        return []
    if level >= PLENTY and waited < 1.5 * AGAIN_S:
        return []  # whatever keeps it in, it is no lack of evidence
    worst = max(site.score.templates, key=lambda x: site.score.templates[x])
    if level < SECOND or level >= PLENTY:
        return [(worst, 1)]
    asked = [(worst, 3)]
    others = [template for template in range(len(site.tries)) if template != worst]
    if site.score.scope is None and others:
        asked = [(worst, 2), *((template, 1) for template in others[:2])]
    return asked


def mate(site: Site, now: float) -> list[Ask]:
    """A site whose storage element put another out is asked at once: two probes of two templates."""
    if now - site.asked_at < 4 * MINUTE:
        return []
    first = int(now // MINUTE) % len(site.tries)
    return [(first, 1), ((first + 1) % len(site.tries), 1)]


def way_back(site: Site, proof: Proof, now: float) -> list[Ask]:
    """All that is missing after a first success, else one now and then: the longer it is out, the less often."""
    waited = now - site.asked_at
    if proof.hopeful:
        if waited < 8 * MINUTE:
            return []
        left, asked = MOST, []
        for template, number in proof.missing.items():
            asked.append((template, min(number, left)))
            left -= asked[-1][1]
        return [one for one in asked if one[1] > 0]
    every = min(max((now - site.out_at) / 5, AGAIN_S), 1.5 * HOUR)
    if site.out == "downtime":
        every = HOUR
    if waited < every or now - site.sampled < every:
        return []
    places = guilty(site.blamed) or list(range(len(site.tries)))
    return [(places[int(now // every) % len(places)], 1)]


def heartbeat(site: Site, now: float, tuning: Tuning) -> list[Ask]:
    """A site that is seldom tested is asked how it is, a template at a time."""
    if not site.seldom or now - site.sampled < tuning.heartbeat_s:
        return []
    return [(int(now // tuning.heartbeat_s) % len(site.tries), 1)]


def hush(site: Site, now: float, tuning: Tuning) -> list[Ask]:
    """A site of which nothing is heard though much should be."""
    quiet = now - max(site.heard, site.asked_at)
    if site.seldom or quiet < max(HOUR, tuning.hush * DAY / (site.expected or 1.0)):
        return []
    templates = len(site.tries)
    first = int(now // HOUR) % templates
    return [(first, 1), ((first + 1) % templates, 1)]


def grant(
    sites: Iterable[Site], want: Callable[[Site], list[Ask]], budget: Budget, keep: float, now: float
) -> Iterator[tuple[Site, int, int]]:
    """Spend what there is."""
    for site in sites:
        given = 0
        for template, number in want(site):
            if granted := budget.spend(number, keep):
                given += granted
                yield site, template, granted
        if given:
            site.asked_at, site.asked, site.sampled = now, site.failures, now
