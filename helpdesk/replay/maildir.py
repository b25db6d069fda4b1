"""A Maildir and its folders (Maildir++) as a list of files, in the order of their delivery.

A file's name begins with the second of its delivery, which survives copying (its modification time does not).  Drafts,
and mail that is marked as deleted, are no mail to the board.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from helpdesk.mailbox.folders import BOARD_FOLDERS, PROBE_FOLDER, FolderSettings, places
from helpdesk.model import Place
from helpdesk.ports import FolderInfo

_SECONDS = re.compile(r"(\d{9,10})\.")
_FLAGS = re.compile(r"[:;!]2,[A-Za-z]*[DT]")
_NO_BOARD = frozenset(
    {"drafts", "trash", "junk", "spam", "deleted items", "deleted messages", "templates", "outbox"}
    | {PROBE_FOLDER, *(name.lower() for name in BOARD_FOLDERS)}
)
_SENT = frozenset({"sent", "sent items", "sent messages", "sent-mail"})


class Folder(NamedTuple):
    """One folder of a Maildir."""

    name: str  # as IMAP would call it: INBOX, Archive.2026
    path: str  # below the Maildir, "" for the inbox
    sent: bool


class Entry(NamedTuple):
    """One file; many are held at once."""

    file: str  # below the Maildir
    sent: bool


class Mail(NamedTuple):
    """What was read of a file."""

    octets: bytes
    size: int
    why: str  # why it could not be read


def is_maildir(path: Path) -> bool:
    """Whether it has what makes a Maildir."""
    return (path / "cur").is_dir() or (path / "new").is_dir()


def folders_of(root: Path, settings: FolderSettings | None) -> list[Folder]:
    """The folders that a board looks at: with a configuration those that it watches, else all but drafts, trash and junk."""
    paths = {"INBOX": ""}
    for one in sorted(os.listdir(root)):  # noqa: PTH208 - a path is made of none of many thousand names
        name = one.removeprefix(".").removeprefix("INBOX.")
        if one.startswith(".") and one.strip(".") and is_maildir(root / one):
            paths[name] = one
    means: Iterable[tuple[str, Place]] = _usual(paths)
    if settings is not None:
        means = (*_configured(paths, settings), *_labels(paths, settings))
    return [
        Folder(name, paths[name], place is Place.SENT) for name, place in means if place is not Place.FILED
    ]


def _usual(names: Iterable[str]) -> Iterator[tuple[str, Place]]:
    for name in names:
        parts = name.lower().split(".")
        if _NO_BOARD.isdisjoint(parts):
            yield name, Place.INBOX if _SENT.isdisjoint(parts) else Place.SENT


def _configured(names: Iterable[str], settings: FolderSettings) -> Iterator[tuple[str, Place]]:
    here = FolderSettings(
        _plain(settings.inbox),
        _plain(settings.archive),
        tuple(map(_plain, settings.archive_aliases)),
        _plain(settings.sent),
        _plain(settings.junk),
    )
    yield from places([FolderInfo(name) for name in names], here).items()


def _labels(paths: Mapping[str, str], settings: FolderSettings) -> Iterator[tuple[str, Place]]:
    """Where labels are folders, those below the inbox: named so where that makes a difference, else all are below it."""
    below = {name for name, path in paths.items() if path.startswith(".INBOX.")} or paths.keys() - {"INBOX"}
    whole = {f"INBOX.{name}": name for name in paths if name in below}
    own = tuple(f"INBOX.{_plain(name)}" for name in settings.not_labels)
    here = FolderSettings(archive="", sent="", junk="", labels=settings.labels, not_labels=own)
    others = dict(_configured(paths, settings))
    for name in places([FolderInfo("INBOX"), *map(FolderInfo, whole)], here):
        if name in whole and whole[name] not in others:
            yield whole[name], Place.INBOX


def _plain(name: str) -> str:
    """A folder's name with this layout's separator and without the namespace."""
    return name.replace("/", ".").removeprefix("INBOX.")


def entries(root: Path, folders: Sequence[Folder]) -> tuple[list[Entry], int, int]:
    """All mails by the time of their delivery; how many octets they have, and how many files are no mail."""
    found: list[Entry] = []
    octets = skipped = 0
    for folder in folders:
        for below in ("cur", "new"):
            place = os.path.join(folder.path, below)  # noqa: PTH118 - half a million of them
            for name, size in _files(os.path.join(root, place)):  # noqa: PTH118
                if _FLAGS.search(name):
                    skipped += 1
                else:
                    found.append(Entry(os.path.join(place, name), folder.sent))  # noqa: PTH118
                    octets += size
    found.sort(key=_order)
    return found, octets, skipped


def _files(folder: str) -> Iterator[tuple[str, int]]:
    if not os.path.isdir(folder):  # noqa: PTH112
        return
    with os.scandir(folder) as listing:
        for one in listing:
            if not one.name.startswith(".") and one.is_file():
                yield one.name, _size(one)


def _size(one: os.DirEntry[str]) -> int:
    try:
        return one.stat().st_size
    except FileNotFoundError:  # another program was faster; reading it will tell
        return 0


def _order(entry: Entry) -> tuple[int, str]:
    name = os.path.basename(entry.file)  # noqa: PTH119
    found = _SECONDS.match(name)
    return int(found[1]) if found else 0, name


def delivered(file: str) -> datetime | None:
    """When it was delivered, if its name says so."""
    found = _SECONDS.match(os.path.basename(file))  # noqa: PTH119
    return datetime.fromtimestamp(int(found[1]), UTC) if found else None


def read(root: Path, entry: Entry, limit: int) -> Mail | None:
    """The beginning of one mail; None if it is there no more."""
    try:
        descriptor = os.open(root / entry.file, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Mail(b"", 0, error.strerror or "it cannot be opened")
    try:
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            return Mail(file.read(limit) or b"", os.fstat(descriptor).st_size, "")
    except OSError as error:
        return Mail(b"", 0, error.strerror or "it cannot be read")
