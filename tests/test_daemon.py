"""The daemon, as a process: it wakes, survives its servers, says how it is, and leaves nothing half done."""

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Connection

from helpdesk import app
from helpdesk.model import Stamp
from helpdesk.store import db, meta, migrations
from tests.conftest import Login
from tests.human import ImapHuman
from tests.servers.daemon import Daemon, Setting, eventually
from tests.servers.relay import Relay
from tests.servers.smtp_sink import Fault, SmtpSink, Stage
from tests.servers.systemd import Systemd


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def setting(tmp_path: Path, login: Callable[[str], Login], sink: SmtpSink) -> Setting:
    return Setting(tmp_path, login("dovecot-mdbox"), sink)


@pytest.fixture
def relay(setting: Setting) -> Iterator[Relay]:
    """A wire between the daemon and its mail server."""
    with Relay(setting.imap.host, setting.imap.port) as relay:
        setting.imap_port = relay.port
        yield relay


@pytest.fixture
def human(setting: Setting, human_on: Callable[[Login], ImapHuman]) -> ImapHuman:
    return human_on(setting.imap)


def mail(number: int, *, answers: int = 0) -> bytes:
    message = EmailMessage()
    message["From"] = f"user{number}@users.example"
    message["To"] = "dast@lists.example.org"
    message["Subject"] = f"Trouble {answers or number}"
    message["Message-ID"] = f"<{number}@users.example>"
    message["List-Id"] = "<dast.lists.example.org>"
    if answers:
        message["In-Reply-To"] = message["References"] = f"<{answers}@users.example>"
    message.set_content("All my jobs fail.")
    return message.as_bytes()


def threads(human: ImapHuman, count: int) -> list[int]:
    """Deliver threads of two mails each; the UIDs of their first mails."""
    firsts = [human.deliver("INBOX", mail(number)) for number in range(1, count + 1)]
    for number in range(1, count + 1):
        human.deliver("INBOX", mail(100 + number, answers=number))
    return firsts


def keywords(human: ImapHuman) -> set[frozenset[str]]:
    """The sets of labels that the mails of the inbox carry."""
    return {
        frozenset(flag for flag in seen.flags if not flag.startswith("\\")) for seen in human.look("INBOX")
    }


def remember(setting: Setting, note: Callable[[Connection], None]) -> None:
    """Make the database before the daemon does, and write something into it."""
    migrations.upgrade(setting.url)
    engine = db.open_engine(setting.url)
    with engine.begin() as conn:
        note(conn)
    engine.dispose()


@pytest.fixture
def systemd() -> Iterator[Systemd]:
    with Systemd(watchdog_seconds=1) as systemd:
        yield systemd


WAITING = {frozenset({"waiting"})}


def test_what_one_client_labels_is_on_the_whole_thread_at_once(setting: Setting, human: ImapHuman) -> None:
    """Long before the next poll the daemon hears of a label, and sets it on the other mail of the thread."""
    [first] = threads(human, 1)
    with Daemon(setting) as daemon:
        daemon.until("looked")
        human.add_flags("INBOX", [first], ["waiting"])
        eventually(lambda: keywords(human) == WAITING, "both mails are WAITING")
        daemon.until("looked", 2)
        assert daemon.get("/healthz")[0] == 200
        assert (
            'helpdesk_actions_total{kind="add_label",rule="labels_cover_the_thread"} 1.0'
            in daemon.get("/metrics")[1]
        )
        assert daemon.stop() == 0
        [action] = daemon.lines("action")
        assert (action["kind"], action["rule"]) == ("add_label", "labels_cover_the_thread")


def test_a_wait_of_the_board_ends_on_time(setting: Setting, human: ImapHuman) -> None:
    """A label that has to settle is spread when it has settled, though no poll and no news come then."""
    setting.settle_seconds = 2
    [first] = threads(human, 1)
    with Daemon(setting) as daemon:
        daemon.until("looked")
        human.add_flags("INBOX", [first], ["waiting"])
        daemon.until("looked", 2)
        assert keywords(human) != WAITING
        eventually(lambda: keywords(human) == WAITING, "both mails are WAITING")
        assert daemon.stop() == 0


