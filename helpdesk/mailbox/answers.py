"""What a server says besides FETCH, read from `Parts`: LIST, STATUS, ESEARCH, VANISHED, COPYUID, names, sequences."""

import re
from collections.abc import Iterable
from typing import Final

from imapclient import imap_utf7

from helpdesk.errors import MailboxRefusedError
from helpdesk.mailbox.conversation import Answer, Parts
from helpdesk.ports import FolderFlags, FolderInfo, FolderStatus, Moved
from helpdesk.uidset import UidSet

SPECIAL: Final = frozenset({"all", "archive", "drafts", "flagged", "important", "junk", "sent", "trash"})
"""SPECIAL-USE attributes (RFC 6154 section 2, RFC 8457)."""

_CLOSED: Final = frozenset({"\\noselect", "\\nonexistent"})
_LIST = re.compile(rb'LIST \(([^)]*)\) (?:"((?:[^"\\]|\\.)*)"|NIL) ', re.IGNORECASE)
_STATUS = re.compile(rb"STATUS ", re.IGNORECASE)
_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)", re.IGNORECASE)
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_ATOM = re.compile(rb'[^ (){"]+')
_PAIR = re.compile(rb"([A-Z]+) (\d+)")
_ESEARCH = re.compile(rb"ESEARCH\b.*?\bALL ([\d:,]+)", re.IGNORECASE)
_SEARCH = re.compile(rb"SEARCH((?: \d+)*)", re.IGNORECASE)
_VANISHED = re.compile(rb"VANISHED (?:\(EARLIER\) )?([\d:,]+)", re.IGNORECASE)
_UNTAGGED_CODE = re.compile(rb"OK \[([^\]]*)\]", re.IGNORECASE)
_NOT_IN_KEYWORDS = re.compile(r'[^!-~]|[(){%*"\\\]]')
_NOT_IN_SYSTEM_FLAGS = re.compile(r'[^!-~]|[(){%*"\]]')


def encoded(name: str) -> str:
    """Write a folder name as a quoted string in modified UTF-7 (RFC 3501 section 5.1.3)."""
    wire: str = imap_utf7.encode(name).decode("ascii")
    return '"' + wire.replace("\\", "\\\\").replace('"', '\\"') + '"'


def decoded(raw: bytes) -> str:
    """Read a folder name; one that is no modified UTF-7 is kept octet by octet."""
    try:
        name: str = imap_utf7.decode(raw)
    except ValueError:
        return raw.decode("latin-1")
    return canonical(name)


def canonical(name: str) -> str:
    """Spell INBOX in capitals, whatever case it comes in (RFC 9051 section 5.1)."""
    return "INBOX" if name.upper() == "INBOX" else name


def flag_list(flags: Iterable[str]) -> str:
    """Write a flag list, refusing what is no flag: a space would silently make two keywords of one."""
    names = list(flags)
    for flag in names:
        bad = _NOT_IN_SYSTEM_FLAGS if flag.startswith("\\") else _NOT_IN_KEYWORDS
        if not flag.strip("\\") or bad.search(flag) or "\\" in flag[1:]:
            raise MailboxRefusedError(f"{flag!r} cannot be a keyword (RFC 9051 section 9, flag-keyword)")
    return f"({' '.join(names)})"


def folder_infos(untagged: Iterable[Parts]) -> list[FolderInfo]:
    """Read LIST: the selectable folders with their SPECIAL-USE and their separator."""
    found: dict[str, FolderInfo] = {}
    for parts in untagged:
        head = _LIST.match(parts[0])
        if head is None:
            continue
        attributes = set(head[1].decode("latin-1").lower().split())
        name, _ = _name_at(parts, head.end())
        if not attributes & _CLOSED:
            special = sorted({attribute.removeprefix("\\") for attribute in attributes} & SPECIAL)
            separator = (head[2] or b"").decode("latin-1")[-1:]
            found[name] = FolderInfo(name, special[0] if special else "", separator)
    return list(found.values())


