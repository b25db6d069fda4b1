"""Mails about the board itself."""

import json

from helpdesk.letters.writing import Writing
from helpdesk.mails import AlarmMail
from helpdesk.runbook import paragraph
from helpdesk.store import stories


def alarm(writing: Writing) -> AlarmMail:
    """To the admins: what happened, and the paragraph of the runbook; needs no mailbox."""
    row, kind = writing.row, writing.row.occasion.rpartition(":")[0]
    why = json.loads(row.context)["why"] if row.context else stories.alarm(writing.board.engine, kind)
    return AlarmMail(kind, why, paragraph(kind), row.planned_at)
