"""A mailbox as people see it: the copies of one thread's messages, and what people and mail do to them."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from helpdesk.bits import STAR
from helpdesk.model import Nature, Place, Role
from helpdesk.rules.facts import Hit, MessageFacts
from tests.threads import AUTHORS, START


@dataclass(slots=True)
class Real:
    """A copy as it lies in the mailbox."""

    message: int
    bits: set[str]
    place: Place
    uid: int = 1
    seen: bool = False
    copied_from: int | None = None
    raced: bool = False  # a human was here since the last observation (MODSEQ)
    away: bool = False  # between two folders while the next cycle looks


@dataclass(slots=True)
class Whiteboard:
    """One thread in a mailbox; copies are named by key, and so are messages, both from 1."""

    now: datetime = START
    number: int = 0  # the last cycle
    real: dict[int, Real] = field(default_factory=dict)
    messages: list[MessageFacts] = field(default_factory=list)
    keys: int = 0

    # Mail

    def mail(
        self,
        *labels: str,
        role: Role = Role.USER,
        nature: Nature = Nature.HUMAN,
        place: Place = Place.INBOX,
        trusted: bool = True,
        date: datetime | None = None,
        hits: tuple[Hit, ...] = (),
        adopted: bool = False,
    ) -> int:
        """A mail arrives; the key of its copy."""
        key = len(self.messages) + 1
        self.messages.append(
            MessageFacts(
                key,
                f"<{key}@mail.example>",
                AUTHORS[role],
                role,
                trusted,
                nature,
                self.now,
                date or self.now,
                self.number + 1,
                adopted,
                hits,
                of_ours=nature is Nature.BOUNCE,
            )
        )
        return self._lie(Real(key, set(labels), place))

    def answer(self, *labels: str, date: datetime | None = None) -> int:
        """A shifter's mail arrives."""
        return self.mail(*labels, role=Role.SHIFTER, date=date)

    def machine(self, *labels: str, nature: Nature = Nature.AUTOMATIC) -> int:
        """An automatic mail arrives."""
        return self.mail(*labels, nature=nature)

    def twin(self, copy: int, place: Place = Place.INBOX) -> int:
        """A second copy of a message arrives: direct and over the list."""
        return self._lie(Real(self.real[copy].message, set(), place))

    def better_copy(self, copy: int, role: Role) -> None:
        """A more trusted copy shows that somebody else wrote it."""
        at = self.real[copy].message - 1
        self.messages[at] = replace(self.messages[at], role=role, author=AUTHORS[role], cycle=self.number + 1)

    # People

    def label(self, copy: int, *labels: str) -> None:
        self._human(copy).bits.update(labels)

    def unlabel(self, copy: int, *labels: str) -> None:
        self._human(copy).bits.difference_update(labels)

    def star(self, copy: int) -> None:
        self.label(copy, STAR)

    def unstar(self, copy: int) -> None:
        self.unlabel(copy, STAR)

    def archive(self, *copies: int, away: bool = False) -> None:
        self._drag(copies, Place.ARCHIVE, away=away)

    def fetch_back(self, *copies: int, away: bool = False) -> None:
        self._drag(copies, Place.INBOX, away=away)

    def archive_by_copy(self, copy: int) -> int:
        """Archive as neomutt may: the old copy stays."""
        return self._copy(copy, Place.ARCHIVE)

    def copy_to_inbox(self, copy: int) -> int:
        return self._copy(copy, Place.INBOX)

    def remove(self, copy: int) -> None:
        """Move it to a folder that nobody watches."""
        del self.real[copy]

    def bring_back(self, message: int, *labels: str, place: Place = Place.INBOX) -> int:
        """Move it back from there."""
        return self._lie(Real(message, set(labels), place))

    def on(self, copy: int) -> set[str]:
        """The labels that lie on a copy."""
        return self.real[copy].bits - {STAR}

    def starred(self, copy: int) -> bool:
        return STAR in self.real[copy].bits

    def place(self, copy: int) -> Place:
        return self.real[copy].place

    def _lie(self, real: Real) -> int:
        self.keys += 1
        self.real[self.keys] = real
        return self.keys

    def _human(self, copy: int) -> Real:
        real = self.real[copy]
        real.raced = True
        return real

    def _drag(self, copies: Collection[int], place: Place, *, away: bool) -> None:
        for copy in copies:
            real = self._human(copy)
            real.place, real.uid, real.away = place, real.uid + 1, away

    def _copy(self, copy: int, place: Place) -> int:
        real = self.real[copy]
        return self._lie(Real(real.message, set(real.bits), place, copied_from=copy))
