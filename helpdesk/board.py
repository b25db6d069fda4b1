"""One board, wired: everything that a cycle needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Engine

from helpdesk.caps import Caps
from helpdesk.hands import Hands
from helpdesk.mailbox.context import BoardContext
from helpdesk.mailbox.dialects import Dialect
from helpdesk.model import Place
from helpdesk.ports import Mailer
from helpdesk.render import Templates
from helpdesk.robots.load.wishes import LoadDesk
from helpdesk.rules.facts import Policy
from helpdesk.settings.times import WeekMoment
from helpdesk.shifts.duty import Duty
from helpdesk.sites import SiteTelling

FILED = "Helpdesk"  # board correspondence: commands, confirmations, our own mails about the board


@dataclass(frozen=True, slots=True)
class Limits:
    """The brakes of a cycle."""

    max_bot_moves: int
    max_mails: int


@dataclass(frozen=True, slots=True)
class Sending:
    """How mails leave: addresses, words, and the proof that they are ours."""

    sender: str
    copy_to: str
    list_address: str
    admins: tuple[str, ...]
    secret: bytes = field(repr=False)
    templates: Templates
    mailer: Mailer | None  # None: nothing is sent (plan, tests without mail)
    plus_addresses: bool = True  # mail to sender with +anything comes home too: answers carry a token
    flying: set[int] = field(default_factory=set, compare=False)  # rows that this process is sending now


@dataclass(frozen=True, slots=True)
class Teammate:
    """One of `[[people]]`, as the board talks with him."""

    name: str
    address: str  # the first that is configured: mail goes there
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Telling:
    """What the board's own mails go by."""

    timezone: str  # IANA
    week_ends: WeekMoment
    observes: bool  # the configuration says so: a dry run of a board that acts is no observer
    first_reply: timedelta
    meanings: Mapping[str, str]  # of the configured labels


@dataclass(frozen=True, slots=True)
class Board:
    """A board as its cycles see it."""

    name: str
    engine: Engine
    context: BoardContext
    dialect: Dialect
    policy: Policy
    limits: Limits
    caps: Caps
    sending: Sending
    inbox: str
    archive: str
    telling: Telling
    duty: Duty  # who has which shift; it is read outside of cycles
    act: bool  # False: observe mode, nothing is written and nothing is mailed to outsiders
    observes: bool = (
        False  # by its configuration, and not because somebody only asks what would be done (plan)
    )
    sites: frozenset[str] = frozenset()  # names that are known to be sites
    sites_telling: SiteTelling = field(default_factory=SiteTelling)
    loads: LoadDesk = field(default_factory=LoadDesk)  # load tests that can be asked for
    people: Mapping[str, Teammate] = field(default_factory=dict)  # by every address
    hands: Hands = field(default_factory=Hands)  # who helps to decide in a first cycle

    def folder(self, place: Place) -> str:
        """The folder that a place is written to."""
        return {Place.INBOX: self.inbox, Place.ARCHIVE: self.archive, Place.FILED: FILED}[place]

    def thread_id(self, code: str) -> str:
        """A thread's public id."""
        return f"{self.name}-{code}" if code else ""