def folder_statuses(untagged: Iterable[Parts]) -> list[FolderStatus]:
    """Read STATUS (RFC 9051 section 7.3.4); a HIGHESTMODSEQ of 0 is none (RFC 7162 section 3.1.2.2)."""
    found: dict[str, FolderStatus] = {}
    for parts in untagged:
        head = _STATUS.match(parts[0])
        if head is None:
            continue
        name, rest = _name_at(parts, head.end())
        numbers = {key: int(value) for key, value in _PAIR.findall(rest.upper())}
        if numbers.keys() >= {b"UIDVALIDITY", b"UIDNEXT", b"MESSAGES"}:
            found[name] = FolderStatus(
                name=name,
                uidvalidity=numbers[b"UIDVALIDITY"],
                uidnext=numbers[b"UIDNEXT"],
                messages=numbers[b"MESSAGES"],
                modseq=numbers.get(b"HIGHESTMODSEQ") or None,
            )
    return list(found.values())


def folder_flags(answer: Answer) -> FolderFlags:
    r"""Read FLAGS and PERMANENTFLAGS; a server that sends no PERMANENTFLAGS keeps all (RFC 9051 section 6.3.2)."""
    listed = [found[1] for (text, *_) in answer.untagged if (found := _FLAGS.match(text))]
    used = frozenset(flag for text in listed for flag in text.decode("latin-1").split())
    permanent = codes(answer, "PERMANENTFLAGS")
    return FolderFlags(used - {"\\*"}, not permanent or "\\*" in permanent[-1])


def searched(untagged: Iterable[Parts]) -> UidSet:
    """Read ESEARCH (RFC 4731) or SEARCH."""
    sets: list[str] = []
    numbers: list[int] = []
    for text, *_ in untagged:
        if found := _ESEARCH.match(text):
            sets.append(found[1].decode("ascii"))
        elif found := _SEARCH.match(text):
            numbers += map(int, found[1].split())
    return UidSet.parse(",".join(sets)) if sets else UidSet.of(numbers)


def vanished(untagged: Iterable[Parts]) -> UidSet:
    """Read VANISHED (RFC 7162 section 3.2.10), asked for or not."""
    sets = [found[1].decode("ascii") for (text, *_) in untagged if (found := _VANISHED.match(text))]
    return UidSet.parse(",".join(sets))


def codes(answer: Answer, name: str) -> list[str]:
    """Find what follows a response code, in untagged OKs and in the tagged answer (COPYUID of a MOVE is untagged)."""
    told = [
        found[1].decode("latin-1") for (text, *_) in answer.untagged if (found := _UNTAGGED_CODE.match(text))
    ]
    split = [code.partition(" ") for code in [*told, answer.code]]
    return [rest for key, _, rest in split if key.upper() == name]


def moved(answer: Answer) -> Moved:
    """Read COPYUID (RFC 4315 section 3): the n-th UID of the first set became the n-th of the second."""
    uids: dict[int, int] = {}
    uidvalidity = None
    for code in codes(answer, "COPYUID"):
        words = code.split()
        if len(words) == 3:
            uidvalidity = int(words[0])
            uids.update(zip(_in_order(words[1]), _in_order(words[2]), strict=False))
    return Moved(uids, uidvalidity)


def number(answer: Answer, name: str) -> int | None:
    """Read the number of a response code such as UIDVALIDITY."""
    found = codes(answer, name)
    return int(found[-1]) if found and found[-1].isdigit() else None


def _in_order(text: str) -> Iterable[int]:
    """Expand a set in the order in which it is written, which `UidSet` would sort."""
    for part in text.split(","):
        low, _, high = part.partition(":")
        first, last = sorted((int(low), int(high or low)))
        yield from range(first, last + 1)


def _name_at(parts: Parts, start: int) -> tuple[str, bytes]:
    """Read a folder name (atom, quoted, or literal) and what follows it."""
    text = parts[0]
    if quoted := _QUOTED.match(text, start):
        return decoded(re.sub(rb"\\(.)", rb"\1", quoted[1])), text[quoted.end() :]
    if len(parts) > 1 and text[start : start + 1] in (b"{", b"~"):
        return decoded(parts[1]), b" ".join(parts[2::2])
    atom = _ATOM.match(text, start)
    return (decoded(atom[0]), text[atom.end() :]) if atom else ("", b"")
