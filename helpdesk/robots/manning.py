"""From settings to robots at work: the service of a board, and the thread in which a daemon runs it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from helpdesk.robots import kitchen
from helpdesk.robots.downtimes import Downtimes
from helpdesk.robots.judging import TICK, SiteInfo
from helpdesk.robots.load.control import Rules
from helpdesk.robots.plan import Plan, replayed
from helpdesk.robots.protocol import Info, Policy
from helpdesk.robots.service import Service
from helpdesk.robots.thread import PATIENCE_SECONDS, RobotThread
from helpdesk.robots.verdict import VERSION, Verdicts, make_policy
from helpdesk.settings import Settings
from helpdesk.shifts.source import Source


def service(settings: Settings, database: Database, patience: float) -> tuple[Service, Downtimes]:
    """The robots of a board; UsageError says what is missing."""
    down = downtimes(settings)
    return Service(kitchen.robot(settings, database), plan(settings, down), patience), down


def plan(settings: Settings, down: Downtimes) -> Plan:
    """What the configuration says about robots."""
    share = settings.robots.max_excluded

    def make(info: Info) -> Policy:
        return make_policy({**info, "max_excluded": share})

    return Plan(
        lanes=kitchen.lanes(settings),
        mixes=kitchen.mixes(settings),
        sites=site_infos(settings),
        make=make,
        version=VERSION,
        downtimes=down.known,
        load=load_rules(settings),
        blacklist=settings.robots.blacklist_file,
        complaints=lambda: list(down.troubles.values()),
    )


def load_rules(settings: Settings) -> Rules:
    """What stops a load test."""
    told = settings.loadtest
    return Rules(told.stop_after_jobs, told.stop_failed, told.stop_waiting)


def accounts(settings: Settings, conn: Connection, now: datetime) -> Mapping[tuple[str, str], str]:
    """The verdict on every site in words, by (experiment, site), from the records alone; nothing is changed.

    As the next moment of asking will find it: what came since the last one counts, or a job of a minute ago would be no result.
    """
    down = downtimes(settings)
    down.refresh(now)
    templates = {one.name: one.experiment for one in settings.template}
    found: dict[tuple[str, str], str] = {}
    for experiment, mine in replayed(plan(settings, down), templates, conn, now).items():
        for _ in mine.until(now + timedelta(seconds=TICK)):
            pass
        policy = mine.policy
        if isinstance(policy, Verdicts):
            sites = {one.site for one in kitchen.lanes(settings) if one.experiment == experiment}
            found |= {(experiment, site): policy.explain(site) for site in sites}
    return found


def site_infos(settings: Settings) -> Mapping[str, SiteInfo]:
    """What a policy may know of sites beforehand."""
    routine = kitchen.mixes(settings)
    rates = {lane.site: mix.per_day for lane, mix in routine.items()}
    return {
        one.name: SiteInfo(one.region or "", one.se or "", one.tier, rates.get(one.name, 0.0))
        for one in settings.site
    }


def downtimes(settings: Settings) -> Downtimes:
    """The calendars of the sites that have one."""
    sources = {one.name: Source(one.downtime) for one in settings.site if one.downtime is not None}
    return Downtimes(sources, settings.board.timezone)


def thread(
    settings: Settings,
    database: Database,
    wall: Callable[[], datetime],
    tell: Callable[[str, Mapping[str, object]], None],
    failed: Callable[[Exception], None],
) -> RobotThread | None:
    """What a daemon starts beside its cycles; None for a board without queues."""
    if not kitchen.lanes(settings):
        return None
    works, down = service(settings, database, PATIENCE_SECONDS)
    return RobotThread(works, wall, tell, failed, down.refresh)
