"""A memory server on which some mails are deadly, and connections that end over them."""

import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from helpdesk.errors import MailboxRefusedError, MailboxUnreachableError
from helpdesk.ports import FlagRow, Folder, Identity, MailRow, Tier
from helpdesk.uidset import UidSet
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer


@dataclass
class Peril:
    """What is wrong with a server at present; UIDs are those of the INBOX."""

    headers: set[int] = field(default_factory=set)  # fetching these ends the connection
    bodies: set[int] = field(default_factory=set)
    flags: set[int] = field(default_factory=set)
    identities: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)  # the answer is NO
    gone: bool = False  # nobody can connect
    fetches: int = 0  # so many more fetches of headers and texts end the connection, whatever they ask for
    retry_after: float | None = None
    deaths: int = 0  # connections that have ended
    asked: list[str] = field(default_factory=list)  # the UIDs of each fetch of headers

    def kills(self, folder: Folder, uids: UidSet, deadly: set[int], server: MemoryServer) -> bool:
        """Whether this fetch ends the connection."""
        if self.fetches and deadly is not self.flags and deadly is not self.identities:
            self.fetches -= 1
            return True
        there = server.tree[folder.name].mails if folder.name == "INBOX" else {}
        return any(uid in uids and uid in there for uid in deadly)


class MortalMailbox(MemoryMailbox):
    """A connection that can end."""

    def __init__(self, server: MemoryServer, peril: Peril, tier: Tier) -> None:
        if peril.gone:
            raise MailboxUnreachableError("the server does not answer")
        super().__init__(server, tier)
        self._peril = peril
        self._dead = False

    def mails(self, folder: Folder, uids: UidSet, fields: Sequence[str]) -> Iterator[MailRow]:
        self._peril.asked.append(str(uids))
        self._survive(folder, uids, self._peril.headers)
        return super().mails(folder, uids, fields)

    def identities(self, folder: Folder, uids: UidSet, fields: Sequence[str]) -> Sequence[Identity]:
        self._survive(folder, uids, self._peril.identities)
        return super().identities(folder, uids, fields)

    def body(self, folder: Folder, uid: int, limit: int) -> builtins.bytes:
        self._survive(folder, UidSet.of([uid]), self._peril.bodies)
        if uid in self._peril.refused:
            raise MailboxRefusedError("UID FETCH: the server answered NO [SERVERBUG] Internal error")
        return super().body(folder, uid, limit)

    def flags(self, folder: Folder, uids: UidSet) -> Sequence[FlagRow]:
        self._survive(folder, uids, self._peril.flags)
        return super().flags(folder, uids)

    def _survive(self, folder: Folder, uids: UidSet, deadly: set[int]) -> None:
        if self._peril.kills(folder, uids, deadly, self._server):
            self._dead = True
            self._peril.deaths += 1
            raise MailboxUnreachableError(
                "the server ended the connection", retry_after=self._peril.retry_after
            )

    def _command(self, name: str) -> None:
        if self._dead:
            raise MailboxUnreachableError("the connection was given up")
        super()._command(name)
