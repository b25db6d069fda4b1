"""From facts to figures: one site's week."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from helpdesk.reports.causes import Around, Cluster, Way, clusters
from helpdesk.reports.counting import ENOUGH, Count, Fate, count, end_of, fate, within
from helpdesk.reports.facts import Facts, Peer
from helpdesk.reports.outages import Cause, Span, Turn, hours, spans
from helpdesk.reports.speed import rate, work
from helpdesk.reports.weeks import Week
from helpdesk.robots.record import Record

FEW_PEERS = 3
"""Of fewer peers there is no median."""

LOOK_BACK = timedelta(hours=3)
"""How far before an exclusion its failures reach where the policy did not say."""


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the site."""

    start: datetime
    count: Count


@dataclass(frozen=True, slots=True)
class Row:
    """One experiment at the site."""

    experiment: str
    this: Count
    last: Count
    speed: float | None  # events a second of a core, all at the site's mix of templates
    last_speed: float | None
    peers: tuple[float, ...]  # shares of success of those with enough jobs, in order
    peer_speeds: tuple[float, ...]
    hours: dict[Cause, timedelta]
    going: int  # jobs that were meant for the week and have not ended

    @property
    def peer_share(self) -> float | None:
        """The median of the peers."""
        return median(self.peers) if len(self.peers) >= FEW_PEERS else None

    @property
    def peer_speed(self) -> float | None:
        """The median of those that have a speed."""
        return median(self.peer_speeds) if len(self.peer_speeds) >= FEW_PEERS else None


@dataclass(frozen=True, slots=True)
class SiteWeek:
    """What a report says."""

    site: str
    week: Week
    now: datetime
    rows: tuple[Row, ...]
    clusters: tuple[Cluster, ...]  # all failures, those that cost most first
    standing: dict[str, Turn | None]  # by experiment: since when it is as it is now; None: never was out
    outages: tuple[tuple[str, Span], ...]  # (experiment, span)
    persons: tuple[str, ...]  # who kept it out
    days: tuple[Day, ...]  # this week and the one before
    failures: tuple[Record, ...]  # counted, of the week
    holds: tuple[str, ...]
    late: int  # results of the week before that came after its report
    foreign: int

    @property
    def fixes(self) -> tuple[Cluster, ...]:
        """What there is to fix."""
        return tuple(one for one in self.clusters if one.is_to_fix)

    @property
    def is_over(self) -> bool:
        """Whether the week is."""
        return self.week.end <= self.now

    @property
    def ended(self) -> int:
        """Jobs that count, of all experiments."""
        return sum(row.this.ended for row in self.rows)

    @property
    def untested(self) -> bool:
        """Whether nobody looked: no job that counts has ended."""
        return self.ended == 0

    @property
    def out_now(self) -> tuple[str, ...]:
        """The experiments that have it out."""
        return tuple(name for name, turn in self.standing.items() if turn is not None and turn.out)

    @property
    def is_green(self) -> bool:
        """Nothing to fix, in everywhere, never out, and tested enough to say so."""
        enough = bool(self.rows) and all(row.this.ended >= ENOUGH for row in self.rows)
        return enough and not (self.fixes or self.out_now or self.outages or self.holds)


def site_week(facts: Facts) -> SiteWeek:
    """Everything that a report says, in figures."""
    week = facts.week
    end = min(week.end, facts.now)
    mine = within(facts.records, week.start, end)
    before = within(facts.records, week.before.start, week.start)
    out = tuple((name, span) for name in facts.experiments for span in _spans(facts, name, week.start, end))
    outages = [_onset(span.turn) for _, span in out if span.cause is Cause.YOURS]
    counted = [one for one in mine if fate(one, facts.excuse) in {Fate.GOOD, Fate.BAD}]
    failures = tuple(one for one in counted if fate(one, facts.excuse) is Fate.BAD)
    around = Around(counted, lambda way, names: _usual(facts, way, names), outages)
    return SiteWeek(
        site=facts.site,
        week=week,
        now=facts.now,
        rows=tuple(_row(facts, name, mine, before, out) for name in facts.experiments),
        clusters=tuple(clusters(failures, around)),
        standing={name: (facts.turns.get(name) or (None,))[-1] for name in facts.experiments},
        outages=out,
        persons=tuple(dict.fromkeys(one.turn.by for _, one in out if one.cause is Cause.PERSON)),
        days=tuple(_days(facts, week.before, before)) + tuple(_days(facts, week, mine)),
        failures=failures,
        holds=facts.holds,
        late=sum(one.t_observed is not None and one.t_observed > facts.told_before for one in before),
        foreign=facts.foreign,
    )


def _row(
    facts: Facts,
    name: str,
    mine: Sequence[Record],
    before: Sequence[Record],
    out: Sequence[tuple[str, Span]],
) -> Row:
    this, last = ([one for one in found if one.experiment == name] for found in (mine, before))
    mix = work(this)
    peers = [one for one in facts.peers.get(name, ()) if one.count.ended >= ENOUGH]
    speeds = [rate(one.work, mix) for one in peers]
    return Row(
        experiment=name,
        this=count(this, facts.excuse),
        last=count(last, facts.excuse),
        speed=rate(mix, mix),
        last_speed=rate(work(last), mix),
        peers=tuple(sorted(one.count.share for one in peers)),
        peer_speeds=tuple(sorted(one for one in speeds if one is not None)),
        hours=hours([span for experiment, span in out if experiment == name]),
        going=facts.going[name],
    )


def _spans(facts: Facts, name: str, start: datetime, end: datetime) -> list[Span]:
    mine = [one for one in facts.records if one.experiment == name]

    def explained(turn: Turn) -> bool:
        since, until = _onset(turn)
        found = [
            fate(one, facts.excuse)
            for one in mine
            if (at := end_of(one)) is not None and since <= at <= until
        ]
        failed = [one for one in found if one in {Fate.BAD, Fate.CENTRAL}]
        return bool(failed) and all(one is Fate.CENTRAL for one in failed)

    return list(spans(facts.turns.get(name, ()), start, end, explained))


def _onset(turn: Turn) -> tuple[datetime, datetime]:
    return turn.onset or turn.at - LOOK_BACK, turn.at


def _usual(facts: Facts, way: Way, experiments: tuple[str, ...]) -> float:
    """The share of jobs of these experiments that fails so at all peers together; 0 where there are too few."""
    peers: list[Peer] = [one for name in experiments for one in facts.peers.get(name, ())]
    ended = sum(one.count.ended for one in peers)
    if len({one.site for one in peers}) < FEW_PEERS or not ended:
        return 0.0
    return sum(one.ways.get(way, 0) for one in peers) / ended


def _days(facts: Facts, week: Week, records: Sequence[Record]) -> list[Day]:
    bounds = week.days
    found: Counter[tuple[int, Fate]] = Counter()
    for one in records:
        at = end_of(one)
        place = max(n for n in range(7) if at is not None and bounds[n] <= at)
        found[place, fate(one, facts.excuse)] += 1
    return [
        Day(bounds[place], Count(**{kind.value: found[place, kind] for kind in Fate})) for place in range(7)
    ]
