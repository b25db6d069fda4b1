"""A way out that keeps the letters in memory: it passes the contract suite of the real one."""

from collections import deque
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from helpdesk.ports import Delivery, Letter, Outcome, Told


class Trouble(StrEnum):
    """What can happen to a letter on its way."""

    NONE = "none"
    BUSY = "the server wants it later"
    REFUSED = "the server never wants it"
    ONE_REFUSED = "the server does not want its first recipient"
    ONE_LATER = "the server wants its first recipient later"
    ONE_OF_EACH = "the server never wants its first recipient, and its second later"
    LOST_BEFORE = "the connection ends before the text"
    LOST_AFTER = "the connection ends after the server took it and before its answer"
    LOST_TEXT = "the connection ends after the text, and the server did not take it"


MAX_LOST: Final = 2
_LOST: Final = frozenset({Trouble.LOST_BEFORE, Trouble.LOST_AFTER, Trouble.LOST_TEXT})
_ARRIVES: Final = frozenset(
    {Trouble.NONE, Trouble.ONE_REFUSED, Trouble.ONE_LATER, Trouble.ONE_OF_EACH, Trouble.LOST_AFTER}
)


class MemoryMailer:
    """A `Mailer`; `arrived` is what got through, in order, each letter with those who get it."""

    def __init__(self) -> None:
        self.arrived: list[Letter] = []
        self._script: deque[Trouble] = deque()

    def script(self, *troubles: Trouble) -> None:
        """Say what happens to the next letters that are tried; afterwards all goes well."""
        self._script.extend(troubles)

    def send(self, letters: Iterable[Letter], told: Told | None = None) -> Iterator[tuple[Letter, Delivery]]:
        """Take each letter when its result is asked for."""
        lost = 0
        for letter in letters:
            if lost == MAX_LOST:
                yield letter, Delivery(Outcome.TEMPORARY, "not tried: no connection")
                continue
            trouble = self._script.popleft() if self._script else Trouble.NONE
            lost = lost + 1 if trouble in _LOST else 0
            delivery = _delivery(letter, trouble)
            if (
                told is not None
                and delivery.outcome is Outcome.ACCEPTED
                and delivery.refused + delivery.deferred
            ):
                told(letter, delivery)
            if trouble in _ARRIVES and (got := _without(letter, delivery)).recipients:
                self.arrived.append(got)
            yield letter, delivery


def _without(letter: Letter, delivery: Delivery) -> Letter:
    gone = {*delivery.refused, *delivery.deferred}
    recipients = tuple(one for one in letter.recipients if one not in gone)
    return Letter(letter.message_id, letter.sender, recipients, letter.content)


def _delivery(letter: Letter, trouble: Trouble) -> Delivery:
    to = letter.recipients
    no, later = to[:1], to[1:2]
    some = Outcome.ACCEPTED, f"250 kept in memory; {to[0]}: 550 or 450"
    deliveries = {
        Trouble.NONE: Delivery(Outcome.ACCEPTED, "250 kept in memory"),
        Trouble.ONE_REFUSED: Delivery(*some, no) if to[1:] else Delivery(Outcome.PERMANENT, "550 no", no),
        Trouble.ONE_LATER: Delivery(*some, (), no) if to[1:] else Delivery(Outcome.TEMPORARY, "450", (), no),
        Trouble.ONE_OF_EACH: Delivery(some[0] if to[2:] else Outcome.TEMPORARY, some[1], no, later),
        Trouble.BUSY: Delivery(Outcome.TEMPORARY, "450 later", (), to),
        Trouble.REFUSED: Delivery(Outcome.PERMANENT, "550 never", to),
        Trouble.LOST_BEFORE: Delivery(Outcome.TEMPORARY, "the connection was lost"),
    }
    return deliveries.get(trouble, Delivery(Outcome.UNKNOWN, "no answer after the letter was sent"))
