"""Mails about the board itself."""

from helpdesk.letters.writing import Writing
from helpdesk.mails import AlarmMail
from helpdesk.runbook import paragraph
from helpdesk.store import stories


def alarm(writing: Writing) -> AlarmMail:
    """To the admins: what happened, and the paragraph of the runbook; needs no mailbox."""
    kind = writing.row.occasion.rpartition(":")[0]
    return AlarmMail(kind, stories.alarm(writing.board.engine, kind), paragraph(kind), writing.row.planned_at)
