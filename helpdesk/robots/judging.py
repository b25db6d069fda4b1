"""Feeds policies with what happens, in time order, and asks them at fixed moments: the production side of `helpdesk.robots.protocol`.

A policy is asked on a grid of `tick_s` seconds, never between: so a restarted process that replays the records of the last weeks asks the
same questions at the same moments, and comes to the same verdicts.  Pure: what is fed is an argument, and so is `now`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Any

from helpdesk.robots.outcome import OnItsWay
from helpdesk.robots.protocol import Decision, Info, Policy, Wish
from helpdesk.robots.record import Record, TestKind, is_foreign

TICK = 300.0
"""Seconds between two moments at which policies are asked."""

MEMORY = timedelta(days=21)
"""How far back records are replayed at a start."""


@dataclass(frozen=True, slots=True)
class SiteInfo:
    """What a policy may know of a site beforehand."""

    region: str
    se: str
    tier: int | None
    per_day: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What a policy said at one moment."""

    at: datetime
    experiment: str
    wishes: tuple[Wish, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Downtime:
    """A declared downtime of a site."""

    site: str
    announced: datetime
    start: datetime
    end: datetime
    severity: str = "outage"


@dataclass(slots=True)
class Judge:
    """The policy of one experiment, and what it has not been told yet."""

    experiment: str
    policy: Policy
    asked: float  # the last moment at which it was asked
    _waiting: list[tuple[float, int, Mapping[str, Any]]] = field(default_factory=list)
    _number: int = 0

    def submitted(self, job: OnItsWay) -> None:
        """A job has left."""
        if job.test_kind != TestKind.STRESS and job.t_submitted is not None:
            self._put(job.t_submitted.timestamp(), _of_job(job))

    def ended(self, record: Record) -> None:
        """A job has its record."""
        if record.test_kind is not TestKind.STRESS and record.t_observed is not None:
            self._put(record.t_observed.timestamp(), _of_record(record))

    def recalled(self, record: Record) -> None:
        """A job of the past, as it was heard of then: when it left, and when it had its record."""
        sent, heard = record.t_submitted, record.t_observed
        if record.test_kind is not TestKind.STRESS and sent and heard and not is_foreign(record):
            self._put(min(sent, heard).timestamp(), _of_job(record))  # clocks differ
        self.ended(record)

    def declared(self, downtime: Downtime) -> None:
        """A site says that it will be down."""
        said = {
            "record": "downtime",
            "site": downtime.site,
            "t_announced": downtime.announced.timestamp(),
            "t_start": downtime.start.timestamp(),
            "t_end": downtime.end.timestamp(),
            "severity": downtime.severity,
        }
        self._put(downtime.announced.timestamp(), said)

    def until(self, now: datetime) -> Iterator[Asked]:
        """Ask at every moment of the grid up to `now`, each time with all that was known then."""
        while (tick := self.asked + TICK) <= now.timestamp():
            self.asked = tick
            while self._waiting and self._waiting[0][0] <= tick:
                self.policy.observe(heappop(self._waiting)[2])
            wishes, decisions = self.policy.due_probes(tick), self.policy.decisions(tick)
            if wishes or decisions:
                yield Asked(
                    datetime.fromtimestamp(tick, UTC), self.experiment, tuple(wishes), tuple(decisions)
                )

    def _put(self, at: float, said: Mapping[str, Any]) -> None:
        """What is told late is told at the next moment."""
        self._number += 1
        heappush(self._waiting, (max(at, self.asked), self._number, said))


def judge(
    experiment: str,
    sites: Mapping[str, SiteInfo],
    templates: Iterable[str],
    start: datetime,
    make: Callable[[Info], Policy],
) -> Judge:
    """A judge who knows nothing yet; `start` is moved to the grid."""
    t0 = start.timestamp() // TICK * TICK
    info = {
        "t0": t0,
        "tick_s": TICK,
        "sites": list(sites),
        "templates": list(templates),
        "site": {
            name: {"region": one.region, "se": one.se, "tier": one.tier, "expected_jobs_per_day": one.per_day}
            for name, one in sites.items()
        },
    }
    return Judge(experiment, make(info), t0)


def excluded(decisions: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Who is out after these (site, action), in their order."""
    out: set[str] = set()
    for site, action in decisions:
        (out.add if action == "exclude" else out.discard)(site)
    return frozenset(out)


def _of_job(job: OnItsWay | Record) -> dict[str, Any]:
    return {
        "record": "job",
        "state": "submitted",
        "engine_job_id": job.job,  # ours: unique over all engines
        "campaign_id": job.campaign_id,
        "site": job.site,
        "template": job.template,
        "template_version": job.template_version,
        "attempt": job.attempt,
        "t_submitted": _seconds(job.t_submitted),
        "t_observed": _seconds(job.t_submitted),
    }


def _of_record(record: Record) -> dict[str, Any]:
    return {
        "record": "job",
        "state": record.state.value,
        "engine_job_id": record.job,
        "campaign_id": record.campaign_id,
        "site": record.site,
        "node": record.node or None,
        "template": record.template,
        "template_version": record.template_version,
        "attempt": record.attempt,
        "t_submitted": _seconds(record.t_submitted),
        "t_started": _seconds(record.t_started),
        "t_final": _seconds(record.t_final),
        "wall_s": record.wall_s,
        "phase": None if record.phase is None else record.phase.value,
        "error_class": record.error_class or None,
        "native_code": record.native_code or None,
        "blame": None if record.blame is None else record.blame.value,
        "weight": record.weight,
        "t_observed": _seconds(record.t_observed),
    }


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
