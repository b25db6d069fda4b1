"""What happens in the daemon's one worker thread: cycles over a kept connection, and the database."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from helpdesk import cycle
from helpdesk.board import Board
from helpdesk.model import Stamp
from helpdesk.ports import Mailbox
from helpdesk.report import Hold, Report
from helpdesk.rules.attention import reasons
from helpdesk.rules.brakes import Budget
from helpdesk.store import figures, holds, meta, threads
from helpdesk.store.db import reading
from helpdesk.store.figures import Figures
from helpdesk.vitals import after


class Worker:
    """Owns the connection to the mailbox; its methods run one at a time, all in the same thread."""

    def __init__(self, board: Board, connect: Callable[[], Mailbox], connected: Callable[[], None]) -> None:
        self._board = board
        self._connect = connect
        self._connected = connected  # told of each login
        self._mailbox: Mailbox | None = None

    @property
    def received(self) -> int:
        """Bytes received over the present connection; any thread may ask."""
        mailbox = self._mailbox
        return 0 if mailbox is None else mailbox.bytes

    def begin(self, now: datetime, doubt: Hold | None) -> Stamp:
        """The stamp of the next cycle; a clock that cannot be believed holds the board first."""
        with reading(self._board.engine) as conn:
            last = meta.last_cycle(conn)
        now, step = after(now, None if last is None else last.at)
        found = [(hold.what, hold.why) for hold in (doubt, step) if hold is not None]
        if found:
            with self._board.engine.begin() as conn:
                holds.update(conn, found, now)
        return Stamp(1 if last is None else last.cycle + 1, now)

    def cycle(self, now: datetime, allowed: Budget) -> Report:
        """One cycle; connects first where that is needed."""
        if self._mailbox is None:
            self._mailbox = self._connect()
            self._connected()
        return cycle.cycle(self._board, self._mailbox, now, allowed)

    def figures(self, *, whole: bool) -> Figures:
        """Count what there is; what is pending and what wants attention only on the `whole`: that reads every open thread."""
        with reading(self._board.engine) as conn:
            counted = figures.count(conn)
            if not whole:
                return counted
            pending = Counter(rule for _, rule, _ in threads.pending(conn))
            return replace(counted, attention=self._attention(conn), pending=pending)

    def next_due(self, now: datetime) -> datetime | None:
        """When a thread or a mail wants to be looked at next, or a shift begins or ends."""
        rota = self._board.duty.known.rota
        edge = None if rota is None else rota.next_edge(now)
        with reading(self._board.engine) as conn:
            due = figures.next_due(conn, now)
        return min((moment for moment in (due, edge) if moment is not None), default=None)

    def hang_up(self) -> None:
        """Close the connection, whatever state it is in; the next cycle makes a new one."""
        mailbox, self._mailbox = self._mailbox, None
        if mailbox is not None:
            mailbox.close()

    def _attention(self, conn: Connection) -> int:
        keys = figures.open_threads(conn)
        policy = self._board.policy
        return sum(bool(reasons(facts, policy)) for facts in threads.load(conn, keys, self._board.dialect))
