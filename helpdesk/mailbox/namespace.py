"""Where a server keeps a user's own folders (RFC 2342): some put all of them below a prefix, `INBOX.` mostly, and take no other name."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from helpdesk.mailbox.answers import canonical
from helpdesk.mailbox.conversation import Conversation

_PREFIX: Final = re.compile(rb'\(\s*"((?:[^"\\]|\\.)*)"\s+(?:"(?:[^"\\]|\\.)*"|NIL)')


@dataclass(frozen=True, slots=True)
class Namespace:
    """The prefix of the personal folders, "" mostly, and those of other people's and shared ones."""

    personal: str = ""
    others: tuple[str, ...] = ()

    def there(self, name: str) -> str:
        """A folder's whole name on the server; a name that the server told is whole."""
        name = canonical(name)
        if name == "INBOX" or not self.personal or name.startswith((self.personal, *self.others)):
            return name
        return self.personal + name


def ask(conversation: Conversation) -> Namespace:
    """One command, where the server has it; a server that answers nothing of use has no prefix."""
    if "NAMESPACE" not in conversation.capabilities:
        return Namespace()
    answer = conversation.run("NAMESPACE")
    told = [b"".join(parts) for parts in answer.untagged if parts[0].upper().startswith(b"NAMESPACE ")]
    return namespace(told) if answer.ok else Namespace()


def namespace(told: Iterable[bytes]) -> Namespace:
    """Read the answer: of several personal prefixes the first is where a client makes folders (RFC 2342 section 5)."""
    for line in told:
        rest = line.partition(b" ")[2].lstrip()
        found: Sequence[str] = [one.decode("utf-8", "replace") for one in _PREFIX.findall(rest)]
        if not rest.upper().startswith(b"NIL") and found:
            return Namespace(found[0], tuple(one for one in found[1:] if one))
    return Namespace()
