"""The stages `observe` and `thread`: what is in the mailbox, and what differs from what we knew.

New mail of all folders is read first, removals are applied after, in one transaction, so that a crash leaves the state
of the last cycle.  Only a first sync commits as it goes (`helpdesk.mailbox.first`).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from helpdesk.mailbox import delta, first, tickets
from helpdesk.mailbox.arrive import Arrivals
from helpdesk.mailbox.changes import Changes
from helpdesk.mailbox.context import BoardContext
from helpdesk.mailbox.filed import refile
from helpdesk.mailbox.folders import places
from helpdesk.mailbox.grouping import group
from helpdesk.mailbox.implausible import CLOCKS_DIFFER, Evidence, implausible
from helpdesk.mailbox.ingest import Intake, wanted_fields
from helpdesk.mailbox.lost import find_threads
from helpdesk.mailbox.reunite import Read, Reunion
from helpdesk.mailids import BOARD_MARK
from helpdesk.model import Stamp
from helpdesk.ports import FolderStatus, Mailbox
from helpdesk.report import Hold
from helpdesk.store import aside, boardmails, copies, folders, holds, indexes, meta
from helpdesk.store.db import reading
from helpdesk.store.folders import FolderState
from helpdesk.uidset import UidSet


@dataclass(frozen=True, slots=True)
class Observed:
    """What one observation found; it is committed."""

    messages: int  # in the watched folders
    new: int = 0  # messages that nobody knew
    changed: int = 0  # copies
    gone: int = 0  # copies, but of those in the folder Board
    digests: int = 0  # of the new ones: ours, in the folder Board
    commands_before: int = 0
    bytes_before: int = 0
    adopting: bool = False
    holds: tuple[tuple[str, str], ...] = ()  # (what, why), for helpdesk.store.holds
    more: bool = False  # something has vanished and may still turn up: another cycle tells
    joined: tuple[tuple[int, ...], ...] = ()  # threads that became one (old keys)
    refused: tuple[int, ...] = ()  # messages that named several roots
    thread_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Listed:
    """The watched folders: what the server says of them now, what they mean, and what we know of them."""

    statuses: tuple[tuple[FolderStatus, FolderState], ...]  # a folder that was never read has UIDNEXT 1
    missing: tuple[FolderState, ...]  # watched once, not there any more
    made: frozenset[str] = frozenset()  # not listed before: what lies there is no history

    @property
    def messages(self) -> int:
        """How many messages lie in all of them."""
        return sum(status.messages for status, _ in self.statuses)


def observe(mailbox: Mailbox, engine: Engine, board: BoardContext, stamp: Stamp) -> Observed:
    """Read what changed since the last observation, and store it."""
    try:
        return _observe(mailbox, engine, board, stamp)
    finally:
        board.hands.close()  # nothing is as much again as a first sync


def _observe(mailbox: Mailbox, engine: Engine, board: BoardContext, stamp: Stamp) -> Observed:
    before = mailbox.commands, mailbox.bytes
    with reading(engine) as conn:
        last = meta.last_cycle(conn)
    listed, new = _list(mailbox, engine, board), 0
    anew = before[0] == 0  # nothing was asked over this connection yet
    if last is None:
        new = first.sync(mailbox, engine, board, stamp, listed.statuses)
        listed = _list_again(engine, listed)
    with reading(engine) as conn:
        reads = _read(mailbox, conn, board, stamp, listed, anew=anew)
    observed = _apply(
        engine, board, Changes(stamp, last, last is None, board.dialect.in_folders), reads, listed
    )
    return replace(observed, new=observed.new + new, commands_before=before[0], bytes_before=before[1])


def _list(mailbox: Mailbox, engine: Engine, board: BoardContext) -> Listed:
    """One command, unless a folder has come or gone: then LIST tells what it is for."""
    statuses = mailbox.statuses()
    with reading(engine) as conn:
        infos = folders.listing(conn)
        known = folders.load(conn)
        key = folders.next_key(conn)
    listed = {info.name for info in infos}
    if listed != {status.name for status in statuses} or not any(info.separator for info in infos):
        infos = list(mailbox.folders())
        with engine.begin() as conn:
            folders.put_listing(conn, infos)
    meaning = places(infos, board.folders)
    found: list[tuple[FolderStatus, FolderState]] = []
    for status in statuses:
        if status.name in meaning:
            state = known.pop(status.name, None)
            if state is None:
                state = FolderState(key, status.name, meaning[status.name], status.uidvalidity, 1, 0, None)
                key += 1
            elif state.place is not meaning[status.name]:
                with engine.begin() as conn:
                    folders.mean(conn, state.key, meaning[status.name])
            found.append((status, replace(state, place=meaning[status.name])))
    return Listed(tuple(found), tuple(known.values()), frozenset(meaning.keys() - listed))


def _list_again(engine: Engine, listed: Listed) -> Listed:
    """The same, after a first sync."""
    with reading(engine) as conn:
        known = folders.load(conn)
    statuses = tuple((status, known[status.name]) for status, _ in listed.statuses)
    return replace(listed, statuses=statuses)


def _read(
    mailbox: Mailbox, conn: Connection, board: BoardContext, stamp: Stamp, listed: Listed, *, anew: bool
) -> list[Read]:
    """Everything that takes the network, folder by folder; nothing is written yet."""
    last = meta.last_cycle(conn)
    adopted = datetime.max.replace(tzinfo=UTC) if last is None else None
    read_before = {folder.id for folder in folders.known(conn)}
    due = aside.due(conn, stamp.at)
    reads: list[Read] = []
    for status, state in listed.statuses:
        if state.key in due or not delta.is_quiet(state, status, mailbox.tier):
            found = delta.read(mailbox, conn, state, status, stamp, anew=anew)
            history = adopted if last is None or state.key in read_before else last.at - CLOCKS_DIFFER
            if last is not None and board.dialect.in_folders and status.name in listed.made:
                history = None  # a label's folder that was made a moment ago: what lies there is news
            intake = Intake(mailbox, board, state.place, found.folder, stamp, history, wanted_fields(board))
            fresh = found.fresh
            if state.key in due and not found.reset:
                fresh = UidSet.of({*fresh, *due[state.key]})
            read = Read(found, list(intake.read(conn, fresh)))
            missed = delta.compare(mailbox, conn, found, [mail.uid for mail in read.mails])
            read.mails += intake.read(conn, missed)
            reads.append(read)
    return reads


def _apply(
    engine: Engine, board: BoardContext, changes: Changes, reads: Sequence[Read], listed: Listed
) -> Observed:
    """Write what was read, and group what is new, in one transaction."""
    with engine.begin() as conn:
        held = holds.board_is_held(holds.current(conn))
        folders.save(conn, [read.delta.after for read in reads])
        reunion = Reunion(conn, board.dialect, changes)
        arrivals = reunion.run(reads, _gone_folders(conn, listed.missing), patient=held)
        changes.confirm(copies.in_flight(conn, board.dialect))
        changes.store(conn)
        entered = Arrivals(
            conn, board.dialect, changes.stamp, changes.adopting, changes.last, board.dialect.in_folders
        )
        entered.run(arrivals)
        disturbed = refile(conn, changes.moved | entered.known)
        start = time.perf_counter()  # a duration for people; no decision depends on it
        if changes.adopting:
            indexes.make(conn, indexes.GROUPING)
        if entered.new or changes.adopting:
            disturbed |= tickets.find_threads(conn, board.authors.at_home)
        disturbed |= find_threads(conn, adopting=changes.adopting)
        grouped = group(conn, board.join, disturbed, board.hands)
        if changes.adopting:
            indexes.make(conn, indexes.DECIDING)
        seconds = time.perf_counter() - start
        folders.forget_empty(conn, [state.key for state in listed.missing])
        meta.put_cycle(conn, changes.stamp)
        evidence = Evidence(
            reunion.vanished, reunion.doubtful, changes.lost, entered.strangers, reunion.bereft
        )
        found = () if changes.adopting else implausible(conn, board, changes.last, evidence)
        digests = sum(mail.own[0].startswith(BOARD_MARK) for mail in entered.strangers)
        if digests or changes.adopting:
            boardmails.came(conn)
        return Observed(
            messages=listed.messages,
            new=entered.new,
            changed=changes.seen,
            gone=sum(held.folder_name not in boardmails.NAMES for held in changes.removed.values()),
            digests=digests,
            adopting=changes.adopting,
            holds=found,
            more=copies.any_limbo(conn)
            and not (held or holds.board_is_held([Hold(*hold) for hold in found])),
            joined=grouped.joined,
            refused=grouped.refused,
            thread_seconds=seconds,
        )


def _gone_folders(conn: Connection, missing: Sequence[FolderState]) -> list[int]:
    """Folders that are there no more for the first time; if one comes back, it is looked at as a whole."""
    fresh = [state for state in missing if state.messages >= 0]
    folders.save(conn, [replace(state, messages=-1) for state in fresh])
    return [state.key for state in fresh]
