"""What people do with a mail client, as one Protocol: `MemoryServer` fulfils it, and so does any real IMAP server.

A state machine that plays on `Human` plays on both.  Messages are named by folder and UID as `look` shows them.
"""

import imaplib
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from imapclient import imap_utf7

_UID = re.compile(rb"UID (\d+)")
_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)")
_APPENDUID = re.compile(rb"\[APPENDUID \d+ (\d+)\]")
_LISTED = re.compile(rb'\((?P<attributes>[^)]*)\) (?:"[^"]*"|NIL) (?P<name>.*)')


@dataclass(frozen=True, slots=True)
class Seen:
    """One line of a mail client's list."""

    uid: int
    message_id: str
    flags: frozenset[str]


class Human(Protocol):
    """The human side of a mailbox.  UIDs that are not there are ignored, as mail clients do."""

    def folders(self) -> list[str]: ...
    def look(self, folder: str) -> list[Seen]: ...
    def deliver(
        self, folder: str, mail: bytes, when: datetime | None = None, flags: Sequence[str] = ()
    ) -> int: ...
    def add_flags(self, folder: str, uids: Iterable[int], flags: Sequence[str]) -> None: ...
    def remove_flags(self, folder: str, uids: Iterable[int], flags: Sequence[str]) -> None: ...
    def set_flags(self, folder: str, uids: Iterable[int], flags: Sequence[str]) -> None: ...
    def move(self, folder: str, uids: Iterable[int], target: str) -> None: ...
    def copy(self, folder: str, uids: Iterable[int], target: str) -> None: ...
    def mark_deleted(self, folder: str, uids: Iterable[int]) -> None: ...
    def expunge(self, folder: str) -> None: ...
    def delete(self, folder: str, uids: Iterable[int]) -> None: ...
    def create(self, folder: str) -> object: ...
    def rename(self, folder: str, to: str) -> None: ...
    def remove(self, folder: str) -> None: ...
    def change_uidvalidity(self, folder: str) -> None: ...


