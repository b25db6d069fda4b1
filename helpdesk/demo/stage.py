"""The board of the demo, wired by the production code: configuration, database, IMAP, SMTP, `cycle.run`.

Nothing is special but the clock, which works as with `run --once --now`: the database is marked as simulated.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from sqlalchemy import Engine

from helpdesk import app, asking, cycle, doors, ledger, views
from helpdesk.board import Board
from helpdesk.demo.cast import BOARD, PASSWORD, Person
from helpdesk.demo.clock import Clock
from helpdesk.demo.gallery import Why
from helpdesk.demo.grid import Grid
from helpdesk.demo.post import Letter
from helpdesk.demo.robots import Robots, Tested
from helpdesk.demo.servers import Servers
from helpdesk.demo.shifts import calendar, next_shift
from helpdesk.mailbox.folders import places
from helpdesk.ports import Mailbox
from helpdesk.report import Report
from helpdesk.settings import Settings
from helpdesk.store import census, figures, names, outbox, sqlite
from helpdesk.store.db import reading
from helpdesk.wiring import folder_settings

CONFIG, CALENDAR = "helpdesk.toml", "shifts.ics"


@dataclass(frozen=True, slots=True)
class Wired:
    """What a daemon holds while it runs."""

    engine: Engine
    board: Board
    mailbox: Mailbox
    robots: Robots


@dataclass
class Totals:
    """What the board did since the demo began."""

    runs: int = 0
    seconds: float = 0.0
    mails: int = 0  # in the mailbox, when the last run looked
    rules: Counter[str] = field(default_factory=Counter)  # how often each acted
    held: dict[str, None] = field(default_factory=dict)  # each once, in order


class Stage:
    """The board between its servers; every `run` is one run of the production cycle."""

    def __init__(self, folder: Path, settings: Settings, clock: Clock, servers: Servers, grid: Grid) -> None:
        self.folder = folder
        self.clock = clock
        self.servers = servers
        self.totals = Totals()
        self.reasons: dict[str, Why] = {}  # by the Message-ID of each mail of the board
        self.settings = settings
        self.grid = grid
        self.tested = Tested()
        self._open = ExitStack()
        self._wired = self._wire()

    def close(self) -> None:
        """Log out, and let the database go."""
        self._open.close()

    def run(self) -> Report:
        """Cycles at the present time until they have converged."""
        now, held = app.resolve_now(self._wired.engine, self.clock.now)
        report = cycle.run(self._wired.board, self._wired.mailbox, now)
        holds = [*report.held, *([held] if held else [])]
        totals = self.totals
        totals.runs += 1
        totals.seconds += sum(report.seconds.values())
        totals.mails = report.observed["messages"]
        totals.rules.update(done.rule for done in report.actions)
        totals.held.update(dict.fromkeys(f"{hold.what}: {hold.why}" for hold in holds))
        self._learn(report)
        return report

    def next_due(self) -> datetime:
        """When the board wants to look again by itself: a thread is due, or a shift starts."""
        with reading(self._wired.engine) as conn:
            due = figures.next_due(conn, self.clock.now)
        start = next_shift(self.clock.now)
        return start if due is None else min(due, start)

    @property
    def robots(self) -> Robots:
        """What the daemon runs beside its mail."""
        return self._wired.robots

    def threads(self) -> Sequence[Mapping[str, Any]]:
        """`helpdesk threads --json`, with the short name of each as `short`."""
        board = self._wired.board
        with reading(self._wired.engine) as conn:
            listed = list(views.list_threads(conn, board.dialect, board.policy, board.name))
            return [{**one, "short": names.short(conn, _code(one["id"]))} for one in listed]

    def short(self, thread: str) -> str:
        """How people call a thread."""
        with reading(self._wired.engine) as conn:
            return names.short(conn, _code(thread))

    def thread_of(self, message_id: str) -> Mapping[str, Any]:
        """The thread of a mail."""
        return next(
            one for one in self.threads() if any(mail["message_id"] == message_id for mail in one["messages"])
        )

    def fault(self, message_id: str) -> Sequence[str]:
        """What `helpdesk show` says of whose fault a mail's thread tells of."""
        board = self._wired.board
        with reading(self._wired.engine) as conn:
            key = names.find(conn, self.thread_of(message_id)["short"], board.name)
            return list(views.one_thread(conn, board.dialect, board.policy, board.name, key)["fault"])

    def letters(self) -> Sequence[Letter]:
        """The board's own mails that reached somebody, oldest first."""
        local, _, domain = BOARD.partition("@")
        return [
            letter
            for letter in self.servers.post.letters
            if letter.sender.startswith(local) and letter.sender.endswith(domain)
        ]

    def digest_of(self, person: Person) -> Letter:
        """The last digest that somebody got."""
        mine = (one for one in reversed(self.letters()) if one.recipient == person.address)
        return next(one for one in mine if self.reasons[one.message_id].kind == "digest")

    def mails_sent(self) -> int:
        """How many mails these were; one may have several recipients."""
        return len({letter.message_id for letter in self.letters()})

    def undo(self, message_id: str) -> None:
        """`helpdesk undo --thread`, for the thread of a mail; the next run does it."""
        thread = self.thread_of(message_id)["id"]
        with self._wired.engine.begin() as conn:
            asking.undo_thread(conn, self._wired.board.name, thread, self.clock.now)

    def release(self, name: str, version: str) -> None:
        """`helpdesk release`; the next run does it."""
        with self._wired.engine.begin() as conn:
            asking.release(conn, self.settings, name, version, self.clock.now)

    def lose_database(self) -> None:
        """The disk of the daemon is gone, and the daemon starts again; the board's secret was kept elsewhere."""
        self._open.close()
        for path in self.folder.glob("helpdesk.db*"):
            path.unlink()
        self._wired = self._wire()

    def restart(self) -> None:
        """The daemon ends and starts again: a new connection may heal what went wrong."""
        self._open.close()
        self._wired = self._wire()

    def proof(self) -> ledger.Ledger:
        """`helpdesk ledger`: every mail of the mailbox against what the board knows."""
        mailbox, there = self._wired.mailbox, {}
        for name in places(mailbox.folders(), folder_settings(self.settings)):
            folder = mailbox.select(name, readonly=True)
            there[name] = ledger.There(folder.uidvalidity, set(mailbox.uids(folder)))
        with reading(self._wired.engine) as conn:
            return ledger.compare(there, census.known(conn), census.threads(conn))

    def _learn(self, report: Report) -> None:
        """Keep why each mail was sent: the database that knows it may be lost."""
        why = {(done.thread, done.rule): done.reason for done in report.actions if done.kind == "send_mail"}
        with reading(self._wired.engine) as conn:
            for row in outbox.since(conn, self.clock.now - timedelta(hours=24)):
                if row.message_id not in self.reasons:
                    short = names.short(conn, _code(row.thread)) if row.thread else ""
                    reason = why.get((row.thread, row.rule), "")
                    self.reasons[row.message_id] = Why(row.kind, row.rule, short, reason)

    def _wire(self) -> Wired:
        engine = self._open.enter_context(app.opened(self.settings, writing=True))
        sqlite.hurry(engine)  # it goes with the demo: no disk is waited for
        board = app.board(self.settings, engine, sending=doors.mailer(self.settings), create=True)
        board.duty.read(self.clock.now, asked_at=app.clock())  # it reaches further than the two weeks
        robots = Robots(self.settings, engine, self.grid, lambda: self.clock.now, self.tested)
        self._open.callback(robots.close)
        return Wired(engine, board, self._open.enter_context(app.mailbox(self.settings)), robots)


def _code(thread: str) -> str:
    return thread.rpartition("-")[2]


@contextmanager
def stage(folder: Path, clock: Clock, servers: Servers) -> Iterator[Stage]:
    """Write the configuration, load it as every command does, and open the board."""
    password = folder / "imap-password"
    password.touch(mode=0o600)
    password.write_text(f"{PASSWORD}\n", encoding="utf-8")
    template = Template(files("helpdesk.demo").joinpath("board.toml").read_text(encoding="utf-8"))
    config = folder / CONFIG
    ports = {"imap_port": servers.imap_port, "smtp_port": servers.smtp_port}
    (folder / CALENDAR).write_text(calendar(), encoding="utf-8", newline="")
    config.write_text(template.substitute(ports), encoding="utf-8")
    grid = Grid(folder / "grid", folder / "storage", lambda: clock.now)
    with ExitStack() as stack:
        stack.callback(grid.close)
        grid.build()
        opened = Stage(folder, app.load(config), clock, servers, grid)
        stack.callback(opened.close)
        yield opened
