"""From a row of the outbox to a letter: the words come from the thread, the mails are read, never altered.

`WRITERS` names for each kind the function that turns a `Writing` into the vocabulary of its template.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from helpdesk.board import Board
from helpdesk.caps import TO_USERS
from helpdesk.digest.mail import DigestMail
from helpdesk.letters import about_board, about_sites, about_threads, shifts
from helpdesk.letters.writing import Writing
from helpdesk.mailids import answer_token, bounce_token, sender_with_token
from helpdesk.mails import Mail
from helpdesk.outbox import OutboxRow
from helpdesk.ports import Letter, Mailbox
from helpdesk.render import Envelope
from helpdesk.store import names, stories
from helpdesk.store import outbox as rows
from helpdesk.store.stories import Story

WRITERS: Mapping[str, Callable[[Writing], Mail]] = {
    "escalation": about_threads.escalation,
    "reminder": about_threads.reminder,
    "urgent": about_threads.urgent,
    "release": about_threads.release,
    "note": about_threads.note,
    "warning": about_threads.warning,
    "notice": about_threads.notice,
    "alarm": about_board.alarm,
    "answer": about_board.answer,
    "confirmation": about_board.confirmation,
    "digest": shifts.digest,
    "site_out": about_sites.site_out,
    "site_report": about_sites.site_report,
    "incident": about_sites.incident,
    "load_report": about_sites.load_report,
    "observed": shifts.observed,
    "review": shifts.review,
}
"""By the kind of the row."""


def write(board: Board, mailbox: Mailbox | None, row: OutboxRow, now: datetime) -> Letter:
    """The letter of a row, as it is written for the first time; alarms need no mailbox."""
    with board.engine.connect() as conn:
        story = stories.read(conn, rows.thread_of(conn, row.id))
        short = names.short(conn, story.code) if story.code else ""
    writing = Writing(board, mailbox, row, story, short, now)
    mail = WRITERS[row.kind](writing)
    return board.sending.templates.compose(mail, _envelope(writing))


def for_the_board(board: Board, mail: DigestMail, message_id: str, now: datetime) -> bytes:
    """The octets of a digest that lies in the mailbox and is never sent: from the board, to the board."""
    row = OutboxRow(0, message_id, "", "board", "", "board", (), now)
    writing = Writing(board, None, row, Story(), "", now)
    envelope = replace(_envelope(writing), to=(board.sending.sender,), copy_to="")
    return board.sending.templates.compose(mail, envelope).content


def return_path(board: Board, row: OutboxRow) -> str:
    """The envelope sender of a mail of ours: bounces come home with its token."""
    sending = board.sending
    return sender_with_token(sending.sender, bounce_token(row.message_id, sending.secret))


def _reply_to(board: Board, row: OutboxRow) -> str:
    """To the list what users answer; to the board everything else, with a token where that comes in."""
    sending = board.sending
    if row.kind in TO_USERS:
        return sending.list_address
    if not sending.plus_addresses:
        return sending.sender
    destination = row.occasion.rpartition(":")[0] if row.kind in {"escalation", "reminder"} else ""
    return sender_with_token(sending.sender, answer_token(row.message_id, sending.secret, destination))


def _envelope(writing: Writing) -> Envelope:
    board, row, sending = writing.board, writing.row, writing.board.sending
    ids = tuple(page.message_id for page in writing.story.pages) or _answered(writing)
    return Envelope(
        board=board.name,
        sender=sending.sender,
        return_path=return_path(board, row),
        to=row.recipients,
        message_id=row.message_id,
        now=writing.now,
        copy_to=sending.copy_to,
        reply_to=_reply_to(board, row),
        in_reply_to=ids[-1] if ids else "",
        references=ids,
    )


def _answered(writing: Writing) -> tuple[str, ...]:
    """The mail that a mail about no thread answers."""
    answered = writing.context.get("answers")
    return (str(answered),) if answered else ()
