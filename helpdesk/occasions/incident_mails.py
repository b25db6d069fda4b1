"""The mail to the admins about a failure of many sites: once an incident, ever, when it has lasted for some minutes."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection

from helpdesk.actions import Action, Kind
from helpdesk.board import Board
from helpdesk.model import Stamp
from helpdesk.shifts.wording import listed
from helpdesk.store import incidents
from helpdesk.store.incidents import Incident

RULE = "incident"


def incident_mails(board: Board, conn: Connection, now: datetime) -> Iterator[Action]:
    """To the admins: what fails, where and since when.  Its row is its identity: policies that are made anew change nothing."""
    telling = board.sites_telling
    if not telling.lanes or not board.sending.admins:
        return
    for one in incidents.current(conn):
        if now - one.opened >= telling.incident_after:
            yield Action(
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
