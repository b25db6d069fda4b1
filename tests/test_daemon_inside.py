"""The daemon in this process, on a board in memory: what cannot be done to a real clock or a real server."""

import io
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from helpdesk import app, asking, cycle, logs
from helpdesk.board import Board
from helpdesk.config import settings_of
from helpdesk.daemon import Parts, serve
from helpdesk.errors import ConfigError, HeldError, LoginRefusedError, MailboxUnreachableError
from helpdesk.metrics import Metrics
from helpdesk.outlets import Outlets
from helpdesk.ports import Mailbox
from helpdesk.report import Report
from helpdesk.rules.brakes import Budget
from helpdesk.store import db, holds, meta, migrations
from helpdesk.vitals import Clocks
from tests.memory_mailbox import MemoryMailbox
from tests.memory_mailer import MemoryMailer
from tests.memory_server import MemoryServer
from tests.servers.systemd import Systemd
from tests.world import CONFIG, START, mail

Step = Callable[[], object]


class Deaf:
    """A watcher that hears nothing, and may say why."""

    alive = True

    def __init__(self, problem: str = "") -> None:
        self.problem = problem

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


def fail(error: Exception) -> None:
    raise error


@dataclass
class Inside:
    """A daemon whose clocks stand still until a step moves them; `steps` happen before the looks, then it is stopped."""

    folder: Path
    steps: list[Step] = field(default_factory=list)
    connects: list[Step] = field(default_factory=list)  # happen before the logins
    now: datetime = START
    tick: float = 0.0
    silence: float = 1e6
    watcher: Deaf = field(default_factory=Deaf)
    environment: dict[str, str] = field(default_factory=dict)
    server: MemoryServer = field(default_factory=MemoryServer)
    mailer: MemoryMailer = field(default_factory=MemoryMailer)
    stream: io.StringIO = field(default_factory=io.StringIO)
    metrics: Metrics = field(default_factory=lambda: Metrics("dast"))

    def __post_init__(self) -> None:
        self.settings = settings_of(self.folder / "helpdesk.toml", CONFIG)
        migrations.upgrade(f"sqlite:///{self.folder / 'board.db'}")
        self.engine = db.open_engine(f"sqlite:///{self.folder / 'board.db'}")
        for name in {"Archive", "Sent"} - set(self.server.folders()):
            self.server.create(name)

    def run(self) -> int:
        with logs.opened("dast", self.stream) as log:
            return serve(
                Parts(
                    board=app.board(self.settings, self.engine, sending=self.mailer, create=True),
                    connect=self._connect,
                    watcher=lambda _wake: self.watcher,
                    clocks=Clocks(lambda: self.now, lambda: self.tick),
                    outlets=Outlets(log, self.metrics, self.environment),
                    poll_seconds=0.01,
                    http_port=None,
                    silence=timedelta(seconds=self.silence),
                )
            )

    def pass_time(self, *, wall: float, steady: float) -> None:
        self.now += timedelta(seconds=wall)
        self.tick += steady

    def hang_until(self, event: threading.Event) -> None:
        """Minutes go by: the heart may hear only in the first of them what the look before got from the server."""
        for _ in range(100):
            self.pass_time(wall=60, steady=60)
            if event.wait(0.3):
                return
        raise AssertionError("nothing happened while the look hung")

    def lines(self, event: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in found if line["event"] == event]

    @property
    def page(self) -> str:
        return self.metrics.text().decode()

    def last_cycle(self) -> datetime:
        with db.reading(self.engine) as conn:
            stamp = meta.last_cycle(conn)
        assert stamp is not None
        return stamp.at

    def _connect(self) -> Mailbox:
        if self.connects:
            self.connects.pop(0)()
        return MemoryMailbox(self.server, before=self._before)

    def _before(self, command: str) -> None:
        if command == "LIST-STATUS":
            self.steps.pop(0)() if self.steps else os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Inside]:
    inside = Inside(tmp_path)
    yield inside
    inside.engine.dispose()


def nothing() -> None:
    """A look at which nothing happens."""


