"""The doors to the outside, as the inside sees them.

Each Protocol has a fake in `tests/` that passes the same contract suite as the real server.
"""

import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from helpdesk.errors import UnreachableError
from helpdesk.uidset import UidSet


class Tier(StrEnum):
    """What a server offers for finding changes (RFC 7162)."""

    QRESYNC = "QRESYNC"
    CONDSTORE = "CONDSTORE"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class FolderInfo:
    """One selectable folder as LIST tells it.

    `special` is its SPECIAL-USE attribute in lower case, or ""; `separator` is what parts the names of folders in it, or "".
    """

    name: str
    special: str = ""
    separator: str = ""


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """The answer to STATUS; `modseq` is None below tier CONDSTORE."""

    name: str
    uidvalidity: int
    uidnext: int
    messages: int
    modseq: int | None


@dataclass(frozen=True, slots=True)
class FolderFlags:
    r"""Which flags a folder has in use, and whether a new keyword may be made there (PERMANENTFLAGS has `\*`)."""

    used: frozenset[str]
    new: bool


@dataclass(frozen=True, slots=True)
class FlagRow:
    """The flags of one message."""

    uid: int
    flags: frozenset[str]
    modseq: int | None


@dataclass(frozen=True, slots=True)
class FlagChanges:
    """What changed since a MODSEQ; `vanished` is None where the server cannot say (below QRESYNC)."""

    rows: Sequence[FlagRow]
    vanished: UidSet | None


class MailRow(NamedTuple):
    """What is fetched of a message that the board has not seen; a tuple, because a first sync sends them to its helpers."""

    uid: int
    flags: frozenset[str]
    modseq: int | None
    internaldate: datetime
    size: int
    guid: str  # EMAILID or X-GUID, "" where the server has neither
    header: bytes  # the asked-for fields, as the server sent them; b"" when the server could not say
    strikes: int = 0  # connections that ended whenever it was fetched, so that nothing is known of it


class Identity(NamedTuple):
    """What tells one message from another: the server's id for it, else its size and the asked-for header fields."""

    uid: int
    guid: str  # EMAILID or X-GUID, "" where the server has neither
    size: int
    header: bytes  # b"" where the server has an id


@dataclass(frozen=True, slots=True)
class Folder:
    """A selected folder: commands about it fail with `UidValidityChangedError` if the server disagrees."""

    name: str
    uidvalidity: int


