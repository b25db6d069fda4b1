"""How labels are shown in a mailbox: each way of doing it is a dialect."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from helpdesk.ports import FolderInfo
from helpdesk.store.flags import Reader, Seen

__all__ = ["Dialect", "Seen"]


class Dialect(Reader, Protocol):
    """Between labels and what a server stores of them."""

    @property
    def in_folders(self) -> bool:
        """Whether a label is the folder that a mail lies in (docs/decisions.md section 13), and not a flag on it."""

    def spellings(self, label: str, flags: Iterable[str]) -> frozenset[str]:
        """Those of the flags that mean this label: to remove it is to remove them all."""

    def spelling_for(self, label: str, flags_in_thread: Iterable[str]) -> str:
        """How to write this label on a message whose thread carries these flags: as the thread spells it; "" if as no flag."""

    def home(self, bits: frozenset[str], listed: Sequence[FolderInfo]) -> str:
        """The folder for an open mail with these bits, of a server that lists these."""

    def missing(self, listed: Sequence[FolderInfo]) -> Sequence[str]:
        """The folders that people need to set labels, and that the server does not list; outer ones first."""
