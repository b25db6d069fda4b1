"""`helpdesk report`: what is told of sites, on paper."""

from typing import Annotated

import typer

from helpdesk import app, reporting, wiring
from helpdesk.cli import screen, shell
from helpdesk.errors import UsageError
from helpdesk.reports import document, weeks, wording
from helpdesk.sites import SiteTelling

report = typer.Typer(cls=shell.Shell, no_args_is_help=True, help="Reports about sites: site.")


@report.callback()
def _before(config: shell.BoardConfig = None) -> None:
    """Reports about sites."""


def site(
    name: Annotated[
        str | None, typer.Argument(metavar="SITE", help="Only this site. Default: every site.")
    ] = None,
    week: Annotated[
        str | None,
        typer.Option("--week", metavar="W", help="2026-W24, or 24. Default: the last one that is over."),
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Print it (which is what happens anyway).")] = False,  # noqa: ARG001 - the contract has it
    as_json: shell.Json = False,
    now: shell.Now = None,
    config: shell.Config = None,
) -> None:
    """Show a site's week: what to fix first, where it stands, and how it compares with the week before and its peers.

    It reads the database alone; days and weeks are the site's own.
    """
    settings = shell.load(config)
    telling = wiring.sites_telling(settings)
    found = []
    with shell.reading(settings) as conn:
        moment = now or app.present(conn.engine)
        for one in _chosen(telling, name):
            zone = reporting.zone_of(telling, one)
            wanted = weeks.complete(moment, zone) if week is None else weeks.asked(week, moment, zone)
            found.append(reporting.report(telling, conn, one, wanted, moment))
    told = [(one, wording.mail(one)) for one in found]
    if as_json:
        screen.document(
            [
                document.document(one, f"{mail.site} {mail.week}: {mail.headline}", "\n".join(mail.lines))
                for one, mail in told
            ]
        )
        return
    for place, (_, mail) in enumerate(told):
        if place:
            screen.say()
        screen.block("\n".join(mail.lines))


def _chosen(telling: SiteTelling, name: str | None) -> list[str]:
    if name is None:
        return list(telling.contacts)
    if name not in telling.contacts:
        raise UsageError(f"no site {name!r}: there are {', '.join(telling.contacts) or 'none'}")
    return [name]
