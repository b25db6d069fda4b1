"""`helpdesk robots`: test jobs, their records, and what follows from them."""

import asyncio
import sys
from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from helpdesk import app, steering
from helpdesk.cli import screen, shell
from helpdesk.cli.reports import when
from helpdesk.errors import HeldError, UsageError
from helpdesk.report import utc
from helpdesk.robots import datasets, exchange, kitchen, manning
from helpdesk.robots.record import FINAL, Record
from helpdesk.robots.schedule import Intent, asked
from helpdesk.robots.service import LAST, REQUEST
from helpdesk.robots.turn import Robot, turn
from helpdesk.robots.verdict import VERSION
from helpdesk.settings import Settings
from helpdesk.store import jobs, meta, records, requests, robot_troubles, site_orders, verdicts
from helpdesk.store.site_orders import Kind, Ruling, SiteOrder
from helpdesk.store.verdicts import Change

ASLEEP = timedelta(minutes=10)  # robots look every quarter of a minute; an engine may take its time
LOOK_SECONDS = 1.0  # between two looks at jobs that somebody waits for

robots = typer.Typer(
    cls=shell.Shell,
    no_args_is_help=True,
    help="Test jobs to every site: run, status, records, verdicts, pin, evaluate, import, export.",
)

Site = Annotated[
    list[str] | None, typer.Option("--site", help="Only this site; repeatable. Default: every site.")
]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since", metavar="TIME", parser=shell.moment, help="Only what was learned from then on: ISO 8601."
    ),
]


@robots.callback()
def _before(config: shell.BoardConfig = None) -> None:
    """Test jobs to every site, and what follows from them."""


@robots.command("data", epilog="Example: helpdesk robots data zmumu --events 1000000 --to data/zmumu.root")
def make_data(
    name: Annotated[str, typer.Argument(metavar="SET", help=f"One of {', '.join(datasets.DATASETS)}.")],
    to: Annotated[
        Path,
        typer.Option(
            "--to", help="The file to write (ROOT; zpairs: CSV); its manifest is written beside it."
        ),
    ],
    events: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many events.")] = 100_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same physics.")] = 1,
    as_json: shell.Json = False,
) -> None:
    """Make a data set for test jobs from small real samples (bhh and zpairs are synthetic), with the right answers beside it."""
    with _bar(f"{name}", events) as (bar, task):
        manifest = datasets.make(name, events, to, seed=seed, progress=lambda done: bar.advance(task, done))
    if as_json:
        screen.document(
            {
                "file": str(to),
                "events": manifest.events,
                "size": manifest.size,
                "sha256": manifest.sha256,
                "answers": dict(manifest.answers),
            }
        )
    else:
        screen.say(
            f"{to}: {manifest.events:,} events, {manifest.size:,} octets; {datasets.manifest_of(to).name} has the right answers."
        )


@robots.command("run", epilog="Example: helpdesk robots run --site DESY-HH --template dimuon --count 3")
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
        with app.opened(settings, writing=False) as engine, engine.begin() as conn:
            now = app.clock()
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
    with _bar("test jobs", len(wanted)) as (bar, task):
        turned = await turn(robot, wanted, app.clock())
        told: set[str] = set()
        while True:
            fresh = [one for one in turned.records if one.job in mine]
            ended += fresh
            bar.advance(task, len(fresh))
            for name, trouble in turned.troubles:
                if trouble not in told:
                    told.add(trouble)
                    screen.complain(f"{name}: {trouble}")
            missing = mine - {one.job for one in ended} - {one.job for one in turned.kept}
            if not wait or not missing:
                return ended
            await asyncio.sleep(LOOK_SECONDS)
            turned = await turn(robot, [], app.clock())


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


@robots.command("status", epilog="Example: helpdesk robots status --json | jq .sites")
def status(as_json: shell.Json = False, config: shell.Config = None) -> None:
    """Show every site: who is out and why, what is on its way, and the last 24 hours."""
    settings = shell.load(config)
    now = app.clock()
    with shell.reading(settings) as conn:
        live = jobs.live(conn)
        latest = verdicts.latest(conn)
        troubles = robot_troubles.read(conn)
        looked = _moment(meta.get(conn, LAST))
        rulings = site_orders.rulings(site_orders.in_force(conn, now))
        recent = Counter(
            (one.site, one.experiment, one.state) for one in records.read(conn, since=now - timedelta(days=1))
        )
    rows: list[dict[str, Any]] = []
    for lane in dict.fromkeys((one.site, one.experiment) for one in kitchen.lanes(settings)):
        site, experiment = lane
        change = latest.get((experiment, site))
        ended = {
            state.value: recent[site, experiment, state]
            for state in sorted(FINAL)
            if recent[site, experiment, state]
        }
        rows.append(
            {
                "site": site,
                "experiment": experiment,
                "excluded": _is_out(change),
                "since": utc(change.at) if change is not None else None,
                "reason": change.reason if change is not None else "",
                "orders": [_order(one) for one in _orders(rulings.get(site))],
                "on_the_way": sum((one.site, one.experiment) == lane for one in live),
                "last_24h": ended,
            }
        )
    if as_json:
        wrong = [{"what": one.what, "words": one.words, "since": utc(one.since)} for one in troubles]
        screen.document(
            {"now": utc(now), "looked": utc(looked) if looked else None, "sites": rows, "troubles": wrong}
        )
        return
    screen.table(
        ("site", "experiment", "verdict", "on the way", "last 24 h"),
        [
            (
                one["site"],
                one["experiment"],
                "OUT" if one["excluded"] else "in",
                str(one["on_the_way"]),
                ", ".join(f"{count} {state}" for state, count in one["last_24h"].items()) or "nothing",
            )
            for one in rows
        ],
        fixed=3,
    )
    _reasons(settings, rows, rulings)
    if looked is None or now - looked > ASLEEP:
        since = (
            "have not worked on this board yet"
            if looked is None
            else f"looked last at {when(utc(looked))} UTC"
        )
        screen.say()
        screen.say(f"The robots {since}: `helpdesk run` is the daemon that runs them.")
    if troubles:
        screen.heading("What keeps the robots from their work")
    for one in troubles:
        screen.say(f"{one.what}, since {when(utc(one.since))} UTC: {one.words}")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _reasons(settings: Settings, rows: list[dict[str, Any]], rulings: Mapping[str, Ruling]) -> None:
    """Below the table, where there is room: why who is out is out, what people decided, and who gets no jobs at all."""
    lines = [
        f"{one['site']}, {one['experiment']}: OUT since {when(one['since'])} UTC: {one['reason']}"
        for one in rows
        if one["excluded"]
    ]
    out = {one["site"] for one in rows if one["excluded"]}
    lines += [
        f"{site}: {steering.described(order, settings.board.timezone)}"
        for site, ruling in rulings.items()
        for order in _orders(ruling)
        if order.kind is not Kind.OUT or site not in out
    ]
    lines += [
        f"{site.name}: has no [[site.queue]], so it gets no test jobs"
        for site in settings.site
        if not site.queue
    ]
    if lines:
        screen.say()
    for line in lines:
        screen.say(line)


