"""For which board an archive is replayed: a configuration's, or the least that can be assumed without one."""

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol

from helpdesk.caps import Caps
from helpdesk.labels import BUILTIN, Vocabulary
from helpdesk.mailbox.authors import AuthorPolicy
from helpdesk.mailbox.context import BoardContext
from helpdesk.mailbox.dialects.keywords import Keywords
from helpdesk.model import Header
from helpdesk.rules.facts import Policy
from helpdesk.rules.join import join
from helpdesk.settings import Caps as DefaultCaps
from helpdesk.settings import Policy as DefaultPolicy
from helpdesk.settings import Settings

_POST = re.compile(r"<mailto:([^<>\s?]{3,254})")
_MAX_LISTS = 1000  # as many are told apart in one archive


class Speakers(Protocol):
    """Whose word counts about the author of a mail."""

    def policy(self, header: Header) -> AuthorPolicy:
        """What to believe of this mail."""


@dataclass(frozen=True, slots=True)
class Configured:
    """The configuration's people and lists."""

    authors: AuthorPolicy

    def policy(self, header: Header) -> AuthorPolicy:  # noqa: ARG002 - as the Protocol says
        """The same for every mail."""
        return self.authors


class Unconfigured:
    """Without a configuration a mail's own list may speak for its author; nobody is known."""

    def __init__(self) -> None:
        self.lists: dict[tuple[str, str], AuthorPolicy] = {}
        self._none = AuthorPolicy()

    def policy(self, header: Header) -> AuthorPolicy:
        """The list that List-Id and List-Post name."""
        found = _POST.match(header.fields.get("list-post", ("",))[0])
        names = (header.list_id, found[1].lower() if found else "")
        if not any(names):
            return self._none
        known = self.lists.get(names)
        if known is None:
            ids = frozenset({names[0]} - {""})
            known = AuthorPolicy(list_address=names[1], list_ids=ids)
            if len(self.lists) < _MAX_LISTS:
                self.lists[names] = known
        return known


@dataclass(frozen=True, slots=True)
class Terms:
    """The board, and what is assumed of the people around it."""

    policy: Policy
    board: BoardContext
    speakers: Speakers
    caps: Caps
    first_reply: timedelta
    team_known: bool  # False: who answers a thread that somebody else began is its team
    waiting: bool  # who of the team answers waits for the user
    rules: tuple[str, ...] = ()  # the names of the team's [[rule]] tables


def configured(settings: Settings, policy: Policy, board: BoardContext, *, waiting: bool) -> Terms:
    """The board of a configuration."""
    first_reply = timedelta(hours=settings.policy.first_reply_hours)
    return Terms(
        policy,
        board,
        Configured(board.authors),
        settings.caps,
        first_reply,
        team_known=True,
        waiting=waiting,
        rules=tuple(rule.name for rule in settings.rule),
    )


def assumed(*, waiting: bool) -> Terms:
    """No configuration: the built-in labels, the default policy, no team, no rules, no mail that is ours."""
    words = Vocabulary(BUILTIN)
    policy = Policy({label.name: label.kind for label in words})
    board = BoardContext(Keywords(words), AuthorPolicy(), partial(join, policy=policy), _nobody)
    return Terms(
        policy,
        board,
        Unconfigured(),
        DefaultCaps(),
        timedelta(hours=DefaultPolicy().first_reply_hours),
        team_known=False,
        waiting=waiting,
    )


def _nobody(_text: str) -> bool:
    return False
