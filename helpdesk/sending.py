"""From a planned row to a mail in the world: written once, sent, and proven by the copy that comes home (promise 3).

A row is claimed (`sending`, with the octets of the mail) in a transaction of its own before its first byte, so that a
crash leaves one unknown outcome and not many.  How the mail before it went is stored in the same transaction: one
commit a mail, and a crash between the server's answer and that commit is an unknown outcome as well.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from helpdesk import letters, outbox
from helpdesk.board import Board
from helpdesk.errors import HelpdeskError, UnreachableError
from helpdesk.model import Stamp
from helpdesk.outbox import OutboxRow, State
from helpdesk.ports import Delivery, Letter, Mailbox
from helpdesk.render import ascii_domain
from helpdesk.report import Hold
from helpdesk.store import journal, lookups, stories
from helpdesk.store import outbox as rows

WAITING = (*rows.LIVE, State.HELD, State.FAILED)
"""The states in which time or a copy that comes home may still change something."""


def post(board: Board, mailbox: Mailbox | None, now: datetime, *, hold_mails: bool) -> bool:
    """Send what is due (with `hold_mails` only alarms, which need no mailbox); tells whether anything was tried."""
    if board.sending.mailer is None:
        return False
    with board.engine.begin() as conn:
        live = _looked_at(board, conn, now)
    due = [row for row in outbox.due(live, now) if row.kind == "alarm" or not hold_mails]
    return _Run(board, mailbox, now).send(due)


def prove(board: Board, conn: Connection, new: int, stamp: Stamp) -> None:
    """The copies of our mails that came home, among the `new` messages, prove that they were accepted."""
    for row in rows.by_token(conn, stories.own_tokens(conn, new)):
        _save(conn, row, outbox.proven(row, stamp.at, board.sending.copy_to))


def stuck(conn: Connection) -> list[Hold]:
    """The mails that wait for a person."""
    return [Hold("outbox", _why(row)) for row in rows.rows(conn, (State.HELD, State.FAILED))]


def _why(row: OutboxRow) -> str:
    to = f", refused by {', '.join(row.refused)}" if row.refused and row.served else ""
    return f"mail {row.id} ({row.rule}{to}): {row.last_answer}"


def _looked_at(board: Board, conn: Connection, now: datetime) -> Sequence[OutboxRow]:
    """The rows as time, crashes and copies that came home leave them; what this process is sending now is left alone."""
    found = [row for row in rows.rows(conn, WAITING) if row.id not in board.sending.flying]
    home = rows.at_home(conn, found)
    looked = []
    for row in found:
        seen = outbox.proven(row, now, board.sending.copy_to) if row.id in home else row
        seen = _still_true(conn, outbox.settled(outbox.crashed(seen, now), now))
        _save(conn, row, seen)
        looked.append(seen)
    return looked


def _save(conn: Connection, before: OutboxRow, row: OutboxRow) -> None:
    """Write what changed, and tell the story of the thread what a reader must know."""
    if row == before:
        return
    rows.save(conn, row)
    if row.state in {State.OBSERVED, State.SENT}:
        _mailed(conn, row)


def _mailed(conn: Connection, row: OutboxRow) -> None:
    thread = rows.thread_of(conn, row.id)
    if thread is not None:
        journal.mailed(conn, thread, row.rule)


def _remark(conn: Connection, row: OutboxRow, begun: OutboxRow, now: datetime) -> None:
    """Say in the journal that somebody may get this mail twice."""
    thread = rows.thread_of(conn, row.id)
    if thread is not None:
        when = f"at {row.first_unknown_at:%H:%M} UTC" if row.first_unknown_at else "before"
        reason = f"sent once more under the same Message-ID: nobody knows whether it arrived {when} ({row.last_answer})"
        journal.repeated(conn, thread, begun, reason, now)


def _still_true(conn: Connection, row: OutboxRow) -> OutboxRow:
    """A mail whose reason has gone before its first byte is dropped: a slip must not leak."""
    if row.state is not State.PLANNED or row.served or row.rule not in {"escalate", "urgent", "auto_close"}:
        return row
    thread = rows.thread_of(conn, row.id)
    if thread is None or lookups.still_wants(conn, thread, row.rule, row.occasion):
        return row
    return replace(outbox.dropped(row), last_answer="its reason has gone")


@dataclass(slots=True)
class _Run:
    """One call of the mailer."""

    board: Board
    mailbox: Mailbox | None
    now: datetime
    claimed: dict[str, OutboxRow] = field(default_factory=dict)  # by Message-ID
    ended: tuple[OutboxRow, Delivery] | None = None  # the last one, not stored yet

    def send(self, due: Iterable[OutboxRow]) -> bool:
        """Send these; tells whether any was begun."""
        mailer = self.board.sending.mailer
        if mailer is None:
            return False
        try:
            for letter, delivery in mailer.send(self._letters(due)):
                self.ended = self.claimed[letter.message_id], delivery
        finally:
            if self.ended is not None:
                with self.board.engine.begin() as conn:
                    self._store(conn)
            self.board.sending.flying.difference_update(row.id for row in self.claimed.values())
        return bool(self.claimed)

    def _letters(self, due: Iterable[OutboxRow]) -> Iterator[Letter]:
        """The letters whose rows are still as they were read: a person may have dropped one meanwhile."""
        for row in due:
            letter = self._written(row)
            if letter is None:
                continue
            begun = outbox.begin(row, letter.recipients)
            with self.board.engine.begin() as conn:
                self._store(conn)
                mine = rows.claim(conn, row, begun, letter.content)
                if mine and begun.repeats > row.repeats:
                    _remark(conn, row, begun, self.now)
            if mine:
                self.claimed[letter.message_id] = begun
                self.board.sending.flying.add(row.id)
                yield letter

    def _written(self, row: OutboxRow) -> Letter | None:
        """The letter of a row; one that cannot be written (a bad address, a broken template) holds up no other."""
        to = outbox.addressees(row, ascii_domain(self.board.sending.copy_to))
        try:
            with self.board.engine.connect() as conn:
                octets = rows.content(conn, row.id) if row.attempts or row.served else None
            if octets is not None:  # a retry sends the same octets
                return Letter(row.message_id, ascii_domain(letters.return_path(self.board, row)), to, octets)
            return replace(letters.write(self.board, self.mailbox, row, self.now), recipients=to)
        except UnreachableError:
            raise
        except HelpdeskError as error:
            with self.board.engine.begin() as conn:
                rows.save(conn, replace(row, state=State.HELD, last_answer=str(error)))
            return None

    def _store(self, conn: Connection) -> None:
        """How the last one went."""
        if self.ended is not None:
            begun, delivery = self.ended
            row = outbox.after(begun, delivery, self.now)
            rows.save(conn, row)
            if row.served:
                _mailed(conn, row)
            self.ended = None
