"""The mail to the admins about a failure of many sites: once an incident, ever, when it has lasted for some minutes."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection

from helpdesk import posting
from helpdesk.actions import Action, Kind
from helpdesk.board import Board
from helpdesk.model import Stamp
from helpdesk.shifts.wording import listed
from helpdesk.store import incidents, keepsakes
from helpdesk.store.incidents import Incident
from helpdesk.store.keepsakes import Told

RULE = "incident"


def incident_mails(board: Board, conn: Connection, now: datetime) -> Iterator[Action]:
    """To the admins: what fails, where and since when.  Its row is its identity: policies that are made anew change nothing."""
    telling = board.sites_telling
    if not telling.lanes or not board.sending.admins:
        return
    told = keepsakes.get(conn)
    for one in incidents.current(conn):
        if now - one.opened >= telling.incident_after and not _is_old(told, one):
            yield _mail(board, one, now)


def is_told(board: Board, conn: Connection, one: Incident) -> bool:
    """Whether its mail was planned, or came before the database was lost."""
    known = posting.is_known(board, conn, _mail(board, one, one.opened))
    return known or _is_old(keepsakes.get(conn), one)


def _is_old(told: Told | None, one: Incident) -> bool:
    """Whether a part of it was told already when the database was lost."""
    return told is not None and told.is_old(one.opened) and any(x.name in told.failing for x in one.parts)


def _mail(board: Board, one: Incident, now: datetime) -> Action:
    return Action(
        Kind.SEND_MAIL,
        0,
        "",
        "incident",
        RULE,
        f"{listed([part.what for part in one.parts])}: {one.voices} places complain",
        Stamp(0, now),
        occasion=_occasion(one),
        recipients=board.sending.admins,
    )


def _occasion(one: Incident) -> str:
    """The row's number, and when it was made: a database that was lost counts anew."""
    return f"{one.id}:{one.opened:%Y-%m-%dT%H:%M:%SZ}"
