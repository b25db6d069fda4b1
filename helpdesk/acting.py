"""The stage `act`: what the decisions planned, turned into writes on the wire."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection

from helpdesk.board import FILED, Board
from helpdesk.mailbox.apply import Applied, Write, apply
from helpdesk.ports import Mailbox
from helpdesk.report import Hold
from helpdesk.store import copies, correspondence, folders, journal
from helpdesk.store.copies import Held
from helpdesk.store.core import chunks
from helpdesk.store.folders import KnownFolder


def act(board: Board, mailbox: Mailbox) -> tuple[bool, list[Hold]]:
    """Write everything that is in flight; tells whether anything was tried, and what the server refused."""
    with board.engine.begin() as conn:
        known = {folder.id: folder for folder in folders.known(conn)}
        writes = list(_writes(board, conn, known))
    if not writes:
        return False, []
    _make_targets(mailbox, writes, known.values())
    applied = apply(mailbox, writes)
    _remember(board, writes, applied)
    return True, [Hold("server", f"the server refused a change: {text}") for text in applied.refused]


def _writes(board: Board, conn: Connection, known: Mapping[int, KnownFolder]) -> Iterator[Write]:
    for batch in chunks(copies.in_flight(conn, board.dialect)):
        spelled = _spellings(copies.flags_of_threads(conn, {c.thread for c in batch if c.thread}))
        for copy in batch:
            write = _write(board, copy, known[copy.folder], spelled[copy.thread])
            if write.add or write.remove or write.target is not None:
                yield write
    for copy in correspondence.in_inbox(conn, board.dialect):
        yield _file(copy, known[copy.folder])


def _write(board: Board, copy: Held, folder: KnownFolder, in_thread: Sequence[str]) -> Write:
    known = copy.known
    wanted = (
        known.bits
        if known.planned is None
        else (known.bits | (known.planned - known.base)) - (known.base - known.planned)
    )
    add = {board.dialect.spelling_for(bit, in_thread) for bit in wanted - known.bits}
    remove = {flag for bit in known.bits - wanted for flag in board.dialect.spellings(bit, copy.flags)}
    target = (
        None
        if known.planned_place in {None, known.place}
        else board.folder(known.planned_place or known.place)
    )
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


def _file(copy: Held, folder: KnownFolder) -> Write:
    """Board correspondence leaves the inbox: it is nobody's issue."""
    return Write(copy.key, -copy.key, folder.name, folder.uidvalidity, copy.uid, folder.modseq, target=FILED)


def _spellings(told: Iterable[tuple[int, frozenset[str]]]) -> dict[int, list[str]]:
    """The flags that the messages of each thread carry: labels are written as their thread spells them."""
    found: dict[int, list[str]] = defaultdict(list)
    for thread, flags in told:
        found[thread] += [flag for flag in flags if not flag.startswith("\\")]
    return found


def _make_targets(mailbox: Mailbox, writes: Iterable[Write], known: Iterable[KnownFolder]) -> None:
    names = {folder.name for folder in known}
    for target in sorted({w.target for w in writes if w.target is not None} - names):
        mailbox.create(target)


def _remember(board: Board, writes: Iterable[Write], applied: Applied) -> None:
    """Count the try; the next observation tells whether it happened."""
    threads = {w.thread for w in writes if w.copy in applied.written} - applied.beaten
    with board.engine.begin() as conn:
        copies.tried(conn, applied.written)
        journal.written(conn, threads)
