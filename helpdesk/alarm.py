"""The alarm that no poll succeeds: a row of the outbox and SMTP, because the mailbox is what does not work."""

from datetime import datetime, timedelta

from helpdesk import posting
from helpdesk.board import Board
from helpdesk.report import Hold
from helpdesk.store import outbox

KIND = "poll"  # also the paragraph of the runbook


def sound(board: Board, why: str, now: datetime) -> str:
    """Tell the admins, once a day; asking again sends what could not be sent before, and nothing twice.

    Returns what became of today's mail: a state of the outbox, or "nobody" where there are no admins.
    """
    posting.alarm(board, [Hold(KIND, why)], now)
    with board.engine.connect() as conn:
        today = outbox.since(conn, now - timedelta(hours=24))
        states = [row.state.value for row in today if row.occasion == f"{KIND}:{now:%Y-%m-%d}"]
    return states[-1] if states else "nobody"