class Mailbox(Protocol):
    """One IMAP connection (RFC 9051), synchronous, for one thread.

    Flags and keywords keep the server's spelling.  Errors are those of `helpdesk.errors`: `MailboxUnreachableError` for
    everything that a new connection may heal, `MailboxRefusedError` for an answer NO or BAD.
    """

    @property
    def tier(self) -> Tier:
        """How changes are found here."""

    @property
    def commands(self) -> int:
        """Commands sent so far, the set-up of the connection not counted."""

    @property
    def bytes(self) -> int:
        """Bytes received so far."""

    def folders(self) -> Sequence[FolderInfo]:
        """All selectable folders."""

    def statuses(self, names: Sequence[str] | None = None) -> Sequence[FolderStatus]:
        """STATUS of the named folders (None: of every selectable folder); those that do not exist are left out.

        One command where the server has LIST-STATUS (RFC 5819).
        """

    def select(self, name: str, *, readonly: bool = False) -> Folder:
        """Select a folder (EXAMINE when read-only); a folder that is already selected costs no command."""

    def folder_flags(self, name: str) -> FolderFlags:
        """What SELECT tells about flags; nothing is changed."""

    def changes(self, folder: Folder, since: int) -> FlagChanges:
        """All messages whose MODSEQ is above `since`, with their flags; tiers CONDSTORE and QRESYNC only."""

    def flags(self, folder: Folder, uids: UidSet) -> Sequence[FlagRow]:
        """The flags of those of the named messages that exist."""

    def uids(self, folder: Folder) -> UidSet:
        """All UIDs of the folder."""

    def mails(self, folder: Folder, uids: UidSet, fields: Sequence[str]) -> Iterator[MailRow]:
        """Flags, INTERNALDATE, size, server id and the named header fields, in slices; nothing is marked read.

        A message that the server cannot describe comes with an empty header; the others are unharmed.
        """

    def identities(self, folder: Folder, uids: UidSet, fields: Sequence[str]) -> Sequence[Identity]:
        """Which messages these UIDs name, as the server knew it when the folder was selected: one command for a few.

        Those that have gone, or that the server cannot describe, are left out.
        """

    def body(self, folder: Folder, uid: int, limit: int) -> builtins.bytes:
        """The first `limit` octets of the whole message, b"" if it has gone; nothing is marked read."""

    def store(
        self, folder: Folder, uids: UidSet, change: str, flags: Sequence[str], unchanged_since: int | None
    ) -> "Stored":
        """Add (`change` "+") or remove ("-") flags, only where MODSEQ is not above `unchanged_since`.

        Below CONDSTORE `unchanged_since` is ignored.  OK is no proof: read back.
        """

    def move(self, folder: Folder, uids: UidSet, target: str) -> "Moved":
        r"""Move messages: MOVE (RFC 6851), else COPY, verify, \Deleted, UID EXPUNGE; refused without UIDPLUS."""

    def append(
        self, name: str, mail: builtins.bytes, flags: Sequence[str], when: datetime | None = None
    ) -> int | None:
        """Add a message; its UID where the server tells it (APPENDUID)."""

    def expunge(self, folder: Folder, uids: UidSet) -> None:
        r"""Remove our own messages for good: \Deleted and UID EXPUNGE on these UIDs only; refused without UIDPLUS."""

    def create(self, name: str) -> None:
        """Create and SUBSCRIBE a folder; one that exists is only subscribed."""

    def close(self) -> None:
        """Log out, whatever state the connection is in."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The outcome of a STORE: who was first elsewhere (MODIFIED), and the highest MODSEQ that our change got."""

    modified: UidSet
    modseq: int | None


@dataclass(frozen=True, slots=True)
class Moved:
    """The outcome of a move: old UID to new UID as far as the server told (COPYUID), and the target's UIDVALIDITY."""

    uids: dict[int, int]
    uidvalidity: int | None


@dataclass(frozen=True, slots=True)
class Letter:
    """One SMTP transaction: a complete mail and its envelope (RFC 5321)."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes


class Outcome(StrEnum):
    """How an SMTP transaction ended."""

    ACCEPTED = "accepted"
    TEMPORARY = "temporary"  # 4xx or no connection: nothing was accepted, try again later
    PERMANENT = "permanent"  # 5xx: never try again as it is
    UNKNOWN = "unknown"  # the connection ended after DATA and before the answer


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outcome of a letter, with the server's own words.

    The outcome is that of the recipients who are not named; PERMANENT without names is everybody's.
    """

    outcome: Outcome
    answer: str
    refused: tuple[str, ...] = ()  # recipients whom the server never takes it for
    deferred: tuple[str, ...] = ()  # recipients whom it may take it for later
    unreached: UnreachableError | None = field(default=None, compare=False)  # TEMPORARY: no server answered


Told = Callable[[Letter, Delivery], None]
"""Told of a letter some of whose recipients will not get it; the outcome in the delivery is not that of the letter."""


class Mailer(Protocol):
    """The way out."""

    def send(self, letters: Iterable[Letter], told: Told | None = None) -> Iterator[tuple[Letter, Delivery]]:
        """Send each letter in a transaction of its own, over one connection where that works.

        A letter is taken from `letters` just before it is sent, and sent when its result is asked for.  Where a server takes
        it for some of its recipients only, `told` hears who the others are before the text goes out: whatever happens
        then, they do not have it.
        """
