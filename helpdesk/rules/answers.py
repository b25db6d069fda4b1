"""Who a thread's mail went to: only what reaches the user is an answer (docs/mail.md section 3)."""

from collections.abc import Iterable, Sequence

from helpdesk.model import HUMAN_NATURES, TEAM, Role
from helpdesk.rules.facts import TO_LIST, TO_TEAM, MessageFacts, ThreadFacts


def users(messages: Iterable[MessageFacts]) -> frozenset[str]:
    """Who asks: everybody who wrote in the thread as a user, and whom they wrote to."""
    theirs = [m for m in messages if m.role is Role.USER and m.nature in HUMAN_NATURES]
    return frozenset({m.author for m in theirs}.union(*(m.audience for m in theirs))) - {TO_LIST, TO_TEAM, ""}


def is_internal(message: MessageFacts, asking: frozenset[str]) -> bool:
    """A human mail of the team that went neither to the list nor to a user; in doubt it is none.

    Where nobody outside the team has written yet, whoever is outside is taken for the user.
    """
    if message.role not in TEAM or message.nature not in HUMAN_NATURES or not message.audience:
        return False
    outside = message.audience - {TO_TEAM}
    return not (outside & asking if asking else outside) and TO_LIST not in outside


def team_answers(facts: ThreadFacts) -> Sequence[MessageFacts]:
    """The human mails of the team, proven as far as anything is, that the user got."""
    asking = users(facts.messages)
    return [
        m
        for m in facts.messages
        if m.role in TEAM and m.nature in HUMAN_NATURES and m.trusted and not is_internal(m, asking)
    ]


def is_answered(message: MessageFacts, answers: Iterable[MessageFacts]) -> bool:
    """Whether one of these surely came after a mail: as they were seen, and by the mail server's clock.

    That clock may go back, be ahead (then several mails have the time of their first look), or have put both into one second: in
    doubt nobody has answered.
    """
    return any(
        one.cycle >= message.cycle and (one.time, one.key) > (message.time, message.key) for one in answers
    )
