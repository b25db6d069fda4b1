"""Carrying a request out: here where no daemon works on the board, else by the daemon, which hears of it at once."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import Connection, Engine

from helpdesk import app, cycle, doors
from helpdesk.cli import screen
from helpdesk.errors import HeldError, UnreachableError, UsageError
from helpdesk.report import Hold, Report
from helpdesk.settings import Settings
from helpdesk.store import migrations

T = TypeVar("T")
Ask = Callable[[Connection, datetime], T]
NEXT_CYCLE = "A helpdesk runs on this board: it does this within a second or two."


@dataclass(frozen=True, slots=True)
class Carried(Generic[T]):
    """What was asked, and the run that did it; no run: the daemon will."""

    asked: T
    report: Report | None


def carry_out(settings: Settings, now: datetime | None, ask: Ask[T]) -> Carried[T]:
    """Write a request down; then run cycles, unless a daemon does."""
    if problems := migrations.check(doors.database(settings)):
        raise UsageError(problems[0])
    with ExitStack() as stack:
        try:
            engine = stack.enter_context(app.opened(settings, writing=True))
        except HeldError:
            engine = stack.enter_context(app.opened(settings, writing=False))
            return Carried(_write_down(engine, now, ask)[0], None)
        asked, moment, held = _write_down(engine, now, ask)
        if held is not None:
            return Carried(asked, Report(moment, held=[held]))
        return Carried(asked, _run(settings, engine, moment))


def _write_down(engine: Engine, now: datetime | None, ask: Ask[T]) -> tuple[T, datetime, Hold | None]:
    moment, held = app.resolve_now(engine, now)
    if held is not None and now is not None:
        raise UsageError(f"--now: {held.why}")
    with engine.begin() as conn:
        return ask(conn, moment), moment, held


def _run(settings: Settings, engine: Engine, moment: datetime) -> Report:
    board = app.board(settings, engine, sending=doors.mailer(settings), create=True)
    board.duty.read(moment, asked_at=app.clock())
    try:
        with app.mailbox(settings, engine) as session:
            return cycle.run(board, session, moment, screen.progress)
    except UnreachableError:
        screen.complain("It is written down, and the next cycle does it.")
        raise
