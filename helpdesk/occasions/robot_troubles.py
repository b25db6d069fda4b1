"""The alarm `robots`: something has kept the robots from their work for an hour, and nobody would learn of it from the mails."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from helpdesk.actions import Action, Kind
from helpdesk.board import Board
from helpdesk.model import Stamp
from helpdesk.report import utc
from helpdesk.store import robot_troubles as troubles
from helpdesk.store.robot_troubles import Trouble

LASTS = timedelta(hours=1)
"""What is over sooner is a restart somewhere."""


def robot_alarm(board: Board, conn: Connection, now: datetime) -> Iterator[Action]:
    """Tell the admins, once a day, what has been wrong for long."""
    if not board.sites_telling.lanes or not board.sending.admins:
        return
    known = [*troubles.read(conn)]
    known += [] if any(one.what == troubles.STEP for one in known) else _hangs(conn)
    lines = [f"{one.what}, since {utc(one.since)}: {one.words}" for one in known if now - one.since >= LASTS]
    if not lines:
        return
    more = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
    yield Action(
        Kind.SEND_MAIL,
        0,
        "",
        "alarm",
        "alarm",
        f"{lines[0]}{more}",
        Stamp(0, now),
        occasion=f"robots:{now:%Y-%m-%d}",
        recipients=board.sending.admins,
        context=json.dumps({"why": "\n\n".join(f"- {line}" for line in lines)}),
    )


def _hangs(conn: Connection) -> Iterator[Trouble]:
    """A step that never ends, for a shared file system that does not answer say, cannot tell it itself."""
    since = troubles.resting(conn)
    if since is not None:
        yield Trouble(troubles.STEP, "no step of theirs has ended since then", since)