def test_a_wall_clock_that_leaves_the_steady_one_holds_the_board(inside: Inside) -> None:
    """Six minutes that only one of two clocks counted hold the board and are told to the admins; five are not."""
    slip = partial(inside.pass_time, wall=5 * 60 + 1, steady=1)
    jump = partial(inside.pass_time, wall=62, steady=1)
    inside.steps = [slip, jump, nothing, nothing]
    assert inside.run() == 0
    [held] = inside.lines("held")
    assert held["what"] == ["clock"]
    assert 'helpdesk_held{what="clock"} 1.0' in inside.page
    [letter] = inside.mailer.arrived
    assert "aiden@example.org" in letter.recipients
    assert "went 6 minutes ahead" in " ".join(letter.content.decode().split())


def test_a_clock_that_is_approved_counts_from_there(inside: Inside) -> None:
    """After a jump of the clock a person's approval is good: the same jump does not hold the board again."""
    jump = partial(inside.pass_time, wall=3600, steady=1)

    def approve() -> None:
        with inside.engine.begin() as conn:
            asking.resume(conn, inside.now)

    inside.steps = [jump, nothing, nothing, approve, nothing, nothing]
    assert inside.run() == 0
    assert [line["what"] for line in inside.lines("held")] == [["clock"]]
    assert len(inside.lines("held no more")) == 1


def test_a_clock_that_goes_wrong_after_resume_was_said_is_held(inside: Inside) -> None:
    """Who approved the plan of a rule has not seen the clock: it holds the board, though it was found before the approval was read."""
    with inside.engine.begin() as conn:
        holds.update(conn, [("reopen", "5 threads")], inside.now)

    def approve_and_jump() -> None:
        with inside.engine.begin() as conn:
            asking.resume(conn, inside.now)
        inside.pass_time(wall=3600, steady=1)

    inside.steps = [nothing, approve_and_jump, nothing, nothing]
    assert inside.run() == 0
    with inside.engine.begin() as conn:
        assert [hold.what for hold in holds.current(conn)] == ["clock"]


def test_a_small_step_back_makes_time_stand_still(inside: Inside) -> None:
    """A clock that is set back by a minute holds nothing: the board's time waits until the clock has caught up."""
    back = partial(inside.pass_time, wall=-60, steady=0.1)
    forward = partial(inside.pass_time, wall=61, steady=61)
    inside.steps = [back, nothing]
    assert inside.run() == 0
    assert inside.last_cycle() == START
    assert inside.lines("held") == []
    inside.steps = [forward, nothing]
    assert inside.run() == 0
    assert inside.last_cycle() > START


def test_what_nobody_foresaw_is_survived(inside: Inside) -> None:
    """An error that is a bug costs a look and a connection, is logged without its words, and the next look goes well."""
    inside.server.deliver("INBOX", mail("ann@users.example", "Trouble", "<1@users.example>"))
    inside.steps = [partial(fail, ZeroDivisionError("Trouble of ann@users.example")), nothing]
    assert inside.run() == 0
    [failed] = inside.lines("the look failed")
    assert (failed["kind"], failed["reason"], failed["level"]) == ("unexpected", "ZeroDivisionError", "error")
    assert inside.lines("looked")[0]["new"] == 1
    assert "Trouble" not in inside.stream.getvalue()
    assert "helpdesk_imap_connects_total 2.0" in inside.page
    assert 'helpdesk_errors_total{kind="unexpected"} 1.0' in inside.page


def test_a_secret_that_goes_away_later_is_waited_for(inside: Inside) -> None:
    """A password file that is missing at a later login ends nothing: it may be being replaced just now."""

    def gone() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        raise ConfigError(("imap-password: the secret cannot be read",))

    inside.connects = [nothing, gone]
    inside.steps = [nothing, partial(fail, MailboxUnreachableError("lost"))]
    assert inside.run() == 0
    lost, refused = inside.lines("the look failed")
    assert lost["again_in"] <= 1
    assert refused["again_in"] >= 30


