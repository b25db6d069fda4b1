"""What is kept of each mail of an archive: numbers in columns, and every text once (about half a kilobyte a mail).

A mail is a row; rows are in the order of the archive.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from helpdesk.model import Nature, Role
from helpdesk.rules.facts import Hit

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = -(2**62)
"""In a column of times: there is none."""

ROLES = tuple(Role)
NATURES = tuple(Nature)
VIAS = ("sent", "direct", "list")

LOST, TRUSTED, OF_OURS, SENT = 1, 2, 4, 8
"""Marks: an answer without any id; an author who is proven; a bounce of a mail of ours; it lies in Sent."""

RECEIVED, POSTMARK = 1, 2
"""Witnesses of a mail's time beside its Date."""


def seconds(moment: datetime | None) -> int:
    """A time as whole seconds since 1970."""
    if moment is None:
        return NEVER
    since = moment - EPOCH
    return since.days * 86_400 + since.seconds


def moment(number: int) -> datetime | None:
    """The inverse of `seconds`."""
    return None if number == NEVER else EPOCH + timedelta(seconds=number)


class Words:
    """Texts by number: every one is kept once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {"": 0}

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, text: str) -> int:
        """The text's number; 0 is no text."""
        return self._numbers.setdefault(text, len(self._numbers))

    def texts(self) -> Sequence[str]:
        """All texts, each at its number."""
        return list(self._numbers)


class Lists:
    """A short list of numbers for every row."""

    def __init__(self) -> None:
        self._flat = array("I")
        self._ends = array("Q", [0])

    def append(self, numbers: Iterable[int]) -> None:
        """The list of the next row."""
        self._flat.extend(numbers)
        self._ends.append(len(self._flat))

    def __getitem__(self, row: int) -> Sequence[int]:
        return self._flat[self._ends[row] : self._ends[row + 1]]


@dataclass(slots=True)
class Book:
    """The columns."""

    ids: Words = field(default_factory=Words)  # Message-IDs, carried or named
    people: Words = field(default_factory=Words)  # addresses; where a mail has none, its author's name
    subjects: Words = field(default_factory=Words)  # normalised, those that the subject rule may use
    whys: Words = field(default_factory=Words)  # the evidence for what wrote a mail

    id: "array[int]" = field(default_factory=lambda: array("I"))
    references: Lists = field(default_factory=Lists)
    parents: Lists = field(default_factory=Lists)
    date: "array[int]" = field(default_factory=lambda: array("q"))
    witness: "array[int]" = field(default_factory=lambda: array("q"))
    witness_kind: "array[int]" = field(default_factory=lambda: array("B"))
    author: "array[int]" = field(default_factory=lambda: array("I"))
    recipients: Lists = field(default_factory=Lists)
    subject: "array[int]" = field(default_factory=lambda: array("I"))
    role: "array[int]" = field(default_factory=lambda: array("B"))
    nature: "array[int]" = field(default_factory=lambda: array("B"))
    why: "array[int]" = field(default_factory=lambda: array("H"))
    via: "array[int]" = field(default_factory=lambda: array("B"))
    marks: "array[int]" = field(default_factory=lambda: array("B"))

    hits: dict[int, tuple[Hit, ...]] = field(default_factory=dict)  # of few rows
    titles: dict[int, str] = field(default_factory=dict)  # subjects of the mails that answer nothing

    def __len__(self) -> int:
        return len(self.id)
