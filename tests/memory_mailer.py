"""A way out that keeps the letters in memory: it passes the contract suite of the real one."""

from collections import deque
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from helpdesk.ports import Delivery, Letter, Outcome


class Trouble(StrEnum):
    """What can happen to a letter on its way."""

    NONE = "none"
    BUSY = "the server wants it later"
    REFUSED = "the server never wants it"
    ONE_REFUSED = "the server does not want its first recipient"
    LOST_BEFORE = "the connection ends before the text"
    LOST_AFTER = "the connection ends after the server took it and before its answer"
    LOST_TEXT = "the connection ends after the text, and the server did not take it"


MAX_LOST: Final = 2
_LOST: Final = frozenset({Trouble.LOST_BEFORE, Trouble.LOST_AFTER, Trouble.LOST_TEXT})
_ARRIVES: Final = frozenset({Trouble.NONE, Trouble.ONE_REFUSED, Trouble.LOST_AFTER})


class MemoryMailer:
    """A `Mailer`; `arrived` is what got through, in order, each letter with those who get it."""

    def __init__(self) -> None:
        self.arrived: list[Letter] = []
        self._script: deque[Trouble] = deque()

    def script(self, *troubles: Trouble) -> None:
        """Say what happens to the next letters that are tried; afterwards all goes well."""
        self._script.extend(troubles)

    def send(self, letters: Iterable[Letter]) -> Iterator[tuple[Letter, Delivery]]:
        """Take each letter when its result is asked for."""
        lost = 0
        for letter in letters:
            if lost == MAX_LOST:
                yield letter, Delivery(Outcome.TEMPORARY, "not tried: no connection")
                continue
            trouble = self._script.popleft() if self._script else Trouble.NONE
            lost = lost + 1 if trouble in _LOST else 0
            refused = letter.recipients[:1] if trouble is Trouble.ONE_REFUSED else ()
            if trouble in _ARRIVES:
                self.arrived.append(_without(letter, refused))
            yield letter, _delivery(letter, trouble)


def _without(letter: Letter, refused: tuple[str, ...]) -> Letter:
    recipients = tuple(one for one in letter.recipients if one not in refused)
    return Letter(letter.message_id, letter.sender, recipients, letter.content)


def _delivery(letter: Letter, trouble: Trouble) -> Delivery:
    match trouble:
        case Trouble.NONE:
            return Delivery(Outcome.ACCEPTED, "250 kept in memory")
        case Trouble.ONE_REFUSED:
            first = letter.recipients[:1]
            return Delivery(Outcome.ACCEPTED, f"250 kept in memory; {first[0]}: 550 no such user", first)
        case Trouble.BUSY:
            return Delivery(Outcome.TEMPORARY, "450 later", letter.recipients)
        case Trouble.REFUSED:
            return Delivery(Outcome.PERMANENT, "550 never", letter.recipients)
        case Trouble.LOST_BEFORE:
            return Delivery(Outcome.TEMPORARY, "the connection was lost")
        case Trouble.LOST_AFTER | Trouble.LOST_TEXT:
            return Delivery(Outcome.UNKNOWN, "no answer after the letter was sent")
