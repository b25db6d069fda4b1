"""Mails about one thread: its story in the words of the people who wrote it."""

from helpdesk.letters.writing import Writing
from helpdesk.mails import EscalationMail, ReleaseMail, UrgentMail

MAX_PAGES = 12  # mails of a thread that an escalation quotes


def escalation(writing: Writing) -> EscalationMail:
    """To a destination: the question, and what was said since."""
    row, story = writing.row, writing.story
    lines = [writing.line(page) for page in story.pages[-MAX_PAGES:]]
    destination = row.occasion.rpartition(":")[0]
    return EscalationMail(
        thread=writing.short,
        destination=destination,
        subject=story.subject,
        user=writing.user,
        question=lines[0].lines if lines else (),
        story=tuple(lines[1:]),
        labels=story.labels,
        since=story.since.get(destination, row.planned_at),
    )


def urgent(writing: Writing) -> UrgentMail:
    """To who is on duty, or with the minutes that nobody answered to those on call."""
    row, story = writing.row, writing.story
    waited = writing.board.policy.urgent_wait.total_seconds() // 60
    return UrgentMail(
        thread=writing.short,
        subject=story.subject,
        user=writing.user,
        question=writing.line(story.pages[0]).lines if story.pages else (),
        labels=story.labels,
        since=story.since.get("URGENT", row.planned_at),
        unanswered_minutes=int(waited) if row.occasion.endswith("oncall") else 0,
    )


def release(writing: Writing) -> ReleaseMail:
    """To the user: please look whether it helps."""
    name, _, version = writing.row.occasion.rpartition(":")
    return ReleaseMail(writing.short, name, version, writing.story.subject, writing.user)
