"""A process that sends what is due, for tests that end it at any moment."""

import multiprocessing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from helpdesk import app, sending
from helpdesk.config import settings_of
from helpdesk.smtp import SmtpMailer, SmtpServer
from helpdesk.store import db
from tests.world import CONFIG

PROCESSES: Final = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["helpdesk.app", "tests.world"])  # so that a process starts in no time


@dataclass(frozen=True, slots=True)
class Job:
    """On which database, to which server, at what time; `tries` of what is due, one after the other."""

    folder: Path
    port: int
    now: datetime


def work(job: Job) -> None:
    """Send what is due, with little patience for the server."""
    engine = db.open_engine(f"sqlite:///{job.folder / 'board.db'}")
    server = SmtpServer("127.0.0.1", job.port, "none", timeout=2, data_timeout=0.3, helo="client.example.org")
    settings = settings_of(job.folder / "helpdesk.toml", CONFIG)
    board = app.board(settings, engine, sending=SmtpMailer(server), create=True)
    sending.post(board, None, job.now, hold_mails=False)
