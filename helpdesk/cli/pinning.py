"""`helpdesk robots pin` and `unpin`: a person decides about a site, and the robots obey within their next turn."""

import getpass
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Connection, Engine

from helpdesk import app, steering, wiring
from helpdesk.cli import screen, shell
from helpdesk.commands import Mistake, dates
from helpdesk.errors import HeldError, UsageError
from helpdesk.report import utc
from helpdesk.settings import Settings
from helpdesk.steering import Site, Speaker
from helpdesk.store.site_orders import Kind


class Action(StrEnum):
    """Where the site is to be."""

    IN = "in"
    OUT = "out"


Told = dict[str, str | None]
Name = Annotated[str, typer.Argument(metavar="SITE", help="The name of a [[site]].")]


def pin(
    site: Name,
    action: Annotated[
        Action, typer.Argument(metavar="in|out", help="Where it is to be, whatever its jobs do.")
    ],
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="DATE",
            help="Until when: 18 Jun, 2026-06-18 14:00, 3 days. Default: until unpin.",
        ),
    ] = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="For those who ask why.")] = "",
    as_json: shell.Json = False,
    config: shell.Config = None,
) -> None:
    """Put a site out of the work, or keep it in: it wins over the verdict, and a running daemon obeys within its next turn."""
    settings = shell.load(config)
    place = _site(settings, site)

    def work(conn: Connection, now: datetime) -> Told:
        end = None if until is None else _moment(until, now, place)
        says = steering.pin(conn, place, _speaker(), (Kind(action.value), end, why), now)
        return {
            "site": site,
            "pinned": action.value,
            "until": None if end is None else utc(end),
            "says": says,
        }

    _show(as_json, _carry(settings, work))


def unpin(site: Name, as_json: shell.Json = False, config: shell.Config = None) -> None:
    """Give a site back to the robots: ends a pin and a pause, and sends it a test job of each template."""
    settings = shell.load(config)
    place = _site(settings, site)

    def work(conn: Connection, now: datetime) -> Told:
        says = steering.resume(conn, place, _speaker(), now)
        return {"site": site, "pinned": None, "until": None, "says": says}

    _show(as_json, _carry(settings, work))


def _show(as_json: bool, told: Told) -> None:
    if as_json:
        screen.document(told)
    else:  # what ends it by mail has another name here
        screen.say(
            str(told["says"]).replace(
                f"`helpdesk: resume {told['site']}`", f"`helpdesk robots unpin {told['site']}`"
            )
        )


def _site(settings: Settings, name: str) -> Site:
    """A configured site; UsageError: there is none of that name."""
    telling = wiring.sites_telling(settings)
    if name not in telling.contacts:
        raise UsageError(f"no [[site]] {name!r}: there are {', '.join(sorted(telling.contacts)) or 'none'}")
    return Site(name, telling.contacts[name].zone, telling.tests(name))


def _speaker() -> Speaker:
    """Whoever may run commands here is of the team."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        name = "the operator"
    return Speaker(name, team=True)


def _moment(text: str, now: datetime, site: Site) -> datetime:
    found = dates.until(text, now, ZoneInfo(site.zone))
    if isinstance(found, Mistake):
        raise UsageError(f"--until: {found.problem}")
    return found


def _carry(settings: Settings, work: Callable[[Connection, datetime], Told]) -> Told:
    """In the database, by its time, whether a daemon runs or not; where none runs, an empty one is made."""
    try:
        with app.opened(settings, writing=True) as engine:
            return _told(engine, work)
    except HeldError:
        with app.opened(settings, writing=False) as engine:
            return _told(engine, work)


def _told(engine: Engine, work: Callable[[Connection, datetime], Told]) -> Told:
    now = app.present(engine)
    with engine.begin() as conn:
        return work(conn, now)
