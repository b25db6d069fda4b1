"""The team's `[[rule]]` tables, compiled once: the matcher, as observing uses it."""

from collections.abc import Sequence

from helpdesk.model import Author, Header, Role
from helpdesk.rules.facts import Hit
from helpdesk.rules.match import MailFacts, Matcher, TeamRule
from helpdesk.settings import TeamRule as RuleSettings


class CompiledRules:
    """Which labels a new message brings its thread."""

    def __init__(self, rules: Sequence[RuleSettings]) -> None:
        self.matcher = Matcher([_rule(one) for one in rules])
        self.needs_body = any(one.when.body for one in rules)
        self.fields: Sequence[str] = sorted({name for one in rules for name in one.when.header})

    def hits(self, header: Header, author: Author, body: str) -> Sequence[Hit]:
        """What the rules want of the thread of this message, in their order."""
        return self.matcher.matches(mail_facts(header, author, body))


def mail_facts(header: Header, author: Author, body: str) -> MailFacts:
    """A mail as the rules of a team may look at it."""
    return MailFacts(
        sender=author.address or header.sender,
        recipients=header.recipients,
        subject=header.subject,
        body=body,
        headers=header.fields,
        list_id=header.list_id,
        role=author.role,
    )


def _rule(one: RuleSettings) -> TeamRule:
    when = one.when
    return TeamRule(
        name=one.name,
        sender=when.sender,
        recipient=when.recipient,
        subject=when.subject,
        body=when.body,
        header=when.header,
        list_id=when.list,
        role=None if when.role is None else Role(when.role),
        add=one.add,
        remove=one.remove,
        star=one.star,
        continues=one.continue_,
        shadow=one.shadow,
    )
