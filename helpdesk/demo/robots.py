"""The robots of the demo: the production service, stepped by the demo's clock, on the grid of this machine.

A daemon steps every 15 seconds.  Fast-forward skips most of that, as if the daemon had slept: once a day it wakes, sends the job
that is due at each site, and waits for what becomes of it.  While a site is in doubt or out, and as long as somebody looks closely,
it steps at every tick of the policy, and nothing is skipped.
"""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from helpdesk.demo.grid import PLACES, Grid
from helpdesk.demo.telling import SiteSight
from helpdesk.robots import kitchen, manning
from helpdesk.robots.engine import Handle
from helpdesk.robots.judging import TICK
from helpdesk.robots.record import FINAL, JobState, Record
from helpdesk.robots.service import Service
from helpdesk.robots.verdict import Verdicts
from helpdesk.settings import Settings
from helpdesk.store import verdicts
from helpdesk.store.db import reading
from helpdesk.store.verdicts import Change

EXPERIMENT = "atlas"
ROUND = timedelta(hours=24)
"""Between two awakenings, when all is quiet."""

TAKES = timedelta(minutes=10)
"""From sending to looking, when all is quiet: jobs have ended then, however slow this machine is."""

CLOSE = timedelta(seconds=TICK)

TICKS = 10
"""Results of a site that are shown."""


@dataclass
class Tested:
    """What the robots did since the demo began; it outlives the database."""

    jobs: Counter[str] = field(default_factory=Counter)  # by site
    failed: list[Record] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    last: dict[str, deque[bool]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=TICKS)))


class Robots:
    """One board's robots between its database and the grid."""

    def __init__(
        self, settings: Settings, database: Engine, grid: Grid, clock: Callable[[], datetime], tested: Tested
    ) -> None:
        self.tested = tested
        self.blacklist: Path | None = settings.robots.blacklist_file
        self._database, self._grid, self._clock = database, grid, clock
        robot = replace(kitchen.robot(settings, database), engines={"local": grid})
        self._service = Service(robot, manning.plan(settings, manning.downtimes(settings)))
        self._loop = asyncio.Runner()
        self._way: dict[str, Handle] = {}
        self._closely = False
        self._next = clock()
        self._told = 0  # changes of this database that were told

    def close(self) -> None:
        """Let the loop go; jobs are the grid's."""
        self._loop.close()

    @property
    def due(self) -> datetime:
        """When the next step is to be made."""
        return self._next

    def arrived(self) -> bool:
        """Whether every job that is on its way has ended."""
        told = self._loop.run(self._grid.poll(list(self._way.values())))
        return all(one.state in FINAL for one in told)

    def step(self) -> Sequence[str]:
        """Look, judge, send: one step of the service at the present time; what failed and what was decided."""
        now = self._clock()
        turned = self._loop.run(self._service.step(now))
        self._way |= {one.job: Handle(one.job, one.engine_job_id) for one in turned.submitted}
        for record in turned.records:
            self._way.pop(record.job, None)
            self.tested.last[record.site].append(record.state is JobState.SUCCESS)
        failed = [one for one in turned.records if one.state is not JobState.SUCCESS]
        changes = self._changes()
        self.tested.jobs.update(one.site for one in turned.records)
        self.tested.failed += failed
        self.tested.changes += changes
        self._next = now + self._until_next(watchful=bool(failed))
        return [*_failures(failed), *map(_change, changes)]

    def look_closely(self, *, closely: bool) -> None:
        """From now on every tick counts, or it does no longer."""
        self._closely = closely
        self._next = min(self._next, self._clock() + CLOSE)

    def sights(self) -> Sequence[SiteSight]:
        """How the sites stand."""
        with reading(self._database) as conn:
            latest = verdicts.latest(conn)
        return [self._sight(one.site, latest) for one in PLACES]

    def out(self) -> Mapping[str, Change]:
        """The sites that get no jobs, by name."""
        with reading(self._database) as conn:
            found = verdicts.latest(conn)
        return {site: one for (_, site), one in found.items() if one.action == "exclude"}

    def _sight(self, site: str, latest: Mapping[tuple[str, str], Change]) -> SiteSight:
        change, policy = latest.get((EXPERIMENT, site)), self._service.policy(EXPERIMENT)
        out = change is not None and change.action == "exclude"
        nats, enough = 0.0, 1.0
        if isinstance(policy, Verdicts):
            nats, enough = policy.nats(site), policy.tuning.threshold
        why = change.reason if change is not None and out else self._last_failure(site)
        return SiteSight(site, out, nats, enough, tuple(self.tested.last[site]), why)

    def _last_failure(self, site: str) -> str:
        """What failed last, of what is shown."""
        if all(self.tested.last[site]):
            return ""
        failed = next(one for one in reversed(self.tested.failed) if one.site == site)
        return f"{_node(failed)}: {_kind(failed)}"

    def _until_next(self, *, watchful: bool) -> timedelta:
        watchful = watchful or self._closely or self._service.asked
        if watchful or any(one.out or one.doubted for one in self.sights()):
            return CLOSE
        return TAKES if self._way else ROUND

    def _changes(self) -> Sequence[Change]:
        with reading(self._database) as conn:
            found = verdicts.since(conn, self._clock() - timedelta(days=30))
        fresh, self._told = found[self._told :], len(found)
        return fresh


def _failures(failed: Iterable[Record]) -> Iterator[str]:
    """One sentence for what failed at a site in one way."""
    for (site, kind), count in Counter((one.site, _kind(one)) for one in failed).items():
        nodes = sorted({_node(one) for one in failed if (one.site, _kind(one)) == (site, kind)})
        jobs = "a job fails" if count == 1 else f"{count} jobs fail"
        yield f"{site}: {jobs} on {', '.join(nodes)} ({kind})"


def _kind(record: Record) -> str:
    """In which phase it failed, and how."""
    phase = "" if record.phase is None else f"{record.phase.value}: "
    return f"{phase}{record.error_class or record.native_code}"


def _node(record: Record) -> str:
    return record.node.partition(".")[0]


def _change(change: Change) -> str:
    verb = "out" if change.action == "exclude" else "back in"
    return f"{change.site} is {verb} ({change.experiment}: {change.reason})"
