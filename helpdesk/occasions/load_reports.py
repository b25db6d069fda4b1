"""The report on a load test, to who asked for it by mail: once a test."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from helpdesk.actions import Action, Kind
from helpdesk.board import Board
from helpdesk.model import Stamp
from helpdesk.store import load_tests

RULE = "load_report"
LATELY = timedelta(days=2)
"""A test that ended longer ago is no news any more."""


def load_reports(board: Board, conn: Connection, now: datetime) -> Iterator[Action]:
    """Tests that have ended and that one of `[[people]]` asked for by mail: those rows name an address."""
    if not board.loads.places:
        return
    for one in load_tests.ended_since(conn, now - LATELY):
        if one.by in board.people:
            yield Action(
                Kind.SEND_MAIL,
                0,
                "",
                RULE,
                RULE,
                f"the load test {one.id} of {one.lane.site} has ended",
                Stamp(0, now),
                occasion=one.id,
                recipients=(one.by,),
            )
