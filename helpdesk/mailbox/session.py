"""Which folder is selected, how fresh our view of it is, and what vanished from it in the meantime.

A server shows a selected folder as it was at the end of the last command: what others did since is seen after a NOOP
(Dovecot's STATUS of the selected folder is as stale).  So a folder is left before it is asked for its STATUS, and a
NOOP goes ahead of reading a folder that was selected earlier.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from helpdesk.errors import MailboxUnreachableError, UidValidityChangedError
from helpdesk.mailbox.answers import encoded, number, vanished
from helpdesk.mailbox.conversation import Answer, Conversation, RowReader
from helpdesk.mailbox.namespace import Namespace
from helpdesk.ports import Folder, Tier
from helpdesk.uidset import UidSet

GOODBYE_SECONDS: Final = 2.0
_EVERYWHERE: Final = Namespace()


class Session:
    """The state of one connection; the only owner of its conversation."""

    def __init__(
        self, conversation: Conversation, tier: Tier, guid_item: str, where: Namespace = _EVERYWHERE
    ) -> None:
        self._conversation = conversation
        self._selected: Folder | None = None
        self._writable = False
        self._vanished: dict[Folder, UidSet] = {}
        self.tier = tier
        self._where = where
        self._listed: set[str] = set()  # names that this server told: they are whole
        self.guid_item = guid_item  # the FETCH item that identifies a message across folders, or ""

    @property
    def commands(self) -> int:
        """Commands sent since the set-up."""
        return self._conversation.commands

    @property
    def received(self) -> int:
        """Octets received so far."""
        return self._conversation.received

    def offers(self, capability: str) -> bool:
        """Tell whether the server announced a capability after the login."""
        return capability in self._conversation.capabilities

    def run(self, command: str, *, literal: bytes | None = None, rows: RowReader | None = None) -> Answer:
        """Run a command; what it tells of vanished messages is kept until `take_vanished`."""
        answer = self._conversation.run(command, literal=literal, rows=rows)
        if self._selected and (gone := vanished(answer.untagged)):
            known = self._vanished.get(self._selected, UidSet())
            self._vanished[self._selected] = UidSet.parse(f"{known},{gone}" if known else str(gone))
        return answer

    def there(self, name: str) -> str:
        """Spell a folder's whole name on this server."""
        return name if name in self._listed else self._where.there(name)

    def listed(self, names: Iterable[str]) -> None:
        """Keep what LIST told: a shared folder may lie beside the prefix, with no prefix of its own (Cyrus)."""
        self._listed |= set(names)

    def select(self, name: str, *, readonly: bool) -> Folder:
        """Select a folder unless it is selected already, in a way that allows what is wanted."""
        name = self.there(name)
        if self._selected and self._selected.name == name and (self._writable or readonly):
            return self._selected
        return self.open(name, readonly=readonly)[0]

    def open(self, name: str, *, readonly: bool) -> tuple[Folder, Answer]:
        """Select a folder, selected already or not, and tell what the server says of it."""
        name = self.there(name)
        answer = self.run(
            f"{'EXAMINE' if readonly else 'SELECT'} {encoded(name)}"
        )  # may tell of the old folder
        self._selected = None  # a SELECT that fails leaves nothing selected (RFC 9051 section 6.3.2)
        uidvalidity = number(answer.check(), "UIDVALIDITY")
        if uidvalidity is None:
            raise MailboxUnreachableError(f"the server tells no UIDVALIDITY for {name!r}")
        self._selected = Folder(name, uidvalidity)
        self._writable = not readonly
        return self._selected, answer

    def enter(self, folder: Folder, *, write: bool = False) -> None:
        """Select `folder`, and make sure that it is still the one that the caller knows."""
        now = self.select(folder.name, readonly=not write)
        if now.uidvalidity != folder.uidvalidity:
            self.leave()
            raise UidValidityChangedError(
                f"UIDVALIDITY of {folder.name!r} was {folder.uidvalidity} and is {now.uidvalidity}"
            )

    def enter_fresh(self, folder: Folder) -> None:
        """Enter, and see what others did until now."""
        selected_before = self._selected
        self.enter(folder)
        if selected_before is self._selected:
            self.run("NOOP").check()

    def leave(self) -> None:
        """Select nothing, without expunging (UNSELECT, RFC 3691); where that is not offered, at least look again."""
        if self._selected is None:
            return
        if self.offers("UNSELECT"):
            self.run("UNSELECT").check()
            self._selected = None
        else:
            self.run("NOOP").check()

    def leave_if_in(self, names: Sequence[str] | None) -> None:
        """Leave the selected folder if it is one of `names` (None: whatever it is)."""
        if self._selected and (names is None or self._selected.name in names):
            self.leave()

    def take_vanished(self, folder: Folder) -> UidSet:
        """Hand over what vanished from a folder while it was selected."""
        return self._vanished.pop(folder, UidSet())

    def close(self) -> None:
        """Log out without waiting long (RFC 9051 section 6.1.3)."""
        self._conversation.logout(GOODBYE_SECONDS)
