"""What the configuration says about robots, and the judges that follow from it and from the records of the last weeks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from helpdesk.robots.judging import MEMORY, Downtime, Judge, SiteInfo, judge
from helpdesk.robots.load.control import Rules
from helpdesk.robots.protocol import Info, Policy
from helpdesk.robots.ruling import outage
from helpdesk.robots.schedule import Lane, Mix
from helpdesk.store import jobs, records, site_orders


@dataclass(frozen=True, slots=True)
class Plan:
    """What the configuration says about robots."""

    lanes: Sequence[Lane]
    mixes: Mapping[Lane, Mix]
    sites: Mapping[str, SiteInfo]
    make: Callable[[Info], Policy]
    version: str  # of the policy
    downtimes: Callable[[datetime], Iterable[Downtime]] = field(default=lambda _now: ())
    blacklist: Path | None = None
    complaints: Callable[[], Iterable[str]] = field(default=tuple)  # what is wrong with those calendars
    load: Rules = field(default_factory=Rules)  # of load tests


def replayed(plan: Plan, templates: Mapping[str, str], conn: Connection, now: datetime) -> dict[str, Judge]:
    """A judge for each experiment who was told of the last weeks, and has not been asked since; `templates`: name -> experiment."""
    start = now - MEMORY
    judges: dict[str, Judge] = {}
    for experiment in sorted({one.experiment for one in plan.lanes}):
        mine = {one.site for one in plan.lanes if one.experiment == experiment}
        sites = {name: info for name, info in plan.sites.items() if name in mine}
        names = [name for name, of in templates.items() if of == experiment]
        if names:
            judges[experiment] = judge(experiment, sites, names, start, plan.make)
    for record in records.read(conn, since=start):
        if record.experiment in judges:
            judges[record.experiment].recalled(record)
    for job in jobs.live(conn):
        if job.experiment in judges:
            judges[job.experiment].submitted(job)
    for one in (*plan.downtimes(now), *map(outage, site_orders.outages(conn, start))):
        for each in judges.values():
            each.declared(one)
    return judges
