"""Reads what the report of a site's week is made from; what it says is pure (`helpdesk.reports`)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection

from helpdesk import steering
from helpdesk.reports.causes import Way, way_of
from helpdesk.reports.counting import Excuse, Fate, counted, end_of, fate
from helpdesk.reports.facts import Facts, Peer
from helpdesk.reports.outages import Turn, by_its_own_word
from helpdesk.reports.speed import Work
from helpdesk.reports.week import LOOK_BACK, SiteWeek, site_week
from helpdesk.reports.weeks import Week, told
from helpdesk.robots.record import Record, TestKind
from helpdesk.robots.ruling import LIFTED
from helpdesk.sites import SiteTelling
from helpdesk.standings import phrase
from helpdesk.store import incidents, jobs, records, site_orders, verdicts
from helpdesk.store.incidents import Incident
from helpdesk.store.site_orders import Kind
from helpdesk.store.verdicts import Change


def zone_of(telling: SiteTelling, site: str) -> str:
    """Where a site's weeks begin."""
    return telling.contacts[site].zone


@dataclass(slots=True)
class Reader:
    """One state of the database at one moment; what the reports of several sites share is read once."""

    telling: SiteTelling
    conn: Connection
    now: datetime
    _around: dict[datetime, tuple["Turns", Excuse]] = field(
        default_factory=dict
    )  # by where a week's evidence begins
    _alike: dict[tuple[str, int | None, datetime], tuple[Peer, ...]] = field(default_factory=dict)

    def report(self, site: str, week: Week) -> SiteWeek:
        """A site's week as it is known; the site is one of the configuration."""
        return site_week(self.facts(site, week))

    def facts(self, site: str, week: Week) -> Facts:
        """Everything that the report of a week is made from."""
        conn, now = self.conn, self.now
        experiments = tuple(sorted(experiment for experiment, name in self.telling.lanes if name == site))
        start, end = week.before.start - LOOK_BACK, min(week.end, now)
        turns, excuse = self._judged(start)
        ruling = site_orders.of_site(conn, site, now)
        orders = [one for one in (ruling.pin, ruling.pause) if one is not None and one.kind is not Kind.OUT]
        return Facts(
            site=site,
            week=week,
            now=now,
            experiments=experiments,
            records=tuple(one for one in records.ended(conn, [site], start, end) if _known(one, now)),
            excuse=excuse,
            turns={one: tuple(turns.get((one, site), ())) for one in experiments},
            peers={
                name: tuple(one for one in self._peers(name, site, week) if one.site != site)
                for name in experiments
            },
            told_before=told(week.before, self.telling.weekly),
            holds=tuple(f"{site} is {steering.described(one, week.zone)}." for one in orders),
            going=_going(conn, site, end),
            foreign=records.foreign(conn, site, week.start, end),
        )

    def _judged(self, start: datetime) -> tuple["Turns", Excuse]:
        """What was decided about all sites since a moment, and which failures are not theirs."""
        if start not in self._around:
            tested = sorted({name for _, name in self.telling.lanes})
            turns = _turns(verdicts.holding(self.conn, tested, start, self.now))
            self._around[start] = turns, _excuse(incidents.since(self.conn, start), turns)
        return self._around[start]

    def _peers(self, experiment: str, site: str, week: Week) -> tuple[Peer, ...]:
        """All sites of its tier that the experiment tests, itself too, in the same hours."""
        tier = self.telling.tiers.get(site)
        key = experiment, tier, week.start
        if key not in self._alike:
            lanes, tiers = self.telling.lanes, self.telling.tiers
            names = sorted(name for mine, name in lanes if mine == experiment and tiers.get(name) == tier)
            _, excuse = self._judged(week.before.start - LOOK_BACK)
            span = week.start, min(week.end, self.now)
            self._alike[key] = tuple(_fared(self.conn, names, experiment, span, excuse))
        return self._alike[key]


def _known(one: Record, now: datetime) -> bool:
    """Whether a record had come by a moment, so that a report of the past is the one of then."""
    return one.t_observed is None or one.t_observed <= now


Turns = Mapping[tuple[str, str], Sequence[Turn]]
"""By (experiment, site), oldest first."""


def _excuse(known: Sequence[Incident], turns: Turns) -> Excuse:
    """Failures of many sites, and what happens while a site is out by its own word, are not the site's."""

    def excuse(record: Record) -> Fate | None:
        if any(one.explains(record) for one in known):
            return Fate.CENTRAL
        at, mine = end_of(record), turns.get((record.experiment, record.site), ())
        return Fate.DOWN if at is not None and by_its_own_word(mine, at) else None

    return excuse


def _turns(changes: Iterable[Change]) -> Turns:
    """The rows of verdicts."""
    found: defaultdict[tuple[str, str], list[Turn]] = defaultdict(list)
    for one in changes:
        mine = found[one.experiment, one.site]
        cause = "pin" if one.reason == LIFTED else str(one.evidence.get("cause", "evidence"))
        mine.append(Turn(one.at, one.action == "exclude", cause, _who(mine, one), phrase(one), _onset(one)))
    return found


def _who(before: list[Turn], change: Change) -> str:
    """Whose doing it is; a site that a person kept out and that waits for test jobs is still out by him."""
    return before[-1].by if change.reason == LIFTED and before else change.by


def _onset(change: Change) -> datetime | None:
    known = change.evidence.get("onset")
    return None if known is None else datetime.fromtimestamp(float(known), UTC)


def _fared(
    conn: Connection,
    names: Sequence[str],
    experiment: str,
    span: tuple[datetime, datetime],
    excuse: Excuse,
) -> Iterator[Peer]:
    """How sites fared in an experiment."""
    good: Counter[str] = Counter()
    work: defaultdict[str, dict[str, Work]] = defaultdict(dict)
    fates: defaultdict[str, Counter[Fate]] = defaultdict(Counter)
    ways: defaultdict[str, Counter[Way]] = defaultdict(Counter)
    for one in records.tallies(conn, names, *span):
        if one.experiment == experiment:
            good[one.site] += one.good
            if one.events:
                work[one.site][one.template] = Work(one.events, one.core_s)
    for record in records.failed(conn, names, *span):
        if record.experiment == experiment:
            found = fate(record, excuse)
            fates[record.site][found] += 1
            if found is Fate.BAD:
                ways[record.site][way_of(record)] += 1
    for name in names:
        fates[name][Fate.GOOD] = good[name]
        yield Peer(name, counted(fates[name]), work[name], ways[name])


def _going(conn: Connection, site: str, end: datetime) -> Counter[str]:
    """Jobs that were meant to go before a moment and are still on their way."""
    return Counter(
        one.experiment
        for one in jobs.live(conn)
        if one.site == site and one.t_scheduled < end and one.test_kind == TestKind.FUNCTIONAL
    )
