"""One cycle: observe, thread, decide, act, report.

A wake-up carries no data, so a lost one costs time and never correctness.  Everything that is about to be done is
committed before the first command; the next observation is the read-back (docs/decisions.md).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection

from helpdesk import acting, blaming, boardmail, posting, sending, speaking
from helpdesk.board import Board
from helpdesk.deciding import decide_all
from helpdesk.mailbox.sync import Observed, observe
from helpdesk.model import Stamp
from helpdesk.ports import Mailbox
from helpdesk.report import Hold, Later, Report
from helpdesk.rules.brakes import Budget
from helpdesk.store import holds, meta, threads

MAX_CYCLES = 25
"""A run that has not converged by then is held: promise 2 says that it always does."""


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
            break
    else:
        total.held.append(give_up(board, now))
    with board.engine.connect() as conn:
        total.pending = _pending(board, conn)
    return total


def cycle(board: Board, mailbox: Mailbox, now: datetime, allowed: Budget) -> Report:
    """The five stages, once; it costs what has changed, so what is pending is listed by `run` alone."""
    report = Report(now)
    with _timed(report, "observe"):
        stamp, observed = _observe(board, mailbox, now)
    report.observed = _counts(observed)
    report.seconds["thread"] = observed.thread_seconds
    report.seconds["observe"] -= observed.thread_seconds
    with _timed(report, "decide"), board.engine.begin() as conn:
        if observed.new:
            sending.prove(board, conn, observed.new, stamp)
        if board.context.names is not None:
            blaming.look(conn, board.policy, stamp)
        decide_all(board, conn, stamp, allowed, observed.holds, report)
        speaking.speak(board, conn, stamp, report)
    with _timed(report, "act"):
        wrote, refused = acting.act(board, mailbox) if board.act else (False, [])
        if _may_keep(board, report):
            made, unmade = acting.furnish(board, mailbox)
            wrote, refused = wrote or made, refused + unmade
        sent = sending.post(board, mailbox, now, hold_mails=any(h.what == "mails" for h in report.held))
        busy = wrote or observed.more or (sent.tried and board.act)
        kept, unkept = (
            (False, []) if busy or not _may_keep(board, report) else boardmail.keep(board, mailbox, now)
        )
    with _timed(report, "report"):
        with board.engine.connect() as conn:
            report.held += refused + unkept + sending.stuck(conn)
        told = posting.alarm(board, report.held, now)
    report.unreached += (*sent.unreached, *told.unreached)
    report.observed["commands"] = mailbox.commands - observed.commands_before
    report.observed["bytes"] = mailbox.bytes - observed.bytes_before
    report.again = busy or kept
    return report


def _may_keep(board: Board, report: Report) -> bool:
    """The folder Board is looked at when everything else is done, and not while nothing may be written."""
    return board.act and not holds.board_is_held(report.held)


def give_up(board: Board, now: datetime) -> Hold:
    """The cycles of one `now` do not converge: the admins are told."""
    held = Hold(
        "convergence", f"still writing after {MAX_CYCLES} cycles: the server may not keep what is written"
    )
    posting.alarm(board, [held], now)
    return held


def _observe(board: Board, mailbox: Mailbox, now: datetime) -> tuple[Stamp, Observed]:
    with board.engine.connect() as conn:
        last = meta.last_cycle(conn)
    stamp = Stamp(1 if last is None else last.cycle + 1, now)
    return stamp, observe(mailbox, board.engine, board.context, stamp)


def _pending(board: Board, conn: Connection) -> list[Later]:
    return [Later(board.thread_id(code), rule, due) for code, rule, due in threads.pending(conn)]


def _counts(observed: Observed) -> dict[str, int]:
    """What people would call news: that our digest in the folder Board was replaced is none."""
    return {
        "messages": observed.messages,
        "new": observed.new - observed.digests,
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
