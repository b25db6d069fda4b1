"""Mails about the board itself."""

import json
from datetime import datetime

from helpdesk.letters.writing import Writing
from helpdesk.mailids import confirm_token
from helpdesk.mails import AlarmMail, AnswerMail, ConfirmationMail, Outcome
from helpdesk.runbook import paragraph
from helpdesk.store import stories


def alarm(writing: Writing) -> AlarmMail:
    """To the admins: what happened, and the paragraph of the runbook; needs no mailbox."""
    row, kind = writing.row, writing.row.occasion.rpartition(":")[0]
    why = json.loads(row.context)["why"] if row.context else stories.alarm(writing.board.engine, kind)
    return AlarmMail(kind, why, paragraph(kind), row.planned_at)


def answer(writing: Writing) -> AnswerMail:
    """To who wrote commands: what became of each (`helpdesk.obeying.answering` keeps it)."""
    kept = writing.context
    outcomes = (Outcome(tuple(one["command"]), one["done"], tuple(one["says"])) for one in kept["outcomes"])
    received = datetime.fromisoformat(kept["received"])
    return AnswerMail(kept["name"], received, tuple(outcomes), thread=kept["thread"])


def confirmation(writing: Writing) -> ConfirmationMail:
    """To the configured address of a person: was it you?  The token is made when the mail is written, and kept nowhere else."""
    kept, row = writing.context, writing.row
    return ConfirmationMail(
        name=kept["name"],
        claimed=kept["claimed"],
        received=datetime.fromisoformat(kept["received"]),
        commands=tuple(kept["commands"]),
        token=confirm_token(row.occasion, row.recipients[0], writing.board.sending.secret),
        until=datetime.fromisoformat(kept["until"]),
    )
