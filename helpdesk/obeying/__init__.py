"""Commands by mail are carried out: who said it, is it he, what becomes of the thread, and what he hears.

    proof      a command mail that was read ─► obeyed, asked about, or refused in silence
    carrying   each command ─► an order for a thread (`rules.orders`), or done at once
    looking    what `status` and `help` say
    answering  what became of each command ─► one mail

It is a part of the stage decide, in its transaction: what was said before a crash is said again after it, and what was carried out has
its answer planned.  docs/mail.md section 4 is the policy.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from helpdesk.actions import Action
from helpdesk.board import Board
from helpdesk.model import Stamp
from helpdesk.obeying import answering, carrying, proof
from helpdesk.obeying.desk import Desk
from helpdesk.obeying.work import Work
from helpdesk.rules.facts import Order, Told
from helpdesk.store import commands
from helpdesk.store.commands import State

TO_DO = (State.CONFIRMED, State.RUNNING)


@dataclass(slots=True)
class Obeying:
    """The command mails of one cycle."""

    desk: Desk
    mails: list[Action] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)

    def orders(self) -> dict[int, list[Order]]:
        """What is wanted of each thread."""
        found: dict[int, list[Order]] = {}
        for work in self.works:
            for thread, order in work.orders:
                found.setdefault(thread, []).append(order)
        return found

    def finish(self, told: Iterable[Told]) -> list[Action]:
        """Keep what became of the orders; the mails that are to be sent because of all this."""
        by_order = {one.order: one for one in told}
        for work in self.works:
            carrying.settle(self.desk, work, by_order)
            state = State.RUNNING if work.missing else State.ANSWERED
            commands.save(self.desk.conn, work.saved(state))
            if state is State.ANSWERED:
                self.mails += answering.answer(self.desk, work)
        return self.mails


def begin(board: Board, conn: Connection, stamp: Stamp) -> Obeying:
    """Ask for proof where it is missing, do what concerns no single thread, and collect the orders for the others."""
    desk = Desk(board, conn, stamp)
    obeying = Obeying(desk, proof.judge(desk))
    for mail in commands.in_states(conn, TO_DO):
        work = carrying.carry(desk, mail)
        if work is not None:
            obeying.works.append(work)
    return obeying
