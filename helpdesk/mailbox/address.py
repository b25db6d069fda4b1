"""Addresses in header fields (RFC 5322 section 3.4): one pass over tokens, no recursion, nothing to run away.

Lists, groups, quoted names, comments and the obsolete route are read; what is none of these gives a name without an
address.  Of a name that looks like an address (`admin@a.example <eve@b.example>`) the one in angle brackets counts.
Addresses are lower case: no mail system that we know tells Bob from bob.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from helpdesk.mailbox.encoded import decoded

_TOKEN = re.compile(
    r'"(?P<quoted>[^"\\]*(?:\\.[^"\\]*)*)"'
    r"|<(?P<angle>[^<>]*)>?"
    r"|(?P<mark>[(),;:])"
    r'|(?P<text>[^"<>(),;:\\]+|\\.|["\\])',  # an unclosed quote and a stray backslash are text
    re.DOTALL,
)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_QUOTED_LOCAL = re.compile(r'\s*("[^"]*"@[^\s"]+)\s*$')
_REMEMBERED_LENGTH = 512


class Mailbox(NamedTuple):
    """One mailbox of an address list: the name decoded, the address lower case or ""."""

    name: str
    address: str


def addresses(value: str) -> tuple[Mailbox, ...]:
    """Read an address list in the order in which it is written."""
    return _remembered(value) if len(value) <= _REMEMBERED_LENGTH else _read(value)


@lru_cache(maxsize=8192)
def _remembered(value: str) -> tuple[Mailbox, ...]:
    return _read(value)


@dataclass(slots=True)
class _Entry:
    """What was read since the last separator."""

    words: list[str] = field(default_factory=list)  # the display name, quotes removed
    raw: list[str] = field(default_factory=list)  # the same as written
    comment: list[str] = field(default_factory=list)
    angle: str | None = None
    at: bool = False
    depth: int = 0  # of nested comments

    def take(self, kind: str | None, piece: str) -> None:
        """Add one piece that ends nothing."""
        if self.depth or piece == "(":
            self.depth += {"(": 1, ")": -1}.get(piece, 0)
            self.comment.append(piece)
        elif kind == "angle":
            self.angle = piece.strip("<>") if self.angle is None else self.angle
        else:
            self.words.append(_QUOTED_PAIR.sub(r"\1", piece[1:-1]) if kind == "quoted" else piece)
            self.raw.append(piece)
            self.at = self.at or "@" in piece

    def mailboxes(self) -> tuple[Mailbox, ...]:
        """Say what the entry is: one mailbox, or nothing at all."""
        comment = decoded(" ".join("".join(self.comment).strip("() ").split()))
        name = decoded(" ".join("".join(self.words).split()))
        if self.angle is not None:
            mailbox = Mailbox(name or comment, _addr_spec(self.angle))
        else:
            address, rest = _bare("".join(self.raw))
            mailbox = Mailbox(comment if address and not rest else decoded(rest), address)
        return (mailbox,) if mailbox.name or mailbox.address else ()


def _read(value: str) -> tuple[Mailbox, ...]:
    found: list[Mailbox] = []
    entry = _Entry()
    for match in _TOKEN.finditer(value):
        kind, piece = match.lastgroup, match[0]
        if kind == "mark" and not entry.depth and piece in ",;":  # Outlook separates by semicolons
            found += entry.mailboxes()
            entry = _Entry()
        elif piece == ":" and not entry.depth and entry.angle is None and not entry.at:
            entry = _Entry()  # that was the name of a group
        else:
            entry.take(kind, piece)
    found += entry.mailboxes()
    return tuple(found)


def _addr_spec(angle: str) -> str:
    """Strip what may stand around the address in angle brackets: a route, `mailto:`, spaces."""
    address = angle.strip()
    if address.startswith("@"):
        address = address.rpartition(":")[2]
    address = address.lower().removeprefix("mailto:")
    return address if '"' in address else "".join(address.split())


def _bare(raw: str) -> tuple[str, str]:
    """Find the address in an entry without angle brackets, and the rest."""
    quoted = _QUOTED_LOCAL.match(raw)
    if quoted:
        return quoted[1].lower(), ""
    words = raw.replace('"', " ").split()
    for number, word in enumerate(words):
        if "@" in word.strip("@"):
            return word.lower(), " ".join(words[:number] + words[number + 1 :])
    if "@" in raw:  # "user @ host"
        return "".join(words).lower(), ""
    return (words[0].lower(), "") if len(words) == 1 else ("", " ".join(words))
