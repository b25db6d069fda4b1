"""From a planned row to a mail in the world: written once, sent, and proven by the copy that comes home (promise 3).

A row is claimed (`sending`, with the octets of the mail) before its first byte, in a transaction that is on the disk.  How the
mail before it went is stored in the same one: a crash between the server's answer and that commit is an unknown outcome
as well.  Rows are claimed one by one, so that a crash leaves one unknown outcome and not many; only a backlog is claimed
in groups.  A crash then leaves a few mails that wait for a copy though none of their bytes was sent: late, never twice.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from helpdesk import outbox
from helpdesk.board import Board
from helpdesk.errors import HelpdeskError, UnreachableError
from helpdesk.model import Stamp
from helpdesk.outbox import OutboxRow, State
from helpdesk.ports import Delivery, Letter, Mailbox, Mailer
from helpdesk.render import ascii_domain
from helpdesk.report import Hold
from helpdesk.store import commands, journal, lookups, reminders, stories, verdicts
from helpdesk.store import outbox as rows
from helpdesk.store.core import chunks
from helpdesk.store.lazily import lazily
from helpdesk.store.outbox import Claim

BACKLOG = 20
"""More than this are due only after the mail server was away: a cycle plans no more (brakes.max_mails)."""

GROUP = 8
"""Rows of a backlog that are claimed at once."""

WAITING = (*rows.LIVE, State.HELD, State.FAILED)
"""The states in which time or a copy that comes home may still change something."""


@dataclass(frozen=True, slots=True)
class Posted:
    """Whether anything was tried, and for each mail that reached no server, why."""

    tried: bool = False
    unreached: Sequence[UnreachableError] = ()


def post(board: Board, mailbox: Mailbox | None, now: datetime, *, hold_mails: bool) -> Posted:
    """Send what is due (with `hold_mails` only alarms, which need no mailbox)."""
    mailer = board.sending.mailer
    if mailer is None:
        return Posted()
    with board.engine.begin() as conn:
        live = _looked_at(board, conn, now)
    due = [row for row in outbox.due(live, now) if row.kind == "alarm" or not hold_mails]
    if not due:
        return Posted()
    with board.engine.connect() as conn:
        return _Run(board, conn, mailbox, now).send(due, mailer)


def prove(board: Board, conn: Connection, new: int, stamp: Stamp) -> None:
    """The copies of our mails that came home, among the `new` messages, prove that they were accepted."""
    for row in rows.by_token(conn, stories.own_tokens(conn, new)):
        _save(conn, row, outbox.proven(row, stamp.at, _own(board)))


def stuck(conn: Connection) -> list[Hold]:
    """The mails that wait for a person."""
    return [Hold("outbox", _why(row)) for row in rows.rows(conn, (State.HELD, State.FAILED))]


def _why(row: OutboxRow) -> str:
    to = f", refused by {', '.join(row.refused)}" if row.refused and row.served else ""
    return f"mail {row.id} ({row.rule}{to}): {row.last_answer}"


def _own(board: Board) -> str:
    """Where the board's own copies go, as a row remembers it."""
    return ascii_domain(board.sending.copy_to)


def _looked_at(board: Board, conn: Connection, now: datetime) -> Sequence[OutboxRow]:
    """The rows as time, crashes and copies that came home leave them; what this process is sending now is left alone."""
    found = [row for row in rows.rows(conn, WAITING) if row.id not in board.sending.flying]
    home = rows.home_as(conn, found)
    looked = []
    for row in found:
        seen = outbox.proven(row, now, _own(board)) if row.id in home else row
        seen = _still_true(conn, outbox.settled(outbox.crashed(seen, now), now), now)
        _save(conn, row, seen)
        looked.append(seen)
    return looked


def _save(conn: Connection, before: OutboxRow, row: OutboxRow) -> None:
    """Write what changed, and tell the story of the thread what a reader must know."""
    if row == before:
        return
    rows.save(conn, row, before)
    if row.state in {State.OBSERVED, State.SENT}:
        _mailed(conn, row)


def _mailed(conn: Connection, row: OutboxRow) -> None:
    told = [row.about] if row.about is not None else reminders.threads_of(conn, row)
    for thread in told:
        journal.mailed(conn, thread, row.rule)


def _remark(conn: Connection, claim: Claim, now: datetime) -> None:
    """Say in the journal when somebody may get a mail twice."""
    row, begun = claim.row, claim.begun
    if row.about is not None and begun.repeats > row.repeats:
        when = f"at {row.first_unknown_at:%H:%M} UTC" if row.first_unknown_at else "before"
        reason = f"sent once more under the same Message-ID: nobody knows whether it arrived {when} ({row.last_answer})"
        journal.repeated(conn, row.about, begun, reason, now)


def _still_true(conn: Connection, row: OutboxRow, now: datetime) -> OutboxRow:
    """A mail whose reason has gone before its first byte is dropped: a slip must not leak."""
    if (
        row.rule == "confirm"
        and row.state in {State.PLANNED, State.HELD}
        and not commands.asks(conn, row.occasion)
    ):
        return replace(outbox.dropped(row), last_answer="nobody waits for its answer any more")
    if row.state is not State.PLANNED or row.served or _wanted(conn, row, now):
        return row
    return replace(outbox.dropped(row), last_answer="its reason has gone")


