"""A database that is lost, or an old one: what people decided about sites holds, and nobody is told twice what he was told."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from helpdesk import keepsake, steering
from helpdesk.errors import MailboxRefusedError
from helpdesk.ports import Folder, MailRow
from helpdesk.store import incidents, site_orders
from helpdesk.store.site_orders import Kind
from helpdesk.uidset import UidSet
from tests.grid import DIETER, NAMES, Grid, bad, fine
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.stories.test_commands import AUTH
from tests.test_site_commands import blacklist, hear, holds, is_out, say, told_out
from tests.world import World

ADMIN = "aiden@example.org"
RAL = steering.Site("S01", "UTC", {"atlas": ("dimuon", "read")})


@pytest.fixture
def grid(tmp_path: Path) -> Iterator[Grid]:
    made = Grid(tmp_path)
    made.world.reconfigure(AUTH)
    made.world.now = made.world.now.replace(hour=6)
    made.world.tick()
    yield made
    made.close()


def lose(grid: Grid) -> None:
    """The disk is gone, and the daemon begins anew."""
    grid.world.lose_database()
    grid.restart()
    grid.world.tick()


def pin(world: World, kind: Kind, why: str) -> None:
    with world.engine.begin() as conn:
        until = world.now + timedelta(days=2)
        steering.pin(conn, RAL, steering.Speaker("Ann", team=True), (kind, until, why), world.now)


def test_decisions_outlive_the_database(grid: Grid) -> None:
    """What a contact and the team decided holds after the database was lost, with its end and by the same names; the blacklist says so."""
    world = grid.world
    letter = told_out(grid)
    say(world, "helpdesk: out until 18 Jun", answers=letter)
    world.tick()
    hear(world, DIETER, "S00 gets no jobs of atlas")
    pin(world, Kind.IN, "a test")
    world.tick()
    grid.run(0.5)
    with world.engine.connect() as conn:
        before = [
            (one.site, one.kind, one.until, one.by, one.team, one.why, one.at)
            for one in site_orders.in_force(conn, world.now)
        ]
    assert len(before) == 2
    lose(grid)
    grid.run(1)
    with world.engine.connect() as conn:
        after = [
            (one.site, one.kind, one.until, one.by, one.team, one.why, one.at)
            for one in site_orders.in_force(conn, world.now)
        ]
    assert after == before
    assert blacklist(grid)["S00"]["by"] == "Dieter Dahl"
    lose(grid)  # and once more, at once
    assert len(holds(world)) == 2
    world.expect_no_mail()


def test_the_blacklist_waits_for_the_mailbox(grid: Grid) -> None:
    """Robots that begin with an empty database empty no blacklist: who was put out by hand stays in it until the board has looked."""
    world = grid.world
    grid.run(1)
    pin(world, Kind.OUT, "storage")
    world.tick()
    grid.run(0.5)
    assert blacklist(grid)["S01"]["by"] == "Ann"
    world.lose_database()
    grid.restart()
    grid.step(board=False)
    assert set(blacklist(grid)) == {"S01"}
    grid.step()
    grid.run(0.5)
    assert blacklist(grid)["S01"]["by"] == "Ann"
    with world.engine.begin() as conn:
        steering.resume(conn, RAL, steering.Speaker("Ann", team=True), world.now)
    grid.run(1)
    assert blacklist(grid) == {}


def test_what_was_lifted_stays_lifted(grid: Grid) -> None:
    """What had ended when the database was lost does not come back, though an older mail of ours told of it."""
    world = grid.world
    pin(world, Kind.OUT, "storage")
    world.tick()
    world.advance(minutes=10)
    with world.engine.begin() as conn:
        steering.resume(conn, RAL, steering.Speaker("Ann", team=True), world.now)
    world.tick()
    lose(grid)
    assert holds(world) == []


def test_a_contact_hears_once_of_what_goes_on(grid: Grid) -> None:
    """A site that was told that it is out fails on while the database is lost: it goes out again, and no second mail comes; the next time it is told."""
    world = grid.world
    told_out(grid)
    lose(grid)
    grid.run(2.5)
    assert is_out(world, "S00")
    world.expect_no_mail()
    grid.engine.truth = fine
    grid.run(2)
    assert not is_out(world, "S00")
    grid.engine.truth = bad("S00", since=world.now)
    grid.run(2.5)
    assert is_out(world, "S00")
    assert world.now.hour < 20
    hear(world, DIETER, "S00 gets no jobs of atlas")


def test_admins_hear_once_of_an_incident(grid: Grid) -> None:
    """A failure of many sites that they were told of is not told again after the database was lost; another one is."""
    world = grid.world
    grid.run(6)
    grid.engine.truth = bad(*NAMES, since=world.now)
    grid.run(1.5)
    world.expect_mail(ADMIN, "Test jobs fail at 12 of 12 sites")
    lose(grid)
    grid.run(5)
    with world.engine.connect() as conn:
        assert incidents.current(conn)
    world.expect_no_mail()
    grid.engine.truth = fine
    grid.run(12)
    grid.engine.truth = bad(*NAMES, since=world.now)
    grid.run(1.5)
    world.expect_mail(ADMIN, "Test jobs fail at 12 of 12 sites")


def test_an_old_backup_learns_what_was_decided_since(grid: Grid) -> None:
    """Pins, pauses and their ends since a backup are known after it is restored; what nobody changed stays as it is."""
    world = grid.world
    pin(world, Kind.OUT, "storage")
    world.tick()
    world.backup()
    world.advance(hours=1)
    other = steering.Site("S03", "UTC", {"atlas": ("dimuon", "read")})
    ann = steering.Speaker("Ann", team=True)
    with world.engine.begin() as conn:
        steering.resume(conn, RAL, ann, world.now)
        steering.pause(conn, other, ann, None, world.now)
    world.tick()
    world.advance(hours=1)
    world.restore()
    grid.restart()
    assert holds(world) == [("S01", "out", "Ann")]
    world.tick()
    assert holds(world) == [("S03", "pause", "Ann")]
    world.backup()
    world.advance(hours=1)
    world.restore()
    world.tick()
    assert holds(world) == [("S03", "pause", "Ann")]
    world.expected = len(world.mailer.arrived)  # the admins hear that mails are held


class Refusing(MemoryMailbox):
    """It cannot read what a mail keeps, for now."""

    refuses = True

    def mails(self, folder: Folder, uids: UidSet, fields: Sequence[str]) -> Iterator[MailRow]:
        if self.refuses and keepsake.FIELD in fields:
            raise MailboxRefusedError("[SERVERBUG] not now")
        return super().mails(folder, uids, fields)


def test_what_cannot_be_read_is_not_replaced(grid: Grid) -> None:
    """A mail that the server does not show stays where it lies, and that is said; its decisions hold once it can be read."""
    world = grid.world
    pin(world, Kind.OUT, "storage")
    world.tick()
    [before] = world.look("Board")
    assert isinstance(world.human, MemoryServer)
    mailbox = world.mailbox = Refusing(world.human)
    world.lose_database()
    grid.restart()
    held = world.tick().held
    assert ["the folder Board cannot be read" in one.why for one in held] == [True]
    assert [one.uid for one in world.look("Board")] == [before.uid]
    mailbox.refuses = False
    world.advance(minutes=1)
    assert holds(world) == [("S01", "out", "Ann")]
    world.expected = len(world.mailer.arrived)  # the admins heard of it


@pytest.mark.parametrize("change", ["words", "other secret", "moved", "cut"])
def test_nobody_else_decides_by_it(grid: Grid, change: str) -> None:
    """A mail in the folder whose words were changed, or that was made with another secret or for another board, decides nothing."""
    world = grid.world
    pin(world, Kind.OUT, "storage")
    world.tick()
    [lying] = world.look("Board")
    folder = world.mailbox.select("Board", readonly=True)
    octets = world.mailbox.body(folder, lying.uid, 1_000_000)
    world.human.delete("Board", [lying.uid])
    head, _, rest = octets.partition(b"X-Helpdesk-Sites: ")
    proof, _, told = rest.partition(b"\r\n ")
    changed = {
        "words": proof + b"\r\n A" + told,
        "other secret": proof[::-1] + b"\r\n " + told,
        "moved": b"\r\n " + told,
        "cut": proof + b"\r\n " + told[100:],
    }[change]
    world.human.deliver("Board", head + b"X-Helpdesk-Sites: " + changed, world.now)
    lose(grid)
    assert holds(world) == []


def test_a_board_without_robots_keeps_nothing(tmp_path: Path) -> None:
    """Its mail in the folder has no such header."""
    server = MemoryServer()
    world = World(server, lambda: MemoryMailbox(server), tmp_path)
    world.incoming("ann@users.example.com", "All jobs fail")
    world.tick()
    [lying] = world.look("Board")
    octets = world.mailbox.body(world.mailbox.select("Board", readonly=True), lying.uid, 1_000_000)
    assert b"X-Helpdesk-Id" in octets
    assert b"X-Helpdesk-Sites" not in octets
    world.close()
