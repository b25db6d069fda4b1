"""A mailbox whose connection can be made anew, and which finds out what ends it (docs/decisions.md section 12)."""

import builtins
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Engine

from helpdesk.errors import MailboxUnreachableError
from helpdesk.mailbox.inquest import Inquest
from helpdesk.ports import (
    FlagChanges,
    FlagRow,
    Folder,
    FolderFlags,
    FolderInfo,
    FolderStatus,
    Identity,
    Mailbox,
    MailRow,
    Moved,
    Stored,
    Tier,
)
from helpdesk.uidset import UidSet


class Lifeline:
    """Implements `helpdesk.ports.Mailbox`; only fetching mail survives the end of the connection.

    Everything else raises `MailboxUnreachableError` as an ordinary mailbox does: what was asked or written is not known
    then, and the next look finds out.
    """

    def __init__(self, connect: Callable[[], Mailbox], engine: Engine) -> None:
        self._connect = connect
        self._before = (0, 0)  # commands and octets of former connections
        self.inner = connect()
        self._inquest = Inquest(self, engine)

    def renew(self) -> None:
        """Leave the connection and make a new one; where that offers less than the old, only a new look knows what to do."""
        old = self.inner
        old.close()
        self.inner = self._connect()
        self._before = (self._before[0] + old.commands, self._before[1] + old.bytes)
        if self.inner.tier is not old.tier:
            raise MailboxUnreachableError(f"the server was {old.tier} and is {self.inner.tier} now")

    @property
    def tier(self) -> Tier:
        """How changes are found here."""
        return self.inner.tier

    @property
    def commands(self) -> int:
        """Commands sent over all connections."""
        return self._before[0] + self.inner.commands

    @property
    def bytes(self) -> int:
        """Octets received over all connections."""
        return self._before[1] + self.inner.bytes

    def mails(self, folder: Folder, uids: UidSet, fields: Sequence[str]) -> Iterator[MailRow]:
        """See `Mailbox`; a mail that ends the connection comes without a header, and with `strikes`."""
        return self._inquest.mails(folder, uids, fields)

    def body(self, folder: Folder, uid: int, limit: int) -> builtins.bytes:
        """See `Mailbox`; one that ends the connection is a `DeadlyMailError`."""
        return self._inquest.body(folder, uid, limit)

    def identities(self, folder: Folder, uids: UidSet, fields: Sequence[str]) -> Sequence[Identity]:
        """See `Mailbox`; they are of mails that were fetched before, so no inquest follows.

        One may have become deadly since: where two connections end over it, nothing is told, and the look goes on.
        """
        for _ in range(2):
            try:
                return self.inner.identities(folder, uids, fields)
            except MailboxUnreachableError as error:
                if error.retry_after is not None:
                    raise
                self.renew()
        return []

    def folders(self) -> Sequence[FolderInfo]:
        """See `Mailbox`."""
        return self.inner.folders()

    def statuses(self, names: Sequence[str] | None = None) -> Sequence[FolderStatus]:
        """See `Mailbox`."""
        return self.inner.statuses(names)

    def select(self, name: str, *, readonly: bool = False) -> Folder:
        """See `Mailbox`."""
        return self.inner.select(name, readonly=readonly)

    def folder_flags(self, name: str) -> FolderFlags:
        """See `Mailbox`."""
        return self.inner.folder_flags(name)

    def changes(self, folder: Folder, since: int) -> FlagChanges:
        """See `Mailbox`."""
        return self.inner.changes(folder, since)

    def flags(self, folder: Folder, uids: UidSet) -> Sequence[FlagRow]:
        """See `Mailbox`."""
        return self.inner.flags(folder, uids)

    def uids(self, folder: Folder) -> UidSet:
        """See `Mailbox`."""
        return self.inner.uids(folder)

    def store(
        self, folder: Folder, uids: UidSet, change: str, flags: Sequence[str], unchanged_since: int | None
    ) -> Stored:
        """See `Mailbox`."""
        return self.inner.store(folder, uids, change, flags, unchanged_since)

    def move(self, folder: Folder, uids: UidSet, target: str) -> Moved:
        """See `Mailbox`."""
        return self.inner.move(folder, uids, target)

    def append(
        self, name: str, mail: builtins.bytes, flags: Sequence[str], when: datetime | None = None
    ) -> int | None:
        """See `Mailbox`."""
        return self.inner.append(name, mail, flags, when)

    def expunge(self, folder: Folder, uids: UidSet) -> None:
        """See `Mailbox`."""
        self.inner.expunge(folder, uids)

    def create(self, name: str) -> None:
        """See `Mailbox`."""
        self.inner.create(name)

    def close(self) -> None:
        """See `Mailbox`."""
        self.inner.close()
