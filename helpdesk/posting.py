"""Mail of ours, planned with the decision that wants it: one row per reason, under the caps (promises 3 and 4)."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from helpdesk import sending
from helpdesk.actions import Action, Kind
from helpdesk.board import Board
from helpdesk.caps import capped
from helpdesk.mailids import Reason, loop_token, message_id
from helpdesk.model import Stamp
from helpdesk.outbox import OutboxRow, State
from helpdesk.render import ascii_domain
from helpdesk.report import Hold
from helpdesk.store import messages, meta
from helpdesk.store import outbox as rows

KINDS = {
    "escalate": "escalation",
    "nag": "reminder",
    "tell_user": "note",
    "fixed": "release",
    "urgent": "urgent",
    "alarm": "alarm",
    "digest": "digest",
    "label_review": "review",
    "observe_report": "observed",
    "command": "answer",
    "confirm": "confirmation",
    "site_out": "site_out",
    "site_report": "site_report",
    "incident": "incident",
    "load_report": "load_report",
}
"""The kind of mail that each rule sends (docs/mail.md section 1); auto-close sends two, and names them itself."""

TO_THE_TEAM = frozenset({"alarm", "digest", "observed", "answer", "confirmation", "incident"})
"""The kinds that leave in observe mode too."""


TOLD = 5
"""As many causes of one kind stand in an alarm."""

_HOME = "it was sent before: its copy lies in the mailbox, and the row was lost (a restored backup)"


def plan(board: Board, conn: Connection, actions: Sequence[Action], now: Stamp) -> list[Hold]:
    """Enter the mails of these actions, in the transaction of their decision; says which a cap holds."""
    held: list[Hold] = []
    for action in actions:
        if action.kind is Kind.SEND_MAIL:
            why = _enter(board, conn, action, now.at)
            if why is not None:
                held.append(Hold(action.rule, why))
    return held


def is_known(board: Board, conn: Connection, action: Action) -> bool:
    """Whether this mail has a row already, whatever became of it."""
    return rows.exists(conn, message_id_of(board, action))


def message_id_of(board: Board, action: Action) -> str:
    """The Message-ID of this mail: a function of its reason."""
    reason = Reason(board.name, board.thread_id(action.code), action.rule, action.occasion)
    return message_id(reason, _domain(board), board.sending.secret)


def _enter(board: Board, conn: Connection, action: Action, now: datetime) -> str | None:
    row = OutboxRow(
        0,
        message_id_of(board, action),
        board.thread_id(action.code),
        action.rule,
        action.occasion,
        KINDS.get(action.rule, action.what),
        tuple(ascii_domain(to) for to in action.recipients),
        now,
        context=action.context,
    )
    if rows.exists(conn, row.message_id):
        return None
    if messages.came_home(conn, loop_token(row.message_id)):
        row = replace(
            row, state=State.OBSERVED, last_answer=_HOME, served=row.recipients, proven_at=now, left_at=now
        )
        rows.add(conn, row, action.thread or None)
        return None
    recent = rows.since(conn, now - timedelta(hours=24))
    why = capped(row, recent, board.caps, now)
    if why is not None:
        row = replace(row, state=State.HELD, last_answer=why)
    if not board.act and row.kind not in TO_THE_TEAM:
        row = replace(row, state=State.DROPPED, last_answer="observe mode: nothing is mailed")
    rows.add(conn, row, action.thread or None)
    return why


def alarm(board: Board, held: Sequence[Hold], now: datetime) -> sending.Posted:
    """Mail the admins what is held, once a day and kind; an alarm that could not be sent before is sent now."""
    if not board.sending.admins or not held:
        return sending.Posted()
    with board.engine.begin() as conn:
        for what in dict.fromkeys(hold.what for hold in held):
            _plan_alarm(board, conn, what, [hold.why for hold in held if hold.what == what], now)
    return sending.post(board, None, now, hold_mails=True)


def _plan_alarm(board: Board, conn: Connection, what: str, whys: Sequence[str], now: datetime) -> None:
    """Note what happened, for the words of the mail, and plan it, unless today's is there."""
    more = f"; and {len(whys) - TOLD} more" if len(whys) > TOLD else ""
    why = "; ".join(whys[:TOLD]) + more
    action = Action(
        Kind.SEND_MAIL,
        0,
        "",
        "alarm",
        "alarm",
        why,
        Stamp(0, now),
        occasion=f"{what}:{now:%Y-%m-%d}",
        recipients=board.sending.admins,
    )
    if not is_known(board, conn, action):
        note = json.dumps({"what": what, "why": why, "since": now.isoformat()})
        meta.put(conn, f"alarm:{what}", note)
        _enter(board, conn, action, now)


def _domain(board: Board) -> str:
    return board.sending.sender.rpartition("@")[2]
