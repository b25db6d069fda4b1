"""A command beside a running daemon has its effect at once: its next poll would come in an hour."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from helpdesk.bell import Bell
from helpdesk.store import db, requests
from tests.conftest import Login
from tests.databases import Database
from tests.desk import Desk
from tests.human import ImapHuman
from tests.memory_server import MemoryServer
from tests.servers.daemon import Daemon, Setting, eventually
from tests.servers.smtp_sink import Fault, SmtpSink, Stage
from tests.world import START, mail


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def setting(tmp_path: Path, login: Callable[[str], Login], sink: SmtpSink, database: Database) -> Setting:
    database.make()
    return Setting(tmp_path, login("dovecot-mdbox"), sink, database=database.url)


@pytest.fixture
def human(setting: Setting, human_on: Callable[[Login], ImapHuman]) -> ImapHuman:
    return human_on(setting.imap)


@pytest.fixture
def desk(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("MAILBOX_PASSWORD", setting.imap.password)
    setting.write()
    return Desk(setting.folder, MemoryServer())


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    database.make()
    made = db.open_engine(database.url)
    yield made
    made.dispose()


def labels(human: ImapHuman) -> list[set[str]]:
    """The keywords of each mail of the inbox."""
    return [{flag for flag in seen.flags if not flag.startswith("\\")} for seen in human.look("INBOX")]


def deliver(human: ImapHuman) -> int:
    """A thread of two mails; the UID of the first."""
    first = human.deliver("INBOX", mail("ann@users.example", "Jobs fail", "<a@x>"))
    human.deliver("INBOX", mail("ann@users.example", "Re: Jobs fail", "<b@x>", answers=["<a@x>"]))
    return first


@pytest.mark.dovecot
def test_undo_is_done_at_once(setting: Setting, human: ImapHuman, desk: Desk) -> None:
    """What the daemon spread over the thread is gone again although no poll is due."""
    first = deliver(human)
    with Daemon(setting) as daemon:
        daemon.until("looked")
        human.add_flags("INBOX", [first], ["waiting"])
        eventually(lambda: labels(human) == [{"waiting"}, {"waiting"}], "both mails are WAITING")
        daemon.until("looked", 2)
        [thread] = desk.read("threads")
        said = desk.say("undo", "--thread", thread["id"])
        assert (said.code, "within a second or two" in said.out) == (0, True)
        eventually(lambda: labels(human) == [set(), set()], "neither mail is WAITING")
        assert daemon.stop() == 0


@pytest.mark.dovecot
def test_a_mail_that_is_tried_again_leaves_at_once(
    setting: Setting, human: ImapHuman, desk: Desk, sink: SmtpSink
) -> None:
    """`outbox retry` of a mail that was refused sends it although no poll is due."""
    first = deliver(human)
    sink.script(Fault(Stage.MAIL, "550 5.7.1 not from you", lasting=True))
    with Daemon(setting) as daemon:
        daemon.until("looked")
        human.add_flags("INBOX", [first], ["ggus"])
        failed = eventually(
            lambda: [
                m for m in desk.read("outbox", "list") if m["state"] == "failed" and m["rule"] == "escalate"
            ],
            "the escalation has failed",
        )
        sink.mend()
        before = len(sink.received)
        assert desk.say("outbox", "retry", str(failed[0]["id"])).code == 0
        eventually(lambda: len(sink.received) > before, "it has left")
        assert daemon.stop() == 0


def test_a_request_rings_when_it_is_committed(engine: Engine) -> None:
    """The bell hears a request that was committed, once, and not one that was taken back; what came before is not news."""
    with engine.begin() as conn:
        requests.ask(conn, "resume", {}, START)
    heard: list[int] = []
    bell = Bell(engine, lambda: heard.append(len(heard)), seconds=0.02)
    bell.start()
    with engine.connect() as conn, conn.begin() as turn:
        requests.ask(conn, "resume", {}, START)
        turn.rollback()
    with engine.begin() as conn:
        requests.ask(conn, "resume", {}, START)
    eventually(lambda: heard, "it rang")
    bell.stop()
    assert heard == [0]


def test_a_database_that_is_away_rings_nothing_and_ends_nothing(engine: Engine) -> None:
    """While the number cannot be read the bell is silent; afterwards it hears as before."""
    heard: list[int] = []
    bell = Bell(engine, lambda: heard.append(1), seconds=0.02)
    bell.start()
    with engine.begin() as conn:
        conn.execute(text("ALTER TABLE meta RENAME TO away"))
    with engine.begin() as conn:
        conn.execute(text("ALTER TABLE away RENAME TO meta"))
        requests.ring(conn)
    eventually(lambda: heard, "it rang")
    bell.stop()
    assert heard == [1]