def test_polling_finds_what_no_news_told(setting: Setting, human: ImapHuman, relay: Relay) -> None:
    """Where the watcher is deaf, the next poll finds the label all the same."""
    setting.poll_seconds = 1
    [first] = threads(human, 1)
    relay.stop_at(b"IDLE")  # the watcher's command does not arrive
    with Daemon(setting) as daemon:
        daemon.until("looked")
        assert relay.reached.wait(30)
        human.add_flags("INBOX", [first], ["waiting"])
        eventually(lambda: keywords(human) == WAITING, "both mails are WAITING")
        relay.go_on()
        assert daemon.stop() == 0


def test_a_server_that_comes_back_finds_the_daemon_back(
    setting: Setting, human: ImapHuman, relay: Relay
) -> None:
    """After its connections were lost and refused for a while, the daemon connects again by itself and works on."""
    setting.poll_seconds = 1
    [first] = threads(human, 1)
    with Daemon(setting) as daemon:
        daemon.until("looked")
        relay.cut()
        failed = daemon.until("the look failed", 2)
        assert (failed["kind"], failed["level"]) == ("unreachable", "warning")
        human.add_flags("INBOX", [first], ["waiting"])
        relay.mend()
        eventually(lambda: keywords(human) == WAITING, "both mails are WAITING")
        page = daemon.get("/metrics")[1]
        assert "helpdesk_imap_connects_total 2.0" in page
        assert daemon.stop() == 0


def test_sighup_ends_the_wait_for_a_server(setting: Setting, relay: Relay) -> None:
    """Who has repaired the server says so with SIGHUP, and the daemon tries again at once."""
    relay.cut()
    with Daemon(setting) as daemon:
        eventually(
            lambda: (daemon.lines("the look failed") or [{}])[-1].get("again_in", 0) > 3, "a long wait", 60
        )
        relay.mend()
        daemon.send(signal.SIGHUP)
        daemon.until("looked")
        assert daemon.stop() == 0


def test_sigterm_lets_the_running_cycle_finish(setting: Setting, human: ImapHuman, relay: Relay) -> None:
    """Asked to stop between a plan and its writes, the daemon writes, ends with 0, and leaves nothing to do."""
    firsts = threads(human, 5)
    with Daemon(setting) as daemon:
        daemon.until("looked")
        relay.stop_at(b"STORE")
        human.add_flags("INBOX", firsts, ["waiting"])
        assert relay.reached.wait(30)
        for _ in range(2):  # at the same moment: `timeout` does so, and means it once
            daemon.send(signal.SIGTERM)
        daemon.until("stopping")
        assert daemon.runs()
        relay.go_on()
        assert daemon.wait() == 0
        assert daemon.lines("stopped")
    assert keywords(human) == WAITING
    with Daemon(setting) as daemon:
        daemon.until("started")
        eventually(lambda: "helpdesk_cycles_total 0" not in daemon.get("/metrics")[1], "a cycle")
        assert daemon.stop() == 0
        assert daemon.lines("action") == []


def test_a_second_signal_ends_at_once_and_harms_nothing(
    setting: Setting, human: ImapHuman, relay: Relay
) -> None:
    """Two signals end the daemon in the middle of a cycle, and the next start finishes what was planned."""
    firsts = threads(human, 5)
    with Daemon(setting) as daemon:
        daemon.until("looked")
        relay.stop_at(b"STORE")
        human.add_flags("INBOX", firsts, ["waiting"])
        assert relay.reached.wait(30)
        daemon.send(signal.SIGINT)
        daemon.until("stopping")
        while daemon.runs():
            daemon.send(signal.SIGINT)
            time.sleep(0.2)
        assert daemon.wait() == 1
        assert daemon.lines("ended in the middle of a cycle")
    relay.cut()
    relay.mend()
    assert keywords(human) != WAITING
    relay.go_on()
    with Daemon(setting) as daemon:
        eventually(lambda: keywords(human) == WAITING, "all mails are WAITING")
        assert daemon.stop() == 0


