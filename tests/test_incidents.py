"""A failure of many sites is one mail to the admins, and none to the contacts of the sites."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from helpdesk.ports import Delivery, Letter, Told
from helpdesk.store import incidents, records, robot_troubles, verdicts
from helpdesk.store.incidents import Part, Scope
from helpdesk.store.verdicts import Change
from tests.faults import Crash
from tests.grid import DIETER, EVA, NAMES, Grid, bad
from tests.memory_mailer import MemoryMailer
from tests.test_robots_records import FAILED
from tests.world import CONFIG, World

ADMIN = "aiden@example.org"


@pytest.fixture
def grid(tmp_path: Path) -> Iterator[Grid]:
    made = Grid(tmp_path)
    yield made
    made.close()


def test_one_mail(grid: Grid) -> None:
    """All sites fail for three hours: the admins get one mail, nobody else gets any, and no site goes out; a restart changes nothing."""
    grid.run(6)
    began = grid.world.now
    grid.engine.truth = bad(*NAMES, since=began, until=began + timedelta(hours=3))
    grid.run(1.5)
    grid.world.expect_mail(
        ADMIN,
        "Test jobs fail at 12 of 12 sites",
        "template dimuon",
        "template read",
        "S00",
        "EXAMPLE: ",
        "ended with 11",
    )
    grid.restart()
    grid.run(6)
    grid.world.expect_no_mail()
    with grid.world.engine.connect() as conn:
        [row] = incidents.since(conn, began)
        assert row.started >= began
        assert verdicts.since(conn, began) == []
        assert incidents.current(conn) == []


def test_the_next_one(grid: Grid) -> None:
    """A failure that comes another day is another incident, with a mail of its own."""
    grid.run(6)
    for _ in range(2):
        began = grid.world.now
        grid.engine.truth = bad(*NAMES, since=began, until=began + timedelta(hours=1.5), template="read")
        grid.run(1.5)
        grid.world.expect_mail(ADMIN, "template read", "read: ", "dimuon: 0 of")
        grid.run(10)


def test_a_short_one(grid: Grid) -> None:
    """What is over before it was confirmed is mailed to nobody."""
    grid.world.reconfigure("incident_after_minutes = 240\n")
    grid.run(6)
    began = grid.world.now
    grid.engine.truth = bad(*NAMES, since=began, until=began + timedelta(hours=1))
    grid.run(1)
    with grid.world.engine.connect() as conn:
        assert len(incidents.current(conn)) == 1
    grid.run(6)
    grid.world.expect_no_mail()


def test_a_board_that_observes(tmp_path: Path) -> None:
    """It tells its admins, because that mail stays in the team; no contact hears anything."""
    grid = Grid(tmp_path, config=CONFIG.replace('act = "act"', 'act = "observe"'))
    world = grid.world
    world.now = world.now.replace(hour=10)  # after the hour of the report of a board that observes
    world.tick()
    open_one(world, Scope(template="dimuon"))
    put_out(world, "S01", template="read")
    world.advance(hours=1.5)
    world.expect_mail(ADMIN, "template dimuon")
    grid.close()


def open_one(world: World, scope: Scope) -> None:
    """Something fails at many sites since an hour ago."""
    with world.engine.begin() as conn:
        started = world.now - timedelta(hours=1)
        incidents.keep(conn, [Part("atlas", "template dimuon", started, 9, scope)], world.now)


def put_out(world: World, site: str, **more: object) -> None:
    """A site goes out now for a failure half an hour ago."""
    at = world.now - timedelta(minutes=30)
    job = replace(FAILED, job=site + str(more), site=site, t_final=at, t_observed=at)
    change = Change(
        world.now, "atlas", site, "exclude", "6 of 7 failed", "v1", evidence={"cause": "evidence"}
    )
    with world.engine.begin() as conn:
        records.add(conn, [replace(job, **more)])  # type: ignore[arg-type]  # any of its fields
        verdicts.add(conn, [change])


def test_no_mail_to_contacts(grid: Grid) -> None:
    """While it goes on, a site that fails only for it gets no mail; one that fails for its own reason does; later both do."""
    world = grid.world
    world.tick()
    world.now = world.now.replace(hour=10)
    open_one(world, Scope(template="dimuon"))
    put_out(world, "S00")
    put_out(world, "S01")
    put_out(world, "S01", template="read")
    world.advance(hours=1.5)
    world.expect_mail(ADMIN, "template dimuon")
    world.expect_mail(EVA, "S01 gets no jobs of atlas")
    world.expect_no_mail()
    with world.engine.begin() as conn:
        incidents.keep(conn, [], world.now)
    world.advance(minutes=5)
    world.expect_mail(DIETER, "S00 gets no jobs of atlas")


class Dying(MemoryMailer):
    """The process ends while it sends: before the first byte, or when the server has taken the mail."""

    def __init__(self, after: bool) -> None:
        super().__init__()
        self.after, self.died = after, False

    def send(self, letters: Iterable[Letter], told: Told | None = None) -> Iterator[tuple[Letter, Delivery]]:
        for sent in super().send(letters, told) if self.after or self.died else letters:
            if not self.died:
                self.died = True
                raise Crash
            yield sent  # type: ignore[misc]  # letters alone are only looked at to die


@pytest.mark.parametrize("after", [False, True])
def test_crash(grid: Grid, after: bool) -> None:
    """Whenever the daemon dies while it mails about an incident, the admins get one mail: the copy that came home is proof."""
    world = grid.world
    world.tick()
    world.mailer, world._board = Dying(after), None
    open_one(world, Scope(template="dimuon"))
    world.now += timedelta(minutes=30)
    with pytest.raises(Crash):
        world.tick()
    for letter in world.mailer.arrived:
        world.human.deliver("INBOX", letter.content, world.now, ())
    world._board = None  # wired anew
    for _ in range(4):
        world.advance(minutes=20)
    world.expect_mail(ADMIN, "template dimuon")
    world.expect_no_mail()


def test_robots_that_cannot_work(grid: Grid) -> None:
    """What keeps the robots from their work for an hour is one alarm a day to the admins, which says what to do."""
    grid.run(1)
    grid.blacklist.unlink()
    grid.blacklist.mkdir()
    (grid.blacklist / "x").touch()
    grid.engine.truth = bad("S05", since=grid.world.now)
    grid.run(5)
    grid.world.expect_mail(ADMIN, "robots", "the blacklist cannot be written", "robots status`")
    grid.run(6)


def test_robots_that_hang(grid: Grid) -> None:
    """Where a daemon runs and no step of its robots has ended for an hour, that is the same alarm: they cannot tell it themselves."""
    grid.run(1)
    with grid.world.engine.begin() as conn:
        robot_troubles.started(conn, grid.world.now)
    grid.world.advance(minutes=50)
    grid.world.expect_no_mail()
    grid.world.advance(minutes=20)
    grid.world.expect_mail(ADMIN, "robots", "no step of theirs")
    grid.run(1)
    grid.world.advance(minutes=50)
    grid.world.expect_no_mail()
