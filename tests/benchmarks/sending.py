"""The mail server was away, and a thousand mails wait: our outbox against a bare loop over aiosmtplib, on the same server.

Ours stores on the disk, before the first byte of a mail, that it may be in the world from now on, and how it went; the bare loop
stores nothing.  Both send the same octets over one connection.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Final

import aiosmtplib

from helpdesk import app, sending
from helpdesk.board import Board
from helpdesk.config import settings_of
from helpdesk.mailids import Reason, message_id
from helpdesk.outbox import OutboxRow, State
from helpdesk.ports import Letter
from helpdesk.smtp import SmtpMailer, SmtpServer
from helpdesk.store import db, migrations
from helpdesk.store import outbox as rows
from tests.benchmarks.figures import Figure, against
from tests.benchmarks.lab import Lab
from tests.benchmarks.series import Series
from tests.servers.process import free_port
from tests.servers.smtp_sink import SmtpSink
from tests.world import CONFIG

MAILS: Final = 1000
GOAL: Final = 2.0
NOW: Final = datetime(2026, 6, 8, 12, tzinfo=UTC)
ADMIN: Final = "aiden@example.org"


def measure(lab: Lab) -> Iterator[Figure]:
    """Take turns; writing the words of the mails is measured by itself, because both need it."""
    ours, bare, words = [], [], []
    with _server() as port:
        for _ in range(max(lab.rounds, 3)):
            board = _board(lab, port)
            words.append(_outage(board))
            with board.engine.connect() as conn:
                waiting = list(rows.rows(conn))
                letters = [_letter(row, rows.content(conn, row.id)) for row in waiting]
            bare.append(_bare(port, letters))
            started = time.perf_counter()
            sending.post(board, None, NOW + timedelta(minutes=5), hold_mails=False)
            ours.append(time.perf_counter() - started)
            _check(board)
    what = f"sending {MAILS:,} mails that wait, on a durable database"
    yield against(what, Series(ours), Series(bare), "aiosmtplib", GOAL)
    told = f"writing their words, while nobody listens: {Series(words)} s"
    yield Figure(f"the words of {MAILS:,} mails", told, "")


@contextmanager
def _server() -> Iterator[int]:
    """A server in a process of its own, so that it costs both the same."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,))
    process.start()
    try:
        yield here.recv()
    finally:
        here.send(None)
        process.join(10)


def _serve(pipe: Connection) -> None:
    with SmtpSink() as sink:
        pipe.send(sink.port)
        pipe.recv()


def _board(lab: Lab, port: int) -> Board:
    folder = lab.folder()
    url = f"sqlite:///{folder / 'board.db'}"
    migrations.upgrade(url)
    mailer = SmtpMailer(SmtpServer("127.0.0.1", port, "none"))
    settings = settings_of(folder / "helpdesk.toml", CONFIG)
    board = app.board(settings, db.open_engine(url), sending=mailer, create=True)
    with board.engine.begin() as conn:
        for number in range(MAILS):
            rows.add(conn, _row(board, f"outbox:{number}"), None)
    return board


def _row(board: Board, occasion: str) -> OutboxRow:
    own = message_id(Reason(board.name, "", "alarm", occasion), "example.org", board.sending.secret)
    return OutboxRow(0, own, "", "alarm", occasion, "alarm", (ADMIN,), NOW)


def _outage(board: Board) -> float:
    """The mails are written while nobody listens."""
    away = SmtpMailer(SmtpServer("127.0.0.1", free_port(), "none", timeout=5))
    started = time.perf_counter()
    sending.post(_with(board, away), None, NOW, hold_mails=False)
    return time.perf_counter() - started


def _with(board: Board, mailer: SmtpMailer) -> Board:
    return replace(board, sending=replace(board.sending, mailer=mailer))


def _letter(row: OutboxRow, octets: bytes | None) -> Letter:
    if octets is None:
        raise RuntimeError("a mail has no words")
    return Letter(
        row.message_id, "dast-board@example.org", (*row.recipients, "dast-board@example.org"), octets
    )


def _bare(port: int, letters: Sequence[Letter]) -> float:
    async def loop() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for letter in letters:
                await client.sendmail(letter.sender, list(letter.recipients), letter.content)

    started = time.perf_counter()
    asyncio.run(loop())
    return time.perf_counter() - started


def _check(board: Board) -> None:
    with board.engine.connect() as conn:
        sent = len(rows.rows(conn, [State.SENT]))
    if sent != MAILS:
        raise RuntimeError(f"only {sent} of {MAILS} mails were sent")
