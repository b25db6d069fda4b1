"""Acting: what was decided, written in as few commands as folders and UID sets allow.

Order (docs/decisions.md section 5): labels first, only where nobody was faster; then the moves of those threads whose
every message passed.  Nothing here decides, and nothing is believed: the next observation is the read-back.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from helpdesk.errors import MailboxRefusedError
from helpdesk.ports import Folder, Mailbox
from helpdesk.uidset import UidSet


@dataclass(frozen=True, slots=True)
class Write:
    """What one copy needs: keywords as they are spelled on the wire, and the folder that it belongs in."""

    copy: int
    thread: int
    folder: str
    uidvalidity: int
    uid: int
    horizon: int | None  # the MODSEQ up to which we know the folder: later changes are a human's
    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Landed:
    """Where a moved copy lies now, as the server told (COPYUID)."""

    copy: int
    folder: str
    uidvalidity: int
    uid: int


@dataclass(slots=True)
class Applied:
    """What was tried: the copies whose commands were answered, and the threads in which a human was first."""

    written: set[int] = field(default_factory=set)
    beaten: set[int] = field(default_factory=set)  # threads
    landed: list[Landed] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # what the server said when it said NO


def apply(mailbox: Mailbox, writes: Sequence[Write]) -> Applied:
    """Write everything; commands grow with folders and UID sets, not with threads."""
    applied = Applied()
    for (name, uidvalidity), group in _by_folder(writes).items():
        folder = _select(mailbox, name, uidvalidity, group, applied)
        if folder is not None:
            _label(mailbox, folder, group, applied)
    moving = [w for w in writes if w.target is not None and w.thread not in applied.beaten]
    for (name, uidvalidity), group in _by_folder(moving).items():
        folder = _select(mailbox, name, uidvalidity, group, applied)
        if folder is not None:
            _move(mailbox, folder, group, applied)
    return applied


def _by_folder(writes: Iterable[Write]) -> dict[tuple[str, int], list[Write]]:
    groups: dict[tuple[str, int], list[Write]] = defaultdict(list)
    for write in writes:
        groups[write.folder, write.uidvalidity].append(write)
    return groups


def _select(
    mailbox: Mailbox, name: str, uidvalidity: int, group: list[Write], applied: Applied
) -> Folder | None:
    """The folder, if it is still the one that was observed; else its threads wait for the next observation."""
    try:
        folder = mailbox.select(name)
    except MailboxRefusedError:  # gone, or another folder of the same name (UidValidityChangedError)
        folder = None
    if folder is None or folder.uidvalidity != uidvalidity:
        applied.beaten |= {w.thread for w in group}
        return None
    return folder


def _label(mailbox: Mailbox, folder: Folder, group: list[Write], applied: Applied) -> None:
    """Removals, then additions; a second change of a message is conditional on what our first one left."""
    horizon = max((w.horizon for w in group if w.horizon is not None), default=None)
    reached = _store(mailbox, folder, "-", [w for w in group if w.remove], horizon, applied)
    _store(mailbox, folder, "+", [w for w in group if w.add and not w.remove], horizon, applied)
    _store(mailbox, folder, "+", [w for w in group if w.add and w.remove], reached, applied)


def _store(
    mailbox: Mailbox, folder: Folder, change: str, group: list[Write], horizon: int | None, applied: Applied
) -> int | None:
    """One command for each set of flags; returns the MODSEQ that our own changes reached."""
    sets: dict[frozenset[str], list[Write]] = defaultdict(list)
    for write in group:
        if write.thread not in applied.beaten:
            sets[write.remove if change == "-" else write.add].append(write)
    reached = horizon
    for flags, members in sets.items():
        applied.written |= {w.copy for w in members}
        try:
            stored = mailbox.store(folder, UidSet.of(w.uid for w in members), change, sorted(flags), horizon)
        except MailboxRefusedError as error:
            _refused(applied, members, error)
            continue
        if stored.modseq is not None and reached is not None:
            reached = max(reached, stored.modseq)
        applied.beaten |= {w.thread for w in members if w.uid in stored.modified}
    return reached


def _refused(applied: Applied, members: list[Write], error: MailboxRefusedError) -> None:
    """NO to one command harms the other threads nothing; three times, and the copy counts as stuck."""
    applied.beaten |= {w.thread for w in members}
    applied.refused.append(str(error))


def _move(mailbox: Mailbox, folder: Folder, group: list[Write], applied: Applied) -> None:
    targets: dict[str, list[Write]] = defaultdict(list)
    for write in group:
        if write.target is not None:
            targets[write.target].append(write)
    for target, members in targets.items():
        applied.written |= {w.copy for w in members}
        try:
            moved = mailbox.move(folder, UidSet.of(w.uid for w in members), target)
        except MailboxRefusedError as error:
            _refused(applied, members, error)
            continue
        if moved.uidvalidity is not None:
            applied.landed += [
                Landed(w.copy, target, moved.uidvalidity, moved.uids[w.uid])
                for w in members
                if w.uid in moved.uids
            ]