def _wanted(conn: Connection, row: OutboxRow, now: datetime) -> bool:
    """Whether what a mail is about is still so; most mails are about what has happened, and that stays true."""
    if row.rule == "digest":  # of no use when its shift has ended
        return now < datetime.fromisoformat(json.loads(row.context)["until"])
    if row.rule == "nag":
        return bool(reminders.asked(conn, row))
    if row.rule == "site_out":
        return verdicts.is_out(conn, row.occasion.partition(":")[0])
    if row.rule not in {"escalate", "urgent", "auto_close"} or row.about is None:
        return True
    return lookups.still_wants(conn, row.about, row.rule, row.occasion)


@dataclass(slots=True)
class _Run:
    """One call of the mailer, over one connection to the database."""

    board: Board
    conn: Connection
    mailbox: Mailbox | None
    now: datetime
    waiting: dict[str, OutboxRow] = field(
        default_factory=dict
    )  # claimed, not begun: as they were; by Message-ID
    flying: dict[str, OutboxRow] = field(default_factory=dict)  # as they were begun
    ended: list[OutboxRow] = field(default_factory=list)  # how the last one went: not stored yet
    unreached: list[UnreachableError] = field(default_factory=list)
    began: bool = False

    def send(self, due: Sequence[OutboxRow], mailer: Mailer) -> Posted:
        """Send these."""
        try:
            for letter, delivery in mailer.send(self._letters(due), self._narrow):
                self.unreached += [delivery.unreached] if delivery.unreached is not None else []
                self._take_in(outbox.after(self.flying[letter.message_id], delivery, self.now))
        finally:
            with self.conn.begin():
                self._store()
                for row in self.waiting.values():  # something went wrong before their first byte
                    rows.save(self.conn, row)
            self.board.sending.flying.difference_update(row.id for row in self.flying.values())
        return Posted(self.began, self.unreached)

    def _letters(self, due: Sequence[OutboxRow]) -> Iterator[Letter]:
        """The letters, each when its row is claimed."""
        for group in _groups(due):
            for letter in self._claim(group):
                self.began = True
                del self.waiting[letter.message_id]
                yield letter

    def _claim(self, group: Sequence[OutboxRow]) -> Sequence[Letter]:
        """Write the letters of a group, and store its rows as begun, if they are still as they were read."""
        with self.conn.begin():
            contents = rows.contents(self.conn, [row.id for row in group])
        written = {row.id: one for row in group if (one := self._written(row, contents.get(row.id)))}
        claims = [
            Claim(row, outbox.begin(row, one.recipients), None if row.id in contents else one.content)
            for row in group
            if (one := written.get(row.id)) is not None
        ]
        with self.conn.begin():
            self._store()
            mine = rows.claim(self.conn, claims)
            for claim in mine:
                _remark(self.conn, claim, self.now)
        self.waiting = {claim.row.message_id: claim.row for claim in mine}
        self.flying |= {claim.row.message_id: claim.begun for claim in mine}
        self.board.sending.flying.update(claim.row.id for claim in mine)
        return [written[claim.row.id] for claim in mine]

    def _written(self, row: OutboxRow, octets: bytes | None) -> Letter | None:
        """The letter of a row; one that cannot be written (a bad address, a broken template) holds up no other."""
        from helpdesk import letters  # noqa: PLC0415 -- much to load, and most runs write nothing

        to = outbox.addressees(row, _own(self.board))
        if octets is not None:  # a retry sends the same octets
            return Letter(row.message_id, ascii_domain(letters.return_path(self.board, row)), to, octets)
        try:
            return replace(letters.write(self.board, self.mailbox, row, self.now), recipients=to)
        except UnreachableError:
            raise
        except HelpdeskError as error:
            with self.conn.begin():
                rows.save(self.conn, replace(row, state=State.HELD, last_answer=str(error)))
            return None

    def _narrow(self, letter: Letter, delivery: Delivery) -> None:
        """Store who does not get a mail of which the text goes out now."""
        row = outbox.narrowed(self.flying[letter.message_id], delivery)
        self.flying[letter.message_id] = row
        with self.conn.begin():
            rows.save(self.conn, row)

    def _take_in(self, row: OutboxRow) -> None:
        """Store how a mail went: with the next claim, or at once while others of its group are still to go."""
        self.ended.append(row)
        if self.waiting:
            with lazily(self.conn):
                self._store()

    def _store(self) -> None:
        for row in self.ended:
            rows.save(self.conn, row, self.flying[row.message_id])
            if row.served:
                _mailed(self.conn, row)
        self.ended = []


def _groups(due: Sequence[OutboxRow]) -> Iterator[Sequence[OutboxRow]]:
    """A backlog in groups; one by one what a cycle usually mails, and what was interrupted before."""
    size = GROUP if len(due) > BACKLOG else 1
    yield from chunks([row for row in due if row.first_unknown_at is None], size)
    yield from chunks([row for row in due if row.first_unknown_at is not None], 1)
