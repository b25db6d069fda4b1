"""Promise 3 under fire: the sender is killed at any moment, and the mail server does what it likes."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from helpdesk import asking, cycle
from helpdesk.board import Board
from helpdesk.mailids import Reason, message_id
from helpdesk.outbox import OutboxRow, State
from helpdesk.store import journal
from helpdesk.store import outbox as rows
from helpdesk.store.core import THREAD
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.sender import PROCESSES, Job, work
from tests.servers.moody_sink import MoodySink, own_id
from tests.servers.smtp_sink import Received
from tests.world import World

MAILS = 200
COPY = "dast-board@example.org"
STEP = timedelta(minutes=6)
PATIENCE = 60.0


@dataclass
class Siege:
    """A board with mails to send, a moody server, and copies that come home at once, late or never."""

    world: World
    sink: MoodySink
    dice: random.Random
    prompt: bool
    handled: int = 0  # of the mails that the server took, those whose copy was thought of
    late: list[tuple[int, Received]] = field(default_factory=list)  # in how many steps their copies come home
    kills: int = 0

    def plan(self) -> None:
        """Each of many threads has a mail for two people."""
        for number in range(MAILS):
            self.world.incoming(f"user{number}@users.example.com", f"Problem {number}")
        self.world.tick()
        board = self.world.board
        with self.world.engine.begin() as conn:
            threads = conn.execute(select(THREAD.c.id, THREAD.c.code).order_by(THREAD.c.id)).all()
            for number, (key, code) in enumerate(threads):
                public = board.thread_id(code)
                own = message_id(
                    Reason(board.name, public, "fixed", "Ganga:5.2"), "example.org", board.sending.secret
                )
                to = (f"user{number}@users.example.com", f"friend{number}@users.example.com")
                row = OutboxRow(0, own, public, "fixed", "Ganga:5.2", "release", to, self.world.now)
                rows.add(conn, row, key)

    def step(self, *, kill: bool) -> None:
        """Time goes by, copies come home, and a new process sends what is due; perhaps it is killed."""
        self.world.now += STEP
        self._copies()
        cycle.run(self._mute(), self.world.mailbox, self.world.now)
        process = PROCESSES.Process(
            target=work, args=(Job(self.world.folder, self.sink.port, self.world.now),), name="sender"
        )
        process.start()
        if kill:
            enough = len(self.sink.received) + self.dice.randint(0, 12)  # whatever the machine's pace
            end = time.monotonic() + PATIENCE
            while process.exitcode is None and len(self.sink.received) < enough and time.monotonic() < end:
                time.sleep(0.001)
            time.sleep(self.dice.random() * 0.02)
            if process.exitcode is None:
                os.kill(process.pid or 0, signal.SIGKILL)
                self.kills += 1
        process.join(PATIENCE)
        assert process.exitcode in ({0, -signal.SIGKILL} if kill else {0})
        process.close()

    def rows(self) -> list[OutboxRow]:
        """The whole outbox."""
        with self.world.engine.connect() as conn:
            return list(rows.rows(conn, State))

    def live(self) -> bool:
        """Whether anything is still to be sent by itself."""
        with self.world.engine.connect() as conn:
            return bool(rows.rows(conn))

    def _mute(self) -> Board:
        board = self.world.board
        return replace(board, sending=replace(board.sending, mailer=None))

    def _copies(self) -> None:
        new = [mail for mail in self.sink.received[self.handled :] if COPY in mail.recipients]
        self.handled = len(self.sink.received)
        for mail in new:
            fate = 0.0 if self.prompt else self.dice.random()
            if fate < 0.9:
                self.late.append((0 if fate < 0.6 else self.dice.randint(1, 9), mail))
        for _, mail in [one for one in self.late if one[0] == 0]:
            self.world.human.deliver("INBOX", mail.content, self.world.now)
        self.late = [(steps - 1, mail) for steps, mail in self.late if steps]


@contextmanager
def siege(folder: Path, seed: int, *, prompt: bool) -> Iterator[Siege]:
    server = MemoryServer()
    world = World(server, lambda: MemoryMailbox(server), folder)
    with MoodySink(seed, spared=COPY if prompt else "") as sink:
        told = Siege(world, sink, random.Random(seed), prompt)  # noqa: S311 -- no secret
        told.plan()
        yield told
    world.mailbox.close()
    world.engine.dispose()


def play(folder: Path, seed: int, *, prompt: bool) -> None:
    """Kill the sender until nothing is left to send, then let people decide about the rest on a good day."""
    with siege(folder, seed, prompt=prompt) as told:
        for number in range(200):
            if not told.live():
                break
            told.step(kill=number < 8 or told.dice.random() < 0.8)
        assert not told.live()
        assert told.kills >= 5
        check(told)
        told.sink.moody = False
        with told.world.engine.begin() as conn:
            for row in rows.rows(conn, (State.HELD, State.FAILED)):
                asking.retry(conn, row.id, told.world.now)
        for _ in range(3):
            told.step(kill=False)
        check(told)
        arrived = told.sink.arrived()
        for row in told.rows():
            assert row.state in {State.SENT, State.OBSERVED}, row
            assert all(arrived[row.message_id][to] for to in row.recipients), row


def check(told: Siege) -> None:
    """Everybody has a mail once; where not, the outbox and the journal know."""
    arrived = told.sink.arrived()
    written: dict[str, set[bytes]] = {}
    first: dict[tuple[str, str], Received] = {}
    for mail in told.sink.received:
        written.setdefault(own_id(mail), set()).add(mail.content)
        for to in mail.recipients:
            first.setdefault((own_id(mail), to), mail)
    assert {len(octets) for octets in written.values()} == {1}, "a retry sends the same octets"
    with told.world.engine.connect() as conn:
        for row in told.rows():
            for to in row.recipients:
                times = arrived[row.message_id][to] if row.message_id in arrived else 0
                assert times <= 1 + row.repeats, row
                assert times or to not in row.served, f"{to} never got {row}"
                assert times or row.state in {State.HELD, State.FAILED}, row
                if told.prompt and times > 1:
                    assert COPY not in first[row.message_id, to].recipients, f"proven, and sent again: {row}"
            if row.repeats and row.about is not None:
                assert "same Message-ID" in _story(conn, row.about)


def _story(conn: Connection, thread: int) -> str:
    return " ".join(entry.reason for entry in journal.of_thread(conn, thread))


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("seed", "prompt"), [(1, True), (2, False)])
def test_killed_at_any_moment(tmp_path: Path, seed: int, *, prompt: bool) -> None:
    """200 mails, a sender that is killed again and again and a server that drops, delays and refuses: each arrives once.

    Where the copy that proves a mail does not come home in time it may arrive twice: under the same Message-ID, and the
    outbox and the journal say so.
    """
    play(tmp_path, seed, prompt=prompt)
