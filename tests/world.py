"""A small world around the production cycle, in which stories are told: mail comes in, time goes by, mail goes out.

The mailbox is a `MemoryServer` or any real server; humans work through `tests.human.Human`.  Mail that nobody expected
fails the story when the world is closed.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Engine, select

from helpdesk import app, cycle, views
from helpdesk.board import Board
from helpdesk.config import settings_of
from helpdesk.model import Place
from helpdesk.ports import Letter, Mailbox
from helpdesk.report import Report
from helpdesk.rules.draft import living
from helpdesk.rules.facts import ThreadFacts
from helpdesk.settings import Settings
from helpdesk.store import copies, db, names, requests, threads
from helpdesk.store.copies import Held
from helpdesk.store.core import THREAD
from tests.databases import Database, SqliteFile
from tests.human import Human
from tests.memory_mailer import MemoryMailer

START = datetime(2026, 6, 8, 6, 0, tzinfo=UTC)  # a Monday

CONFIG = """\
[board]
name = "dast"
list_address = "dast@lists.example.org"
list_ids = ["dast.lists.example.org"]
act = "act"
secret_file = "board.secret"
[imap]
host = "127.0.0.1"
security = "none"
username = "dast"
password_env = "HELPDESK_TEST_PASSWORD"
archive_aliases = ["Archives"]
[smtp]
host = "127.0.0.1"
security = "none"
sender = "dast-board@example.org"
[store]
url = "sqlite:///board.db"
[[people]]
name = "Aiden Archer"
addresses = ["aiden@example.org"]
roles = ["shifter", "admin"]
[[people]]
name = "Sergey Stone"
addresses = ["sergey@example.org"]
roles = ["shifter"]
oncall = true
[[destination]]
label = "GGUS"
address = "ggus@tracker.example.net"
mode = "mail"
[[destination]]
label = "DQ2 Savannah"
mode = "track"
[[label]]
name = "mc08 dataset problem"
kind = "temporary"
meaning = "known problem with mc08 datasets"
[[label]]
name = "docs"
kind = "info"
meaning = "should go into the documentation"
"""


def mail(
    sender: str,
    subject: str,
    message_id: str,
    *,
    answers: Sequence[str] = (),
    date: datetime = START,
    body: str = "All my jobs fail since this morning.",
    to: str = "dast@lists.example.org",
    listed: bool = True,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """A complete mail, as a list delivers it, or directly."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = message_id
    message["Date"] = date
    if listed:
        message["List-Id"] = "<dast.lists.example.org>"
    if answers:
        message["In-Reply-To"] = answers[-1]
        message["References"] = " ".join(answers)
    for name, value in headers.items():
        message[name] = value
    message.set_content(body)
    return message.as_bytes()


@lru_cache(maxsize=1)
def _engine(url: str) -> Engine:
    """The engine for a database, which may lose its database and get another: what it has compiled stays compiled."""
    return db.open_engine(url)


@dataclass(frozen=True)
class Standing:
    """A thread as the board believes it to be; `copies` are (folder, uid) of what it keeps together."""

    open: bool
    keywords: frozenset[str]
    labels: frozenset[str]
    copies: tuple[tuple[str, int], ...]


def _standing(board: Board, facts: ThreadFacts, held: Mapping[int, Held]) -> Standing:
    together = [c for c in living(facts) if not (facts.state.lies and c.known.place is Place.ARCHIVE)]
    present = [name for name, register in facts.state.registers.items() if register.present]
    return Standing(
        facts.state.open is True,
        frozenset(board.dialect.spelling_for(name, ()) for name in present),
        frozenset(present),
        tuple((held[c.key].folder_name, held[c.key].uid) for c in together if c.key in held),
    )


