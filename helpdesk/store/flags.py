"""What the flags of a message mean, as far as the store must know: a dialect says it."""

from dataclasses import dataclass
from typing import Protocol

from helpdesk.model import Place


@dataclass(frozen=True, slots=True)
class Seen:
    """Flags, understood: the bits, keywords that nobody configured, and two system flags."""

    bits: frozenset[str]
    unknown: frozenset[str]
    seen: bool
    deleted: bool


class Reader(Protocol):
    """The half of a dialect that reads."""

    def read(self, flags: frozenset[str], folder: str = "", place: Place = Place.INBOX) -> Seen:
        """What these flags mean on a message in this folder, and what the folder means to the board."""
