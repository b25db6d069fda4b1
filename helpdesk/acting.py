"""The stage `act`: what the decisions planned, turned into writes on the wire."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from sqlalchemy import Connection

from helpdesk.bits import STAR
from helpdesk.board import FILED, Board
from helpdesk.errors import MailboxRefusedError
from helpdesk.mailbox.apply import Applied, Write, apply
from helpdesk.mailbox.folders import located, special
from helpdesk.model import Place
from helpdesk.ports import FolderInfo, Mailbox
from helpdesk.report import Hold
from helpdesk.store import copies, correspondence, folders, journal
from helpdesk.store.copies import Held
from helpdesk.store.core import chunks
from helpdesk.store.folders import KnownFolder


def act(board: Board, mailbox: Mailbox) -> tuple[bool, list[Hold]]:
    """Write everything that is in flight; tells whether anything was tried, and what the server refused."""
    with board.engine.begin() as conn:
        known = {folder.id: folder for folder in folders.known(conn)}
        listed = folders.listing(conn)
        writes = list(_writes(board, conn, known, listed))
    if not writes:
        return False, []
    _make_targets(mailbox, writes, {info.name for info in listed})
    applied = apply(mailbox, writes)
    _remember(board, writes, applied)
    return True, [Hold("server", f"the server refused a change: {text}") for text in applied.refused]


def furnish(board: Board, mailbox: Mailbox) -> tuple[bool, list[Hold]]:
    """Where labels are folders: make those that people need; one that was made is not asked for again until it was seen."""
    if not board.dialect.in_folders:
        return False, []
    with board.engine.begin() as conn:
        listed, made = folders.listing(conn), folders.made(conn)
    there = {info.name for info in listed}
    wanted = [name for name in board.dialect.missing(listed) if name not in made | there]
    refused: list[Hold] = []
    done = made - there
    for name in wanted:
        try:
            mailbox.create(name)
            done |= {name}
        except MailboxRefusedError as error:
            refused.append(Hold("server", f"the server refused to make the folder {name}: {error}"))
    if done != made:
        with board.engine.begin() as conn:
            folders.put_made(conn, done)
    return bool(done - made), refused


def _writes(
    board: Board, conn: Connection, known: Mapping[int, KnownFolder], listed: Sequence[FolderInfo]
) -> Iterator[Write]:
    for batch in chunks(copies.in_flight(conn, board.dialect)):
        spelled = _spellings(copies.flags_of_threads(conn, {c.thread for c in batch if c.thread}))
        for copy in batch:
            write = _write(board, copy, known[copy.folder], spelled[copy.thread], listed)
            if write.add or write.remove or write.target is not None:
                yield write
    for copy in correspondence.in_inbox(conn, board.dialect):
        yield _file(copy, known[copy.folder], located(listed, FILED))


def _write(
    board: Board, copy: Held, folder: KnownFolder, in_thread: Sequence[str], listed: Sequence[FolderInfo]
) -> Write:
    known = copy.known
    wanted = (
        known.bits
        if known.planned is None
        else (known.bits | (known.planned - known.base)) - (known.base - known.planned)
    )
    if board.dialect.in_folders and known.planned is not None:  # a folder is one value
        wanted = (known.planned - {STAR}) | (wanted & {STAR})
    add = {board.dialect.spelling_for(bit, in_thread) for bit in wanted - known.bits} - {""}
    remove = {flag for bit in known.bits - wanted for flag in board.dialect.spellings(bit, copy.flags)}
    place, target = known.planned_place or known.place, None
    relabelled = board.dialect.in_folders and bool((wanted ^ known.bits) - {STAR})
    if place is Place.INBOX and (place is not known.place or relabelled):
        target = board.dialect.home(wanted, listed)
    elif place is not known.place:
        target = _whole(board, place, listed)
    return Write(
        copy.key,
        copy.thread,
        folder.name,
        folder.uidvalidity,
        copy.uid,
        folder.modseq,
        frozenset(add),
        frozenset(remove),
        target,
    )


def _whole(board: Board, place: Place, listed: Sequence[FolderInfo]) -> str:
    """The folder of a place by its name on the server; of the archive, the one that is read as the archive."""
    if place is Place.ARCHIVE:
        return special(listed, board.archive, "archive")
    return located(listed, board.folder(place))


def _file(copy: Held, folder: KnownFolder, target: str) -> Write:
    """Board correspondence leaves the inbox: it is nobody's issue."""
    return Write(copy.key, -copy.key, folder.name, folder.uidvalidity, copy.uid, folder.modseq, target=target)


def _spellings(told: Iterable[tuple[int, frozenset[str]]]) -> dict[int, list[str]]:
    """The flags that the messages of each thread carry: labels are written as their thread spells them."""
    found: dict[int, list[str]] = defaultdict(list)
    for thread, flags in told:
        found[thread] += [flag for flag in flags if not flag.startswith("\\")]
    return found


def _make_targets(mailbox: Mailbox, writes: Iterable[Write], names: AbstractSet[str]) -> None:
    for target in sorted({w.target for w in writes if w.target is not None} - names):
        mailbox.create(target)


def _remember(board: Board, writes: Iterable[Write], applied: Applied) -> None:
    """Count the try; the next observation tells whether it happened."""
    threads = {w.thread for w in writes if w.copy in applied.written} - applied.beaten
    with board.engine.begin() as conn:
        copies.tried(conn, applied.written)
        journal.written(conn, threads)
