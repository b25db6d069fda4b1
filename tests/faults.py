"""A mailbox that dies at a chosen moment: just before or just after the n-th command that changes something."""

import builtins
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

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

T = TypeVar("T")


class Crash(Exception):  # noqa: N818 -- not an error of ours: the process is gone
    """The power went out."""


@dataclass(slots=True)
class Fuse:
    """Blows at changing call number `at` (from 1; 0: never), before it or `after` it; `error` says how.

    `calls` counts on, so that a first run with `Fuse(0)` tells how many moments there are to die in.  With an `act` nobody dies:
    somebody else does something at that moment.
    """

    at: int = 0
    after: bool = False
    error: Callable[[], Exception] = Crash
    calls: int = 0
    act: Callable[[], object] | None = None

    def guard(self, call: Callable[[], T]) -> T:
        """Do one changing call, or die."""
        self.calls += 1
        now = self.calls == self.at
        if now and not self.after:
            self._blow()
        result = call()
        if now and self.after:
            self._blow()
        return result

    def _blow(self) -> None:
        if self.act is None:
            raise self.error()
        self.act()

    @property
    def blown(self) -> bool:
        """Whether the moment has come."""
        return 0 < self.at <= self.calls


class CrashingMailbox:
    """Wraps any `Mailbox`; reading always works, changing goes through the fuse."""

    def __init__(self, inner: Mailbox, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    @property
    def tier(self) -> Tier:
        return self._inner.tier

    @property
    def commands(self) -> int:
        return self._inner.commands

    @property
    def bytes(self) -> int:
        return self._inner.bytes

    def folders(self) -> Sequence[FolderInfo]:
        return self._inner.folders()

    def statuses(self, names: Sequence[str] | None = None) -> Sequence[FolderStatus]:
        return self._inner.statuses(names)

    def select(self, name: str, *, readonly: bool = False) -> Folder:
        return self._inner.select(name, readonly=readonly)

    def folder_flags(self, name: str) -> FolderFlags:
        return self._inner.folder_flags(name)

    def changes(self, folder: Folder, since: int) -> FlagChanges:
        return self._inner.changes(folder, since)

    def flags(self, folder: Folder, uids: UidSet) -> Sequence[FlagRow]:
        return self._inner.flags(folder, uids)

    def uids(self, folder: Folder) -> UidSet:
        return self._inner.uids(folder)

    def mails(self, folder: Folder, uids: UidSet, fields: Sequence[str]) -> Iterator[MailRow]:
        return self._inner.mails(folder, uids, fields)

    def identities(self, folder: Folder, uids: UidSet, fields: Sequence[str]) -> Sequence[Identity]:
        return self._inner.identities(folder, uids, fields)

    def body(self, folder: Folder, uid: int, limit: int) -> builtins.bytes:
        return self._inner.body(folder, uid, limit)

    def store(
        self, folder: Folder, uids: UidSet, change: str, flags: Sequence[str], unchanged_since: int | None
    ) -> Stored:
        return self._fuse.guard(lambda: self._inner.store(folder, uids, change, flags, unchanged_since))

    def move(self, folder: Folder, uids: UidSet, target: str) -> Moved:
        return self._fuse.guard(lambda: self._inner.move(folder, uids, target))

    def append(
        self, name: str, mail: builtins.bytes, flags: Sequence[str], when: datetime | None = None
    ) -> int | None:
        return self._fuse.guard(lambda: self._inner.append(name, mail, flags, when))

    def expunge(self, folder: Folder, uids: UidSet) -> None:
        self._fuse.guard(lambda: self._inner.expunge(folder, uids))

    def create(self, name: str) -> None:
        self._fuse.guard(lambda: self._inner.create(name))

    def close(self) -> None:
        self._inner.close()
