"""The archive that a person names: what it is, and its raw mails, one after the other.

An mbox, also one that gzip, bzip2 or xz packed, or a Maildir.  What is neither is a `UsageError` that says what it is
instead; a packed file that breaks off ends the archive there, and that is a note.
"""

import bz2
import gzip
import lzma
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from helpdesk.errors import UsageError
from helpdesk.mailbox.folders import FolderSettings
from helpdesk.mailbox.parse import MAX_HEADER
from helpdesk.replay import maildir, mbox

MAX_OCTETS = MAX_HEADER
"""Octets that are read of a mail: as many as the board fetches."""

STDIN = Path("-")

_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
_REFUSED = {
    b"PK\x03\x04": "a zip file: unpack it first",
    b"\x28\xb5\x2f\xfd": "packed with zstd: unpack it first",
    b"7z\xbc\xaf": "a 7z file: unpack it first",
    b"\x1f\x9d": "packed with compress: unpack it first",
    b"!BDN": "an Outlook data file: export it as mbox first",
}
_BROKEN = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)
_ONE_MAIL = re.compile(rb"(?:[!-9;-~]+[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*)+\r?\n")


@dataclass(frozen=True, slots=True)
class RawMail:
    """One mail as it lies in an archive."""

    place: str  # where a person finds it: `octet 4711`, or a file's name
    octets: bytes  # the whole mail, or its beginning
    size: int  # octets of the whole mail
    arrived: datetime | None = None  # what the archive itself says: a postmark, a delivery time
    sent: bool = False  # it lies in a folder of sent mail
    why: str = ""  # why it cannot be read


@dataclass(slots=True)
class Facts:
    """What is known of an archive beside its mails; complete once all of them were read."""

    kind: str  # `mbox` or `maildir`
    packed: str | None = None  # `gzip`, `bzip2` or `xz`
    total: int = 0  # octets of the file or files, 0 where nobody knows
    folders: list[str] = field(default_factory=list)  # of a Maildir
    skipped: int = 0  # drafts, mail marked as deleted, mail that vanished meanwhile
    cut: bool = False  # it ends in the middle of a mail
    notes: list[str] = field(default_factory=list)


class Archive(Protocol):
    """An archive that is open."""

    @property
    def facts(self) -> Facts:
        """What is known beside the mails."""

    @property
    def done(self) -> int:
        """How many of the octets of `facts.total` were read."""

    def mails(self) -> Iterator[RawMail]:
        """Every mail, in the order in which they lie; once."""


def open_archive(path: Path, folders: FolderSettings | None, closing: ExitStack) -> Archive:
    """Open a file, a directory, or `-` for stdin; `folders` are those of a configuration, if there is one.

    `UsageError` says what else it is, OSError why it cannot be read.
    """
    if path == STDIN:
        return Mbox(path, sys.stdin.buffer, 0)
    if path.is_dir():
        if not maildir.is_maildir(path):
            raise UsageError(f"{path}: is a directory and no Maildir (that has the folders cur and new)")
        return Maildir(path, folders)
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or directory")
    return Mbox(path, closing.enter_context(path.open("rb")), path.stat().st_size)


class Mbox:
    """A file of many mails."""

    def __init__(self, path: Path, raw: BinaryIO, total: int) -> None:
        self._path = path
        self._raw = raw
        beginning = raw.peek(8) if hasattr(raw, "peek") else b""
        for sign, what in _REFUSED.items():
            if beginning.startswith(sign):
                raise UsageError(f"{path}: is {what}")
        packed = next((name for sign, name in _PACKED.items() if beginning.startswith(sign)), None)
        self._take = _taking(raw, packed)
        self.facts = Facts("mbox", packed, total)

    @property
    def done(self) -> int:
        """As far as the file was read."""
        return self._raw.tell() if self.facts.total else 0

    def mails(self) -> Iterator[RawMail]:
        """Every mail; `UsageError` if there is not one postmark."""
        before: mbox.Piece | None = None
        for piece in mbox.split(self._read, MAX_OCTETS):
            self.facts.cut = piece.cut
            if piece.postmark is None:
                before = piece
                continue
            if before is not None:
                yield RawMail(_octet(before), b"", before.size, why="it stands before the first From line")
                before = None
            yield RawMail(_octet(piece), piece.octets, piece.size, mbox.postmark_time(piece.postmark))
        if before is not None:
            raise UsageError(f"{self._path}: {_no_mbox(before.octets)}")

    def _read(self, count: int) -> bytes:
        try:
            return self._take(count)
        except _BROKEN as error:
            self.facts.cut = True
            self.facts.notes.append(f"it breaks off, and what came before that was read: {error}")
            return b""


class Maildir:
    """A directory with a file for each mail, and its folders."""

    def __init__(self, path: Path, folders: FolderSettings | None) -> None:
        self._path = path
        found = maildir.folders_of(path, folders)
        self.facts = Facts("maildir", folders=[one.name for one in found])
        self._entries, self.facts.total, self.facts.skipped = maildir.entries(path, found)
        self.done = 0

    def mails(self) -> Iterator[RawMail]:
        """Every mail, by the time of its delivery."""
        for entry in self._entries:
            mail = maildir.read(self._path, entry, MAX_OCTETS)
            if mail is None:
                self.facts.skipped += 1
                continue
            self.done += mail.size
            when = maildir.delivered(entry.file)
            yield RawMail(entry.file, mail.octets, mail.size, when, entry.sent, mail.why)


def _taking(raw: BinaryIO, packed: str | None) -> mbox.Read:
    """Of what is packed, what was just unpacked: `read` throws that away where the file breaks off."""
    if packed == "gzip":
        return gzip.GzipFile(fileobj=raw).read1
    if packed == "bzip2":
        return bz2.BZ2File(raw).read1
    return lzma.LZMAFile(raw).read1 if packed == "xz" else raw.read


def _octet(piece: mbox.Piece) -> str:
    return f"octet {piece.position}"


def _no_mbox(octets: bytes) -> str:
    if _ONE_MAIL.match(octets):
        return "is one mail and no mbox; `helpdesk explain-rules` reads a single mail"
    return "is no mbox: no line in it begins a mail (`From `, then an address or a date)"