@dataclass
class World:
    """One board with its people, at a time that only the story moves."""

    human: Human
    open_mailbox: Callable[[], Mailbox]
    folder: Path
    config: str = CONFIG
    now: datetime = START
    mailer: MemoryMailer = field(default_factory=MemoryMailer)
    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    expected: int = 0
    fresh: bool = False  # the database was lost and nothing has run since
    database: Database | None = None  # None: a SQLite file in the folder
    _board: Board | None = None

    def __post_init__(self) -> None:
        self._kept = self.database or SqliteFile(self.folder)
        self._kept.make()
        self.settings: Settings = settings_of(self.folder / "helpdesk.toml", self.config)
        self.engine: Engine = _engine(self._kept.url)
        self.mailbox: Mailbox = self.open_mailbox()
        for name in ("INBOX", "Archive", "Sent"):
            if not {name, f"INBOX.{name}"} & {*self.human.folders()}:
                self.human.create(name)

    @property
    def board(self) -> Board:
        """The production board, with a mailer that keeps its letters; wired anew after the database was replaced."""
        if self._board is None:
            self._board = app.board(self.settings, self.engine, sending=self.mailer, create=True)
        return self._board

    def incoming(self, sender: str, subject: str, *, answers: Sequence[str] = (), **more: Any) -> str:
        """Deliver a mail to the inbox; returns its Message-ID."""
        message_id = more.pop("message_id", f"<m{next(self.ids)}@{sender.partition('@')[2].rstrip('>')}>")
        folder, flags = more.pop("folder", "INBOX"), more.pop("flags", ())
        more.setdefault("date", self.now)
        self.human.deliver(
            folder, mail(sender, subject, message_id, answers=answers, **more), self.now, flags
        )
        return str(message_id)

    def tick(self) -> Report:
        """One run at the present time; the calendar, if there is one, is read first."""
        self.board.duty.read(self.now, asked_at=self.now)
        return cycle.run(self.board, self.mailbox, self.now)

    def advance(self, **time: float) -> Report:
        """Let time go by, then run."""
        self.now += timedelta(**time)
        return self.tick()

    def reconfigure(self, more: str = "", *, without: str = "") -> None:
        """The operator edits the configuration and starts the daemon again."""
        self.settings = settings_of(self.folder / "helpdesk.toml", self.config.replace(without, "") + more)
        self._board = None

    def ask(self, request: str, **args: Any) -> Report:
        """A person gives a command; the next cycle carries it out."""
        with self.engine.begin() as conn:
            requests.ask(conn, request, args, self.now)
        return self.tick()

    def settle(self) -> Report:
        """The board sees what humans did, and they let go."""
        self.tick()
        return self.advance(minutes=2)

    def where(self, message_id: str) -> str:
        """The folders that a message lies in, joined by a comma."""
        return ",".join(
            f for f in sorted(self.human.folders()) if any(s.message_id == message_id for s in self.look(f))
        )

    def look(self, folder: str) -> list[Any]:
        """What a mail client lists."""
        return list(self.human.look(folder)) if folder in self.human.folders() else []

    def flags(self, message_id: str) -> set[str]:
        r"""Keywords and \Flagged on every copy of a message, lower case, without what does not matter here."""
        found = {
            flag.lower()
            for f in self.human.folders()
            for s in self.look(f)
            if s.message_id == message_id
            for flag in s.flags
        }
        return found - {"\\seen", "\\recent", "\\answered"}

    def on(self, message_id: str, action: str, *args: Any) -> None:
        """A human does something to a message: `world.on(m, "move", "Archive")`."""
        folder = self.where(message_id).split(",")[0]
        uid = next(s.uid for s in self.look(folder) if s.message_id == message_id)
        getattr(self.human, action)(folder, [uid], *args)

    def threads(self) -> list[Mapping[str, Any]]:
        """`threads --json`."""
        board = self.board
        with self.engine.connect() as conn:
            return list(views.list_threads(conn, board.dialect, board.policy, board.name))

    def show(self, message_id: str) -> Mapping[str, Any]:
        """`show --json` of the thread of a message."""
        board, wanted = self.board, self.thread(message_id)["id"]
        with self.engine.connect() as conn:
            key = names.find(conn, wanted, board.name)
            return views.one_thread(conn, board.dialect, board.policy, board.name, key)

    def thread(self, message_id: str) -> Mapping[str, Any]:
        """The thread of a message."""
        return next(t for t in self.threads() if any(m["message_id"] == message_id for m in t["messages"]))

    def expect_mail(self, to: str, *words: str) -> Letter:
        """The next mail of ours goes to this address and says these words."""
        assert len(self.mailer.arrived) > self.expected, f"no mail to {to}"
        letter = self.mailer.arrived[self.expected]
        self.expected += 1
        assert to in letter.recipients, (letter.recipients, letter.content[:300])
        text = letter.content.decode().partition("text/html")[0]
        unfolded = text.replace("\r\n ", " ")
        assert all(word in text or word in unfolded for word in words), text
        return letter

    def expect_no_mail(self) -> None:
        """Everything that was sent was expected."""
        unasked = [(one.recipients, one.content.decode()) for one in self.mailer.arrived[self.expected :]]
        assert unasked == []

    def lose_database(self) -> None:
        """The disk of the daemon is gone; the mailbox is not."""
        self.engine.dispose()
        self._kept.empty()
        self._board, self.fresh = None, True

    def backup(self) -> None:
        """Somebody makes a backup of the database."""
        self.engine.dispose()
        self._kept.save()

    def restore(self) -> None:
        """The database is replaced by its backup, if there is one."""
        self.engine.dispose()
        if self._kept.bring_back():
            self._board, self.fresh = None, True

    def consistency(self) -> list["Standing"]:
        """Where every thread stands, and the copies that must agree with it."""
        board = self.board
        with self.engine.connect() as conn:
            keys = conn.execute(select(THREAD.c.id)).scalars().all()
            held = {c.key: c for c in copies.of_threads(conn, board.dialect, keys)}
            return [_standing(board, facts, held) for facts in threads.load(conn, keys, board.dialect)]

    def close(self) -> None:
        """The end of the story."""
        self.expect_no_mail()
        self.mailbox.close()
        self.engine.dispose()
