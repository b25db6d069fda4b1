"""The watcher: it says "look now" in time, it comes back by itself, and it never stands in the way."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from helpdesk.mailbox.backoff import Backoff
from helpdesk.mailbox.connect import Account, Password
from helpdesk.mailbox.idle import Pace
from helpdesk.mailbox.watch import Watcher
from tests.conftest import Login
from tests.human import ImapHuman
from tests.servers.dovecot import Dovecot
from tests.servers.scripted import ScriptedPeer, Turn, logged_in, selected

OFFERS = "IMAP4rev1 IDLE"
BEGIN = [*logged_in(OFFERS), selected(command="EXAMINE")]
QUICK = Backoff(first=0.05, longest=0.2)


class Bell:
    """Counts wake-ups, and lets a test wait for one."""

    def __init__(self) -> None:
        self.rung = 0
        self._changed = threading.Condition()

    def __call__(self) -> None:
        with self._changed:
            self.rung += 1
            self._changed.notify_all()

    def wait_for(self, count: int, seconds: float = 5) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.rung >= count, seconds)


def account(port: int, user: str = "ann") -> Account:
    return Account("127.0.0.1", port, "none", user, lambda: Password("secret"), read_seconds=2)


@contextmanager
def watching(
    *dialogues: Sequence[Turn], pace: Pace | None = None
) -> Iterator[tuple[Bell, Watcher, ScriptedPeer]]:
    bell = Bell()
    with ScriptedPeer(*dialogues) as peer:
        watcher = Watcher(account(peer.port), "INBOX", bell, pace=pace or Pace(), backoff=QUICK)
        watcher.start()
        yield bell, watcher, peer
        watcher.stop()
        assert not watcher.alive


@pytest.mark.parametrize(
    "said",
    [
        b"+ idling\r\n* 4 EXISTS\r\n",
        (b"+ idling\r\n", b"* 3 FETCH (FLAGS (\\Se", b"en))\r\n"),
        (b"+ idl", b"ing\r", b"\n* 3 EXPU", b"NGE\r\n"),
        (b"+ idling\r\n", b"* 3 FETCH (X-GM-LABELS ({3}\r\nf", b"oo))\r\n"),
        b"* 4 EXISTS\r\n+ idling\r\n",
        b"+ idling\r\n* VANISHED 3\r\n",
    ],
    ids=["same segment", "split line", "split everywhere", "literal", "before idling", "vanished"],
)
def test_b5_news_is_heard_however_it_comes(said: bytes | Sequence[bytes]) -> None:
    """News in the segment of `+ idling`, before it, split over segments, or with a literal wakes the daemon at once."""
    with watching([*BEGIN, Turn("IDLE", said)]) as (bell, _, _):
        assert bell.wait_for(2, 2)  # the first is for the new connection


def test_small_talk_wakes_nobody() -> None:
    """What is no news (`Still here`, RECENT, other words) wakes nobody."""
    said = (b"+ idling\r\n", b"* OK Still here\r\n* 0 RECENT\r\n* NO [ALERT] {5}\r\n* CAPABILITY X\r\n")
    with watching([*BEGIN, Turn("IDLE", said)]) as (bell, watcher, _):
        assert bell.wait_for(1)
        assert not bell.wait_for(2, 0.3)
        assert watcher.alive


@pytest.mark.parametrize(
    "end", [b"+ idling\r\n* BYE going down\r\n", b"+ idling\r\n", b"<tag> NO no\r\n", b"<tag> BAD no\r\n"]
)
def test_b5_the_end_of_the_line_means_connecting_again(end: bytes) -> None:
    """A farewell, an end without a word, or a refusal is followed by a new connection, not by a busy loop."""
    first = [*BEGIN, Turn("IDLE", end, then="close")]
    with watching(first, [*BEGIN, Turn("IDLE", b"+ idling\r\n* 9 EXISTS\r\n")]) as (bell, watcher, peer):
        assert bell.wait_for(3)
        assert peer.connections == 2
        assert watcher.problem == ""


def test_idle_is_issued_again() -> None:
    """Before a server ends an IDLE for its age, it is ended and begun again, and what came meanwhile counts."""
    turns = [
        *BEGIN,
        Turn("IDLE", b"+ idling\r\n"),
        Turn("DONE", b"* 5 EXISTS\r\n<tag> OK done\r\n"),
        Turn("IDLE", b"+ idling\r\n* 6 EXISTS\r\n"),
    ]
    with watching(turns, pace=Pace(idle_seconds=0.2)) as (bell, _, peer):
        assert bell.wait_for(3)
        assert peer.connections == 1


@pytest.mark.parametrize(
    "silent",
    [[Turn("IDLE", b"", then="hang")], [Turn("IDLE", b"+ idling\r\n"), Turn("DONE", b"", then="hang")]],
)
def test_a_dead_connection_is_noticed(silent: list[Turn]) -> None:
    """A server that does not answer IDLE or DONE is not waited for."""
    pace = Pace(idle_seconds=0.1, answer_seconds=0.2)
    with watching([*BEGIN, *silent], pace=pace) as (_, watcher, _):
        end = time.monotonic() + 3
        while not watcher.problem and time.monotonic() < end:
            time.sleep(0.01)
        assert "does not answer" in watcher.problem


def test_without_idle_nobody_watches() -> None:
    """On a server without IDLE the watcher ends by itself, without an error."""
    with watching(logged_in("IMAP4rev1")) as (bell, watcher, _):
        end = time.monotonic() + 3
        while watcher.alive and time.monotonic() < end:
            time.sleep(0.01)
        assert not watcher.alive
        assert (bell.rung, watcher.problem) == (0, "")


def test_a_refused_notify_leaves_idle() -> None:
    """Where the server announces NOTIFY and refuses it, IDLE on the inbox is left."""
    turns = [
        *logged_in("IMAP4rev1 IDLE NOTIFY"),
        selected(command="EXAMINE"),
        Turn(
            "NOTIFY SET (selected (MessageNew MessageExpunge FlagChange)) "
            "(personal (MessageNew MessageExpunge FlagChange MailboxName))",
            b"<tag> NO [BADEVENT (MessageNew)] no\r\n",
        ),
        Turn("IDLE", b"+ idling\r\n* 9 EXISTS\r\n"),
    ]
    with watching(turns) as (bell, _, _):
        assert bell.wait_for(2)


def test_an_unreachable_server_is_tried_again_and_left_at_once() -> None:
    """While nobody listens the watcher keeps trying with pauses, says why, and stops within a moment."""
    with ScriptedPeer() as peer:
        port = peer.port
    watcher = Watcher(account(port), "INBOX", Bell(), backoff=Backoff(first=60))
    watcher.start()
    time.sleep(0.2)
    started = time.monotonic()
    watcher.stop()
    watcher.stop()
    assert time.monotonic() - started < 1
    assert not watcher.alive
    assert "127.0.0.1" in watcher.problem


@pytest.mark.dovecot
@pytest.mark.parametrize("folder", ["INBOX", "Archive"])
def test_news_of_every_folder_on_dovecot(
    login: Callable[[str], Login], human_on: Callable[[Login], ImapHuman], folder: str
) -> None:
    """On a server with NOTIFY, mail and labels in any folder wake the daemon within moments."""
    who = login("dovecot-mdbox")
    human = human_on(who)
    bell = Bell()
    watcher = Watcher(account(who.port, who.user), "INBOX", bell)
    watcher.start()
    assert bell.wait_for(1)
    time.sleep(0.2)
    before = bell.rung
    uid = human.deliver(folder, b"Subject: help\r\n\r\nplease\r\n")
    assert bell.wait_for(before + 1, 5)
    time.sleep(0.7)
    before = bell.rung
    human.add_flags(folder, [uid], ["urgent"])
    assert bell.wait_for(before + 1, 5)
    watcher.stop()


@pytest.mark.dovecot
def test_news_come_through_tls(
    dovecot_mdbox: Dovecot, login: Callable[[str], Login], human_on: Callable[[Login], ImapHuman]
) -> None:
    """Under TLS the same news come, and stopping is as quick."""
    who = login("dovecot-mdbox")
    bell = Bell()
    secure = Account(
        "localhost",
        dovecot_mdbox.tls_port,
        "tls",
        who.user,
        lambda: Password("secret"),
        ca_file=str(dovecot_mdbox.certificate),
    )
    watcher = Watcher(secure, "INBOX", bell)
    watcher.start()
    assert bell.wait_for(1)
    time.sleep(0.2)
    human_on(who).deliver("INBOX", b"Subject: help\r\n\r\nplease\r\n")
    assert bell.wait_for(2)
    started = time.monotonic()
    watcher.stop()
    assert time.monotonic() - started < 1
