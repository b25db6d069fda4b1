"""From settings to the values that the stages take: nothing here opens or reads anything."""

from functools import partial

from helpdesk.mailbox.authors import AuthorPolicy
from helpdesk.mailbox.context import BoardContext
from helpdesk.mailbox.dialects import Dialect
from helpdesk.mailbox.folders import FolderSettings
from helpdesk.mailids import own_id
from helpdesk.model import Role
from helpdesk.rules.facts import Policy
from helpdesk.rules.join import join
from helpdesk.settings import Settings
from helpdesk.teamrules import CompiledRules

_STRENGTH = {"contact": 0, "expert": 1, "shifter": 2, "admin": 3}
_ROLES = {"contact": Role.USER, "expert": Role.EXPERT, "shifter": Role.SHIFTER, "admin": Role.ADMIN}


def context(settings: Settings, policy: Policy, dialect: Dialect, secret: bytes) -> BoardContext:
    """What observing needs to know of a board."""
    authors = author_policy(settings)
    return BoardContext(
        dialect=dialect,
        authors=authors,
        join=partial(join, policy=policy),
        own=partial(own_id, secret=secret),
        folders=folder_settings(settings),
        rules=CompiledRules(settings.rule),
        shared=frozenset(authors.people) | authors.board | authors.destinations | {authors.list_address},
        max_gone=settings.brakes.max_gone,
        max_label_loss=settings.brakes.max_label_loss,
    )


def author_policy(settings: Settings) -> AuthorPolicy:
    """What the board knows about people; of several roles the strongest counts."""
    people: dict[str, Role] = {}
    for person in settings.people:
        role = _ROLES[max(person.roles, key=_STRENGTH.__getitem__)]
        people.update(dict.fromkeys(person.addresses, role))
    return AuthorPolicy(
        list_address=settings.board.list_address,
        list_ids=frozenset(settings.board.list_ids),
        trusted_lists=frozenset(settings.auth.trusted_lists),
        authserv_ids=frozenset(one.lower() for one in settings.auth.authserv_ids),
        people=people,
        destinations=frozenset(d.address for d in settings.destination if d.address),
        board=frozenset({settings.smtp.sender}),
        names={address: person.name for person in settings.people for address in person.addresses},
    )


def folder_settings(settings: Settings) -> FolderSettings:
    """The folders of the configuration."""
    imap = settings.imap
    return FolderSettings(imap.inbox, imap.archive, imap.archive_aliases, imap.sent, imap.junk)
