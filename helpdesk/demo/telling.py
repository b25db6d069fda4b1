"""What the demo shows, as values, and how it says what somebody did; `screen` and `plain` show it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from helpdesk.actions import GUIDELINES, Kind
from helpdesk.report import Done, Later
from helpdesk.rules.project import CAME
from helpdesk.text import safe_text


class Voice(StrEnum):
    """Who says a line."""

    PERSON = "person"  # what a human did
    BOARD = "board"  # what the board did, and why
    ROBOT = "robot"  # what test jobs found, and what was decided about a site
    CAPTION = "caption"  # the narrator, in a slow scene
    KEPT = "kept"  # a claim that was looked up on the server, and is true
    BROKEN = "broken"  # and one that is not
    NOTE = "note"  # about the demo itself


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log; whatever a stranger wrote in it is made harmless here."""

    at: datetime
    voice: Voice
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", safe_text(self.text, limit=500))


class Column(StrEnum):
    """Where a thread stands on the board."""

    ATTENTION = "needs attention"
    WAITING = "waiting"
    ESCALATED = "escalated"
    PARKED = "labelled"  # open, and nobody has to do anything now
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Row:
    """One thread."""

    id: str  # as `helpdesk threads` shows it
    short: str
    subject: str
    column: Column
    urgent: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """The board at a moment; every number comes from the database or the servers."""

    now: datetime
    share: float  # of the two weeks, 0 to 1
    rows: Sequence[Row]
    mails: int  # in the mailbox
    sent: int  # mails of the board
    coming: str = ""  # what the board will do next, if nothing happens

    def count(self, column: Column) -> int:
        """How many threads stand there."""
        return sum(row.column is column for row in self.rows)


@dataclass(frozen=True, slots=True)
class SiteSight:
    """A site as the robots see it; `nats` is the evidence against it: `enough` puts it out."""

    name: str
    out: bool
    nats: float
    enough: float
    last: Sequence[bool]  # whether the latest jobs were right, the oldest first
    why: str  # why it is out, or what failed last

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", safe_text(self.name, limit=60))
        object.__setattr__(self, "why", safe_text(self.why, limit=300))

    @property
    def doubted(self) -> bool:
        """Whether there is serious evidence, and not enough."""
        return not self.out and self.nats >= 0.4 * self.enough


@dataclass(frozen=True, slots=True)
class BeatSight:
    """One of the slow scenes, as the screen's list of them shows it; `kept` None: not played to its end yet."""

    title: str
    kept: bool | None = None


class Display(Protocol):
    """A screen, or lines."""

    def line(self, line: Line) -> None:
        """Something happened."""

    def board(self, look: Callable[[], Sight]) -> None:
        """The board may have changed; `look` costs some queries."""

    def sites(self, sites: Sequence[SiteSight]) -> None:
        """How the sites stand."""

    def beats(self, beats: Sequence[BeatSight], playing: int | None) -> None:
        """How the scenes stand; `playing` is the index of the one that goes on."""

    def turn(self, text: Sequence[str]) -> None:
        """It is the visitor's turn: how to connect, what to type."""

    def refresh(self) -> None:
        """Time went by, or the window has another size now."""


def rows(threads: Sequence[Mapping[str, Any]]) -> Sequence[Row]:
    """`helpdesk threads --json` for the screen, in its order: the latest activity first."""
    return [
        Row(one["id"], one["short"], one["subject"], _column(one), urgent=one["state"] == "urgent")
        for one in threads
    ]


def _column(thread: Mapping[str, Any]) -> Column:
    if thread["state"] == "closed":
        return Column.CLOSED
    if thread["attention"]:
        return Column.ATTENTION
    return {"waiting": Column.WAITING, "escalated": Column.ESCALATED}.get(thread["state"], Column.PARKED)


def actions(done: Sequence[Done], short: Callable[[str], str]) -> Iterator[str]:
    """What the board did, and why: one sentence for each thread and rule."""
    together: dict[tuple[str, str], list[Done]] = {}
    for one in done:
        together.setdefault((one.thread, one.rule), []).append(one)
    for (thread, rule), ones in together.items():
        guideline = f" [{GUIDELINES[rule]}]" if rule in GUIDELINES else ""
        what = " ".join(dict.fromkeys(_what(one) for one in ones))
        yield f"{short(thread)} {what} ({rule}{guideline}: {_why(ones)})"


def _why(ones: Sequence[Done]) -> str:
    """Their reasons, each once; why a label is on a thread was told when it came there."""
    came = dict.fromkeys(one.what for one in ones if one.reason.startswith(CAME))
    reasons = dict.fromkeys(one.reason for one in ones if not one.reason.startswith(CAME))
    return "; ".join([*reasons, *([f"{CAME} {', '.join(came)}"] if came else [])])


def _what(done: Done) -> str:
    match done.kind:
        case Kind.ADD_LABEL:
            return f"+{done.what}"
        case Kind.REMOVE_LABEL:
            return f"-{done.what}"
        case Kind.MOVE:
            return f"to the {done.what}"
        case Kind.SEND_MAIL:
            return "sends a mail"
        case other:
            return str(other)


def coming(pending: Sequence[Later], short: Callable[[str], str]) -> str:
    """What the board will do next, if nothing happens."""
    if not pending:
        return ""
    first = min(pending, key=lambda later: later.due)
    return f"next, if nothing happens: {first.rule} of {short(first.thread)}, {day(first.due)} {first.due:%H:%M:%S}"


def day(moment: datetime) -> str:
    """A date for people: Mon 8 Jun."""
    return f"{moment:%a} {moment.day} {moment:%b}"
