"""One folder for each label, below the inbox: for servers that keep no keywords (docs/decisions.md section 13)."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from helpdesk.bits import STAR
from helpdesk.labels import Label, Vocabulary
from helpdesk.mailbox.dialects import Seen
from helpdesk.mailbox.dialects.keywords import FLAGGED
from helpdesk.mailbox.folders import FolderSettings, path_below, places, separator_of
from helpdesk.model import ESCALATED, LabelKind, Place
from helpdesk.ports import FolderInfo

_REMEMBERED = 10_000  # combinations of flags and folders; a mailbox has a few hundred
_SHOWN = (LabelKind.STATE, LabelKind.WHERE, LabelKind.TEMPORARY)


class Folders:
    """The dialect of folders; the star is a flag, as everywhere."""

    in_folders = True

    def __init__(self, vocabulary: Vocabulary, folders: FolderSettings) -> None:
        self._vocabulary = vocabulary
        self._folders = folders
        self._seen: dict[tuple[frozenset[str], str, Place], Seen] = {}

    def read(self, flags: frozenset[str], folder: str = "", place: Place = Place.INBOX) -> Seen:
        """What these flags mean in this folder; a part of its path that is no label makes all of it a label of somebody's."""
        asked = (flags, folder, place)
        known = self._seen.get(asked)
        if known is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            known = self._seen[asked] = self._read(flags, folder, place)
        return known

    def spellings(self, label: str, flags: Iterable[str]) -> frozenset[str]:
        """Those of the flags that mean the star; of a label: none."""
        return frozenset(flag for flag in flags if label == STAR and flag.lower() == FLAGGED.lower())

    def spelling_for(self, label: str, flags_in_thread: Iterable[str]) -> str:  # noqa: ARG002 - as the Protocol says
        """The star; a label is no flag."""
        return FLAGGED if label == STAR else ""

    def home(self, bits: frozenset[str], listed: Sequence[FolderInfo]) -> str:
        """The folder that stands for exactly these labels: one that is there, in whatever spelling, else ours."""
        labels = bits - {STAR}
        if not labels:
            return self._folders.inbox
        ours = self._named(labels, _separator(listed))
        there = [name for name in self._open(listed) if self._stands_for(name) == labels]
        return ours if ours in there or not there else min(there)

    def missing(self, listed: Sequence[FolderInfo]) -> Sequence[str]:
        """A folder for each label that is shown: a `where` below ESCALATED, which needs none of its own then."""
        there = {self._stands_for(name) for name in self._open(listed)}
        wheres = self._vocabulary.of_kind(LabelKind.WHERE)
        wanted = [
            frozenset({label.name, ESCALATED} if label.name in wheres else {label.name})
            for label in self._vocabulary
            if label.kind in _SHOWN and not (wheres and label.name == ESCALATED)
        ]
        separator = _separator(listed)
        return [self._named(labels, separator) for labels in wanted if labels not in there]

    def _read(self, flags: frozenset[str], folder: str, place: Place) -> Seen:
        system = {flag.lower() for flag in flags if flag.startswith("\\")}
        path = path_below(folder, self._folders.inbox) if place is Place.INBOX else ()
        labels = [self._vocabulary.label_of(part) for part in path]
        bits = {label.name for label in labels if label is not None}
        unknown = frozenset({"/".join(path)} if None in labels else ())
        if FLAGGED.lower() in system:
            bits.add(STAR)
        return Seen(frozenset(bits), unknown, "\\seen" in system, "\\deleted" in system)

    def _open(self, listed: Sequence[FolderInfo]) -> Sequence[str]:
        """The folders of open mail; what lies elsewhere is not watched as such."""
        return [name for name, place in places(listed, self._folders).items() if place is Place.INBOX]

    def _stands_for(self, folder: str) -> frozenset[str]:
        """The labels of a folder; none if it is no label's, or somebody's own."""
        seen = self.read(frozenset(), folder)
        return frozenset() if seen.unknown else seen.bits

    def _named(self, labels: frozenset[str], separator: str) -> str:
        """Our name for the folder of these labels: ESCALATED first; a separator in a label's name becomes `_`."""
        path = sorted(labels, key=lambda label: (label != ESCALATED, label))
        return separator.join((self._folders.inbox, *(_part(label, separator) for label in path)))


def shown_in(label: Label, inbox: str) -> str:
    """The folder of a label for people, with "/" whatever the server writes; "" of one that is never shown."""
    if label.kind not in _SHOWN:
        return ""
    above = (ESCALATED,) if label.kind is LabelKind.WHERE else ()
    return "/".join((inbox, *above, _part(label.name, "/")))


def _part(label: str, separator: str) -> str:
    """A label's name as one part of a folder's: `_` spells every character that some server's separator may be."""
    return re.sub(r"[/.\\%*]" if separator != "/" else r"[/\\%*]", "_", label)


def _separator(listed: Sequence[FolderInfo]) -> str:
    """As the server tells it; guessed where the folders were listed before it was kept."""
    votes = Counter(info.separator for info in listed if info.separator)
    return votes.most_common(1)[0][0] if votes else separator_of(info.name for info in listed)
