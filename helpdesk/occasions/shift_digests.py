"""The digest: mailed as a shift starts to all who share it, once; and to whom it goes when somebody asks for it."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from helpdesk import posting
from helpdesk.actions import Action, Kind
from helpdesk.board import Board
from helpdesk.model import Stamp
from helpdesk.occasions.speaking_since import speaking_since
from helpdesk.report import utc
from helpdesk.shifts.values import Shift
from helpdesk.store import handovers, requests

LATEST = timedelta(hours=4)
"""A digest that comes later than this, or than half of its shift, helps nobody."""

REQUEST = "digest"


def digests(board: Board, conn: Connection, now: datetime) -> Iterator[Action]:
    """The digests of the shifts that run, unless they began before the board did or long ago; and those that were asked for."""
    running = () if board.duty.known.rota is None else board.duty.known.rota.current(now)
    for start in sorted({one.start for one in running}):
        shared = [one for one in running if one.start == start]
        end = max(one.end for one in shared)
        if now - start <= min(LATEST, (end - start) / 2) and speaking_since(conn, now) < start:
            local = start.astimezone(ZoneInfo(board.telling.timezone))
            reason = f"the shift of {local:%a} {local.day} {local:%b %H:%M} has started"
            yield from _new(board, conn, _digest(board, shared, start, end, reason))
    for asked in requests.open_requests(conn, REQUEST):
        requests.done(conn, [asked], now)
        until = now + timedelta(hours=24)
        yield from _new(
            board, conn, _digest(board, running, asked.at, until, "somebody asked for it", "asked ")
        )


def _digest(
    board: Board, shifts: Sequence[Shift], start: datetime, end: datetime, reason: str, asked: str = ""
) -> Action:
    """To the people of these shifts; where nobody knows the names, or nobody is on duty, to all shifters."""
    people = dict.fromkeys(person.address for one in shifts for person in one.people)
    return Action(
        Kind.SEND_MAIL,
        0,
        "",
        "digest",
        "digest",
        reason,
        Stamp(0, start),
        occasion=f"{asked}{utc(start)}",
        recipients=tuple(people) or board.policy.shifters,
        context=json.dumps({"until": utc(end)}),
    )


def _new(board: Board, conn: Connection, action: Action) -> Iterator[Action]:
    """A digest that is planned now opens with what waits to be handed over."""
    if action.recipients and not posting.is_known(board, conn, action):
        handovers.give(conn, handovers.waiting(conn), posting.message_id_of(board, action))
        yield action
