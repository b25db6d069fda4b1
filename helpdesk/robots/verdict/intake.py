"""Taking records in: each once, whatever their order; what is no record is counted and named, never an error."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from helpdesk.robots.verdict.evidence import SERIOUS
from helpdesk.robots.verdict.info import Briefing, number
from helpdesk.robots.verdict.silence import Watch
from helpdesk.robots.verdict.tuning import DAY, HOUR, MINUTE, Tuning
from helpdesk.robots.verdict.values import Key, Planned, Result, Site, Waiting
from helpdesk.robots.verdict.versions import Versions

# tuples: whatever stands in a record may be looked for in them, even what cannot be hashed
ENDED = ("success", "failed", "timeout", "lost", "cancelled")
NOT_THE_SITE = ("central", "experiment", "user", "robot")
MILD = frozenset({"warning", "at_risk", "at risk", "at-risk", "info", "none", "moderate"})
"""Severities of a downtime during which jobs go on."""

STRESS = ("stress", "loadtest")
UNKNOWN = Waiting(0.0, 0, None, probe=False)
"""Of a job that ended before it was said to be submitted."""
LOST = Waiting(1.0, 0, None, probe=False)
"""Of a job that was given up: if its result comes after all, that counts."""
JOBS = 1024  # kept of a site: those that run, and those that ended, to know a copy
DOWNTIMES = 32
ODDITIES = 200
FADE = 1 - 1 / 500  # of a result in the long average, with each later one


def new_sites(briefing: Briefing, tuning: Tuning) -> dict[str, Site]:
    """Nothing known yet."""
    count = len(briefing.templates)
    return {
        told.name: Site(
            name=told.name,
            number=place,
            region=told.region,
            unit=f"se {told.se}" if told.se else f"site {told.name}",
            expected=told.expected,
            seldom=told.expected is None or told.expected < DAY / tuning.heartbeat_s,
            slow=told.expected is None or told.expected < 48,
            results=[],
            jobs={},
            tries=[0.0] * count,
            fails=[0.0] * count,
            sampled=briefing.t0,
            heard=briefing.t0,
        )
        for place, told in enumerate(briefing.sites)
    }


class Intake:
    """The door for records; it alone changes what is known of jobs."""

    def __init__(self, briefing: Briefing, tuning: Tuning, watch: Watch) -> None:
        self.sites = new_sites(briefing, tuning)
        self.hot: dict[str, Site] = {}  # that have evidence against them
        self.bound: dict[str, Site] = {}  # that have a pin or a downtime
        self.versions = Versions(len(briefing.templates))
        self.oddities: Counter[str] = Counter()
        self.news = True  # whether anything came since the last look
        self.routine = 0  # routine jobs since the last look
        self.usual = 0.05  # which share of the jobs of all sites fails when nothing is wrong
        self.now = briefing.t0
        self._templates = {name: place for place, name in enumerate(briefing.templates)}
        self._tuning, self._watch, self._slack = tuning, watch, max(4 * briefing.tick_s, HOUR)
        self._weights = {"failed": 1.0, "timeout": 0.9, "lost": tuning.lost}

    def odd(self, what: str) -> None:
        """Count what cannot be used; the list is bounded."""
        if what not in self.oddities and len(self.oddities) >= ODDITIES:
            what = "something else"
        self.oddities[what] += 1

    def take(self, record: object) -> None:
        """Take one record."""
        self.news = True
        if type(record) is not dict and not isinstance(record, Mapping):
            self.odd("a record that is no mapping")
            return
        name, kind = record.get("site"), record.get("record")
        site = self.sites.get(name) if isinstance(name, str) else None
        if site is None:
            self.odd(
                f"an unknown site: {name[:60]!r}" if isinstance(name, str) else "a record without a site"
            )
        elif kind == "job":
            self._job(site, record)
        elif kind == "downtime":
            self._downtime(site, record)
        else:
            self.odd("a record that is neither a job nor a downtime")

    def _job(self, site: Site, record: Mapping[Any, Any]) -> None:
        get = record.get
        name, state, label = get("engine_job_id"), get("state"), get("template")
        template = self._templates.get(label) if isinstance(label, str) else None
        if template is None:
            self.odd(
                f"an unknown template: {label[:60]!r}"
                if isinstance(label, str)
                else "a job without a template"
            )
            return
        if not isinstance(name, (str, int)):
            self.odd("a job without an engine_job_id")
            return
        campaign, attempt, came = get("campaign_id"), get("attempt"), get("t_observed")
        if campaign in STRESS or get("test_kind") == "stress":
            return
        key: Key = name if attempt == 1 or type(attempt) is not int else (name, attempt)
        # a record says when it came; if that cannot be, it came now
        at = came if type(came) is float else number(came) or 0.0
        arrival = at if self.now < at <= self.now + self._slack else self.now
        if state == "submitted":
            if key not in site.jobs:
                self._submitted(site, key, record, template, arrival)
        elif state in ENDED:
            self._ended(site, key, record, template, arrival)
        else:
            self.odd("a job in an unknown state")

    def _enter(self, site: Site, key: Key, job: Waiting | None) -> None:
        jobs = site.jobs
        jobs[key] = job
        if len(jobs) > JOBS:
            del jobs[next(iter(jobs))]

    def _submitted(
        self, site: Site, key: Key, record: Mapping[Any, Any], template: int, arrival: float
    ) -> None:
        probe, version = record.get("campaign_id") == "probe", record.get("template_version")
        said = record.get("t_submitted")
        if type(said) is not float:
            said = number(said) or 0.0
        at = said if arrival - DAY < said <= arrival else arrival
        jobs = site.jobs
        jobs[key] = Waiting(at, template, version if isinstance(version, str) else None, probe)
        if len(jobs) > JOBS:
            del jobs[next(iter(jobs))]
        self.routine += not probe
        site.sampled = max(site.sampled, at)
        self._watch.wait(site, key, at, (site.probing if probe else site.routine).patience)

    def _ended(self, site: Site, key: Key, record: Mapping[Any, Any], template: int, arrival: float) -> None:
        get, job = record.get, site.jobs.get(key, UNKNOWN)
        state, probe, said = get("state"), get("campaign_id") == "probe", get("t_final")
        if job is None or (job is LOST and state == "lost"):
            return  # a copy
        self._came(site, key, job, state, arrival, probe=probe)
        if state == "cancelled" or get("blame") in NOT_THE_SITE:
            return
        at = said if type(said) is float and said <= arrival else min(number(said) or arrival, arrival)
        if at < arrival - self._tuning.window_s:
            return
        node, version = get("node"), get("template_version")
        if not isinstance(node, str):
            node = None
        if not isinstance(version, str):
            version = None
        if state == "success":
            self._keep(site, Result(at, template, False, 1.0, "", node, version, probe))
        else:
            error = get("error_class")
            cause = error if isinstance(error, str) else "unknown" if state == "failed" else str(state)
            one = Result(at, template, True, self._weight(record), cause, node, version, probe)
            one.job = str(get("engine_job_id"))
            self._keep(site, one)

    def _came(  # what came of which job when
        self, site: Site, key: Key, job: Waiting, state: object, arrival: float, *, probe: bool
    ) -> None:
        """Whatever the result, it came."""
        self._watch.came += 1
        self._enter(site, key, LOST if state == "lost" else None)
        if site.overdue and site.overdue.pop(key, None) is not None:
            site.stale = True
        if job is UNKNOWN:
            self.routine += not probe
        elif job is LOST:
            site.forget(str(key[0] if isinstance(key, tuple) else key))
        elif state != "lost":
            (site.probing if probe else site.routine).saw(arrival - job.submitted)

    def _weight(self, record: Mapping[Any, Any]) -> float:
        weight, attempt = self._weights[record["state"]], record.get("attempt")
        if type(attempt) is int and attempt > 1:
            weight *= self._tuning.retry
        foreign = number(record.get("weight"))
        return weight if foreign is None else weight * min(max(foreign, 0.0), 1.0)

    def _keep(self, site: Site, one: Result) -> None:
        old = site.keep(one, self._tuning.kept)
        if old is not None:
            self._learn(site, old)
        site.heard = self.now
        if one.failed or site.out or site.score.level >= SERIOUS:
            site.stale = True  # else a success can wait: it only makes a slight doubt slighter
        if site.out:
            one.spoiled = True
        if one.version is not None:
            self.versions.saw(site.number, one)
        if one.failed:
            site.failures += 1
            self.hot[site.name] = site

    def _learn(self, site: Site, old: Result) -> None:
        """A result that leaves the window belongs to a usual day, unless it was part of a bad one."""
        if old.spoiled:
            return
        tries, fails, template = site.tries, site.fails, old.template
        tries[template] = tries[template] * FADE + 1.0
        fails[template] = fails[template] * FADE + old.failed
        site.learned += 1
        if old.failed or site.learned & 15 == 0:  # a success alone changes next to nothing
            site.odds = None
        self.usual += (old.failed - self.usual) * 0.0005

    def silent(self, site: Site, key: Key, now: float) -> None:
        """Nothing came of a job in time."""
        job = site.jobs.get(key)
        if job is None or job is LOST:
            return
        while len(site.overdue) >= 2 * self._tuning.kept:
            del site.overdue[next(iter(site.overdue))]
        weight = self._tuning.silent_probe if job.probe else self._tuning.silent
        site.overdue[key] = Result(now, job.template, True, weight, "no result", None, job.version, job.probe)
        site.failures += 1
        site.stale = True
        site.begin = min(site.begin, now - 1)
        self.hot[site.name] = site

    def _downtime(self, site: Site, record: Mapping[Any, Any]) -> None:
        start, end = number(record.get("t_start")), number(record.get("t_end"))
        if start is None or end is None or end <= start:
            self.odd("a downtime without a start and a later end")
            return
        severity = record.get("severity")
        if isinstance(severity, str) and severity.lower() in MILD:
            return
        told = number(record.get("t_announced")) or start
        # the same start said again is a change of plans: the latest counts
        site.downtimes = [x for x in site.downtimes if x.start != start and x.end > self.now - MINUTE]
        site.downtimes = [*site.downtimes, Planned(start, end, told)][-DOWNTIMES:]
        self.bound[site.name] = site
