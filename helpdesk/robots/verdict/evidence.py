"""Adding up the evidence about one site: a CUSUM of log-likelihood ratios, over all templates and in each.

Each failure adds weight * log(bad / background), each success adds log((1 - bad) / (1 - background)), and below zero it
begins anew; where it last began is the onset.  The sum is made again from the kept results whenever one comes, in the
order of their ends: so a record may be late or out of order, a missing result may turn up after all, and what turns out
to be somebody else's failure can be taken back.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import log

from helpdesk.robots.verdict.tuning import Tuning
from helpdesk.robots.verdict.values import NO_RESULT, NOTHING, Result, Score, Site, end_of

Discount = Callable[[Site, Result], float]
"""How much of a failure is the site's: 0 in a failure of many sites."""

MANY_NODES = 8
"""From so many nodes on, failures on one and the same are a matter of chance no more."""
SLIGHT, SERIOUS = 0.1, 0.4
"""Below the one a site is forgotten until it fails again; from the other on every result is weighed at once."""
PRIOR_SITE, PRIOR_TEMPLATE = 40.0, 30.0
"""How many results the belief is worth that a site is like all, and a template like its site."""


def background(site: Site, template: int, usual: float, tuning: Tuning) -> float:
    """Which share of a template's jobs fails at a site when nothing is wrong."""
    mine = (sum(site.fails) + PRIOR_SITE * usual) / (sum(site.tries) + PRIOR_SITE)
    share = (site.fails[template] + PRIOR_TEMPLATE * mine) / (site.tries[template] + PRIOR_TEMPLATE)
    return min(max(share, tuning.floor), tuning.ceiling)


def since(site: Site, start: float) -> list[Result]:
    """What is known of a site from a time on, silence included, by time."""
    found = site.results[bisect_right(site.results, start, key=end_of) :]
    if site.overdue:
        found += [one for one in site.overdue.values() if one.at > start]
        found.sort(key=end_of)
    return found


def odds(site: Site, usual: float, tuning: Tuning) -> tuple[list[float], list[float]]:
    """What a failure and a success weigh, by template; kept until the site's background changes."""
    if site.odds is None:
        backgrounds = [background(site, template, usual, tuning) for template in range(len(site.tries))]
        worse = [log(tuning.bad / usually) for usually in backgrounds]
        site.odds = worse, [log((1 - tuning.bad) / (1 - usually)) for usually in backgrounds]
    return site.odds


def weigh(site: Site, results: Sequence[Result], usual: float, discount: Discount, tuning: Tuning) -> Score:
    """Add up the evidence; the scope with the most of it speaks."""
    worse, better = odds(site, usual, tuning)
    count = len(worse)
    pooled, since_all = 0.0, 0  # a sum, and the place of the result at which it began
    single, since_own = [0.0] * count, [0] * count
    nodes: set[str | None] = {None}
    skipped: set[int] = set()
    for place, one in enumerate(results):
        template = one.template
        if one.failed:
            nats = one.weight * (1.0 if one.cause == NO_RESULT else worse[template]) * discount(site, one)
            if nats == 0.0:
                one.spoiled = True
                skipped.add(place)
                continue
            if one.node in nodes:
                if one.node is not None and len({x.node for x in results}) >= MANY_NODES:
                    nats *= tuning.same_node
            else:
                nodes.add(one.node)
        else:
            nats = better[template]
        pooled += nats
        if pooled <= 0.0:
            pooled, since_all = 0.0, place + 1
        own = single[template] + nats
        if own <= 0.0:
            single[template], since_own[template] = 0.0, place + 1
        else:
            single[template] = own
    begins = [since_all, *(start for start, own in zip(since_own, single, strict=True) if own > 0)]
    begin = min(begins) if pooled > 0 or len(begins) > 1 else len(results)
    if results:
        site.begin = results[min(begin, len(results) - 1)].at
    worst = max(range(count), key=single.__getitem__)
    alone = tuning.threshold + tuning.template_more
    if count > 1 and single[worst] / alone > pooled / tuning.threshold:
        start = since_own[worst]
        parts = [x for n, x in enumerate(results[start:], start) if x.template == worst and n not in skipped]
        return _score(parts, single[worst], worst, alone)
    parts = [x for n, x in enumerate(results[since_all:], since_all) if n not in skipped]
    return _score(parts, pooled, None, tuning.threshold)


def _score(parts: Sequence[Result], nats: float, scope: int | None, threshold: float) -> Score:
    failed = tuple([one for one in parts if one.failed])
    if not failed or nats <= 0:
        return NOTHING
    return Score(nats / threshold, nats, scope, parts[0].at, len(parts), failed)
