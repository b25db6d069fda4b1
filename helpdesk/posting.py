"""Mail of ours: planned with the decision, written once, sent, and proven (promise 3)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from helpdesk import letters, outbox
from helpdesk.actions import Action, Kind
from helpdesk.board import Board
from helpdesk.errors import HelpdeskError, UnreachableError
from helpdesk.mailids import Reason, loop_token, message_id
from helpdesk.model import Stamp
from helpdesk.outbox import OutboxRow, State
from helpdesk.ports import Letter, Mailbox
from helpdesk.report import Hold
from helpdesk.store import journal, lookups, messages, meta, stories
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
}
"""The kind of mail that each rule sends (docs/mail.md section 1)."""

TO_THE_TEAM = frozenset({"alarm", "digest", "observed", "answer", "confirmation"})
"""The kinds that leave in observe mode too."""


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
    return rows.exists(conn, _message_id(board, action))


def _message_id(board: Board, action: Action) -> str:
    reason = Reason(board.name, board.thread_id(action.code), action.rule, action.occasion)
    return message_id(reason, _domain(board), board.sending.secret)


def _enter(board: Board, conn: Connection, action: Action, now: datetime) -> str | None:
    row = OutboxRow(
        0,
        _message_id(board, action),
        board.thread_id(action.code),
        action.rule,
        action.occasion,
        KINDS[action.rule],
        action.recipients,
        now,
        context=action.context,
    )
    if messages.came_home(conn, loop_token(row.message_id)):
        rows.add(conn, replace(row, state=State.OBSERVED, last_answer=_HOME), action.thread or None)
        return None
    recent = rows.since(conn, now - timedelta(hours=24))
    why = outbox.capped(row, recent, board.caps, now)
    if why is not None:
        row = replace(row, state=State.HELD, last_answer=why)
    if not board.act and row.kind not in TO_THE_TEAM:
        row = replace(row, state=State.DROPPED, last_answer="observe mode: nothing is mailed")
    rows.add(conn, row, action.thread or None)
    return why


def alarm(board: Board, held: Sequence[Hold], now: datetime) -> None:
    """Mail the admins what is held, once a day and kind; an alarm that could not be sent before is sent now."""
    if not board.sending.admins or not held:
        return
    with board.engine.begin() as conn:
        for hold in {hold.what: hold for hold in reversed(held)}.values():
            _plan_alarm(board, conn, hold, now)
    post(board, None, now, hold_mails=True)


def _plan_alarm(board: Board, conn: Connection, hold: Hold, now: datetime) -> None:
    """Note what happened, for the words of the mail, and plan it."""
    note = json.dumps({"what": hold.what, "why": hold.why, "since": now.isoformat()})
    meta.put(conn, f"alarm:{hold.what}", note)
    action = Action(
        Kind.SEND_MAIL,
        0,
        "",
        "alarm",
        "alarm",
        hold.why,
        Stamp(0, now),
        occasion=f"{hold.what}:{now:%Y-%m-%d}",
        recipients=board.sending.admins,
    )
    _enter(board, conn, action, now)


def post(board: Board, mailbox: Mailbox | None, now: datetime, *, hold_mails: bool) -> bool:
    """Send what is due (with `hold_mails` only alarms, which need no mailbox); tells whether anything was tried."""
    if board.sending.mailer is None:
        return False
    with board.engine.begin() as conn:
        live = [outbox.settled(outbox.crashed(row, now), now) for row in rows.rows(conn)]
        live = [_still_true(conn, row) for row in live]
        for row in live:
            rows.save(conn, row)
    due = [row for row in outbox.due(live, now) if row.kind == "alarm" or not hold_mails]
    written = [(row, letter) for row in due if (letter := _written(board, mailbox, row, now)) is not None]
    _send(board, written, now)
    return bool(written)


def prove(conn: Connection, new: int, stamp: Stamp) -> None:
    """The copies of our mails that came home, among the `new` messages, prove that they were accepted."""
    for row in rows.by_token(conn, stories.own_tokens(conn, new)):
        rows.save(conn, outbox.proven(row, stamp.at))


def stuck(conn: Connection) -> list[Hold]:
    """The mails that wait for a person."""
    waiting = rows.rows(conn, (State.HELD, State.FAILED))
    return [Hold("outbox", f"mail {row.id} ({row.rule}): {row.last_answer}") for row in waiting]


def _written(board: Board, mailbox: Mailbox | None, row: OutboxRow, now: datetime) -> Letter | None:
    """The letter of a row; one that cannot be written (a bad address, a broken template) holds up no other."""
    try:
        return letters.write(board, mailbox, row, now)
    except UnreachableError:
        raise
    except HelpdeskError as error:
        with board.engine.begin() as conn:
            rows.save(conn, replace(row, state=State.HELD, last_answer=str(error)))
        return None


def _still_true(conn: Connection, row: OutboxRow) -> OutboxRow:
    """A mail whose reason has gone before its first byte is dropped: a slip must not leak."""
    if row.state is not State.PLANNED or row.rule not in {"escalate", "urgent"}:
        return row
    thread = rows.thread_of(conn, row.id)
    if thread is None or lookups.still_wants(conn, thread, row.rule, row.occasion):
        return row
    return replace(outbox.dropped(row), last_answer="its reason has gone")


def _send(board: Board, written: Sequence[tuple[OutboxRow, Letter]], now: datetime) -> None:
    """Each row is claimed just before its first byte, so that a crash leaves one unknown outcome and not many."""
    mailer = board.sending.mailer
    if mailer is None or not written:
        return
    claimed: dict[str, OutboxRow] = {}
    for letter, delivery in mailer.send(_claim(board, written, claimed)):
        row = outbox.after(claimed[letter.message_id], delivery, now)
        with board.engine.begin() as conn:
            rows.save(conn, row)
            thread = rows.thread_of(conn, row.id)
            if row.state is State.SENT and thread is not None:
                journal.mailed(conn, thread, row.rule)


def _claim(
    board: Board, written: Sequence[tuple[OutboxRow, Letter]], claimed: dict[str, OutboxRow]
) -> Iterator[Letter]:
    """The letters whose rows are still as they were read: a person may have dropped one meanwhile."""
    for row, letter in written:
        begun = outbox.begin(row)
        with board.engine.begin() as conn:
            mine = rows.claim(conn, row, begun, letter.content)
        if mine:
            claimed[letter.message_id] = begun
            yield letter


def _domain(board: Board) -> str:
    return board.sending.sender.rpartition("@")[2]
