"""What the board says by itself at certain times: mails about the whole board, not about one thread.

A planner looks at the board as it was just decided and names the mails that are due at `now`.  It runs in every cycle, in the
transaction of the decisions; what has a row already is not planned again, so a planner needs no memory: it says what is true.
It must cost nothing when nothing is due.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from helpdesk import nagging, occasions, posting
from helpdesk.actions import Action
from helpdesk.board import Board
from helpdesk.deciding import done
from helpdesk.model import Stamp
from helpdesk.occasions.speaking_since import speaking_since
from helpdesk.report import Report
from helpdesk.store import boardmails, journal, keepsakes

Planner = Callable[[Board, Connection, datetime], Iterable[Action]]

PLANNERS: Sequence[Planner] = (
    nagging.plan,
    occasions.calendar,
    occasions.digests,
    occasions.review,
    occasions.observed,
    occasions.robot_alarm,
    occasions.incident_mails,
    occasions.site_mails,
    occasions.site_reports,
    occasions.load_reports,
)
"""In this order."""


def speak(board: Board, conn: Connection, stamp: Stamp, report: Report) -> None:
    """Plan what is due to be said: in the report, the journal and the outbox like any other mail."""
    speaking_since(conn, stamp.at)
    wanted = [action for planner in PLANNERS for action in planner(board, conn, stamp.at)]
    actions = [action for action in wanted if not posting.is_known(board, conn, action)]
    journal.write(conn, actions, stamp, "planned" if board.act else "observed")
    report.held += posting.plan(board, conn, actions, stamp)
    if any(action.rule in keepsakes.RULES for action in actions):
        boardmails.due(conn)
    report.actions += [done(board, action) for action in actions]
