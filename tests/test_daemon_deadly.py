"""A real daemon on a real Dovecot, and a mail over which every connection ends."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Login
from tests.human import ImapHuman
from tests.servers.daemon import Daemon, Setting, eventually
from tests.servers.relay import Relay
from tests.servers.smtp_sink import SmtpSink
from tests.world import mail

ANN = "ann@users.example"
QUARANTINED = "helpdesk_quarantined 1.0"


@pytest.fixture
def setting(tmp_path: Path, login: Callable[[str], Login]) -> Iterator[Setting]:
    with SmtpSink() as sink:
        yield Setting(tmp_path, login("dovecot-mdbox"), sink)


@pytest.fixture
def human(setting: Setting, human_on: Callable[[Login], ImapHuman]) -> ImapHuman:
    return human_on(setting.imap)


@pytest.fixture
def relay(setting: Setting) -> Iterator[Relay]:
    with Relay(setting.imap.host, setting.imap.port) as relay:
        relay.poison = b"Deadly"
        setting.imap_port = relay.port
        yield relay


def deliver(human: ImapHuman, *subjects: str) -> list[int]:
    return [
        human.deliver("INBOX", mail(ANN, subject, f"<{subject.replace(' ', '')}@x>")) for subject in subjects
    ]


@pytest.mark.dovecot
def test_the_board_goes_on_around_a_deadly_mail(setting: Setting, human: ImapHuman, relay: Relay) -> None:
    """The daemon quarantines it within one look, says so, and keeps the other threads true from then on."""
    setting.poll_seconds = 0.5
    with Daemon(setting) as daemon:
        daemon.until("looked")
        deliver(human, "One", "Deadly", "Two")
        before = relay.connections
        eventually(lambda: QUARANTINED in daemon.get("/metrics")[1], "one mail is quarantined")
        assert relay.connections - before < 20
        assert daemon.lines("the look failed") == []
        uids = deliver(human, "Three")
        human.add_flags("INBOX", uids, ["waiting"])
        assert "helpdesk_threads" in daemon.get("/metrics")[1]
        eventually(lambda: 'threads{state="open"} 3.0' in daemon.get("/metrics")[1], "three threads are open")
        assert daemon.get("/healthz")[0] == 200


@pytest.mark.dovecot
def test_the_search_goes_on_after_a_crash(setting: Setting, human: ImapHuman, relay: Relay) -> None:
    """A daemon that is killed in the middle of the search leaves it to the next one, which ends it."""
    deliver(human, *(f"Mail {n}" for n in range(20)), "Deadly", *(f"More {n}" for n in range(20)))
    for connections in (4, 8):
        with Daemon(setting) as daemon:
            eventually(lambda: relay.connections >= connections, "it searches")  # noqa: B023 -- called at once
            daemon.send(signal.SIGKILL)
    with Daemon(setting) as daemon:
        daemon.until("looked")
        eventually(lambda: QUARANTINED in daemon.get("/metrics")[1], "one mail is quarantined")
        assert 'threads{state="open"} 40.0' in daemon.get("/metrics")[1]