def test_the_second_daemon_of_a_board_leaves(setting: Setting) -> None:
    """A second daemon on the same database ends with 1 and a sentence that names the process of the first."""
    with Daemon(setting) as first:
        first.until("looked")
        with Daemon(setting) as second:
            assert second.wait() == 1
            assert f"process {first.pid}" in second.said
        assert first.stop() == 0


def test_a_refused_login_is_not_tried_often(setting: Setting) -> None:
    """A wrong password keeps the daemon waiting for at least half a minute, says so, and ends nothing."""
    setting.imap = Login("dovecot-mdbox", setting.imap.host, setting.imap.port, setting.imap.user, "wrong")
    with Daemon(setting) as daemon:
        line = daemon.until("the look failed")
        assert (line["kind"], line["level"]) == ("login_refused", "error")
        assert line["again_in"] >= 30
        status, page = daemon.get("/healthz")
        assert status == 503
        assert "refused the login" in json.loads(page)["why"][0]
        assert daemon.stop() == 0


def test_a_missing_secret_is_a_mistake_of_the_configuration(setting: Setting) -> None:
    """A password that cannot be had from the start ends the daemon with 2 and a sentence that says which."""
    setting.password_env = "NO_SUCH_VARIABLE"
    with Daemon(setting) as daemon:
        assert daemon.wait() == 2
        assert "NO_SUCH_VARIABLE" in daemon.said


def test_a_taken_port_is_a_mistake_of_the_configuration(setting: Setting) -> None:
    """If somebody else listens on http_port, the daemon does not start, and names the key and the port."""
    with socket.create_server(("127.0.0.1", setting.http_port)), Daemon(setting) as daemon:
        assert daemon.wait() == 2
        assert f"[daemon] http_port: nobody can listen on 127.0.0.1:{setting.http_port}" in daemon.said


def test_a_board_in_simulated_time_has_no_daemon(setting: Setting) -> None:
    """A database that was ever run with --now is refused with 2: its time is not the clock's."""
    remember(setting, lambda conn: meta.put(conn, app.SIMULATED, "yes"))
    with Daemon(setting) as daemon:
        assert daemon.wait() == 2
        assert "simulated" in daemon.said


