"""Mails that are understood ahead, by a helper that has their headers and nothing else (`helpdesk.hands`).

It is the ordinary reading (`helpdesk.mailbox.ingest`) with no database and no server behind it: what asks for one of them is left
to the process that has them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple, cast

from sqlalchemy import Connection

from helpdesk.mailbox.context import BoardContext
from helpdesk.mailbox.hearing import NOTHING
from helpdesk.mailbox.ingest import Intake, Understood
from helpdesk.model import Place, Stamp
from helpdesk.ports import Folder, Mailbox, MailRow
from helpdesk.store.messages import columns
from helpdesk.uidset import UidSet

AT_ONCE: Final = 250
"""Mails in one question: some hundredths of a second."""


class Headers(NamedTuple):
    """Mails of one folder, as the server described them, and in which look that was."""

    folder: Folder
    place: Place
    stamp: Stamp
    history: datetime | None  # see `Intake`
    rows: Sequence[MailRow]
    ends: int = 0  # the UIDNEXT of a batch that has no more mails than these


def headers(intake: Intake, batches: Iterable[UidSet]) -> Iterator[Headers]:
    """Ask for the mails of these batches, a few at a time."""
    look = (intake.folder, intake.place, intake.stamp, intake.history)
    for batch in batches:
        rows: list[MailRow] = []
        for row in intake.mailbox.mails(intake.folder, batch, intake.fields):
            if len(rows) == AT_ONCE:
                yield Headers(*look, rows)
                rows = []
            rows.append(row)
        yield Headers(*look, rows, batch.ranges[-1][1] + 1)


def leave(_board: BoardContext, given: Headers) -> list[Understood | None]:
    """Nobody helps: everything is read where the database is."""
    return [None] * len(given.rows)


def understand(board: BoardContext, given: Headers) -> list[Understood | None]:
    """What each header tells alone; None where it does not: the mail is unreadable, one of ours, or its body counts."""
    absent = _Absent()
    mailbox, conn = cast("Mailbox", absent), cast("Connection", absent)
    intake = Intake(mailbox, board, given.place, given.folder, given.stamp, given.history)
    return list(_each(intake, conn, given.rows))


def _each(intake: Intake, conn: Connection, rows: Sequence[MailRow]) -> Iterator[Understood | None]:
    for row in rows:
        mail = intake.incoming(row)
        try:
            intake.examine(conn, row, mail)
        except _AskedError:
            yield None
        else:
            new = None if mail.own or mail.said is not NOTHING else mail.new
            yield None if new is None else (mail.guid, columns(new))


class _AskedError(Exception):
    """It takes more than the header."""


class _Absent:
    """Stands where a server or a database would be."""

    def __getattr__(self, name: str) -> object:
        raise _AskedError(name)
