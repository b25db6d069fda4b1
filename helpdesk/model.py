"""The frozen vocabulary: what the board talks about.

Nothing here does anything.  Times are aware UTC datetimes.  Message-IDs keep their angle brackets, as RFC 5322
section 3.6.4 defines a msg-id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """Who wrote a message, as far as the board is concerned."""

    USER = "user"
    SHIFTER = "shifter"
    EXPERT = "expert"
    ADMIN = "admin"
    BOT = "bot"


TEAM = frozenset({Role.SHIFTER, Role.EXPERT, Role.ADMIN, Role.BOT})


class Nature(StrEnum):
    """What wrote a message: a person, a machine, or the board itself."""

    HUMAN = "human"
    UNSURE = "unsure"  # counts as human for states, never causes a mail
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"
    RECEIPT = "receipt"  # a destination's tracker: "we have it"
    COMMENT = "comment"  # a destination's tracker: somebody wrote something
    SOLVED = "solved"  # a destination's tracker: closed there
    UNSOLVED = "unsolved"  # a destination's tracker: open again
    OWN = "own"  # ours, proven by its HMAC


HUMAN_NATURES = frozenset({Nature.HUMAN, Nature.UNSURE})


class Place(StrEnum):
    """What a folder means to the board (design section 5)."""

    INBOX = "inbox"  # open
    ARCHIVE = "archive"  # closed
    SENT = "sent"  # never moves, carries no labels
    FILED = "filed"  # board correspondence: the folders Helpdesk and Board


class LabelKind(StrEnum):
    """What a label is for (design section 1)."""

    STATE = "state"
    WHERE = "where"
    TEMPORARY = "temporary"
    INFO = "info"


WAITING = "WAITING"
URGENT = "URGENT"
ESCALATED = "ESCALATED"
FIXED = "FIXED in next release"
TAKEN = "taken"
SITE_TROUBLE = "site_trouble"  # of boards with sites (docs/whose-fault.md)
STATE_LABELS = (URGENT, ESCALATED, WAITING, FIXED)
"""In the order in which `threads --json` names a thread's one state."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header of one mail, decoded and bounded; every address is lower case."""

    message_id: str  # "<...>", or "" when there is none that is usable
    references: tuple[str, ...]  # References then In-Reply-To, usable ids only, at most 500, no duplicates
    in_reply_to: tuple[str, ...]
    sender: str  # the address in From, or ""
    sender_name: str
    reply_to: tuple[str, ...]
    original_from: str  # X-Original-From
    recipients: tuple[str, ...]  # To then Cc
    subject: str
    date: datetime | None
    list_id: str  # the id between the angle brackets of List-Id, lower case, or ""
    fields: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # every field: lower-case name -> values


class Author(NamedTuple):
    """Who a message is from, and why we think so."""

    address: str
    role: Role
    via: str  # "sent", "direct" or "list": of several copies the first of these decides
    trusted: bool  # authenticated, or nothing is configured that could authenticate


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """When the board saw something: the number of the cycle decides, the time is for people and clocks."""

    cycle: int
    at: datetime
