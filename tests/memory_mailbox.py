"""The daemon's door to a `MemoryServer`: implements `helpdesk.ports.Mailbox` for each tier.

It passes the same contract suite as `helpdesk.mailbox.wire.ImapMailbox` on real servers.  `commands` counts as the
real one does: LIST-STATUS is one command, a folder that is already selected costs none.
"""

import builtins
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from helpdesk.errors import MailboxRefusedError, UidValidityChangedError
from helpdesk.ports import (
    FlagChanges,
    FlagRow,
    Folder,
    FolderFlags,
    FolderInfo,
    FolderStatus,
    Identity,
    MailRow,
    Moved,
    Stored,
    Tier,
)
from helpdesk.uidset import UidSet
from tests.memory_server import SYSTEM, MemoryFolder, MemoryMail, MemoryServer

__all__ = ["MemoryMailbox", "MemoryServer"]

SLICE: Final = 500


def _nothing(_command: str) -> None:
    """Nobody acts between two commands."""


class MemoryMailbox:
    """One connection to a `MemoryServer`.

    `before` is called with a command's name just before the command takes effect: a human who acts there wins
    the race.  `guids` False hides the server's ids, as a server without OBJECTID does.
    """

    def __init__(
        self,
        server: MemoryServer,
        tier: Tier = Tier.QRESYNC,
        *,
        before: Callable[[str], None] = _nothing,
        guids: bool = True,
    ) -> None:
        self._server = server
        self._tier = tier
        self._before = before
        self._guids = guids
        self._selected: tuple[str, bool] | None = None
        self._commands = 0
        self._bytes = 0

    @property
    def tier(self) -> Tier:
        return self._tier

    @property
    def commands(self) -> int:
        return self._commands

    @property
    def bytes(self) -> int:
        return self._bytes

    def folders(self) -> Sequence[FolderInfo]:
        self._command("LIST")
        return [FolderInfo(f.name, f.special, "/") for f in self._server.tree.values()]

    def statuses(self, names: Sequence[str] | None = None) -> Sequence[FolderStatus]:
        if self._selected and (names is None or self._selected[0] in names):
            self._command("UNSELECT")
            self._selected = None
        self._command("LIST-STATUS")
        wanted = None if names is None else {_inbox(name) for name in names}
        return [
            FolderStatus(f.name, f.uidvalidity, f.uidnext, len(f.mails), self._modseq(f.modseq))
            for f in self._server.tree.values()
            if wanted is None or f.name in wanted
        ]

    def select(self, name: str, *, readonly: bool = False) -> Folder:
        name = _inbox(name)
        if self._selected not in ((name, False), (name, readonly)):
            self._command("SELECT")
            self._selected = None
            self._server.folder(name)
            self._selected = (name, readonly)
        return Folder(name, self._server.folder(name).uidvalidity)

    def folder_flags(self, name: str) -> FolderFlags:
        self._selected = None
        where = self._server.folder(self.select(name).name)
        server = self._server
        room = server.max_keywords is None or len(where.spelling) < server.max_keywords
        return FolderFlags(frozenset({*SYSTEM.values(), *where.spelling.values()}), server.keywords and room)

    def changes(self, folder: Folder, since: int) -> FlagChanges:
        if self._tier is Tier.PLAIN:
            raise MailboxRefusedError("the server has no CONDSTORE")
        where = self._look("CHANGES", folder)
        rows = where.rows(since)
        self._bytes += 60 * len(rows)
        return FlagChanges(rows, where.vanished(since) if self._tier is Tier.QRESYNC else None)

    def flags(self, folder: Folder, uids: UidSet) -> Sequence[FlagRow]:
        if not uids:
            return []
        where = self._look("FLAGS", folder)
        return [FlagRow(m.uid, m.flags, self._modseq(m.modseq)) for m in where.present(uids)]

    def uids(self, folder: Folder) -> UidSet:
        return UidSet.of(self._look("SEARCH", folder).mails)

    def mails(self, folder: Folder, uids: UidSet, fields: Sequence[str]) -> Iterator[MailRow]:
        for number, batch in enumerate(uids.batches(SLICE)):
            where = self._within("FETCH", folder) if number else self._look("FETCH", folder)
            yield from [self._row(mail, fields) for mail in where.present(batch)]

    def identities(self, folder: Folder, uids: UidSet, fields: Sequence[str]) -> Sequence[Identity]:
        if not uids:
            return []
        rows = [self._row(mail, fields) for mail in self._within("IDENTITY", folder).present(uids)]
        return [Identity(row.uid, row.guid, row.size, b"" if row.guid else row.header) for row in rows]

    def body(self, folder: Folder, uid: int, limit: int) -> builtins.bytes:
        mail = self._look("BODY", folder).mails.get(uid)
        octets = mail.content.octets[:limit] if mail else b""
        self._bytes += len(octets)
        return octets

    def store(
        self, folder: Folder, uids: UidSet, change: str, flags: Sequence[str], unchanged_since: int | None
    ) -> Stored:
        _atoms(flags)
        if not uids:
            return Stored(UidSet(), None)
        where = self._within("STORE", folder, write=True)
        limit = None if self._tier is Tier.PLAIN else unchanged_since
        present = list(where.present(uids))
        given = self._server.accepted(where, flags) if where.mails else frozenset[str]()
        modified = UidSet.of(m.uid for m in present if limit is not None and m.modseq > limit)
        ours = [m.uid for m in present if m.uid not in modified]
        add, remove = (given, frozenset[str]()) if change == "+" else (frozenset[str](), given)
        modseq = where.change(ours, add, remove)
        return Stored(modified, self._modseq(modseq) if modseq else None)

    def move(self, folder: Folder, uids: UidSet, target: str) -> Moved:
        if not uids:
            return Moved({}, None)
        where = self._within("MOVE", folder, write=True)
        moved = self._server.transfer(where.name, uids, target, keep=False)
        return Moved(moved, self._server.folder(target).uidvalidity if moved else None)

    def append(
        self, name: str, mail: builtins.bytes, flags: Sequence[str], when: datetime | None = None
    ) -> int | None:
        self._command("APPEND")
        return self._server.append(name, mail, _atoms(flags), when)

    def expunge(self, folder: Folder, uids: UidSet) -> None:
        if uids:
            self._within("STORE", folder, write=True)
            self._within("EXPUNGE", folder, write=True).expunge(uids)

    def create(self, name: str) -> None:
        self._command("CREATE")
        if _inbox(name) not in self._server.tree:
            self._server.create(name)
        self._command("SUBSCRIBE")
        self._server.folder(name).subscribed = True

    def close(self) -> None:
        self._selected = None

    def _command(self, name: str) -> None:
        self._before(name)
        self._commands += 1
        self._bytes += 40

    def _within(self, command: str, folder: Folder, *, write: bool = False) -> MemoryFolder:
        """Do one command in the folder, if it is still the one that the caller knows."""
        self.select(folder.name, readonly=not write)
        self._still(folder)
        self._command(command)
        return self._still(folder)

    def _look(self, command: str, folder: Folder) -> MemoryFolder:
        """Do one reading command; in a folder that was selected earlier, a NOOP goes ahead of it."""
        selected_before = self._selected
        self.select(folder.name, readonly=True)
        if self._selected is selected_before:
            self._command("NOOP")
        return self._within(command, folder)

    def _still(self, folder: Folder) -> MemoryFolder:
        where = self._server.folder(folder.name)
        if where.uidvalidity != folder.uidvalidity:
            self._selected = None
            raise UidValidityChangedError(f"UIDVALIDITY of {folder.name!r} is {where.uidvalidity}")
        return where

    def _modseq(self, modseq: int) -> int | None:
        return None if self._tier is Tier.PLAIN else modseq

    def _row(self, mail: MemoryMail, fields: Sequence[str]) -> MailRow:
        header = mail.content.header(fields)
        self._bytes += len(header) + 150
        return MailRow(
            uid=mail.uid,
            flags=mail.flags,
            modseq=self._modseq(mail.modseq),
            internaldate=mail.content.when,
            size=len(mail.content.octets),
            guid=mail.content.guid if self._guids else "",
            header=header,
        )


def _atoms(flags: Sequence[str]) -> Sequence[str]:
    """Refuse what IMAP cannot say in a flag list (RFC 9051 section 9, flag-keyword)."""
    for flag in flags:
        if flag.lower() not in SYSTEM and (
            not flag.isascii() or set(flag) & set(' (){%*"\\]\r\n') or not flag
        ):
            raise MailboxRefusedError(f"{flag!r} cannot be a keyword")
    return flags


def _inbox(name: str) -> str:
    return "INBOX" if name.upper() == "INBOX" else name
