"""The alarm `calendar`: the shift calendar cannot be read, or says something that somebody should put right in time.

That it cannot be read is told every day, what is wrong in the week ahead once a week: it stands in every digest too.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from helpdesk.actions import Action, Kind
from helpdesk.board import Board
from helpdesk.model import Stamp
from helpdesk.shifts.duty import Shifts
from helpdesk.shifts.wording import age

OLD = timedelta(days=1)
"""A copy that is older is an alarm: a server that is restarted is none."""


def calendar(board: Board, _conn: Connection, now: datetime) -> Iterator[Action]:
    """Tell the admins what is wrong with the calendar; nothing is asked here, the rota is as it was read last."""
    known = board.duty.known
    if not board.sending.admins or not (known.rota or known.trouble):
        return
    trouble = _trouble(known)
    if not trouble and not known.problems:
        return
    today = now.astimezone(ZoneInfo(board.telling.timezone)).date()
    day = today if trouble else today - timedelta(days=today.weekday())
    lines = known.problems or (trouble,)
    more = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
    yield Action(
        Kind.SEND_MAIL,
        0,
        "",
        "alarm",
        "alarm",
        trouble or f"{lines[0]}{more}",
        Stamp(0, now),
        occasion=f"calendar:{day}",
        recipients=board.sending.admins,
        context=json.dumps({"why": "\n\n".join(f"- {line}" for line in lines)}),
    )


def _trouble(known: Shifts) -> str:
    """Why the calendar itself is an alarm, or ""."""
    if known.rota is None:
        return f"the shift calendar was never read: {known.trouble}"
    origin = known.rota.origin
    if not origin.trouble or origin.age < OLD:
        return ""
    return f"the shift calendar cannot be read, and its copy is {age(origin.age)} old: {origin.trouble}"
