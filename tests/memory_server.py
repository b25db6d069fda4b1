"""An IMAP server's memory without the wire: folders, UIDs, MODSEQs, keywords, and what humans do to them.

It keeps the promises that `tests/contract/test_mailbox.py` checks on real servers.  The public methods are the human
side (`tests.human.Human`); `tests.memory_mailbox.MemoryMailbox` is the daemon's side.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from helpdesk.errors import MailboxRefusedError
from helpdesk.ports import FlagRow
from helpdesk.uidset import UidSet
from tests.human import Seen

SYSTEM = {flag.lower(): flag for flag in ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")}
FIRST_UIDVALIDITY = 1_700_000_000
EPOCH = datetime(2026, 6, 1, tzinfo=UTC)
_LINE_END = re.compile(rb"\r?\n")
_HEADER_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*")


@dataclass(slots=True)
class Content:
    """What copies share: the octets and the server's id for them."""

    guid: str
    octets: bytes
    when: datetime
    _headers: dict[tuple[str, ...], bytes] = field(default_factory=dict)

    def header(self, fields: Sequence[str]) -> bytes:
        """Answer BODY.PEEK[HEADER.FIELDS (...)]: the named fields as they are, and the empty line."""
        key = tuple(fields)
        if key not in self._headers:
            wanted = {name.lower().encode() for name in fields}
            head, _, _ = self.octets.partition(b"\r\n\r\n")
            found = _HEADER_FIELD.finditer(head + b"\r\n")
            self._headers[key] = b"".join(m[0] for m in found if m[1].lower() in wanted) + b"\r\n"
        return self._headers[key]

    @property
    def message_id(self) -> str:
        """The Message-ID as it is written, or ""."""
        _, _, value = self.header(("message-id",)).partition(b":")
        return value.decode("latin-1").strip()


@dataclass(slots=True)
class MemoryMail:
    """One message in one folder."""

    uid: int
    content: Content
    flags: frozenset[str]
    modseq: int


@dataclass(slots=True)
class MemoryFolder:
    """One folder; `expunged` is the history that QRESYNC needs, as (MODSEQ, UID) in ascending order."""

    name: str
    uidvalidity: int
    special: str = ""
    uidnext: int = 1
    modseq: int = 1
    subscribed: bool = False
    mails: dict[int, MemoryMail] = field(default_factory=dict)
    expunged: list[tuple[int, int]] = field(default_factory=list)
    spelling: dict[str, str] = field(default_factory=dict)

    def flags(self, given: Iterable[str]) -> frozenset[str]:
        """Spell flags as this folder does: a keyword as it was first seen here."""
        return frozenset(
            SYSTEM[flag.lower()] if flag.lower() in SYSTEM else self.spelling.setdefault(flag.lower(), flag)
            for flag in given
        )

    def add(self, content: Content, flags: Iterable[str]) -> int:
        """Add a message and return its UID."""
        uid = self.uidnext
        self.uidnext += 1
        self.modseq += 1
        self.mails[uid] = MemoryMail(uid, content, self.flags(flags), self.modseq)
        return uid

    def change(self, uids: Iterable[int], add: frozenset[str], remove: frozenset[str]) -> int | None:
        """Change flags; the MODSEQ that the change got, None when nothing was different."""
        different = [
            (mail, flags)
            for mail in self.present(uids)
            if (flags := (mail.flags - remove) | add) != mail.flags
        ]
        if not different:
            return None
        self.modseq += 1
        for mail, flags in different:
            mail.flags, mail.modseq = flags, self.modseq
        return self.modseq

    def expunge(self, uids: Iterable[int]) -> list[MemoryMail]:
        """Remove messages for good; what was there."""
        gone = list(self.present(uids))
        if gone:
            self.modseq += 1
        for mail in gone:
            del self.mails[mail.uid]
            self.expunged.append((self.modseq, mail.uid))
        return gone

    def present(self, uids: Iterable[int]) -> Iterator[MemoryMail]:
        """Those of the named messages that exist, by UID."""
        if isinstance(uids, UidSet) and len(uids) > len(self.mails):
            return (mail for uid, mail in self.mails.items() if uid in uids)
        return (mail for uid in sorted(set(uids)) if (mail := self.mails.get(uid)))

    def rows(self, since: int) -> list[FlagRow]:
        """Tell the flags of all messages whose MODSEQ is above `since`."""
        return [FlagRow(m.uid, m.flags, m.modseq) for m in self.mails.values() if m.modseq > since]

    def vanished(self, since: int) -> UidSet:
        """Tell the UIDs expunged after `since`."""
        return UidSet.of(uid for modseq, uid in self.expunged if modseq > since)


