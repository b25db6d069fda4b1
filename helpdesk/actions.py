"""What the bot does, as values: identifiers only, so that dry run, journal, undo and tests share them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from helpdesk.model import Place, Stamp


class Kind(StrEnum):
    """The kinds of action that the contract names."""

    ADD_LABEL = "add_label"
    REMOVE_LABEL = "remove_label"
    STAR = "star"
    UNSTAR = "unstar"
    MOVE = "move"
    SEND_MAIL = "send_mail"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that is done to a thread, and why.

    `what` is the label, the place, or the mail's kind; `occasion` tells repeated mails of a rule apart.
    """

    kind: Kind
    thread: int
    code: str
    what: str
    rule: str
    reason: str
    stamp: Stamp
    copies: tuple[int, ...] = ()
    occasion: str = ""
    recipients: tuple[str, ...] = ()
    human: bool = False  # completes a human's own act: never braked
    evidence: Mapping[str, object] = field(default_factory=dict)
    context: str = ""  # of a mail: JSON, what its words need that the board does not know

    @property
    def id(self) -> str:
        """The same plan has the same id, before and after a crash."""
        text = "\t".join(
            (
                self.code,
                self.kind,
                self.what,
                self.rule,
                self.occasion,
                str(self.stamp.cycle),
                str(self.stamp.at),
            )
        )
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """What is written to one copy, and which of a human's touches on it are now part of the board."""

    key: int
    add: frozenset[str] = frozenset()  # bits
    remove: frozenset[str] = frozenset()  # bits
    place: Place | None = None
    accept: frozenset[str] = frozenset()  # bits whose observed value becomes the base
    unleave: bool = False  # it lies where its thread belongs: an ordinary copy again


GUIDELINES: Mapping[str, str] = {
    "new": "1",
    "user_replied": "3.2",
    "auto_close": "i3",
    "reopen": "i4",
    "close": "5",
    "reopened_by_hand": "1",
    "escalate": "2, 3.4, 4.1",
    "nag": "3.4",
    "answer_from_a_destination": "3.4",
    "fixed": "3.5",
    "urgent": "3.3",
    "repair": "i6",
    "labels_cover_the_thread": "3",
    "new_label": "i7",
    "bounce": "3.1",
    "taken": "4.3",
    "site_trouble": "4.3",
    "undo": "i6",
    "command": "3",
    "tell_user": "3.4",
    "join": "i6",
    "adoption": "i6",
}
