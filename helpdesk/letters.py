"""From a row of the outbox to a letter: the words come from the thread, the mails are read, never altered."""

from collections.abc import Sequence
from datetime import datetime

from helpdesk.board import Board
from helpdesk.errors import MailboxRefusedError
from helpdesk.mailbox.body import text_of
from helpdesk.mailids import bounce_token, sender_with_token
from helpdesk.mails import AlarmMail, EscalationMail, Mail, ReleaseMail, StoryLine, UrgentMail
from helpdesk.outbox import OutboxRow
from helpdesk.ports import Letter, Mailbox
from helpdesk.render import Envelope
from helpdesk.runbook import paragraph
from helpdesk.store import names, stories
from helpdesk.store import outbox as rows
from helpdesk.store.stories import Page, Story

MAX_PAGES = 12  # mails of a thread that an escalation quotes
MAX_BODY = 64 * 1024  # octets of a mail that are read for an excerpt
EXCERPT = 12  # lines


def write(board: Board, mailbox: Mailbox | None, row: OutboxRow, now: datetime) -> Letter:
    """The letter of a row: the same octets as the first time, if there was one; alarms need no mailbox."""
    with board.engine.connect() as conn:
        octets = rows.content(conn, row.id)
        story = stories.read(conn, rows.thread_of(conn, row.id))
        short = names.short(conn, story.code) if story.code else ""
    mail = _mail(board, mailbox, row, story, short)
    envelope = _envelope(board, row, story, now)
    letter = board.sending.templates.compose(mail, envelope)
    if octets is not None:
        return Letter(letter.message_id, letter.sender, letter.recipients, octets)
    return letter


def _envelope(board: Board, row: OutboxRow, story: Story, now: datetime) -> Envelope:
    sending = board.sending
    to_user = row.kind == "release"
    ids = tuple(page.message_id for page in story.pages)
    return Envelope(
        board=board.name,
        sender=sending.sender,
        return_path=sender_with_token(sending.sender, bounce_token(row.message_id, sending.secret)),
        to=row.recipients,
        message_id=row.message_id,
        now=now,
        copy_to=sending.copy_to,
        reply_to=sending.list_address if to_user else sending.sender,
        in_reply_to=ids[-1] if ids else "",
        references=ids,
    )


def _mail(board: Board, mailbox: Mailbox | None, row: OutboxRow, story: Story, short: str) -> Mail:
    since = story.since.get(row.occasion.partition(":")[0], row.planned_at)
    first = story.pages[0] if story.pages else None
    user = first.author if first else ""
    match row.kind:
        case "escalation":
            lines = [_story_line(mailbox, page) for page in story.pages[-MAX_PAGES:]]
            question = lines[0].lines if lines else ()
            destination = row.occasion.rpartition(":")[0]
            return EscalationMail(
                short, destination, story.subject, user, question, tuple(lines[1:]), story.labels, since
            )
        case "urgent":
            question = _story_line(mailbox, first).lines if first else ()
            minutes = (
                int(board.policy.urgent_wait.total_seconds() // 60) if row.occasion.endswith("oncall") else 0
            )
            return UrgentMail(
                short, story.subject, user, question, story.labels, story.since.get("URGENT", since), minutes
            )
        case "release":
            name, _, version = row.occasion.rpartition(":")
            return ReleaseMail(short, name, version, story.subject, user)
    kind = row.occasion.rpartition(":")[0]
    return AlarmMail(kind, stories.alarm(board.engine, kind), paragraph(kind), row.planned_at)


def _story_line(mailbox: Mailbox | None, page: Page) -> StoryLine:
    return StoryLine(page.author, page.time, tuple(_excerpt(mailbox, page)))


def _excerpt(mailbox: Mailbox | None, page: Page) -> Sequence[str]:
    """The first lines that the author wrote, without what is quoted; nothing if the mail cannot be read."""
    try:
        octets = (
            mailbox.body(mailbox.select(page.folder), page.uid, MAX_BODY) if mailbox and page.folder else b""
        )
    except MailboxRefusedError:
        return ("(the mail could not be read)",)
    lines = [line.rstrip() for line in text_of(octets, MAX_BODY).splitlines()]
    own = [line for line in lines if line and not line.startswith(">")]
    return own[:EXCERPT]
