"""The first sync: the whole mailbox, committed as it goes, so that a crash costs a batch and not a night.

Until the first cycle is complete every mail that is read was there before the board; an interrupted first sync goes on
where it stopped.  In a large mailbox helpers read the headers ahead, while this process waits for the server and the disk; what is
committed, and when, is the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Engine

from helpdesk.mailbox import ahead
from helpdesk.mailbox.arrive import Arrivals
from helpdesk.mailbox.changes import Changes
from helpdesk.mailbox.context import BoardContext
from helpdesk.mailbox.delta import Delta
from helpdesk.mailbox.incoming import Incoming
from helpdesk.mailbox.ingest import Intake, wanted_fields
from helpdesk.mailbox.reunite import Read, Reunion
from helpdesk.model import Stamp
from helpdesk.ports import FolderStatus, Mailbox
from helpdesk.store import folders, indexes
from helpdesk.store.db import reading
from helpdesk.store.folders import FolderState
from helpdesk.store.lazily import lazily
from helpdesk.uidset import UidSet

BATCH = 2000

MANY = 4000
"""With fewer mails it is done before a helper would have helped much."""


def sync(
    mailbox: Mailbox,
    engine: Engine,
    board: BoardContext,
    stamp: Stamp,
    statuses: Iterable[tuple[FolderStatus, FolderState]],
) -> int:
    """Read what was not read yet of every folder; returns the number of new messages."""
    folders_to_read = [
        (status, state) for status, state in statuses if state.uidvalidity == status.uidvalidity
    ]  # else it changed between two attempts: an ordinary delta heals it
    if sum(status.messages for status, state in folders_to_read if state.uidnext < status.uidnext) < MANY:
        board.hands.close()
    else:
        with engine.begin() as conn:
            indexes.drop(conn)
    reader = _First(mailbox, engine, board, stamp)
    return sum(reader.folder(status, state) for status, state in folders_to_read)


class _First:
    """Reads folders for the first time."""

    def __init__(self, mailbox: Mailbox, engine: Engine, board: BoardContext, stamp: Stamp) -> None:
        self._mailbox = mailbox
        self._engine = engine
        self._board = board
        self._stamp = stamp

    def folder(self, status: FolderStatus, state: FolderState) -> int:
        """One folder; the MODSEQ that is kept is the one from before the first attempt."""
        if state.uidnext <= 1:
            state = replace(state, modseq=status.modseq)
        new = 0
        if state.uidnext < status.uidnext and status.messages:
            folder = self._mailbox.select(status.name, readonly=True)
            present = self._mailbox.uids(folder)
            unread = UidSet.of(uid for uid in present if state.uidnext <= uid < status.uidnext)
            intake = Intake(
                self._mailbox,
                self._board,
                state.place,
                folder,
                self._stamp,
                datetime.max.replace(tzinfo=UTC),
                wanted_fields(self._board),
            )
            for uidnext, mails in self._batches(intake, unread):
                state = replace(state, uidnext=uidnext)
                new += self._store(Read(Delta(state, state, folder), mails))
        with self._engine.begin() as conn:
            complete = replace(state, uidnext=status.uidnext, messages=status.messages)
            folders.save(conn, [complete])
        return new

    def _batches(self, intake: Intake, unread: UidSet) -> Iterator[tuple[int, list[Incoming]]]:
        """What is committed at once, and the UIDNEXT after it."""
        hands, mails = self._board.hands, list[Incoming]()
        ask = ahead.understand if hands.count else ahead.leave
        asked = ahead.headers(intake, unread.batches(BATCH))
        for given, told in hands.answers(ask, self._board, asked):
            with reading(self._engine) as conn:
                mails += intake.take(conn, given.rows, told)
            if given.ends:
                yield given.ends, mails
                mails = []

    def _store(self, read: Read) -> int:
        """A batch need not survive the end of the machine: it would be read again, and nothing was done about it yet."""
        with self._engine.connect() as conn, lazily(conn):
            folders.save(conn, [read.delta.after])
            reunion = Reunion(conn, self._board.dialect, Changes(self._stamp, None, adopting=True))
            entered = Arrivals(conn, self._board.dialect, self._stamp, adopting=True)
            entered.run(list(reunion.sort(read)))
        return entered.new
