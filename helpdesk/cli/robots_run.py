"""`helpdesk robots run`: test jobs now, and how they end."""

import asyncio
from typing import Annotated

import typer

from helpdesk import app
from helpdesk.cli import screen, shell
from helpdesk.cli.progress import bar
from helpdesk.cli.robotics import Site
from helpdesk.errors import HeldError, UsageError
from helpdesk.robots import exchange, kitchen
from helpdesk.robots.record import Record
from helpdesk.robots.robot import Robot
from helpdesk.robots.schedule import Intent, asked
from helpdesk.robots.service import REQUEST
from helpdesk.robots.thread import PATIENCE_SECONDS
from helpdesk.robots.turn import Turns
from helpdesk.settings import Settings
from helpdesk.store import requests

LOOK_SECONDS = 1.0  # between two looks at jobs that somebody waits for


def run_jobs(
    site: Site = None,
    template: Annotated[
        list[str] | None, typer.Option("--template", help="Only this template; repeatable. Default: all.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=1000, help="Jobs of each template at each site.")] = 1,
    wait: Annotated[
        bool, typer.Option(help="Wait until they have ended (where no daemon runs, they need us).")
    ] = True,
    as_json: shell.Json = False,
    config: shell.Config = None,
) -> None:
    """Send test jobs now, beside the routine, and show how they end; exit 1 if one did not succeed."""
    settings = shell.load(config)
    wanted = _wanted(settings, site, template, count)
    try:
        with app.opened(settings, writing=True) as engine:
            ended = asyncio.run(_run_here(kitchen.robot(settings, engine), wanted, wait=wait))
    except HeldError:
        with app.opened(settings, writing=False) as engine:
            now = app.present(engine)
            with engine.begin() as conn:
                for name, kind in dict.fromkeys((one.lane.site, one.template) for one in wanted):
                    args = {"site": name, "template": kind, "count": count, "campaign": "manual"}
                    requests.ask(conn, REQUEST, args, now)
        screen.complain(
            "A helpdesk runs on this board: it sends the jobs. `helpdesk robots records` shows how they end."
        )
        return
    if as_json:
        screen.document([exchange.as_document(one) for one in ended])
    else:
        _show(ended)
    shell.finish(shell.OK if all(not one.error_class for one in ended) else shell.FAILED)


def _wanted(
    settings: Settings, sites: list[str] | None, templates: list[str] | None, count: int
) -> list[Intent]:
    """Each template in each queue of its experiment, `count` times."""
    experiments = {one.name: one.experiment for one in settings.template}
    for name in templates or ():
        if name not in experiments:
            raise UsageError(f"no [[template]] {name!r}: there are {', '.join(experiments) or 'none'}")
    names = {one.name for one in settings.site}
    for name in sites or ():
        if name not in names:
            raise UsageError(f"no [[site]] {name!r}: there are {', '.join(sorted(names)) or 'none'}")
    for site in settings.site:
        if sites and site.name in sites and not site.queue:
            raise UsageError(f"{site.name} has no [[site.queue]]: a test job needs one (docs/robots.md)")
    now = app.clock()
    found = [
        intent
        for lane in kitchen.lanes(settings)
        if not sites or lane.site in sites
        for template, experiment in experiments.items()
        if experiment == lane.experiment and (not templates or template in templates)
        for intent in asked(lane, template, count, "manual", now)
    ]
    if not found:
        raise UsageError(
            "there is nothing to send: [[site.queue]] and [[template]] name no common experiment (docs/robots.md)"
        )
    return found


async def _run_here(robot: Robot, wanted: list[Intent], *, wait: bool) -> list[Record]:
    """Turn until all of them have ended."""
    mine, ended = {one.job for one in wanted}, list[Record]()
    with bar("test jobs", len(wanted)) as (progress, task):
        # who waits hears meanwhile of an engine that does not answer; who does not has sent everything when we end
        turns, told = Turns(robot, PATIENCE_SECONDS if wait else None), set[str]()
        turned = await turns.turn(wanted, app.clock())
        while True:
            fresh = [one for one in turned.records if one.job in mine]
            ended += fresh
            progress.advance(task, len(fresh))
            for name, trouble in turned.troubles:
                if trouble not in told:
                    told.add(trouble)
                    screen.complain(f"{name}: {trouble}")
            if not wait and turned.kept:
                screen.complain(f"{len(turned.kept)} jobs find no room: [robots] max_on_the_way")
            if not wait or not mine - {one.job for one in ended}:
                return ended
            await asyncio.sleep(LOOK_SECONDS)
            turned = await turns.turn(turned.kept, app.clock())


def _show(ended: list[Record]) -> None:
    screen.table(
        ("site", "template", "outcome", "phase", "seconds", "events/s", "why"),
        [
            (
                one.site,
                one.template,
                one.state.value,
                one.phase.value if one.phase else "",
                f"{one.wall_s:.1f}" if one.wall_s is not None else "",
                _rate(one),
                f"{one.native_code} {one.native_text}".strip(),
            )
            for one in sorted(ended, key=lambda x: (x.site, x.template, x.job))
        ],
        fixed=4,
    )


def _rate(one: Record) -> str:
    if one.t_payload_start is None or one.t_payload_end is None or not one.events_processed:
        return ""
    seconds = (one.t_payload_end - one.t_payload_start).total_seconds()
    return f"{one.events_processed / seconds:,.0f}" if seconds > 0 else ""
