"""The policy: records in, probes and decisions out."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence

from helpdesk.robots.protocol import Action, Decision, Info, Record, Wish
from helpdesk.robots.verdict import words
from helpdesk.robots.verdict.asking import Asking, worst_first
from helpdesk.robots.verdict.back import prove
from helpdesk.robots.verdict.common import Common, Incident
from helpdesk.robots.verdict.evidence import SLIGHT, since, weigh
from helpdesk.robots.verdict.info import read
from helpdesk.robots.verdict.intake import Intake
from helpdesk.robots.verdict.silence import Watch
from helpdesk.robots.verdict.tuning import HOUR, VERSION, Tuning
from helpdesk.robots.verdict.values import NOTHING, Planned, Result, Score, Site, Told

WATCHFUL = 0.6
"""From which level on a site may be put out, together with others."""
EXPLAINED_S = 4 * HOUR
"""How long after an exclusion a common cause may still explain it."""
KEPT = 2_000


class Verdicts:
    """One experiment's verdicts: no clock, no I/O, bounded state; docs/verdicts.md is its description."""

    def __init__(self, info: Info, tuning: Tuning | None = None) -> None:
        briefing = read(info)
        self.tuning = tuning or Tuning()
        self.templates = briefing.templates
        self._watch = Watch(briefing.t0, briefing.tick_s)
        self._intake = Intake(briefing, self.tuning, self._watch)
        self._sites = list(self._intake.sites.values())
        self._common = Common()
        share = self.tuning.max_excluded if briefing.max_excluded is None else briefing.max_excluded
        self._at_most = max(1, int(share * len(self._sites) + 1e-9)) if share else 0
        self._asking = Asking(self._intake, self._watch, self.tuning, briefing.t0)
        self._seen = briefing.t0
        self._looked = self._swept = float("-inf")
        self._gone: dict[str, Site] = {}
        self.history: deque[Told] = deque(maxlen=KEPT)

    @property
    def oddities(self) -> Mapping[str, int]:
        """What could not be used of the records, and how often."""
        return Counter(self._intake.oddities)

    @property
    def incidents(self) -> Sequence[Incident]:
        """Failures of many sites: those that go on, then those of the last hours."""
        return [*self._common.open.values(), *self._common.past]

    def observe(self, record: Record) -> None:
        """Take one record, in the order of delivery."""
        self._intake.take(record)

    def pin(self, site: str, action: Action | None, why: str = "") -> None:
        """A person decides; None gives the site back to the robot.  KeyError: no such site."""
        chosen = self._intake.sites[site]
        chosen.pinned = None if action is None else (action, why)
        self._intake.bound[site] = chosen

    def due_probes(self, now: float) -> list[Wish]:
        """Say which probes to submit now; each is asked for once."""
        self._refresh(now)
        if self._watch.blind:
            return []
        given = self._asking.wishes(list(self._gone.values()), now)
        return [(site.name, self.templates[template], number) for site, template, number in given]

    def decisions(self, now: float) -> list[Decision]:
        """Say what changed since the last call, pins and downtimes first."""
        self._refresh(now)
        told = [*self._declared(now), *self._returns(now), *self._exclusions(now)]
        self.history.extend(told)
        return [(one.site, one.action, one.reason) for one in told]

    def explain(self, site: str) -> str:
        """Tell a site's verdict in words, with the trace of its sum.  KeyError: no such site."""
        return words.explain(
            self._intake.sites[site], self.templates, self.tuning, self._common.open.values()
        )

    def nats(self, site: str) -> float:
        """The evidence against a site; `tuning.threshold` puts it out.  KeyError: no such site."""
        return self._intake.sites[site].score.nats

    # -- what is known now

    def _refresh(self, now: float) -> None:
        intake = self._intake
        if now == self._seen and not intake.news:
            return
        intake.news = False
        passed = max(0.0, now - self._seen)
        self._seen = intake.now = max(now, self._seen)
        for site, key in self._watch.tick(now):
            intake.silent(site, key, now)
        self._asking.earn(intake.routine, passed)
        intake.routine = 0
        if now - self._swept > HOUR / 2:
            self._swept = now
            for site in intake.hot.values():
                site.stale = True
        self._weigh()
        if now > self._looked:
            self._look(now)

    def _look(self, now: float) -> None:
        """Ask what failures have in common; if that changed, all evidence is weighed again."""
        hot = self._intake.hot
        search = any(self._watched(one) for one in hot.values())
        if not search and not self._common.open:
            return
        self._looked = now
        if self._common.look(self._sites, now, search=search):
            for site in self._sites:
                if site.results or site.overdue:
                    site.stale, site.begin = True, float("-inf")
                    hot[site.name] = site
            self._weigh()

    def _watched(self, site: Site) -> bool:
        """Whether it may go now: time to ask whether others fail as well."""
        return not site.out and site.score.level >= WATCHFUL and self._enough(site, self._seen)

    def _weigh(self) -> None:
        hot = self._intake.hot
        for site in [one for one in hot.values() if one.stale]:
            if site.overdue:
                self._drop_old(site)
            site.score = self._score(site, max(site.since, site.begin - 1))
            site.stale = False
            site.trace.append((self._seen, site.score.nats))
            if site.score.level < SLIGHT and not site.out:
                del hot[site.name]

    def _drop_old(self, site: Site) -> None:
        start = self._seen - self.tuning.window_s
        for key in [key for key, one in site.overdue.items() if one.at < start]:
            del site.overdue[key]

    def _score(self, site: Site, start: float) -> Score:
        found = since(site, max(start, self._seen - self.tuning.window_s))
        return weigh(site, found, self._intake.usual, self._discount, self.tuning)

    def _whole(self, site: Site) -> Score:
        """What it was put out for, weighed again with what is known now."""
        begin, found = site.begin, self._score(site, site.spent)
        site.begin = begin
        return found

    def _discount(self, site: Site, one: Result) -> float:
        if (self._common.open or self._common.past) and self._common.explains(site, one):
            return 0.0
        return self.tuning.unproven if self._intake.versions.unproven(one) else 1.0

    # -- who goes, who returns

    def _declared(self, now: float) -> Iterator[Told]:
        """Pins and downtimes win."""
        for site in list(self._intake.bound.values()):
            if site.pinned is not None:
                action, why = site.pinned
                if bool(site.out) != (action == "exclude"):
                    yield self._turn(site, now, "pin", f"pinned by hand{': ' if why else ''}{why}")
                if site.out:
                    site.out = "pin"
            elif site.out == "pin":
                yield self._turn(site, now, "pin", "no longer pinned")
            if site.pinned is None:
                yield from self._downtime(site, now)

    def _downtime(self, site: Site, now: float) -> Iterator[Told]:
        planned = next((one for one in site.downtimes if one.start <= now < one.end), None)
        if planned is not None and planned != site.over and not site.out:
            site.blamed = NOTHING
            yield self._turn(site, now, "downtime", words.downtime(planned))

    def _returns(self, now: float) -> Iterator[Told]:
        for site in list(self._gone.values()):
            if site.out != "pin" and site.pinned is None:
                if site.out == "evidence" and now - site.out_at < EXPLAINED_S and self._explained(site):
                    yield self._turn(site, now, "explained", "a failure of many sites explains it")
                    continue
                proof = prove(site, now, self._intake.usual, self.tuning)
                if proof.done:
                    site.over = self._current(site, now)
                    yield self._turn(site, now, "proof", words.proven(proof))

    @staticmethod
    def _current(site: Site, now: float) -> Planned | None:
        return next((one for one in site.downtimes if one.start <= now < one.end), None)

    def _explained(self, site: Site) -> bool:
        return bool(self._common.open or self._common.past) and self._whole(site).level < 0.5

    def _exclusions(self, now: float) -> Iterator[Told]:
        if self._watch.blind:
            return
        room = self._at_most - sum(one.out == "evidence" for one in self._gone.values())
        near = [one for one in self._intake.hot.values() if one.score.level >= WATCHFUL and not one.out]
        for site in sorted(near, key=worst_first):
            if room <= 0:
                return
            if site.pinned is None and self._enough(site, now):
                room -= 1
                site.blamed = site.score
                for one in since(site, site.score.onset - 1):
                    one.spoiled = True
                yield self._turn(site, now, "evidence", words.excluded(site.score, self.templates))

    def _enough(self, site: Site, now: float) -> bool:
        """Whether the evidence is enough, fresh, about the site, and not about everybody."""
        score = site.score
        if score.level < 1 and not self._with_others(site):
            return False
        if score.share < self.tuning.least_share or now - score.last > 3 * HOUR:
            return False
        if score.failures - score.silent < 3 and score.silent < 4:
            return False
        return self._others_seen(site, now)

    def _with_others(self, site: Site) -> bool:
        """Several sites behind one storage element fail together: each needs less of its own."""
        mates = [
            one
            for one in self._sites
            if one.unit == site.unit
            and one is not site
            and abs(one.score.onset - site.score.onset) < 1.5 * HOUR
        ]
        levels = [self._score(one, max(one.since, one.begin - 1)).level for one in mates]
        return sum(levels) + site.score.level >= 1.5

    def _others_seen(self, site: Site, now: float) -> bool:
        """Whether enough was heard of others since the onset to know that they do not fail."""
        start = max(site.score.onset, now - HOUR)
        others = {x.unit for x in self._sites if x.unit != site.unit and _heard(x, start)}
        units = len({x.unit for x in self._sites}) - 1
        return len(others) >= min(4, units) or now - site.score.onset > 2 * HOUR

    def _turn(self, site: Site, now: float, cause: str, reason: str) -> Told:
        """Put a site out, or take it back, and remember why."""
        action: Action = "include" if site.out else "exclude"
        score = site.score if cause != "pin" else NOTHING
        if action == "exclude":
            site.out, site.out_at, site.spent = cause, now, site.since
            self._gone[site.name] = site
            if cause == "evidence":
                site.punish(now)
                self._asking.units.add(site.unit)
        else:
            site.out, site.since, site.score = "", now, NOTHING
            del self._gone[site.name]
            site.overdue.clear()
            self._intake.hot.pop(site.name, None)
        site.why = Told(now, site.name, action, cause, reason, score, VERSION)
        return site.why


def _heard(site: Site, start: float) -> bool:
    return bool(site.results) and site.results[-1].at >= start
