"""A mail client: what people see of the mailbox, and what they can do there.

It speaks IMAP over the production wire, on a connection of its own; the board knows nothing of it but its effects.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from helpdesk.demo.cast import SENT
from helpdesk.mailbox.parse import parse_header
from helpdesk.model import Header
from helpdesk.ports import Folder, Mailbox
from helpdesk.uidset import UidSet

SEEN = "\\Seen"
HEADER_OCTETS = 64 * 1024
_MARKS = frozenset({SEEN.lower(), "\\answered", "\\recent"})


@dataclass(frozen=True, slots=True)
class Lying:
    r"""Where a mail lies, and the keywords (lower case) and `\flagged` that it carries."""

    folder: str
    uid: int
    labels: frozenset[str]


@dataclass
class Client:
    """One person's mail client; mails are named by their Message-IDs."""

    mailbox: Mailbox
    _ids: dict[tuple[str, int], str] = field(default_factory=dict)  # (folder, UID) -> Message-ID

    def look(self) -> Mapping[str, Lying]:
        """Every mail of the mailbox; of several copies the last one."""
        found: dict[str, Lying] = {}
        for info in self.mailbox.folders():
            folder = self.mailbox.select(info.name, readonly=True)
            uids = self.mailbox.uids(folder)
            self._learn(folder, uids)
            for row in self.mailbox.flags(folder, uids):
                labels = frozenset(flag.lower() for flag in row.flags) - _MARKS
                found[self._ids[folder.name, row.uid]] = Lying(folder.name, row.uid, labels)
        return found

    def find(self, message_id: str) -> Lying:
        """Where one mail lies now; KeyError if it is nowhere."""
        return self.look()[message_id]

    def tag(self, message_ids: Iterable[str], flags: Iterable[str], *, on: bool = True) -> None:
        """Set flags and keywords, or take them away."""
        there = self.look()
        for lying in (there[message_id] for message_id in message_ids):
            folder = self.mailbox.select(lying.folder)
            self.mailbox.store(folder, UidSet.of([lying.uid]), "+" if on else "-", sorted(flags), None)

    def move(self, message_id: str, target: str) -> None:
        """Drag a mail to another folder."""
        lying = self.find(message_id)
        self.mailbox.move(self.mailbox.select(lying.folder), UidSet.of([lying.uid]), target)

    def keep(self, mail: bytes, at: datetime) -> None:
        """Put a copy of what was written into Sent."""
        self.mailbox.append(SENT, mail, [SEEN], at)

    def header(self, message_id: str) -> Header:
        """The header of a mail; UnparseableError if it has none."""
        lying = self.find(message_id)
        folder = self.mailbox.select(lying.folder, readonly=True)
        return parse_header(self.mailbox.body(folder, lying.uid, HEADER_OCTETS))

    def _learn(self, folder: Folder, uids: UidSet) -> None:
        """Read the Message-IDs that are not known yet: a UID always means the same mail."""
        new = UidSet.of(uid for uid in uids if (folder.name, uid) not in self._ids)
        for row in self.mailbox.mails(folder, new, ("Message-ID",)):
            self._ids[folder.name, row.uid] = row.header.decode("ascii", "replace").partition(":")[2].strip()
