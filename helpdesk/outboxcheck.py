"""What the last mails of the board tell about the way out and the way home (`helpdesk check`)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from helpdesk.findings import Finding
from helpdesk.mailids import loop_token
from helpdesk.outbox import PROOF, OutboxRow, State
from helpdesk.store import outbox as rows

LOOK_BACK = timedelta(days=14)
ENOUGH = 3
"""Mails without a copy from which on it is no accident."""


def outbox_finding(conn: Connection, copy_to: str, now: datetime) -> Finding:
    """Whether mail waits for a person; whether the copies that prove it come home, and as what."""
    recent = [row for row in rows.since(conn, now - LOOK_BACK) if row.served]
    stuck = len(rows.rows(conn, (State.HELD, State.FAILED)))
    home = rows.home_as(conn, recent)
    away = [row for row in recent if row.id not in home and row.planned_at < now - PROOF]
    changed = [row for row in recent if row.id in home and _is_changed(row, home[row.id])]
    wait = f"{stuck} {'waits' if stuck == 1 else 'wait'} for a person"
    what = f"mails that left in {LOOK_BACK.days} days: {len(recent)}, of which {len(home)} copies came home; {wait}"
    return Finding("outbox", ok=True, what=what, todo=_todo(stuck, away, changed, copy_to))


def _todo(stuck: int, away: Sequence[OutboxRow], changed: Sequence[OutboxRow], copy_to: str) -> str:
    if any(copy_to.lower() in map(str.lower, row.refused) for row in away):
        return f"[smtp] copy_to = {copy_to}: the mail server refuses the board's own copies, so that nothing proves its mail"
    if len(away) >= ENOUGH:
        return f"[smtp] copy_to = {copy_to}: {len(away)} copies did not come home; it must lead into the mailbox of this board"
    if changed:
        return (
            f"a relay changes the Message-ID of the board's mail ({len(changed)} mails): it knows its own all the same, and"
            " answers find their threads; but who gets a mail twice cannot see that it is one"
        )
    return "`helpdesk outbox list`" if stuck else ""


def _is_changed(row: OutboxRow, seen: str) -> bool:
    return loop_token(seen).lower() != loop_token(row.message_id).lower()
