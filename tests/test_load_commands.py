"""Load tests by mail: contacts of their own sites, admins all; stopped by anybody; the report comes once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from helpdesk.commands import Command, Mistake, Verb
from helpdesk.errors import UsageError
from helpdesk.robots.load.values import LoadTest, State
from helpdesk.robots.load.wishes import wish
from helpdesk.store import load_tests
from tests.grid import DIETER, EVA, Grid
from tests.stories.test_commands import AIDEN, AUTH, SERGEY
from tests.test_commands import asked
from tests.test_site_commands import hear, say
from tests.world import World


@pytest.fixture
def grid(tmp_path: Path) -> Iterator[Grid]:
    made = Grid(tmp_path)
    made.world.reconfigure(AUTH)
    made.world.now = made.world.now.replace(hour=6)
    made.world.tick()
    yield made
    made.close()


def known(world: World) -> list[LoadTest]:
    with world.engine.connect() as conn:
        return list(load_tests.read(conn))


def test_a_contact_tests_his_site(grid: Grid) -> None:
    """A contact asks for a test of his site, the robots carry it out, and its report comes to him once, whoever restarts."""
    world = grid.world
    say(world, "helpdesk: loadtest S00 concurrency=3 jobs=9 hours=2 template=dimuon\n")
    world.tick()
    hear(world, DIETER, "S00 gets 3 jobs at once, at most 9 jobs in 2 hours")
    [test] = known(world)
    assert (test.by, test.state, test.most, test.lane.site) == (DIETER, State.ASKED, 9, "S00")
    grid.run(4)
    [test] = known(world)
    assert (test.state, test.reason) == (State.ENDED, "all jobs were sent and have ended")
    assert test.version
    hear(world, DIETER, "Load test of S00", "9 of 9 jobs succeeded")
    world.advance(hours=2)
    world.tick()
    world.expect_no_mail()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("loadtest S00 jobs=201 template=dimuon", "at most 200 jobs"),
        ("loadtest S00 jobs=100 hours=5 template=read", "at most 4 hours"),
        ("loadtest S01 jobs=10 concurrency=2", "S01 is not one of your sites"),
        ("loadtest S00 jobs=x", "no number from 1 to 100000 in jobs=x"),
        ("loadtest S00 speed=9", "'speed=9' is not understood"),
        ("loadtest S00 template=nothing", "none of them is that"),
        ("loadtest stop", "No load test runs"),
    ],
)
def test_what_a_contact_may_not_have(grid: Grid, words: str, says: str) -> None:
    """More than a contact's part, another's site and nonsense are refused in a sentence, and nothing is entered."""
    say(grid.world, f"helpdesk: {words}\n")
    grid.world.tick()
    hear(grid.world, DIETER, says)
    assert known(grid.world) == []


def test_once_a_day(grid: Grid) -> None:
    """A contact starts one test in 24 hours; the next one waits for tomorrow, at another of his sites too."""
    world = grid.world
    say(world, "helpdesk: loadtest S00 concurrency=1 jobs=1 template=dimuon\n")
    world.tick()
    hear(world, DIETER, "S00 gets 1 job at once")
    grid.run(2)
    hear(world, DIETER, "Load test of S00")
    say(world, "helpdesk: loadtest S00 concurrency=1 jobs=1 template=dimuon\n")
    world.tick()
    hear(world, DIETER, "A contact starts at most one test in 24 hours")


def test_unproven(grid: Grid) -> None:
    """A test that nobody vouches for is not started: the board asks first."""
    say(grid.world, "helpdesk: loadtest S00 concurrency=1 jobs=1 template=dimuon\n", proven=False)
    grid.world.tick()
    hear(grid.world, DIETER, "confirm")
    assert known(grid.world) == []


def test_anybody_stops_it(grid: Grid) -> None:
    """The contact of another site stops a test; what was sent is cancelled, and the report says who stopped it."""
    world = grid.world
    say(world, "helpdesk: loadtest S00 concurrency=2 jobs=150 template=dimuon\n")
    world.tick()
    hear(world, DIETER, "S00 gets 2 jobs at once")
    grid.run(0.5)
    say(world, "helpdesk: loadtest stop\n", EVA)
    world.tick()
    hear(world, EVA, "stopped:")
    grid.run(1)
    hear(world, DIETER, "stopped it")
    [test] = known(world)
    assert test.state is State.ENDED
    assert test.ended is not None
    assert test.ended - test.asked < timedelta(hours=2)


def test_the_team(grid: Grid) -> None:
    """A shifter is no contact and no admin: he may stop tests, not start them; an admin starts any, of any size."""
    say(grid.world, "helpdesk: loadtest S00 jobs=20\n", SERGEY)
    grid.world.tick()
    hear(grid.world, SERGEY, "its contacts start its load tests, and admins do")
    assert known(grid.world) == []
    say(grid.world, "helpdesk: loadtest S01 rate=600/h jobs=500 hours=9 template=read\n", AIDEN)
    grid.world.tick()
    hear(grid.world, AIDEN, "S01 gets 600 jobs an hour by the clock (Poisson), at most 500 jobs in 9 hours")
    say(grid.world, "helpdesk: loadtest stop S01\n", SERGEY)
    grid.world.tick()
    hear(grid.world, SERGEY, "stopped:")


def test_words() -> None:
    """Options and a stop are told from the site's name; what is both makes no sense."""
    assert asked("loadtest jobs=20 ramp=1,2") == Command(Verb.LOADTEST, what="jobs=20 ramp=1,2")
    assert asked("loadtest stop") == asked("loadtest Stop.") == Command(Verb.LOADTEST, what="stop")
    for line in ("loadtest stop jobs=3", "loadtest stop stop", "loadtest NOWHERE-1 jobs=3"):
        assert isinstance(asked(line), Mistake)


@pytest.mark.parametrize("text", ["jobs=0", "jobs=1e3", "jobs=٣", "hours=nan", "hours=x", "ramp=2,1", "rate=60/h ramp=1,2", "jobs"])  # fmt: skip
def test_nonsense(text: str) -> None:
    """What no test can be made of is refused."""
    with pytest.raises(UsageError):
        wish(text)
