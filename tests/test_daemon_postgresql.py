"""The daemon over PostgreSQL: it survives its server, is alone on its board, and stops when it is not."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpdesk import app
from helpdesk.store import db, migrations
from helpdesk.store.lock import instance_lock
from tests.conftest import Login
from tests.databases import OnServer
from tests.desk import Desk
from tests.human import ImapHuman
from tests.memory_server import MemoryServer
from tests.servers.daemon import Daemon, Setting, eventually
from tests.servers.smtp_sink import SmtpSink
from tests.world import mail


@pytest.fixture
def setting(tmp_path: Path, login: Callable[[str], Login], on_postgresql: OnServer) -> Iterator[Setting]:
    with SmtpSink() as sink:
        yield Setting(tmp_path, login("dovecot-mdbox"), sink, poll_seconds=0.5, database=on_postgresql.url)


@pytest.fixture
def desk(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Somebody who types commands for the same board."""
    monkeypatch.setenv("MAILBOX_PASSWORD", setting.imap.password)
    setting.write()
    return Desk(setting.folder, MemoryServer())


@pytest.fixture
def human(setting: Setting, human_on: Callable[[Login], ImapHuman]) -> ImapHuman:
    return human_on(setting.imap)


def a_thread(human: ImapHuman) -> tuple[int, int]:
    """Deliver a thread of two mails; their UIDs."""
    first = human.deliver("INBOX", mail("ann@users.example", "Jobs fail", "<a@x>"))
    return first, human.deliver(
        "INBOX", mail("ann@users.example", "Re: Jobs fail", "<b@x>", answers=["<a@x>"])
    )


def keywords(human: ImapHuman) -> list[set[str]]:
    """The labels of each mail of the inbox."""
    return [{flag for flag in seen.flags if not flag.startswith("\\")} for seen in human.look("INBOX")]


def test_a_database_that_comes_back_finds_the_daemon_back(
    setting: Setting, human: ImapHuman, desk: Desk, on_postgresql: OnServer
) -> None:
    """While its database is restarted the daemon says why it waits; then it works on, and is alone on its board as before."""
    first, _ = a_thread(human)
    server = on_postgresql.server
    with Daemon(setting) as daemon:
        daemon.until("looked")
        server.stop()
        failed = daemon.until("the look failed")
        assert (failed["kind"], failed["level"]) == ("unreachable", "warning")
        assert failed["reason"].startswith("the database: ")
        human.add_flags("INBOX", [first], ["waiting"])
        server.start()
        daemon.send(signal.SIGHUP)
        eventually(lambda: keywords(human) == [{"waiting"}, {"waiting"}], "both mails are WAITING")
        refused = desk.say("run", "--once")
        assert (refused.code, refused.out) == (1, "")
        assert f"process {daemon.pid} on " in refused.err
        assert daemon.stop() == 0


def test_sessions_that_are_ended_are_begun_again(
    setting: Setting, human: ImapHuman, on_postgresql: OnServer
) -> None:
    """However often an administrator ends all sessions of the board, the daemon goes on and does everything once."""
    first, second = a_thread(human)
    with Daemon(setting) as daemon:
        daemon.until("looked")
        for uid, label in ((first, "waiting"), (second, "urgent"), (first, "docs")):
            human.add_flags("INBOX", [uid], [label])
            on_postgresql.server.do(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
                database=on_postgresql.name,
            )
        wanted = {"waiting", "urgent"}
        eventually(lambda: all(wanted <= one for one in keywords(human)), "both mails have both labels")
        eventually(lambda: len(daemon.lines("action")) >= 2, "both actions are told")
        assert daemon.stop() == 0
        done = [(line["kind"], line["rule"], line["id"]) for line in daemon.lines("action")]
        assert len(done) == len(set(done))


def test_the_second_daemon_is_told_who_the_first_is(setting: Setting, on_postgresql: OnServer) -> None:
    """Two daemons for one database: the second ends at once and names the first; after the first has ended it may begin."""
    with Daemon(setting) as first:
        first.until("looked")
        with Daemon(setting) as second:
            assert second.wait() == 1
            assert f"process {first.pid} on " in second.said
        assert first.runs()
        assert first.stop() == 0
    with Daemon(setting) as third:
        third.until("looked")
        assert third.stop() == 0
    assert migrations.check(on_postgresql.url) == []


def test_a_daemon_that_lost_its_board_ends(
    setting: Setting, human: ImapHuman, on_postgresql: OnServer
) -> None:
    """Whose lock another instance has taken writes neither to the database nor to the mailbox any more, and ends with 1."""
    first, _ = a_thread(human)
    setting.poll_seconds = 3600
    engine = db.open_engine(on_postgresql.url)
    with Daemon(setting) as daemon:
        daemon.until("looked")
        on_postgresql.server.do(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND objid = 2",
            database=on_postgresql.name,
        )
        with instance_lock(on_postgresql.url) as lock:
            lock.guard(engine)
            human.add_flags("INBOX", [first], ["waiting"])
            assert daemon.wait() == 1
            assert "another helpdesk works on this board" in daemon.said
        assert keywords(human) == [{"waiting"}, set()]
    engine.dispose()


def test_commands_read_while_the_daemon_writes(setting: Setting, human: ImapHuman, desk: Desk) -> None:
    """`threads` and `show` answer at once from the last committed state while a cycle has its turn to write."""
    a_thread(human)
    with Daemon(setting) as daemon:
        daemon.until("looked")
        assert daemon.stop() == 0
    with app.opened(app.load(desk.config), writing=True) as engine, engine.begin():
        [thread] = desk.read("threads")
        assert desk.read("show", thread["id"])["id"] == thread["id"]
