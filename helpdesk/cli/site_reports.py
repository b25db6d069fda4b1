"""`helpdesk report`: what is told of sites, on paper."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from helpdesk import app, reporting, wiring
from helpdesk.cli import reports, screen, shell
from helpdesk.cli.carry import carry_out
from helpdesk.errors import UsageError
from helpdesk.occasions.site_reports import REQUEST
from helpdesk.pages import standing_alone
from helpdesk.render import templates
from helpdesk.reports import document, pictures, weeks, wording
from helpdesk.reports.mail import SiteReportMail
from helpdesk.reports.week import SiteWeek
from helpdesk.reports.weeks import Week
from helpdesk.settings import Settings
from helpdesk.sites import SiteTelling
from helpdesk.store import requests

report = typer.Typer(cls=shell.Shell, no_args_is_help=True, help="Reports about sites: site, overview.")


@report.callback()
def _before(config: shell.BoardConfig = None) -> None:
    """Reports about sites."""


def site(  # noqa: PLR0913, PLR0917 -- the options of a command are its arguments
    name: Annotated[
        str | None, typer.Argument(metavar="SITE", help="Only this site. Default: every site.")
    ] = None,
    week: Annotated[
        str | None,
        typer.Option("--week", metavar="W", help="2026-W24, or 24. Default: the last one that is over."),
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Print it (which is what happens anyway).")] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write the mail's page, with its pictures, to a file."),
    ] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Mail it to the site's contacts, once more if they have it.")
    ] = False,
    as_json: shell.Json = False,
    now: shell.Now = None,
    config: shell.Config = None,
) -> None:
    """Show a site's week: what to fix first, where it stands, and how it compares with the week before and its peers.

    It reads the database alone; days and weeks are the site's own. With --send the board mails it with its next cycle.
    """
    if html is not None and name is None:
        raise UsageError("--html writes the page of one site: name it")
    if send and (text or html or name is None):
        raise UsageError("--send mails the report of one site: name it, and leave out --text and --html")
    settings = shell.load(config)
    if send and name is not None:
        _send(settings, name, week, now, as_json=as_json)
        return
    telling = wiring.sites_telling(settings)
    found = []
    with shell.reading(settings) as conn:
        moment = now or app.present(conn.engine)
        reader = reporting.Reader(telling, conn, moment)
        for one in _chosen(telling, name):
            zone = reporting.zone_of(telling, one)
            found.append(reader.report(one, _week(week, moment, zone)))
    told = [(one, wording.mail(one)) for one in found]
    if html is not None:
        _write(settings, *told[0], html)
    if as_json:
        screen.document(
            [
                document.document(one, f"{mail.site} {mail.week}: {mail.headline}", "\n".join(mail.lines))
                for one, mail in told
            ]
        )
        return
    if html is not None and not text:
        return
    _print([mail for _, mail in told])


def _print(mails: Sequence[SiteReportMail]) -> None:
    if not mails:
        screen.say("No site is in the configuration: see [[site]].")
    for place, mail in enumerate(mails):
        if place:
            screen.say()
        screen.block("\n".join(mail.lines))


def _send(settings: Settings, name: str, week: str | None, now: datetime | None, *, as_json: bool) -> None:
    """Ask for one report more."""
    telling = wiring.sites_telling(settings)
    _chosen(telling, name)
    if not telling.contacts[name].addresses:
        raise UsageError(f"{name} has no contacts: see [[site]] contacts")

    def ask(conn: Connection, at: datetime) -> str:
        wanted = _week(week, at, reporting.zone_of(telling, name)).name
        requests.ask(conn, REQUEST, {"site": name, "week": wanted}, at)
        return wanted

    carried = carry_out(settings, now, ask)
    if as_json:
        screen.document({"asked": carried.asked, **reports.carried(carried.report)})
    else:
        reports.show_carried(carried.report, settings)


def _week(week: str | None, now: datetime, zone: str) -> Week:
    return weeks.complete(now, zone) if week is None else weeks.asked(week, now, zone)


def _write(settings: Settings, week: SiteWeek, mail: SiteReportMail, file: Path) -> None:
    """The page as a browser shows it."""
    drawn = replace(mail, pictures=pictures.pictures(week))
    words = templates(settings.board.templates, settings.board.archive_link or "").words(
        drawn, settings.board.name, settings.smtp.sender
    )
    file.write_text(standing_alone(words.html, drawn.pictures), encoding="utf-8")
    if not pictures.available():
        screen.complain("The page has no pictures: matplotlib is not installed (pip install '.[reports]').")


def _chosen(telling: SiteTelling, name: str | None) -> list[str]:
    if name is None:
        return list(telling.contacts)
    if name not in telling.contacts:
        raise UsageError(f"no site {name!r}: there are {', '.join(telling.contacts) or 'none'}")
    return [name]