class MemoryServer:
    r"""All folders of one account.

    `keywords` False drops keywords silently, as a server without `\*` does; `max_keywords` refuses new ones beyond
    it, as Cyrus does.
    """

    def __init__(self, *, keywords: bool = True, max_keywords: int | None = None) -> None:
        self.keywords = keywords
        self.max_keywords = max_keywords
        self.tree: dict[str, MemoryFolder] = {}
        self._uidvalidity = FIRST_UIDVALIDITY
        self._guid = 0
        for name, special in (("INBOX", ""), ("Archive", "archive"), ("Sent", "sent"), ("Drafts", "drafts")):
            self.create(name).special = special
        for name, special in (("Trash", "trash"), ("Junk", "junk")):
            self.create(name).special = special

    # -- what both sides need ------------------------------------------------------------------------------------

    def folder(self, name: str) -> MemoryFolder:
        """Find the folder of that name; INBOX in any case (RFC 9051 section 5.1)."""
        found = self.tree.get(_canonical(name))
        if found is None:
            raise MailboxRefusedError(f"[NONEXISTENT] there is no folder {name!r}")
        return found

    def accepted(self, folder: MemoryFolder, flags: Iterable[str]) -> frozenset[str]:
        """Keep the flags that this server stores, in the folder's spelling; asking registers a new keyword."""
        wanted = [flag for flag in flags if self.keywords or flag.lower() in SYSTEM]
        new = {flag.lower() for flag in wanted} - folder.spelling.keys() - SYSTEM.keys()
        if self.max_keywords is not None and len(folder.spelling) + len(new) > self.max_keywords:
            raise MailboxRefusedError("[LIMIT] too many user flags in the folder")
        return folder.flags(wanted)

    def append(self, name: str, mail: bytes, flags: Iterable[str], when: datetime | None) -> int:
        """Add a new message; line ends become CRLF, as every server stores them."""
        folder = self.folder(name)
        self._guid += 1
        octets = _LINE_END.sub(b"\r\n", mail) if mail.count(b"\n") != mail.count(b"\r\n") else mail
        return folder.add(Content(f"{self._guid:032x}", octets, when or EPOCH), self.accepted(folder, flags))

    def transfer(self, source: str, uids: Iterable[int], target: str, *, keep: bool) -> dict[int, int]:
        """COPY (`keep`) or MOVE; old UID to new UID.  The server's id goes along."""
        origin, destination = self.folder(source), self.folder(target)
        mails = list(origin.present(uids))
        copies = {m.uid: destination.add(m.content, self.accepted(destination, m.flags)) for m in mails}
        if not keep:
            origin.expunge(copies)
        return copies

    # -- the human side ------------------------------------------------------------------------------------------

    def folders(self) -> list[str]:
        """Name all folders."""
        return sorted(self.tree)

    def look(self, folder: str) -> list[Seen]:
        """Show a folder as a mail client does."""
        return [Seen(m.uid, m.content.message_id, m.flags) for m in self.folder(folder).mails.values()]

    def deliver(
        self, folder: str, mail: bytes, when: datetime | None = None, flags: Sequence[str] = ()
    ) -> int:
        """Let a new mail arrive, or drag one in from elsewhere."""
        return self.append(folder, mail, flags, when)

    def add_flags(self, folder: str, uids: Iterable[int], flags: Sequence[str]) -> None:
        """Set labels, stars, marks."""
        where = self.folder(folder)
        if where.mails:
            where.change(uids, self.accepted(where, flags), frozenset())

    def remove_flags(self, folder: str, uids: Iterable[int], flags: Sequence[str]) -> None:
        """Take labels, stars, marks away."""
        where = self.folder(folder)
        if where.mails:
            where.change(uids, frozenset(), where.flags(flags))

    def set_flags(self, folder: str, uids: Iterable[int], flags: Sequence[str]) -> None:
        """Replace all flags."""
        where = self.folder(folder)
        wanted = self.accepted(where, flags) if where.mails else frozenset[str]()
        for mail in list(where.present(uids)):
            where.change([mail.uid], wanted, mail.flags - wanted)

    def move(self, folder: str, uids: Iterable[int], target: str) -> None:
        """Drag messages to another folder."""
        self.transfer(folder, uids, target, keep=False)

    def copy(self, folder: str, uids: Iterable[int], target: str) -> None:
        """Copy messages to another folder, as neomutt archives."""
        self.transfer(folder, uids, target, keep=True)

    def mark_deleted(self, folder: str, uids: Iterable[int]) -> None:
        """Strike messages through: they are still there until somebody expunges."""
        self.add_flags(folder, uids, ["\\Deleted"])

    def expunge(self, folder: str) -> None:
        """Remove everything that is marked deleted."""
        where = self.folder(folder)
        where.expunge([m.uid for m in where.mails.values() if "\\Deleted" in m.flags])

    def delete(self, folder: str, uids: Iterable[int]) -> None:
        """Delete messages for good."""
        self.folder(folder).expunge(uids)

    def create(self, folder: str) -> MemoryFolder:
        """Make a folder."""
        name = _canonical(folder)
        if name in self.tree:
            raise MailboxRefusedError(f"[ALREADYEXISTS] there is a folder {folder!r}")
        self._uidvalidity += 1
        self.tree[name] = MemoryFolder(name, self._uidvalidity)
        return self.tree[name]

    def rename(self, folder: str, to: str) -> None:
        """Rename a folder and what is below it; UIDVALIDITY stays.  INBOX gives its messages away and stays itself."""
        if _canonical(folder) == "INBOX":
            self.create(to)
            self.transfer("INBOX", list(self.folder("INBOX").mails), to, keep=False)
            return
        if to in self.tree:
            raise MailboxRefusedError(f"[ALREADYEXISTS] there is a folder {to!r}")
        self.folder(folder)
        for name in [n for n in self.tree if n == folder or n.startswith(folder + "/")]:
            moved = self.tree.pop(name)
            moved.name = to + name[len(folder) :]
            self.tree[moved.name] = moved

    def remove(self, folder: str) -> None:
        """Delete a folder and its messages."""
        del self.tree[self.folder(folder).name]

    def change_uidvalidity(self, folder: str) -> None:
        """Do what a restored backup does: the same messages, in the same order, under a new UIDVALIDITY."""
        old = self.folder(folder)
        self._uidvalidity += 1
        new = MemoryFolder(old.name, self._uidvalidity, old.special, subscribed=old.subscribed)
        for mail in old.mails.values():
            new.add(mail.content, mail.flags)
        self.tree[old.name] = new


def _canonical(name: str) -> str:
    return "INBOX" if name.upper() == "INBOX" else name
