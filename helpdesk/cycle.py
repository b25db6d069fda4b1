"""One cycle: observe, thread, decide, act, report.

A wake-up carries no data, so a lost one costs time and never correctness.  Everything that is about to be done is
committed before the first command; the next observation is the read-back (docs/decisions.md).
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection

from helpdesk import acting, posting
from helpdesk.actions import Action, Kind
from helpdesk.board import Board
from helpdesk.mailbox.sync import Observed, observe
from helpdesk.model import Stamp
from helpdesk.ports import Mailbox
from helpdesk.report import Done, Hold, Later, Report
from helpdesk.rules.brakes import Budget, brake
from helpdesk.rules.decide import Decision, decide
from helpdesk.store import copies, holds, journal, meta, requests, threads
from helpdesk.wishes import Wishes, read_wishes

MAX_CYCLES = 25
"""A run that has not converged by then is held: promise 2 says that it always does."""


UNLIMITED = Budget(sys.maxsize, sys.maxsize)


def budget(board: Board) -> Budget:
    """What the bot may start by itself at one `now`."""
    return Budget(board.limits.max_bot_moves, board.limits.max_mails)


Progress = Callable[[str], None]
"""Told what is going on, for people who wait."""


def silent(_text: str) -> None:
    """Nobody waits."""


def run(board: Board, mailbox: Mailbox, now: datetime, progress: Progress = silent) -> Report:
    """Cycles at one `now` until nothing is left to do and nothing is in flight."""
    total, allowed = Report(now), budget(board)
    for number in range(1, MAX_CYCLES + 1):
        report = cycle(board, mailbox, now, allowed)
        progress(f"cycle {number}: {report.observed['new']} new, {len(report.actions)} actions")
        total.add(report)
        if not report.again:
            return total
    total.held.append(
        Hold(
            "convergence", f"still writing after {MAX_CYCLES} cycles: the server may not keep what is written"
        )
    )
    return total


def cycle(board: Board, mailbox: Mailbox, now: datetime, allowed: Budget) -> Report:
    """The five stages, once."""
    report = Report(now)
    with _timed(report, "observe"):
        stamp, observed = _observe(board, mailbox, now)
    report.observed = _counts(observed)
    report.seconds["thread"] = observed.thread_seconds
    report.seconds["observe"] -= observed.thread_seconds
    with _timed(report, "decide"), board.engine.begin() as conn:
        if observed.new:
            posting.prove(conn, observed.new, stamp)
        wishes = read_wishes(conn, now)
        report.held += holds.update(conn, observed.holds, now, approval=wishes.approved)
        decisions = _decide(board, conn, stamp, wishes)
        if holds.board_is_held(report.held):
            report.actions = _done(board, [a for d in decisions for a in d.actions])
        else:
            decisions = _commit(board, conn, stamp, decisions, allowed, report)
            requests.done(conn, wishes.requests, now)
            journal.mark(conn, wishes.undone, "undone")
        posting.plan_alarms(board, conn, report.held, now)
    with _timed(report, "act"):
        wrote, refused = acting.act(board, mailbox) if board.act else (False, [])
        sent = posting.post(board, mailbox, now, hold_mails=any(h.what == "mails" for h in report.held))
    with _timed(report, "report"), board.engine.connect() as conn:
        report.held += refused + posting.stuck(conn)
        report.pending = _pending(board, conn)
    report.observed["commands"] = mailbox.commands - observed.commands_before
    report.observed["bytes"] = mailbox.bytes - observed.bytes_before
    report.again = wrote or observed.more or (sent and board.act)
    return report


def _observe(board: Board, mailbox: Mailbox, now: datetime) -> tuple[Stamp, Observed]:
    with board.engine.connect() as conn:
        last = meta.last_cycle(conn)
    stamp = Stamp(1 if last is None else last.cycle + 1, now)
    return stamp, observe(mailbox, board.engine, board.context, stamp)


def _decide(board: Board, conn: Connection, stamp: Stamp, wishes: Wishes) -> list[Decision]:
    keys = sorted({*threads.due(conn, stamp.at), *wishes.threads(conn)})
    held = holds.held_rules(conn)
    found = threads.load(conn, keys, board.dialect)
    return [decide(wishes.attach(facts), board.policy, stamp, held) for facts in found]


def _commit(
    board: Board,
    conn: Connection,
    stamp: Stamp,
    decisions: Sequence[Decision],
    allowed: Budget,
    report: Report,
) -> list[Decision]:
    """Store the decisions that no brake keeps back; those stay as they were, with all their events."""
    braked = brake(decisions, UNLIMITED if holds.approved(conn, stamp.at) else allowed)
    report.held += holds.hold_rules(conn, braked.why, stamp.at)
    kept_back = braked.held | braked.waiting | _blocked(decisions, holds.held_rules(conn))
    going = [d for d in decisions if d.key not in kept_back]
    going += _without_auto_close(board, conn, stamp, braked.waiting)
    plans = [plan for d in going for plan in d.plans]
    copies.apply_plan(conn, board.dialect, plans, writing=board.act)
    threads.save(conn, (threads.decided(d, again=_busy(d)) for d in going))
    actions = [a for d in going for a in d.actions]
    journal.write(conn, actions, stamp, "planned" if board.act else "observed")
    report.held += posting.plan(board, conn, actions, stamp)
    report.actions = _done(board, actions)
    return going


def _blocked(decisions: Sequence[Decision], held: frozenset[str]) -> set[int]:
    """The threads that a held rule would move or mail about."""
    return {
        d.key
        for d in decisions
        for a in d.actions
        if (a.kind is Kind.MOVE and a.rule in held and not a.human)
        or (a.kind is Kind.SEND_MAIL and held & {a.rule, "mails"})
    }


def _busy(decision: Decision) -> bool:
    return any(p.add or p.remove or p.place for p in decision.plans)


def _without_auto_close(board: Board, conn: Connection, stamp: Stamp, keys: frozenset[int]) -> list[Decision]:
    """More auto-closes than the budget allows: the rest is decided without, and stays pending."""
    found = threads.load(conn, sorted(keys), board.dialect)
    return [decide(facts, board.policy, stamp, frozenset({"auto_close"})) for facts in found]


def _pending(board: Board, conn: Connection) -> list[Later]:
    return [Later(board.thread_id(code), rule, due) for code, rule, due in threads.pending(conn)]


def _done(board: Board, actions: Sequence[Action]) -> list[Done]:
    return [
        Done(a.id, a.kind.value, board.thread_id(a.code), a.rule, a.reason, a.what.removeprefix("\\"))
        for a in actions
    ]


def _counts(observed: Observed) -> dict[str, int]:
    return {
        "messages": observed.messages,
        "new": observed.new,
        "changed": observed.changed,
        "gone": observed.gone,
        "commands": 0,
        "bytes": 0,
    }


@contextmanager
def _timed(report: Report, stage: str) -> Iterator[None]:
    start = time.perf_counter()  # a duration for people; no decision depends on it
    yield
    report.seconds[stage] += time.perf_counter() - start
