"""Commands about sites: which site is meant, whether this person may say so, until when; and what is done."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from helpdesk import steering
from helpdesk.board import Board, Teammate
from helpdesk.commands import Command, Mistake, Verb, dates
from helpdesk.errors import UsageError
from helpdesk.obeying import load
from helpdesk.steering import Site, Speaker
from helpdesk.store import outbox as rows
from helpdesk.store.commands import CommandMail
from helpdesk.store.site_orders import Kind

ANY_SITE = frozenset({"shifter", "admin"})
"""Who may command every site; others those whose contacts they are."""

WHICH = "which site? Give its name, as in `helpdesk: {} {}`"
_KINDS = {Verb.OUT: Kind.OUT, Verb.PAUSE: Kind.PAUSE}


def settled(
    board: Board, conn: Connection, mail: CommandMail, person: Teammate, asked: Command
) -> Command | Mistake:
    """The command with its site's name and its moment (ISO 8601, UTC), or why it asks for nothing that can be done."""
    name = asked.site or _meant(board, conn, mail, person)
    if not name:
        example = next(iter(own_sites(board, person)), "DESY-HH")
        return Mistake(
            WHICH.format(asked.verb, f"{example} until 18 Jun" if asked.verb is Verb.OUT else example)
        )
    if not person.roles & ANY_SITE and name not in own_sites(board, person):
        return Mistake(f"{name} is not one of your sites: its contacts and the team can say so")
    if not asked.what:
        return replace(asked, site=name)
    site = site_of(board, name)
    moment = dates.until(asked.what, mail.mailed, ZoneInfo(site.zone))
    if isinstance(moment, Mistake):
        return moment
    try:
        steering.limited(_KINDS[asked.verb], moment, mail.mailed, site.zone)
    except UsageError as error:
        return Mistake(str(error))
    return replace(asked, site=name, what=moment.isoformat())


def under_load(
    board: Board, conn: Connection, mail: CommandMail, person: Teammate, asked: Command
) -> Command | Mistake:
    """A load test with its site's name, or why it cannot be asked for; a stop needs no name."""
    if asked.what == load.STOP:
        return asked
    own = own_sites(board, person)
    name = asked.site or _meant(board, conn, mail, person)
    if not name:
        return Mistake(WHICH.format(asked.verb, next(iter(own), "DESY-HH")))
    return load.checked(replace(asked, site=name), person, own)


def own_sites(board: Board, person: Teammate) -> list[str]:
    """The sites that a person answers for."""
    return [name for name, one in board.sites_telling.contacts.items() if person.address in one.addresses]


def site_of(board: Board, name: str) -> Site:
    """A site as people talk of it."""
    known = board.sites_telling.contacts.get(name)
    zone = board.telling.timezone if known is None else known.zone
    return Site(name, zone, board.sites_telling.tests(name))


def _meant(board: Board, conn: Connection, mail: CommandMail, person: Teammate) -> str:
    """The site of our mail that is answered, be it about the site, its report or an answer to a command; else the person's only one."""
    for row in rows.by_token(conn, mail.ours):
        if row.rule == "site_out":
            return row.occasion.partition(":")[0]
        if row.rule in {"command", "site_report"} and (site := json.loads(row.context or "{}").get("site")):
            return str(site)
    own = own_sites(board, person)
    return own[0] if len(own) == 1 and not person.roles & ANY_SITE else ""


def act(board: Board, conn: Connection, person: Teammate, asked: Command, now: datetime) -> str:
    """Do it; UsageError: why not."""
    if board.observes:
        raise UsageError("the board only observes: nothing is changed")
    if asked.verb is Verb.LOADTEST:
        if asked.what == load.STOP:
            return load.stop(conn, person, asked.site)
        return load.start(board, conn, person, asked, now)
    who = Speaker(person.name, bool(person.roles & ANY_SITE))
    return _ACTS[asked.verb](conn, site_of(board, asked.site), who, asked, now)


def _until(asked: Command) -> datetime | None:
    return datetime.fromisoformat(asked.what) if asked.what else None


def _out(conn: Connection, site: Site, who: Speaker, asked: Command, now: datetime) -> str:
    return steering.pin(conn, site, who, (Kind.OUT, _until(asked), ""), now)


def _pause(conn: Connection, site: Site, who: Speaker, asked: Command, now: datetime) -> str:
    return steering.pause(conn, site, who, _until(asked), now)


def _resume(conn: Connection, site: Site, who: Speaker, _asked: Command, now: datetime) -> str:
    return steering.resume(conn, site, who, now)


def _retest(conn: Connection, site: Site, who: Speaker, _asked: Command, now: datetime) -> str:
    return steering.retest(conn, site, who, now)


_ACTS: Mapping[Verb, Callable[[Connection, Site, Speaker, Command, datetime], str]] = {
    Verb.OUT: _out,
    Verb.PAUSE: _pause,
    Verb.RESUME: _resume,
    Verb.RETEST: _retest,
}