class ImapHuman:
    """A person with a plain mail client on a real server; every method leaves nothing selected that matters."""

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        self._imap = imaplib.IMAP4(host, port, timeout=30)
        self._imap.login(user, password)

    def close(self) -> None:
        """Close the mail client."""
        self._imap.logout()

    def folders(self) -> list[str]:
        """Name all selectable folders."""
        names = []
        for line in self._ok(self._imap.list()):
            found = _LISTED.fullmatch(line)
            if found and b"\\noselect" not in found["attributes"].lower():
                names.append(imap_utf7.decode(found["name"].strip(b'"').replace(b'\\"', b'"')))
        return sorted(names)

    def look(self, folder: str) -> list[Seen]:
        """Show a folder as a mail client does."""
        self._select(folder)
        return sorted(
            (
                Seen(int(_group(_UID, text)), _message_id(header), _flag_set(_group(_FLAGS, text)))
                for text, header in self._rows("(UID FLAGS BODY.PEEK[HEADER.FIELDS (Message-ID)])")
            ),
            key=lambda seen: seen.uid,
        )

    def deliver(
        self, folder: str, mail: bytes, when: datetime | None = None, flags: Sequence[str] = ()
    ) -> int:
        """Let a new mail arrive, or drag one in from elsewhere."""
        date = imaplib.Time2Internaldate(when) if when else imaplib.Time2Internaldate(time.time())
        answer = self._ok(self._imap.append(_quoted(folder), f"({' '.join(flags)})", date, mail))
        return int(_group(_APPENDUID, answer[-1]))

    def add_flags(self, folder: str, uids: Iterable[int], flags: Sequence[str]) -> None:
        """Set labels, stars, marks."""
        self._store(folder, uids, "+FLAGS.SILENT", flags)

    def remove_flags(self, folder: str, uids: Iterable[int], flags: Sequence[str]) -> None:
        """Take labels, stars, marks away."""
        self._store(folder, uids, "-FLAGS.SILENT", flags)

    def set_flags(self, folder: str, uids: Iterable[int], flags: Sequence[str]) -> None:
        """Replace all flags."""
        self._store(folder, uids, "FLAGS.SILENT", flags)

    def move(self, folder: str, uids: Iterable[int], target: str) -> None:
        """Drag messages to another folder."""
        self._transfer("MOVE", folder, uids, target)

    def copy(self, folder: str, uids: Iterable[int], target: str) -> None:
        """Copy messages to another folder, as neomutt archives."""
        self._transfer("COPY", folder, uids, target)

    def mark_deleted(self, folder: str, uids: Iterable[int]) -> None:
        """Strike messages through: they are still there until somebody expunges."""
        self.add_flags(folder, uids, ["\\Deleted"])

    def expunge(self, folder: str) -> None:
        """Remove everything that is marked deleted."""
        self._select(folder)
        self._ok(self._imap.expunge())

    def delete(self, folder: str, uids: Iterable[int]) -> None:
        """Delete messages for good."""
        doomed = _text(uids)
        self._store(folder, [int(uid) for uid in doomed.split(",") if uid], "+FLAGS.SILENT", ["\\Deleted"])
        if doomed:
            self._ok(self._imap.uid("EXPUNGE", doomed))

    def create(self, folder: str) -> None:
        """Make a folder."""
        self._ok(self._imap.create(_quoted(folder)))

    def rename(self, folder: str, to: str) -> None:
        """Rename a folder."""
        self._leave()
        self._ok(self._imap.rename(_quoted(folder), _quoted(to)))

    def remove(self, folder: str) -> None:
        """Delete a folder and its messages."""
        self._leave()
        self._ok(self._imap.delete(_quoted(folder)))

    def change_uidvalidity(self, folder: str) -> None:
        """Build the folder anew from copies, as restoring a backup does; not possible for INBOX."""
        spare = f"{folder}-restored"
        self.create(spare)
        self.copy(folder, [seen.uid for seen in self.look(folder)], spare)
        self.remove(folder)
        self.rename(spare, folder)

    def _select(self, folder: str) -> None:
        self._ok(self._imap.select(_quoted(folder)))

    def _leave(self) -> None:
        """Look elsewhere: not every server has UNSELECT, and some mind if the selected folder goes."""
        self._ok(self._imap.select("INBOX", readonly=True))

    def _rows(self, items: str) -> list[tuple[bytes, bytes]]:
        parts = [part for part in self._raw(self._imap.uid("FETCH", "1:*", items)) if part]
        rows: list[tuple[bytes, bytes]] = []
        for part in parts:
            if isinstance(part, tuple):
                rows.append((part[0], part[1]))
            elif rows:  # what follows a literal belongs to its row
                rows[-1] = (rows[-1][0] + part, rows[-1][1])
        return rows

    def _store(self, folder: str, uids: Iterable[int], change: str, flags: Sequence[str]) -> None:
        self._select(folder)
        if chosen := _text(uids):
            self._ok(self._imap.uid("STORE", chosen, change, f"({' '.join(flags)})"))

    def _transfer(self, verb: str, folder: str, uids: Iterable[int], target: str) -> None:
        self._select(folder)
        if chosen := _text(uids):
            self._ok(self._imap.uid(verb, chosen, _quoted(target)))

    def _ok(self, answer: tuple[str, Sequence[object]]) -> list[bytes]:
        return [part for part in self._raw(answer) if isinstance(part, bytes)]

    @staticmethod
    def _raw(answer: tuple[str, Sequence[object]]) -> list[bytes | tuple[bytes, bytes]]:
        status, data = answer
        if status != "OK":
            raise AssertionError(f"the human's mail client was refused: {data!r}")
        return cast("list[bytes | tuple[bytes, bytes]]", list(data))


def _quoted(folder: str) -> str:
    encoded: str = imap_utf7.encode(folder).decode("ascii")
    return '"' + encoded.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(uids: Iterable[int]) -> str:
    return ",".join(str(uid) for uid in sorted(set(uids)))


def _group(pattern: re.Pattern[bytes], text: bytes) -> bytes:
    found = pattern.search(text)
    if found is None:
        raise AssertionError(f"{pattern.pattern!r} is not in {text!r}")
    return found[1]


def _flag_set(text: bytes) -> frozenset[str]:
    return frozenset(flag for flag in text.decode("latin-1").split() if flag != "\\Recent")


def _message_id(header: bytes) -> str:
    return header.partition(b":")[2].decode("latin-1").strip()
