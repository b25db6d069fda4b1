"""What a digest is made from: frozen facts about threads, shifts and the board."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from helpdesk.digest.sites import SitesNow
from helpdesk.rules.facts import Policy, ThreadFacts
from helpdesk.shifts.rota import Rota


@dataclass(frozen=True, slots=True)
class Case:
    """One thread; its texts are strangers' and are cleaned where they are shown."""

    facts: ThreadFacts
    subject: str = ""
    user: str = ""  # who asked, as his mail calls him
    notes: tuple[str, ...] = ()  # what only a human can settle
    closes: datetime | None = None  # when it is closed by itself if nothing happens
    mails: tuple[str, ...] = ()  # why mails about it wait for a person
    clue: str = ""  # what broke, word for word
    fault: tuple[str, ...] = ()  # whose fault it may be: at most two lines
    said: str = ""  # the team's last note: who, and the words
    thanks: bool = False  # what reopened it says thanks and nothing else
    link: str = ""  # Message-ID of its newest mail


@dataclass(frozen=True, slots=True)
class Told:
    """A hand-over."""

    author: str
    at: datetime
    verified: bool
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Now:
    """The board at one moment; `since` is when the digest before this one was due."""

    now: datetime
    since: datetime
    zone: str  # IANA: of every hour that is shown
    policy: Policy
    rota: Rota | None = None
    problems: tuple[str, ...] = ()  # of the calendar
    cases: tuple[Case, ...] = ()  # every open thread, and closed ones that somebody must know about
    older: int = 0  # open threads that are not among `cases`, because there are too many
    new: int = 0  # threads since `since`
    closed: int = 0
    handovers: tuple[Told, ...] = ()
    board: tuple[str, ...] = ()  # what waits for a person and is about no thread
    sites: SitesNow | None = None  # None: there are no robots
    first_reply: timedelta = timedelta(hours=8)
    tag: str = ""  # the list's name, which subjects carry in brackets
    names: dict[str, str] = field(default_factory=dict)  # code -> the short id that people use
