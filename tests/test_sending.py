"""From rows to mails: claims, groups, and what is left behind when something goes wrong in the middle."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from helpdesk import outbox, sending
from helpdesk.board import Board
from helpdesk.mailids import Reason, message_id
from helpdesk.outbox import OutboxRow, State
from helpdesk.ports import Delivery, Letter, Mailer, Told
from helpdesk.store import outbox as rows
from tests.databases import Database
from tests.faults import Crash
from tests.memory_mailbox import MemoryMailbox
from tests.memory_mailer import MemoryMailer, Trouble
from tests.memory_server import MemoryServer
from tests.world import World

ADMIN = "aiden@example.org"
COPY = "dast-board@example.org"


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Iterator[World]:
    server = MemoryServer()
    told = World(server, lambda: MemoryMailbox(server), tmp_path, database=database)
    yield told
    told.mailbox.close()
    told.engine.dispose()


def plan(world: World, count: int) -> None:
    """So many alarms wait."""
    with world.engine.begin() as conn:
        for number in range(count):
            occasion = f"outbox:{number}"
            own = message_id(Reason("dast", "", "alarm", occasion), "example.org", world.board.sending.secret)
            rows.add(conn, OutboxRow(0, own, "", "alarm", occasion, "alarm", (ADMIN,), world.now), None)


def states(world: World) -> list[str]:
    with world.engine.connect() as conn:
        return [row.state.value for row in rows.rows(conn, State)]


def with_mailer(world: World, mailer: Mailer) -> Board:
    return replace(world.board, sending=replace(world.board.sending, mailer=mailer))


class Dying(MemoryMailer):
    """Dies before the n-th letter, when it is claimed already."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def send(self, letters: Iterable[Letter], told: Told | None = None) -> Iterator[tuple[Letter, Delivery]]:
        def counted() -> Iterator[Letter]:
            for letter in letters:
                if not self.left:
                    raise Crash
                self.left -= 1
                yield letter

        return super().send(counted(), told)


def test_a_backlog_goes_out_in_few_durable_commits(world: World) -> None:
    """Thirty mails that wait are claimed in groups: far fewer commits that wait for the disk than mails; all arrive in order."""
    plan(world, 30)
    lite = world.engine.dialect.name == "sqlite"
    asking, waits = ("PRAGMA synchronous", 2) if lite else ("SHOW synchronous_commit", "on")
    durable: list[object] = []

    def committed(conn: Connection) -> None:
        if conn.exec_driver_sql(asking).scalar() == waits:
            durable.append(conn)

    event.listen(world.engine, "commit", committed)
    sending.post(world.board, None, world.now, hold_mails=False)
    event.remove(world.engine, "commit", committed)
    assert 0 < len(durable) < 15
    assert states(world) == ["sent"] * 30
    assert len({letter.message_id for letter in world.mailer.arrived}) == 30
    with world.engine.connect() as conn:
        assert conn.exec_driver_sql(asking).scalar() == waits  # again, whatever was lazy


@pytest.mark.parametrize("at", [0, 3, 11, 29])
def test_dying_in_a_backlog(world: World, at: int) -> None:
    """Where sending ends in an error, what was sent is sent, one mail is in doubt, and the others wait as before."""
    plan(world, 30)
    with suppress(Crash):
        sending.post(with_mailer(world, Dying(at)), None, world.now, hold_mails=False)
    assert states(world) == ["sent"] * at + ["sending"] + ["planned"] * (29 - at)
    assert world.board.sending.flying == set()
    sending.post(world.board, None, world.now, hold_mails=False)
    assert states(world) == ["sent"] * at + ["unknown"] + ["sent"] * (29 - at)


def test_one_that_cannot_be_written_holds_up_no_other(world: World) -> None:
    """A mail to an address that is none is held with the reason; the others go."""
    plan(world, 3)
    with world.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE outbox SET recipients = 'nobody' WHERE occasion = 'outbox:0'")
    sending.post(world.board, None, world.now, hold_mails=False)
    assert states(world) == ["held", "sent", "sent"]


def test_what_a_person_drops_meanwhile_is_not_sent(world: World) -> None:
    """A row that changed after it was read is not claimed."""
    plan(world, 2)

    class Slow(MemoryMailer):
        def send(
            self, letters: Iterable[Letter], told: Told | None = None
        ) -> Iterator[tuple[Letter, Delivery]]:
            with world.engine.begin() as conn:
                rows.save(conn, outbox.dropped(rows.rows(conn)[0]))
            return super().send(letters, told)

    mailer = Slow()
    sending.post(with_mailer(world, mailer), None, world.now, hold_mails=False)
    assert states(world) == ["dropped", "sent"]
    assert len(mailer.arrived) == 1


def test_what_another_thread_sends_is_no_crash(world: World) -> None:
    """While a mail is being sent, whoever else looks at the outbox of this process leaves it alone."""
    plan(world, 1)
    seen: list[list[str]] = []

    class Watched(MemoryMailer):
        def send(
            self, letters: Iterable[Letter], told: Told | None = None
        ) -> Iterator[tuple[Letter, Delivery]]:
            for letter, delivery in super().send(letters, told):
                sending.post(board, None, world.now, hold_mails=True)
                seen.append(states(world))
                yield letter, delivery

    board = with_mailer(world, Watched())
    sending.post(board, None, world.now, hold_mails=False)
    assert (seen, states(world)) == ([["sending"]], ["sent"])


def test_the_board_s_own_copy_alone_is_refused(world: World) -> None:
    """A mail of which only the board's own copy is refused is sent, and says so."""
    plan(world, 1)

    class Closed(MemoryMailer):
        def send(
            self, letters: Iterable[Letter], told: Told | None = None
        ) -> Iterator[tuple[Letter, Delivery]]:
            for letter, delivery in super().send(letters, told):
                yield letter, replace(delivery, refused=(COPY,))

    sending.post(with_mailer(world, Closed()), None, world.now, hold_mails=False)
    with world.engine.connect() as conn:
        [row] = rows.rows(conn, State)
    assert (row.state, row.served, row.refused) == (State.SENT, (ADMIN,), (COPY,))


def test_put_off_then_refused(world: World) -> None:
    """Two of three are served at once, the third later; each has it once, and the row says who."""
    plan(world, 1)
    with world.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE outbox SET recipients = 'a@example.org b@example.org'")
    world.mailer.script(Trouble.ONE_LATER)
    sending.post(world.board, None, world.now, hold_mails=False)
    assert states(world) == ["planned"]
    for _ in range(2):
        world.advance(minutes=2)
    assert states(world) == ["sent"]
    assert [letter.recipients for letter in world.mailer.arrived] == [
        ("b@example.org", COPY),
        ("a@example.org",),
    ]
    assert len({letter.content for letter in world.mailer.arrived}) == 1
