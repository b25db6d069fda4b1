"""`helpdesk report overview`: the week of all sites."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from helpdesk import app, reporting, wiring
from helpdesk.cli import screen, shell
from helpdesk.report import utc
from helpdesk.reports import weeks, wording
from helpdesk.reports.overview import Group, Overview, overview
from helpdesk.reports.rates import middle, percent
from helpdesk.reports.week import SiteWeek
from helpdesk.settings import Settings

SHOWN = 20


def show(
    week: Annotated[
        str | None,
        typer.Option("--week", metavar="W", help="2026-W24, or 24. Default: the last one that is over."),
    ] = None,
    as_json: shell.Json = False,
    now: shell.Now = None,
    config: shell.Config = None,
) -> None:
    """Show the week of all sites: how each experiment and region fares, and which sites need somebody first."""
    settings = shell.load(config)
    found = overview(read(settings, week, now), regions(settings))
    if as_json:
        screen.document(_document(found))
    else:
        _print(found)


def read(settings: Settings, week: str | None, now: datetime | None) -> list[SiteWeek]:
    """The week of every site that is tested, each in its own time."""
    telling = wiring.sites_telling(settings)
    tested = {name for _, name in telling.lanes}
    found = []
    with shell.reading(settings) as conn:
        moment = now or app.present(conn.engine)
        reader = reporting.Reader(telling, conn, moment)
        for name in (one.name for one in settings.site if one.name in tested):
            zone = reporting.zone_of(telling, name)
            wanted = weeks.complete(moment, zone) if week is None else weeks.asked(week, moment, zone)
            found.append(reader.report(name, wanted))
    return found


def regions(settings: Settings) -> Mapping[str, str]:
    """By site."""
    return {one.name: one.region or "" for one in settings.site}


def _print(found: Overview) -> None:
    if not found.weeks:
        screen.say("No site has a queue, so none is tested.")
        return
    week = found.weeks[0].week
    screen.say(
        f"Week {week.number}, {week.dates}: {len(found.weeks)} sites, {found.green} green, {found.to_fix} with"
        f" something to fix, {found.untested} that nobody tested"
    )
    columns = ("sites", "out now", "jobs", "success", "median of sites", "hours out")
    screen.heading("Experiments")
    screen.table(("experiment", *columns), [(one.name, *_cells(one)) for one in found.experiments])
    if found.regions:
        screen.heading("Regions")
        screen.table(
            ("region", "experiment", *columns),
            [(one.name, name, *_cells(one)) for name, one in found.regions],
            fixed=2,
        )
    screen.heading("Who needs somebody first")
    rest = [one for one in found.weeks if not one.is_green]
    screen.table(
        ("site", "what", "success"),
        [(one.site, wording.headline(one), ", ".join(_shares(one))) for one in rest[:SHOWN]],
    )
    if len(rest) > SHOWN:
        screen.say(f"... and {len(rest) - SHOWN} more: helpdesk report overview --json")


def _shares(week: SiteWeek) -> list[str]:
    return [f"{row.experiment} {wording.share(row.this, short=True)}" for row in week.rows]


def _cells(one: Group) -> tuple[str, ...]:
    untested = f" ({one.untested} not tested)" if one.untested else ""
    return (
        f"{one.sites}{untested}",
        str(one.out),
        f"{one.ended:,}",
        percent(one.good, one.ended) if one.ended else wording.NONE,
        wording.NONE if one.middle is None else middle(one.middle),
        wording.length(one.hours) if one.hours else "0",
    )


def _document(found: Overview) -> Mapping[str, Any]:
    """The document of docs/json.md."""
    return {
        "experiments": [_group(one) for one in found.experiments],
        "regions": [{"experiment": name, **_group(one)} for name, one in found.regions],
        "sites": [
            {
                "site": one.site,
                "week": one.week.name,
                "start": utc(one.week.start),
                "headline": wording.headline(one),
                "green": one.is_green,
                "untested": one.untested,
                "out_of": list(one.out_now),
                "to_fix": len(one.fixes),
                "experiments": [
                    {"experiment": row.experiment, "good": row.this.good, "failed": row.this.bad}
                    for row in one.rows
                ],
            }
            for one in found.weeks
        ],
    }


def _group(one: Group) -> Mapping[str, Any]:
    return {
        "name": one.name,
        "sites": one.sites,
        "untested": one.untested,
        "out": one.out,
        "good": one.good,
        "ended": one.ended,
        "median": one.middle,
        "hours_out": round(one.hours.total_seconds() / 3600, 3),
    }
