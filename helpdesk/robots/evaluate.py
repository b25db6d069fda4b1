"""Policies side by side: published rules, ours and an oracle, on the same seeded worlds (`helpdesk robots evaluate`).

Policies are tuned on some seeds and reported on others; `purpose` says which a seed is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from helpdesk.robots.baselines import BASELINES
from helpdesk.robots.evaluating.arena import Makers, play
from helpdesk.robots.evaluating.intervals import bootstrap, quantile
from helpdesk.robots.evaluating.scores import Score, SiteScore, parts, score, site_years
from helpdesk.robots.protocol import Info, Policy
from helpdesk.robots.verdict import Tuning, Verdicts, make_policy
from helpdesk.robots.world import WORLDS

TUNING_SEEDS = range(1, 100)
"""The figures of the policy were chosen on some of these; whatever is reported is reported on others."""
REPORTED = (101, 102, 103)
THRESHOLDS = (5.0, 7.0, 9.5, 13.0, 18.0)
OURS = "helpdesk"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is played."""

    world: str
    seeds: tuple[int, ...] = REPORTED
    days: float = 30.0
    sites: int | None = None
    sweep: bool = False


def purpose(seeds: Sequence[int]) -> str:
    """Say what these seeds are good for."""
    tuned = [seed for seed in seeds if seed in TUNING_SEEDS]
    if not tuned:
        return "reporting seeds: nothing was tuned on them"
    if len(tuned) == len(seeds):
        return "tuning seeds: the policy was chosen on such, report none of this"
    return f"mixed: {', '.join(map(str, tuned))} are tuning seeds, report none of this"


def policies(plan: Plan) -> Makers:
    """Ours and the published rules; for a sweep ours alone, by threshold."""
    if plan.sweep:
        return {f"h = {one:g}": partial(_with, one) for one in THRESHOLDS}
    return {OURS: make_policy, **BASELINES}


def _with(threshold: float, info: Info) -> Policy:
    return Verdicts(info, Tuning(threshold=threshold))


def evaluate(plan: Plan, progress: Callable[[float], None] = lambda _: None) -> Mapping[str, Any]:
    """Play all seeds; the document of `--json` (docs/verdicts.md)."""
    scores: dict[str, list[Score]] = {}
    for number, seed in enumerate(plan.seeds):
        make = WORLDS[plan.world]
        world = make(seed, plan.days) if plan.sites is None else make(seed, plan.days, plan.sites)
        for said in play(world, policies(plan)):
            if isinstance(said, float):
                progress((number + said) / len(plan.seeds))
                continue
            played, routine = said
            for name, one in played.items():
                scores.setdefault(name, []).append(score(world, one, routine))
    progress(1.0)
    return {
        "world": plan.world,
        "days": plan.days,
        "seeds": list(plan.seeds),
        "purpose": purpose(plan.seeds),
        "policies": {name: summary(found) for name, found in scores.items()},
    }


def summary(scores: Sequence[Score]) -> Mapping[str, Any]:
    """One policy's column."""
    sites = list(parts(scores))
    return {
        "outages": {kind: _outage(scores, kind) for kind in _kinds(scores)},
        "false_exclusions_per_site_year": _spread(sites, _false),
        "wrongly_out_per_event": dict(_events(scores)),
        "wrongly_excluded_share": _spread(sites, _wrong),
        "bad_time_covered_share": _spread(sites, _covered),
        "jobs_per_site_day": _ratio(sites, "jobs", "days"),
        "net_user_job_hours_per_site_day": _spread(sites, _net),
    }


def _kinds(scores: Sequence[Score]) -> list[str]:
    return sorted({kind for one in scores for kind in one.delays})


def _outage(scores: Sequence[Score], kind: str) -> Mapping[str, Any]:
    """Minutes to exclusion and to return, and the share that was missed."""
    delays = [delay for one in scores for delay in one.delays[kind]]
    found = [delay for delay in delays if delay is not None]
    returns = [delay for one in scores for delay in one.returns[kind]]
    return {
        "outages": len(delays),
        "delay_p50": quantile(found, 0.5),
        "delay_p90": quantile(found, 0.9),
        "missed_share": 1 - len(found) / len(delays) if delays else None,
        "return_p50": quantile(returns, 0.5),
        "return_p90": quantile(returns, 0.9),
    }


def _events(scores: Sequence[Score]) -> Iterator[tuple[str, float]]:
    for kind in ("central", "region", "template"):
        found = [sites for one in scores for sites in one.wrong[kind]]
        if found:
            yield kind, sum(found) / len(found)


def _spread(
    sites: Sequence[SiteScore], figure: Callable[[Sequence[SiteScore]], float]
) -> Mapping[str, float]:
    value, low, high = bootstrap(sites, figure)
    return {"value": value, "low": low, "high": high}


def _ratio(sites: Sequence[SiteScore], above: str, below: str) -> float:
    return float(sum(getattr(x, above) for x in sites) / (sum(getattr(x, below) for x in sites) or 1.0))


def _false(sites: Sequence[SiteScore]) -> float:
    return sum(one.false for one in sites) / site_years(sites)


def _wrong(sites: Sequence[SiteScore]) -> float:
    return _ratio(sites, "wrongly_out", "good")


def _covered(sites: Sequence[SiteScore]) -> float:
    return _ratio(sites, "covered", "bad")


def _net(sites: Sequence[SiteScore]) -> float:
    return sum(one.saved - one.displaced for one in sites) / sum(one.days for one in sites)
