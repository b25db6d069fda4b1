"""Which folders are watched, and what each means (design section 5).  Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from helpdesk.model import Place
from helpdesk.ports import FolderInfo

BOARD_FOLDERS = ("Helpdesk", "Board")
"""The board's own correspondence: commands and their answers, and the one mail that shows the digest."""

PROBE_FOLDER = "helpdesk-probe"
_NEVER = frozenset({"drafts", "junk", "trash"})
_NEVER_NAMED = frozenset({"drafts", "junk", "trash", PROBE_FOLDER})
_OTHERS = _NEVER_NAMED | {
    "sent", "sent items", "sent mail", "sent messages", "outbox", "templates", "spam", "junk e-mail", "junk email",
    "deleted", "deleted items", "deleted messages", "rubbish", "bin", "notes", "archive", "archives", "board", "helpdesk",
    "inbox",
}  # fmt: skip
"""Names of folders that are never labels, wherever they lie below an inbox."""

_DEFAULT = {
    "archive": "Archive",
    "sent": "Sent",
}  # SPECIAL-USE (RFC 6154) -> what the configuration says by itself


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """The folders of the configuration."""

    inbox: str = "INBOX"
    archive: str = "Archive"
    archive_aliases: tuple[str, ...] = ()
    sent: str = "Sent"
    junk: str = "Junk"
    labels: bool = False  # whether folders below the inbox are labels, so that what lies there is open
    not_labels: tuple[str, ...] = ()  # those there that are people's own, with all that is below them


def places(folders: Sequence[FolderInfo], settings: FolderSettings) -> Mapping[str, Place]:
    """The watched folders and their meaning; every other folder is somewhere that mail disappears to."""
    separator = separator_of(info.name for info in folders)
    inbox = _folded(settings.inbox)
    sent = special(folders, settings.sent, "sent")
    archives = (
        special(folders, settings.archive, "archive"),
        *(located(folders, one) for one in settings.archive_aliases),
    )
    junk = located(folders, settings.junk)
    found: dict[str, Place] = {}
    for info in folders:
        place = _board_folder(info.name, separator)
        if _folded(info.name) == inbox:
            place = Place.INBOX
        elif info.name == sent:
            place = Place.SENT
        elif info.name in archives:
            place = Place.ARCHIVE
        elif _ignored(info, separator, junk):
            place = None
        elif any(info.name.startswith(archive + separator) for archive in archives):
            place = Place.ARCHIVE
        elif place is None and settings.labels and _is_label(info.name, settings):
            place = Place.INBOX
        if place is not None:
            found[info.name] = place
    return found


def path_below(name: str, inbox: str) -> Sequence[str]:
    """The parts of a folder's name below the inbox; none of any other folder.

    The separator is whatever follows the inbox's name: this is asked of folders that a server named.
    """
    head, mark = name[: len(inbox)], name[len(inbox) : len(inbox) + 1]
    if _folded(head) != _folded(inbox) or mark not in {"/", ".", "\\"}:
        return ()
    return name[len(inbox) + 1 :].split(mark)


def is_reserved(part: str) -> bool:
    """Whether a folder of this name is never a label's."""
    return part.lower() in _OTHERS


def _is_label(name: str, settings: FolderSettings) -> bool:
    """Whether what lies there is open: below the inbox, nobody's own, and nothing in its path is where mail disappears to."""
    path = path_below(name, settings.inbox)
    own = any(
        name == one or name[: len(one) + 1] in {f"{one}/", f"{one}.", f"{one}\\"}
        for one in settings.not_labels
    )
    return bool(path) and not own and not any(map(is_reserved, path))


def special(folders: Sequence[FolderInfo], configured: str, use: str) -> str:
    """The configured folder; where it is only the default and not there, the one with that SPECIAL-USE.

    That goes before a folder of the default name below INBOX, which clients with a wrong prefix leave behind.
    """
    named = (info.name for info in folders if info.special == use and configured == _DEFAULT[use])
    if configured in {info.name for info in folders}:
        return configured
    return next(named, None) or located(folders, configured)


def located(folders: Sequence[FolderInfo], name: str) -> str:
    """The whole name of a folder of the configuration: some servers keep everything below INBOX (RFC 2342)."""
    names = {info.name for info in folders}
    below = (f"INBOX{info.separator}{name}" for info in folders if info.separator)
    return name if name in names else next((one for one in below if one in names), name)


def separator_of(names: Iterable[str]) -> str:
    """The hierarchy separator, told by the folders that lie in others; "/" where none does."""
    known = set(names)
    votes = Counter(
        mark
        for name in known
        for mark in "/.\\"
        if mark in name[1:] and _folded(name.partition(mark)[0]) in _fold(known)
    )
    return max("/.\\", key=lambda mark: votes[mark])


def _board_folder(name: str, separator: str) -> Place | None:
    """Some servers keep everything below INBOX."""
    own = name.removeprefix(f"INBOX{separator}")
    return Place.FILED if own in BOARD_FOLDERS else None


def _ignored(info: FolderInfo, separator: str, junk: str) -> bool:
    last = info.name.rpartition(separator)[2].lower()
    return info.special in _NEVER or info.name == junk or last in _NEVER_NAMED


def _folded(name: str) -> str:
    """INBOX is the only name that ignores case (RFC 9051 section 5.1)."""
    return "INBOX" if name.upper() == "INBOX" else name


def _fold(names: Iterable[str]) -> frozenset[str]:
    return frozenset(map(_folded, names))
