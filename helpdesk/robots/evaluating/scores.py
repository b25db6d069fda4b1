"""From what a policy did and what was true to the rows of the table."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from helpdesk.robots.evaluating.arena import Played
from helpdesk.robots.world import World
from helpdesk.robots.world.parts import DAY, MINUTE, Trouble

Span = tuple[float, float]
GRACE_S = 30 * MINUTE
"""An exclusion so soon after an outage is late, not false."""


@dataclass(slots=True)
class SiteScore:
    """One site in one world, for one policy: what intervals are drawn from.  Hours, but for `years` and `days`."""

    days: float = 0.0
    false: int = 0
    good: float = 0.0
    wrongly_out: float = 0.0
    bad: float = 0.0
    covered: float = 0.0
    jobs: float = 0.0
    saved: float = 0.0  # user job-hours that would have failed
    displaced: float = 0.0  # user job-hours that would have succeeded


@dataclass(slots=True)
class Score:
    """One policy in one world."""

    sites: dict[str, SiteScore]
    delays: dict[str, list[float | None]] = field(
        default_factory=lambda: defaultdict(list)
    )  # min; None: missed
    returns: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # min
    wrong: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))  # sites per event


def score(world: World, one: Played, routine: int) -> Score:
    """Hold what a policy did against the truth."""
    own, foreign = _truth(world)
    result = Score({place.name: SiteScore(days=world.days) for place in world.places})
    out = _intervals(world, one)
    for place in world.places:
        told = result.sites[place.name]
        told.jobs = (routine + one.probes) / len(world.places)
        spans = out[place.name]
        _false(told, spans, own[place.name], foreign[place.name])
        _hours(told, spans, own[place.name], world)
        _user(told, spans, own[place.name], place.user_hours / 24, len(world.templates))
        for trouble in own[place.name]:
            _delay(result, trouble, spans, world.end)
    for trouble in world.troubles:
        if trouble.kind in {"central", "region", "template"}:
            result.wrong[trouble.kind].append(sum(_wronged(trouble, out[s], own[s]) for s in trouble.sites))
    return result


def _truth(world: World) -> tuple[Mapping[str, list[Trouble]], ...]:
    own, foreign = defaultdict(list), defaultdict(list)
    for trouble in sorted(world.troubles, key=lambda x: x.start):
        for site in trouble.sites:
            if trouble.own:
                own[site].append(trouble)
            elif trouble.kind in {"central", "region", "template"}:
                foreign[site].append(trouble)
    return own, foreign


def _intervals(world: World, one: Played) -> Mapping[str, list[Span]]:
    spans: dict[str, list[Span]] = defaultdict(list)
    since: dict[str, float] = {}
    for at, site, action, _ in one.log:
        if action == "exclude":
            since.setdefault(site, at)
        elif site in since:
            spans[site].append((since.pop(site), at))
    for site, at in since.items():
        spans[site].append((at, world.end))
    return spans


def _false(
    told: SiteScore, spans: Sequence[Span], own: Sequence[Trouble], foreign: Sequence[Trouble]
) -> None:
    """Count exclusions that nothing explains; those within events of others are counted with the event."""
    for start, _ in spans:
        real = any(x.start <= start < x.end + GRACE_S for x in own)
        event = any(x.start <= start < x.end + GRACE_S for x in foreign)
        told.false += not real and not event


def _hours(told: SiteScore, spans: Sequence[Span], own: Sequence[Trouble], world: World) -> None:
    bad = union([(x.start, min(x.end, world.end)) for x in own if x.start < world.end])
    told.bad = sum(end - start for start, end in bad) / 3600
    told.good = world.days * 24 - told.bad
    told.covered = overlap(bad, spans) / 3600
    told.wrongly_out = sum(end - start for start, end in spans) / 3600 - told.covered


def _user(
    told: SiteScore, spans: Sequence[Span], own: Sequence[Trouble], rate: float, templates: int
) -> None:
    """Job-hours of users: a job that is kept from failing counts as much as one that is kept from succeeding."""
    out = sum(end - start for start, end in spans) / 3600
    for trouble in own:
        told.saved += trouble.hurts(templates) * rate * overlap([(trouble.start, trouble.end)], spans) / 3600
    told.displaced = out * rate - told.saved


def _delay(result: Score, trouble: Trouble, spans: Sequence[Span], end: float) -> None:
    """Minutes to exclusion and, when it is over, to return; a site that was out before is not counted."""
    if trouble.end > end or any(start < trouble.start < stop for start, stop in spans):
        return
    at = bisect_right(spans, (trouble.start, 0.0))
    hit = spans[at] if at < len(spans) and spans[at][0] < trouble.end else None
    result.delays[trouble.kind].append(None if hit is None else (hit[0] - trouble.start) / MINUTE)
    last = [stop for start, stop in spans if start < trouble.end < stop]
    if last:
        result.returns[trouble.kind].append((last[0] - trouble.end) / MINUTE)


def _wronged(trouble: Trouble, spans: Sequence[Span], own: Sequence[Trouble]) -> bool:
    """Whether a site was put out in an event that was not its fault."""
    return any(
        trouble.start <= start < trouble.end + GRACE_S
        and not any(x.start - GRACE_S <= start < x.end + GRACE_S for x in own)
        for start, _ in spans
    )


def union(spans: Sequence[Span]) -> list[Span]:
    """Spans that overlap become one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def overlap(some: Sequence[Span], others: Sequence[Span]) -> float:
    """Seconds in both."""
    return sum(max(0.0, min(a[1], b[1]) - max(a[0], b[0])) for a in some for b in others)


def parts(scores: Sequence[Score]) -> Iterator[SiteScore]:
    """Every site of every world."""
    for one in scores:
        yield from one.sites.values()


def site_years(found: Sequence[SiteScore]) -> float:
    """How much was looked at."""
    return sum(one.days for one in found) * DAY / (365.25 * DAY)