@robots.command("verdicts", epilog="Example: helpdesk robots verdicts DESY-HH")
def show_verdicts(
    site: Annotated[str | None, typer.Argument(metavar="SITE", help="Only this site.")] = None,
    as_json: shell.Json = False,
    config: shell.Config = None,
) -> None:
    """Explain the verdict on each site in words, with the trace of its evidence, from the records of the last weeks."""
    settings = shell.load(config)
    now = app.clock()
    with shell.reading(settings) as conn:
        told = {
            key: text for key, text in manning.accounts(settings, conn, now).items() if site in {None, key[1]}
        }
        latest = verdicts.latest(conn)
        rulings = site_orders.rulings(site_orders.in_force(conn, now))
    if site is not None and not told:
        raise UsageError(
            f"no site {site!r} with a queue whose experiment has a template: `helpdesk robots status` lists them"
        )
    if as_json:
        screen.document(
            [
                {
                    "site": name,
                    "experiment": experiment,
                    "excluded": _is_out(latest.get((experiment, name))),
                    "policy": VERSION,
                    "orders": [_order(one) for one in _orders(rulings.get(name))],
                    "account": text,
                }
                for (experiment, name), text in sorted(told.items())
            ]
        )
        return
    for (experiment, name), text in sorted(told.items(), key=lambda one: (one[0][1], one[0][0])):
        screen.heading(f"{name}, {experiment}")
        for one in _orders(rulings.get(name)):
            screen.say(f"A person decided: {steering.described(one, settings.board.timezone)}")
        screen.block(text)


def _orders(ruling: Ruling | None) -> list[SiteOrder]:
    """What people decided about a site, and holds."""
    return [] if ruling is None else [one for one in (ruling.pin, ruling.pause) if one is not None]


def _order(one: SiteOrder) -> dict[str, Any]:
    until = None if one.until is None else utc(one.until)
    return {"kind": one.kind.value, "since": utc(one.at), "until": until, "by": one.by, "why": one.why}


def _is_out(change: Change | None) -> bool:
    return change is not None and change.action == "exclude"


@robots.command("records", epilog="Example: helpdesk robots records --site DESY-HH --since 2026-06-08")
def show_records(
    site: Annotated[str | None, typer.Option("--site", help="Only this site.")] = None,
    since: Since = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what did not succeed.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="The latest so many.")] = 50,
    as_json: shell.Json = False,
    config: shell.Config = None,
) -> None:
    """List what test jobs found, the latest last; codes that no table knows are listed at the end."""
    settings = shell.load(config)
    with shell.reading(settings) as conn:
        wanted = (one for one in records.read(conn, site=site, since=since) if not failed or one.error_class)
        found = list(deque(wanted, maxlen=most))
    if as_json:
        screen.document([exchange.as_document(one) for one in found])
        return
    screen.table(
        ("ended (UTC)", "site", "template", "outcome", "phase", "node", "why"),
        [
            (
                when(utc(one.t_final)) if one.t_final else "",
                one.site,
                one.template,
                one.state.value,
                one.phase.value if one.phase else "",
                one.node,
                f"{one.native_code} {one.native_text}".strip(),
            )
            for one in found
        ],
        fixed=2,
    )
    unknown = Counter(one.native_code for one in found if one.error_class == "unknown" and one.native_code)
    if unknown:
        screen.heading("Codes that no table knows")
        screen.table(("code", "times"), [(code, str(count)) for code, count in unknown.most_common()])


@robots.command("export", epilog="Example: helpdesk robots export records.parquet --since 2026-06-01")
def export(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="FILE.jsonl, FILE.csv or FILE.parquet.")],
    site: Annotated[str | None, typer.Option("--site", help="Only this site.")] = None,
    since: Since = None,
    config: shell.Config = None,
) -> None:
    """Write records to a file; its ending says the format."""
    settings = shell.load(config)
    with shell.reading(settings) as conn:
        count = exchange.write(records.read(conn, site=site, since=since), target)
    screen.say(f"{target}: {count:,} records")


class _bar:  # noqa: N801 - reads as a statement
    """A progress bar on a terminal's stderr, nothing elsewhere."""

    def __init__(self, name: str, total: int) -> None:
        console = Console(stderr=True, markup=False, emoji=False, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task(name, total=total)

    def __enter__(self) -> Any:
        self._bar.start()
        return self._bar, self._task

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()
