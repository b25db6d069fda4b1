"""Reminders: one mail to each destination and day about everything that it has not answered (docs/mail.md section 3).

A planner of `helpdesk.speaking`.  A thread is counted as reminded of only where it is in the mail; one that falls due after the mail
of its day waits for the destination's next working day.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from helpdesk import posting
from helpdesk.actions import Action, Kind
from helpdesk.board import Board
from helpdesk.model import Stamp
from helpdesk.rules.facts import Destination, ThreadFacts
from helpdesk.rules.state import ThreadState
from helpdesk.rules.talks import due_nags, patient, reminded
from helpdesk.store import holds, journal, meta, reminders, threads

RULE = "nag"


def plan(board: Board, conn: Connection, now: datetime) -> Sequence[Action]:
    """The reminders that are due; what they remind of is counted."""
    keys, last = threads.overdue(conn, RULE, now), meta.last_cycle(conn)
    if not keys or last is None or _is_held(conn):
        return ()
    silent: dict[str, list[ThreadFacts]] = defaultdict(list)
    states: dict[int, ThreadState] = {}
    for facts in threads.load(conn, keys, board.dialect):
        for nag in due_nags(facts, board.policy, now):
            silent[nag.where].append(facts)
            states[facts.key] = facts.state
    actions = []
    for where in sorted(silent):
        action = _reminder(
            board, conn, board.policy.destinations[where], silent[where], Stamp(last.cycle, now)
        )
        after = _after(board, conn, action, where)
        if after is None:
            actions.append(action)
            _tell(board, conn, action, silent[where])
        for facts in silent[where]:
            state = states[facts.key]
            states[facts.key] = (
                reminded(state, where, action.stamp) if after is None else patient(state, where, after)
            )
    threads.put_states(conn, states)
    return actions


def _is_held(conn: Connection) -> bool:
    held = holds.current(conn)
    return holds.board_is_held(held) or any(hold.what == RULE for hold in held)


def _after(board: Board, conn: Connection, action: Action, where: str) -> datetime | None:
    """Not now but then: it does not work now, or the mail of its day has gone.  None: now."""
    hours, now = board.policy.destinations[where].hours, action.stamp.at
    at_work = hours.at_work(now)
    if at_work > now:
        return at_work
    return hours.next_day(now) if posting.is_known(board, conn, action) else None


def _tell(board: Board, conn: Connection, reminder: Action, silent: Sequence[ThreadFacts]) -> None:
    """The reminder is part of the story of each thread in it."""
    where = reminder.occasion.rpartition(":")[0]
    told = [
        replace(reminder, thread=one.key, code=one.code, reason=f"{where} has not answered", evidence={})
        for one in silent
    ]
    journal.write(conn, told, reminder.stamp, "planned" if board.act else "observed")


def _reminder(
    board: Board, conn: Connection, destination: Destination, silent: Sequence[ThreadFacts], now: Stamp
) -> Action:
    where = destination.label
    oldest = sorted(silent, key=lambda facts: (facts.state.registers[where].stamp, facts.key))
    number = f"{len(oldest)} threads" if len(oldest) > 1 else "one thread"
    return Action(
        Kind.SEND_MAIL,
        0,
        "",
        RULE,
        RULE,
        f"{where} has not answered about {number}",
        now,
        occasion=f"{where}:{destination.hours.local_date(now.at).isoformat()}",
        recipients=(destination.address,),
        evidence={"threads": [board.thread_id(facts.code) for facts in oldest]},
        context=reminders.context(conn, where, oldest),
    )
