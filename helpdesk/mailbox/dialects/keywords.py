"""One IMAP keyword for each label (Dovecot, Cyrus and most servers)."""

from collections import Counter
from collections.abc import Iterable, Sequence

from helpdesk.bits import STAR
from helpdesk.labels import Vocabulary, keyword_of
from helpdesk.mailbox.dialects import Seen
from helpdesk.model import Place
from helpdesk.ports import FolderInfo

FLAGGED = "\\Flagged"
_REMEMBERED = 10_000  # combinations of flags; a mailbox has a few hundred


class Keywords:
    """The dialect of keywords; every client's spelling of a label is read, and kept."""

    in_folders = False

    def __init__(self, vocabulary: Vocabulary, inbox: str = "INBOX") -> None:
        self._vocabulary = vocabulary
        self._inbox = inbox
        self._seen: dict[frozenset[str], Seen] = {}

    def read(self, flags: frozenset[str], folder: str = "", place: Place = Place.INBOX) -> Seen:  # noqa: ARG002 - other dialects look at the folder
        """What these flags mean."""
        known = self._seen.get(flags)
        if known is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            known = self._seen[flags] = self._read(flags)
        return known

    def spellings(self, label: str, flags: Iterable[str]) -> frozenset[str]:
        """Those of the flags that mean this label (or the star)."""
        if label == STAR:
            return frozenset(flag for flag in flags if flag.lower() == FLAGGED.lower())
        return self._vocabulary.spellings(label, flags)

    def spelling_for(self, label: str, flags_in_thread: Iterable[str]) -> str:
        """The spelling that the thread uses most (the first in the alphabet of several), else our own."""
        if label == STAR:
            return FLAGGED
        flags = list(flags_in_thread)
        ours = self._vocabulary.spellings(label, set(flags))
        used = Counter(flag for flag in flags if flag in ours)
        if used:
            return min(used, key=lambda flag: (-used[flag], flag))
        known = self._vocabulary.named(label)
        return known.keyword if known else keyword_of(label)

    def home(self, bits: frozenset[str], listed: Sequence[FolderInfo]) -> str:  # noqa: ARG002 - other dialects look at both
        """The inbox, whatever the labels."""
        return self._inbox

    def missing(self, listed: Sequence[FolderInfo]) -> Sequence[str]:  # noqa: ARG002 - as the Protocol says
        """None: a keyword is set without one."""
        return ()

    def _read(self, flags: frozenset[str]) -> Seen:
        system = {flag.lower() for flag in flags if flag.startswith("\\")}
        bits = self._vocabulary.names(flags)
        if FLAGGED.lower() in system:
            bits |= {STAR}
        return Seen(bits, self._vocabulary.unknown(flags), "\\seen" in system, "\\deleted" in system)
