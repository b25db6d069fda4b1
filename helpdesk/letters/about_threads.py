"""Mails about one thread: its story in the words of the people who wrote it."""

from datetime import datetime

from helpdesk.errors import HelpdeskError
from helpdesk.excerpts.questions import question
from helpdesk.letters.numbers import beside, numbers
from helpdesk.letters.writing import UNREADABLE, Writing, facts, line, who
from helpdesk.mails import (
    EscalationMail,
    NoteMail,
    NoticeMail,
    ReleaseMail,
    ReminderLine,
    ReminderMail,
    StoryLine,
    UrgentMail,
    WarningMail,
)
from helpdesk.model import TEAM, LabelKind
from helpdesk.store import names, reminders, stories

MAX_PAGES = 12  # mails of a thread that an escalation quotes, the first and the newest


def escalation(writing: Writing) -> EscalationMail:
    """To a destination: the question, and what was said since."""
    row, story = writing.row, writing.story
    told = [page for page in story.pages if page.told]
    shown = [*told[:1], *told[1:][1 - MAX_PAGES :]]
    said = [writing.words(page) for page in shown]
    asking = "\n".join(words for page, words in zip(shown, said, strict=True) if page.role not in TEAM)
    destination = row.occasion.rpartition(":")[0]
    ticket = numbers(story.tickets.get(destination, ()))
    return EscalationMail(
        thread=writing.short,
        destination=destination,
        subject=beside(ticket, story.subject, writing.board.name, destination),
        user=who(told[0]) if told else "",
        question=tuple(said[0].split("\n")) if said else (),
        story=tuple(
            line(page, words) for page, words in list(zip(shown, said, strict=True))[1:] if words.strip()
        ),
        labels=_common(writing),
        since=story.since.get(destination, row.planned_at),
        asked=question(said[0]) if said else "",
        facts=facts(asking, writing.board.sites),
        left_out=len(told) - len(shown),
        link=told[-1].message_id if told else "",
        ticket=ticket,
    )


def _common(writing: Writing) -> tuple[str, ...]:
    """What it is a case of.  States, destinations and the team's notes (`taken`, `be kind`) are no business of a destination."""
    kinds = writing.board.policy.kinds
    return tuple(one for one in writing.story.labels if kinds.get(one) is LabelKind.TEMPORARY)


def reminder(writing: Writing) -> ReminderMail:
    """To a destination: everything that waits for it, and for how long."""
    board, row = writing.board, writing.row
    where = row.occasion.rpartition(":")[0]
    with board.engine.connect() as conn:
        lines = [
            ReminderLine(
                thread=names.short(conn, one.code),
                subject=beside(numbers(one.talk.tickets), stories.subject(conn, one.key), board.name, where),
                since=one.since,
                ticket=numbers(one.talk.tickets),
                times=one.talk.nags,
                link=one.escalation,
            )
            for one in reminders.asked(conn, row)
        ]
    if not lines:
        raise HelpdeskError("nothing of it waits any more")
    return ReminderMail(where, tuple(lines))


def urgent(writing: Writing) -> UrgentMail:
    """To who is on duty, or with the minutes that nobody answered to those on call."""
    row, story = writing.row, writing.story
    waited = writing.board.policy.urgent_wait.total_seconds() // 60
    words = writing.words(story.pages[0]) if story.pages else ""
    return UrgentMail(
        thread=writing.short,
        subject=story.subject,
        user=writing.user,
        question=tuple(words.split("\n")),
        labels=story.labels,
        since=story.since.get("URGENT", row.planned_at),
        unanswered_minutes=int(waited) if row.occasion.endswith("oncall") else 0,
        asked=question(words),
        facts=facts(words, writing.board.sites),
        link=writing.newest,
    )


def release(writing: Writing) -> ReleaseMail:
    """To the user: please look whether it helps."""
    name, _, version = writing.row.occasion.rpartition(":")
    return ReleaseMail(writing.short, name, version, writing.story.subject, writing.user)


def note(writing: Writing) -> NoteMail:
    """To the user: what the command's context says (`rules.orders`); HelpdeskError if the answer to pass on has gone."""
    kept, story = writing.context, writing.story
    return NoteMail(
        thread=writing.short,
        subject=story.subject,
        user=writing.user,
        where=kept.get("where", ""),
        ticket=kept.get("ticket", ""),
        by=kept.get("by", ""),
        words=tuple(kept.get("words", ())),
        answer=_answer(writing, kept["answer"]) if kept.get("answer") else None,
    )


def _answer(writing: Writing, message_id: str) -> StoryLine:
    """What the destination said in the mail that the shifter passes on."""
    with writing.board.engine.connect() as conn:
        page = stories.page(conn, writing.story.key, message_id)
    words = "" if page is None else writing.words(page)
    if page is None or words in {"", UNREADABLE}:
        raise HelpdeskError("the answer that was to be passed on cannot be read any more")
    return StoryLine(writing.context.get("where") or who(page), page.time, tuple(words.split("\n")))


def warning(writing: Writing) -> WarningMail:
    """To the user: the thread will be closed."""
    closes = datetime.fromisoformat(writing.context["closes"])
    return WarningMail(writing.short, writing.story.subject, writing.user, _since(writing), closes)


def notice(writing: Writing) -> NoticeMail:
    """To the user: the thread was closed."""
    return NoticeMail(writing.short, writing.story.subject, writing.user, _since(writing))


def _since(writing: Writing) -> datetime:
    return datetime.fromisoformat(writing.context["since"])
