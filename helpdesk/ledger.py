r"""No mail left behind (promise 1): every visible message of the mailbox against what the board knows.  Pure.

A message is visible when it lies in a watched folder and is not marked \Deleted.  It has to be in exactly one thread,
or in quarantine (it could not be read; shifters see it), or board correspondence.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class There:
    """A folder as the server shows it: the UIDs of its visible messages."""

    uidvalidity: int
    uids: AbstractSet[int]


@dataclass(frozen=True, slots=True)
class Entry:
    """A copy as the board knows it; `thread` 0 is none."""

    message: int
    thread: int
    correspondence: bool


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A mail in quarantine: what identifies it ("" where nothing does), and why it could not be read."""

    guid: str
    why: str


@dataclass(frozen=True, slots=True)
class Known:
    """A folder as the board knows it."""

    uidvalidity: int
    uidnext: int
    entries: Mapping[int, Entry]
    quarantined: Mapping[int, Unreadable]  # by UID


@dataclass(frozen=True, slots=True)
class Residue:
    """A message that is left behind, or in quarantine."""

    folder: str
    uid: int
    why: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """Distinct messages, and the copies in which they lie."""

    messages: int
    copies: int
    threaded: int
    quarantined: int
    correspondence: int
    residue: tuple[Residue, ...]
    unreadable: tuple[Residue, ...] = ()  # where the quarantined mails lie


def compare(there: Mapping[str, There], known: Mapping[str, Known], threads: AbstractSet[int]) -> Ledger:
    """Look every visible message up; `threads` are those that exist."""
    threaded: set[int] = set()
    filed: set[int] = set()
    quarantined: set[str] = set()
    residue: list[Residue] = []
    unreadable: list[Residue] = []
    for name, folder in sorted(there.items()):
        ours = known.get(name)
        for uid in sorted(folder.uids):
            entry = ours.entries.get(uid) if ours and ours.uidvalidity == folder.uidvalidity else None
            if entry is None and ours and ours.uidvalidity == folder.uidvalidity and uid in ours.quarantined:
                quarantined.add(ours.quarantined[uid].guid or f"{name}/{uid}")
                unreadable.append(Residue(name, uid, ours.quarantined[uid].why))
            elif entry is not None and entry.correspondence:
                filed.add(entry.message)
            elif entry is not None and entry.thread in threads:
                threaded.add(entry.message)
            else:
                residue.append(Residue(name, uid, _why(folder, ours, uid, entry)))
    return Ledger(
        messages=len(threaded) + len(filed) + len(quarantined) + len(residue),
        copies=sum(len(folder.uids) for folder in there.values()),
        threaded=len(threaded),
        quarantined=len(quarantined),
        correspondence=len(filed),
        residue=tuple(residue),
        unreadable=tuple(unreadable),
    )


def still(first: Ledger, second: Ledger) -> Ledger:
    """The second look, with the residue that the first saw too: what a daemon was at work on in between is none."""
    seen = {(one.folder, one.uid) for one in first.residue}
    residue = tuple(one for one in second.residue if (one.folder, one.uid) in seen)
    gone = len(second.residue) - len(residue)
    return Ledger(
        second.messages - gone,
        second.copies - gone,
        second.threaded,
        second.quarantined,
        second.correspondence,
        residue,
        second.unreadable,
    )


def _why(folder: There, known: Known | None, uid: int, entry: Entry | None) -> str:
    if known is None:
        return "the folder has not been read yet: the next cycle does it"
    if known.uidvalidity != folder.uidvalidity:
        return "the folder has a new UIDVALIDITY: the next cycle reads it anew"
    if entry is not None:
        return "it is in no thread" if entry.thread == 0 else "its thread does not exist"
    if uid >= known.uidnext:
        return "it came after the last cycle: the next one reads it"
    return "the board does not know it"
