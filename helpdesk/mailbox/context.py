"""What observing needs to know of a board."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from helpdesk.blame.names import Known
from helpdesk.hands import Hands
from helpdesk.mailbox.authors import AuthorPolicy
from helpdesk.mailbox.dialects import Dialect
from helpdesk.mailbox.folders import FolderSettings
from helpdesk.mailbox.grouping import Join
from helpdesk.mailids import Answered
from helpdesk.model import Author, Header
from helpdesk.rules.facts import Hit


class TeamRules(Protocol):
    """The `[[rule]]` tables of the configuration."""

    @property
    def needs_body(self) -> bool:
        """Whether any rule looks at the body."""

    @property
    def fields(self) -> Sequence[str]:
        """The header fields that rules look at."""

    def hits(self, header: Header, author: Author, body: str) -> Sequence[Hit]:
        """What the rules want of the thread of this message."""


class NoRules:
    """A board without team rules."""

    needs_body = False
    fields: Sequence[str] = ()

    def hits(self, header: Header, author: Author, body: str) -> Sequence[Hit]:  # noqa: ARG002 - as the Protocol says
        """Nothing."""
        return ()


def no_answer(_address: str) -> None:
    """Nobody answers a board that has sent nothing."""


def no_mail(_address: str) -> str:
    """Nor does anything come back to it."""
    return ""


@dataclass(frozen=True, slots=True)
class BoardContext:
    """The board, for `helpdesk.mailbox.sync.observe`."""

    dialect: Dialect
    authors: AuthorPolicy
    join: Join  # helpdesk.rules.join.join with the board's policy
    own: Callable[[str], bool]  # is this Message-ID or loop token ours, by its HMAC?
    bounced: Callable[[str], str] = (
        no_mail  # the Message-ID of the mail whose envelope sender an address is, or ""
    )
    answers: Callable[[str], Answered | None] = (
        no_answer  # the mail of ours that an address with a token means
    )
    folders: FolderSettings = field(default_factory=FolderSettings)
    rules: TeamRules = field(default_factory=NoRules)
    names: Known | None = None  # what mails are searched for (docs/whose-fault.md); None: for nothing
    shared: frozenset[str] = (
        frozenset()
    )  # addresses in every thread: list, board, team; no use to the subject rule
    max_gone: float = 0.2
    max_label_loss: int = 20
    hands: Hands = field(default_factory=Hands)  # who helps with a first sync
