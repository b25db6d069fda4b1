"""How labels are shown in a mailbox: each way of doing it is a dialect."""

from collections.abc import Iterable
from typing import Protocol

from helpdesk.store.flags import Reader, Seen

__all__ = ["Dialect", "Seen"]


class Dialect(Reader, Protocol):
    """Between labels and what a server stores of them."""

    def spellings(self, label: str, flags: Iterable[str]) -> frozenset[str]:
        """Those of the flags that mean this label: to remove it is to remove them all."""

    def spelling_for(self, label: str, flags_in_thread: Iterable[str]) -> str:
        """How to write this label on a message whose thread carries these flags: as the thread spells it."""