def test_a_clock_that_went_back_holds_the_board(setting: Setting, human: ImapHuman, sink: SmtpSink) -> None:
    """If the last cycle lies in the future, observing goes on, nothing is changed, and the admins get a mail."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    remember(setting, lambda conn: meta.put_cycle(conn, Stamp(7, tomorrow)))
    [first] = threads(human, 1)
    human.add_flags("INBOX", [first], ["waiting"])
    with Daemon(setting) as daemon:
        assert daemon.until("held")["what"] == ["clock"]
        assert daemon.until("held")["cycle"] >= 8
        alarm = eventually(lambda: sink.received, "a mail to the admins")[0]
        assert "aiden@example.org" in alarm.recipients
        assert b"ALARM clock" in alarm.content
        status, page = daemon.get("/healthz")
        assert (status, json.loads(page)["why"]) == (503, ["held: clock"])
        assert 'helpdesk_held{what="clock"} 1.0' in daemon.get("/metrics")[1]
        assert daemon.stop() == 0
    assert keywords(human) == {frozenset({"waiting"}), frozenset()}


def test_when_polls_fail_for_too_long_everybody_is_told(
    setting: Setting, human: ImapHuman, sink: SmtpSink, relay: Relay, systemd: Systemd
) -> None:
    """Then /healthz fails, one mail goes to the admins past the mailbox, and the watchdog hears nothing until polls succeed."""
    setting.poll_seconds = 0.5
    threads(human, 1)
    with Daemon(setting, silence=2, more=systemd.environment) as daemon:
        daemon.until("looked")
        eventually(lambda: systemd.heard().count("WATCHDOG=1") > 2, "a living daemon feeds the watchdog")
        assert systemd.heard()[0] == "READY=1"
        assert daemon.get("/healthz")[0] == 200
        assert "helpdesk_poll_failing 0.0" in daemon.get("/metrics")[1]
        relay.cut()
        daemon.until("no poll succeeds")
        before = len(systemd.heard())
        assert any(word.startswith("STATUS=FAILING") for word in systemd.heard())
        alarm = eventually(lambda: sink.received, "a mail to the admins")[0]
        assert "aiden@example.org" in alarm.recipients
        assert b"ALARM poll" in alarm.content
        assert daemon.until("the alarm about it")["state"] == "sent"
        status, page = daemon.get("/healthz")
        assert status == 503
        assert "no look at the mailbox has succeeded since" in json.loads(page)["why"][0]
        assert "helpdesk_poll_failing 1.0" in daemon.get("/metrics")[1]
        daemon.until("the look failed", 3)
        assert "WATCHDOG=1" not in systemd.heard(before)
        relay.mend()
        daemon.send(signal.SIGHUP)
        daemon.until("polls succeed again")
        eventually(lambda: "WATCHDOG=1" in systemd.heard(before), "the watchdog is fed again")
        assert daemon.get("/healthz")[0] == 200
        assert daemon.stop() == 0
        assert "STOPPING=1" in systemd.heard(before)
    assert len(sink.received) == 1


def test_the_alarm_is_sent_once_a_day(setting: Setting, sink: SmtpSink, relay: Relay) -> None:
    """A daemon that is started again while polls still fail does not send the same alarm again."""
    relay.cut()
    for _ in range(2):
        with Daemon(setting, silence=0.5) as daemon:
            assert daemon.until("the alarm about it")["state"] == "sent"
            assert daemon.stop() == 0
    assert len(sink.received) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # the sink means it
def test_nothing_of_a_mail_and_no_secret_is_told(
    setting: Setting, human: ImapHuman, relay: Relay, systemd: Systemd
) -> None:
    """Through good and bad days no subject, body, address, Message-ID or secret is in a log, a metric, /healthz or a status."""
    (setting.folder / "helpdesk.secret").write_text("zq-board-secret-of-many-octets")
    (setting.folder / "helpdesk.secret").chmod(0o600)
    setting.poll_seconds = 0.5
    setting.smtp_login = 'username = "zq-login"\npassword_env = "SMTP_PASSWORD"'
    setting.smtp.users = {"zq-login": "zq-password"}
    refusal = Fault(
        Stage.TEXT, "550 5.7.1 <ggus@tracker.example.net> zq-subject: spam, says zq-body", lasting=True
    )
    setting.smtp.script(refusal)
    marks = [b"From: zq-name <zq-user@zq.example>", b"To: dast@lists.example.org", b"Subject: zq-subject"]
    good = human.deliver(
        "INBOX", b"\r\n".join([*marks, b"Message-ID: <zq-id@zq.example>", b"", b"zq-body", b""])
    )
    human.deliver(
        "INBOX",
        b"\r\n".join([*marks, b"Date: zq-date", b"Content-Type: x;charset=zq-x", b"", b"\xff zq-body"]),
    )
    environment = {**systemd.environment, "SMTP_PASSWORD": "zq-password"}
    with Daemon(setting, silence=2, more=environment) as daemon:
        daemon.until("looked")
        human.add_flags("INBOX", [good], ["escalated", "ggus"])
        assert "outbox" in daemon.until("held")["what"]
        told = [daemon.get(path)[1] for path in ("/metrics", "/healthz")]
        relay.cut()
        assert daemon.until("the alarm about it")["state"] == "failed"
        told += [daemon.get(path)[1] for path in ("/metrics", "/healthz")]
        assert daemon.stop() == 0
        told += [daemon.said, *systemd.heard()]
    assert any("1 threads are open" in text or "2 threads are open" in text for text in told)
    everything = "\n".join(told).lower()
    private = ["zq-", "secret", "@", "ggus@tracker", "aiden"]
    assert [mark for mark in private if mark in everything] == []