@pytest.mark.parametrize(
    ("error", "fed"), [(LoginRefusedError("wrong password"), True), (MailboxUnreachableError("lost"), False)]
)
def test_a_refused_login_starves_no_watchdog(inside: Inside, error: Exception, fed: bool) -> None:
    """While the server refuses our login the watchdog is fed: a new process would begin with short waits again, and lock the account."""
    inside.silence = 1.0
    with Systemd(watchdog_seconds=0.3) as systemd:
        inside.environment = systemd.environment

        def again() -> None:
            inside.connects.append(again)
            raise error

        def first() -> None:
            threading.Timer(0.4, partial(inside.pass_time, wall=60, steady=60)).start()
            threading.Timer(1.6, partial(os.kill, os.getpid(), signal.SIGTERM)).start()
            again()

        inside.connects = [first]
        assert inside.run() == 0
        heard = systemd.heard()
    ill = next(place for place, line in enumerate(heard) if "FAILING" in line)
    assert ("WATCHDOG=1" in heard[ill:]) is fed


def test_a_lost_lock_ends_the_daemon(inside: Inside) -> None:
    """Who is not alone on the board any more stops at once and says why."""
    inside.steps = [nothing, partial(fail, HeldError("somebody removed the lock"))]
    with pytest.raises(HeldError, match="somebody removed the lock"):
        inside.run()


def test_a_look_that_hangs_is_an_alarm_too(inside: Inside) -> None:
    """While the worker waits for ever, the alarm is sent all the same, past it."""
    sent = threading.Event()

    class Telling(MemoryMailer):
        def send(self, letters: Any, told: Any = None) -> Any:
            yield from super().send(letters, told)
            sent.set()

    inside.mailer = Telling()
    inside.silence = 0.2

    def hang() -> None:
        inside.hang_until(sent)
        inside.pass_time(wall=1, steady=1)

    inside.steps = [nothing, hang, nothing]
    assert inside.run() == 0
    [letter] = inside.mailer.arrived
    assert b"ALARM poll" in letter.content
    assert "it takes too long" in " ".join(letter.content.decode().split())
    assert len(inside.lines("no poll succeeds")) == len(inside.lines("polls succeed again")) == 1


def test_an_alarm_that_cannot_be_sent_ends_nothing(inside: Inside) -> None:
    """If even the alarm fails, the log says so, and the daemon goes on trying to look."""

    class Broken(MemoryMailer):
        def send(self, letters: Any, told: Any = None) -> Any:  # noqa: ARG002 -- as the Protocol says
            said.set()
            raise OSError("no space left for Trouble")

    said = threading.Event()
    inside.mailer, inside.silence = Broken(), 0.2

    def hang() -> None:
        inside.hang_until(said)

    inside.steps = [nothing, hang, nothing]
    assert inside.run() == 0
    [line] = inside.lines("the alarm could not be sent")
    assert line["error"] == "OSError"
    assert "Trouble" not in inside.stream.getvalue()


def test_a_watcher_without_a_connection_is_told_once(inside: Inside) -> None:
    """If news do not wake the daemon, the log says why, once, and a metric says so as long as it lasts."""
    inside.steps = [nothing] * 4
    assert inside.run() == 0
    assert "helpdesk_watching 1.0" in inside.page
    inside.watcher = Deaf("imap.example.org: too many connections of ann@example.org")
    inside.steps = [nothing] * 4
    assert inside.run() == 0
    assert "helpdesk_watching 0.0" in inside.page
    [line] = inside.lines("no news from the mailbox: only polls find changes")
    assert line["reason"] == "imap.example.org: too many connections of (address)"


def test_a_board_that_does_not_converge_is_left_alone_until_the_next_poll(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If cycle after cycle finds more to do, the daemon says so and does not let its own echo wake it."""
    ran: list[int] = []

    def endless(board: Board, mailbox: Mailbox, now: datetime, allowed: Budget) -> Report:
        report = once(board, mailbox, now, allowed)
        ran.append(1)
        report.again = len(ran) <= cycle.MAX_CYCLES
        return report

    once = cycle.cycle
    monkeypatch.setattr(cycle, "cycle", endless)
    inside.steps = [nothing] * (cycle.MAX_CYCLES + 1)
    assert inside.run() == 0
    assert [line["what"] for line in inside.lines("held")] == [["convergence"]]
    assert len(inside.lines("held no more")) == 1
