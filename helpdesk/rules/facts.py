"""What the rules may know: frozen facts about one thread, and the policy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from helpdesk.bits import Known
from helpdesk.model import LabelKind, Nature, Place, Role, Stamp
from helpdesk.rules.hours import AROUND_THE_CLOCK, Hours
from helpdesk.rules.state import ThreadState
from helpdesk.shifts.rota import Rota


class Fate(StrEnum):
    """How far a mail of ours has come."""

    WAITS = "waits"  # it is planned, or being sent
    LEFT = "left"
    STUCK = "stuck"  # held, or refused: a person decides
    DROPPED = "dropped"  # it will never leave


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """One living copy: where it lies, what is on it, and whose change that is."""

    key: int
    message: int
    known: Known
    arrived: Stamp
    seen: bool = False
    left: bool = False
    limbo: bool = False
    stuck: bool = False  # the server answers OK and does not do it: written no more, listed
    unknown: frozenset[str] = frozenset()  # keywords that a human set and nobody configured


@dataclass(frozen=True, slots=True)
class Hit:
    """What a team rule wants of the thread of a message; a shadow hit only reports."""

    rule: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    star: bool = False
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """One message of the thread."""

    key: int
    message_id: str
    author: str
    role: Role
    trusted: bool
    nature: Nature
    time: datetime
    date: datetime | None
    cycle: int
    adopted: bool = False
    hits: tuple[Hit, ...] = ()
    of_ours: bool = False  # a bounce that returns a mail of ours
    of: tuple[
        str, ...
    ] = ()  # the destinations whose word it is: only that can say "solved" or teach a ticket number
    tickets: tuple[str, ...] = ()  # the ticket numbers that it names, as spelled
    audience: frozenset[str] = frozenset()  # to whom: addresses, TO_LIST, TO_TEAM; empty: nobody is named


TO_LIST, TO_TEAM = (
    "list",
    "team",
)  # in the audience of a message: the board's list; the team, the board, a destination


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail of ours about the thread: when it left, or that it has not."""

    rule: str
    occasion: str
    to_user: bool
    fate: Fate
    left: datetime | None = None
    planned: datetime | None = None  # when a person or a rule wanted it


@dataclass(frozen=True, slots=True)
class Undo:
    """A person's wish to reverse one action of the bot; counts as a touch."""

    action: str
    kind: str
    what: str


class Ask(StrEnum):
    """What a person can ask of a thread by mail."""

    CLOSE = "close"
    REOPEN = "reopen"
    ADD = "add"  # a label
    REMOVE = "remove"  # a label
    ESCALATE = "escalate"
    TELL = "tell"  # the user


@dataclass(frozen=True, slots=True)
class Order:
    """A command by mail, proven and understood; counts as a touch that is settled at once."""

    id: str  # of the command: its mail's key and its place in it
    ask: Ask
    by: str  # who said so, by name
    stamp: Stamp  # the cycle that saw the mail
    mailed: datetime  # when the mail came
    label: str = ""
    ticket: str = ""
    words: tuple[str, ...] = ()
    read: frozenset[str] = frozenset()  # Message-IDs that its mail answers: who wrote it had read them


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an order, in a sentence for who gave it."""

    order: str
    done: bool
    says: str


@dataclass(frozen=True, slots=True)
class Release:
    """A person said that NAME VERSION is out."""

    name: str
    version: str
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Fault:
    """Strong evidence that a mail tells of a trouble of others, frozen when it was found (docs/whose-fault.md)."""

    what: str  # the site, or that it is many sites
    why: str
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class ThreadFacts:
    """One thread as observed, with what was decided before."""

    key: int
    code: str
    state: ThreadState
    messages: tuple[MessageFacts, ...]
    copies: tuple[CopyFacts, ...]
    undo: tuple[Undo, ...] = ()
    releases: tuple[Release, ...] = ()
    orders: tuple[Order, ...] = ()
    mails: tuple[Outgoing, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Destination:
    """To where a thread is escalated."""

    label: str
    address: str
    mails: bool  # mode = "mail": we send the story; else a ticket number is expected
    components: tuple[str, ...] = ()  # what it releases: `release NAME VERSION` means its threads too
    hours: Hours = AROUND_THE_CLOCK
    nag_after: timedelta = timedelta(hours=24)  # of its working time


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that the rules need, in their own words."""

    kinds: Mapping[str, LabelKind]  # label name -> kind
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    shifters: tuple[str, ...] = ()  # addresses, for URGENT
    oncall: tuple[str, ...] = ()
    settle: timedelta = timedelta(seconds=60)
    waiting_close: timedelta = timedelta(days=7)
    close_warning: timedelta = timedelta(0)  # so long before closing the user is warned; 0: not
    close_notice: bool = False  # whether the user is told that the thread was closed
    escalation_grace: timedelta = timedelta(minutes=10)
    urgent_grace: timedelta = timedelta(minutes=2)
    urgent_wait: timedelta = timedelta(minutes=60)
    taken: timedelta = timedelta(hours=4)
    quiet: timedelta = timedelta(minutes=15)
    max_join_moves: int = 50
    ignore_unread: bool = False
    labels_in_folders: bool = False  # docs/decisions.md section 13
    rota: Rota | None = field(
        default=None, repr=False
    )  # who is on duty when; no part of what a policy is known by


def asker(facts: ThreadFacts) -> MessageFacts | None:
    """The first mail of a user: who asked."""
    users = (m for m in facts.messages if m.role is Role.USER and m.nature is Nature.HUMAN and m.author)
    return min(users, key=lambda m: (m.time, m.key), default=None)


MAX_NAGS = 3
"""Reminders without an answer; then it is the shifter's."""

MACHINES = frozenset({Nature.AUTOMATIC, Nature.RECEIPT, Nature.OWN, Nature.BOUNCE})
LIVING = frozenset({Place.INBOX, Place.ARCHIVE})
OPEN_KINDS = frozenset({LabelKind.STATE, LabelKind.WHERE})
"""Labels of these kinds are for open threads only."""
