"""What a digest says of sites comes from the robots' own rows, and is silent where there are no robots."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from helpdesk import app, gathering
from helpdesk.digest.build import digest
from helpdesk.robots.record import JobState
from helpdesk.store import incidents, verdicts
from helpdesk.store.incidents import Part, Scope
from tests.grid import NAMES, Grid, bad
from tests.stories.test_board_folder import words
from tests.test_robots_records import FAILED, NOW
from tests.world import World


@pytest.fixture
def grid(tmp_path: Path) -> Iterator[Grid]:
    made = Grid(tmp_path)
    yield made
    made.world.expected = len(made.world.mailer.arrived)  # site mails are another test's
    made.close()


def shown(world: World) -> tuple[str, tuple[str, ...]]:
    """What a digest says of sites now."""
    with world.engine.connect() as conn:
        mail = digest(gathering.gather(world.board, conn, world.now, ()))
    return mail.sites, mail.site_lines


def test_out_and_back(grid: Grid) -> None:
    """A site that fails stands in the digest with since when and why, then as back, and a day later not at all."""
    grid.run(4, board=False)
    assert shown(grid.world) == ("all in; central none", ())
    began = grid.world.now
    grid.engine.truth = bad("S00", since=began, until=began + timedelta(hours=3))
    grid.run(2, board=False)
    said, lines = shown(grid.world)
    assert said == "out S00; central none"
    [line] = lines
    assert line.startswith("S00 out of atlas since ")
    assert "failed, mostly " in line
    assert "evidence" not in line
    grid.run(4, board=False)
    said, [line] = shown(grid.world)
    assert said == "all in; central none"
    assert line.startswith("S00 back in atlas since ")
    grid.run(26, board=False)
    assert shown(grid.world) == ("all in; central none", ())


def test_the_mail_in_the_folder_follows(grid: Grid) -> None:
    """The mail in the folder `Board` names a site that went out, though nothing happened to any thread; a wake-up is rung."""
    grid.world.incoming("ann@uni.example.net", "All jobs fail")
    grid.run(4)
    assert "all in" in words(grid.world)
    grid.engine.truth = bad("S00", since=grid.world.now)
    grid.run(2)
    assert "S00 out of atlas since" in words(grid.world)


def test_a_failure_of_many_sites(grid: Grid) -> None:
    """What fails at all sites stands there as central, of no site; a restart finds the same incident; then it is over."""
    grid.run(6, board=False)
    began = grid.world.now
    grid.engine.truth = bad(*NAMES, since=began, until=began + timedelta(hours=3))
    grid.run(1.5, board=False)
    with grid.world.engine.connect() as conn:
        [before] = incidents.current(conn)
    assert before.voices > len(NAMES) / 2
    assert timedelta(0) <= before.opened - began < timedelta(hours=1)
    grid.restart()
    grid.run(0.5, board=False)
    with grid.world.engine.connect() as conn:
        assert [one.id for one in incidents.current(conn)] == [before.id]
    said, lines = shown(grid.world)
    assert "central " in said
    assert "central none" not in said
    assert lines[0].startswith("CENTRAL: ")
    grid.run(5, board=False)
    said, lines = shown(grid.world)
    assert said.endswith("central none")
    assert any(line.startswith("central, over: ") for line in lines)
    with grid.world.engine.connect() as conn:
        assert [one.id for one in incidents.since(conn, began)] == [before.id]


def test_no_robots(grid: Grid) -> None:
    """A board whose sites have no queues says nothing of sites, whatever lies in its tables."""
    grid.run(4, board=False)
    grid.engine.truth = bad("S00", since=grid.world.now)
    grid.run(2, board=False)
    with grid.world.engine.connect() as conn:
        assert verdicts.is_out(conn, "S00")
    settings = grid.world.settings
    bare = settings.model_copy(update={"site": (settings.site[0].model_copy(update={"queue": ()}),)})
    board = app.board(bare, grid.world.engine, sending=None, create=True)
    with grid.world.engine.connect() as conn:
        mail = digest(gathering.gather(board, conn, grid.world.now, ()))
    assert (mail.sites, mail.site_lines) == ("", ())
    assert "SITES" not in "\n".join(mail.lines)


def test_an_incident_keeps_its_identity(grid: Grid) -> None:
    """What comes back within two hours is the same incident; what begins within an hour is a part of it; all else is another."""
    now, one = grid.world.now, Part("atlas", "everything", grid.world.now, 5)
    cms = replace(one, experiment="cms", scope=Scope(template="dimuon", sites=("S00",)))
    lhcb = replace(one, experiment="lhcb")

    def keep(hours: float, *found: Part) -> list[int]:
        with grid.world.engine.begin() as conn:
            incidents.keep(conn, found, now + timedelta(hours=hours))
            return [row.id for row in incidents.current(conn)]

    assert keep(0, one) == [1]
    assert keep(0.9, replace(one, voices=9), cms) == [1]
    assert keep(1.5, one, lhcb) == [1, 2]
    assert keep(2) == []
    assert keep(3.9, one) == [1]
    assert keep(4) == []
    assert keep(7, one) == [3]
    with grid.world.engine.connect() as conn:
        first = incidents.by_id(conn, 1)
    assert (first.ended, first.voices, first.experiments) == (now + timedelta(hours=4), 9, ("atlas", "cms"))
    assert first.parts[1] == replace(cms, ended=now + timedelta(hours=1.5))


def test_which_failures_an_incident_explains() -> None:
    """A failure belongs to it by experiment, time, template, version, class and region; another does not."""
    part = Part("atlas", "template dimuon", NOW, 5, Scope("dimuon", "abc", "stage_in", ("DESY-HH",)))
    assert part.explains(FAILED)
    assert replace(part, scope=Scope(error_class="lost")).explains(
        replace(FAILED, error_class="", state=JobState.LOST)
    )
    others = (
        replace(FAILED, experiment="cms"),
        replace(FAILED, template="read"),
        replace(FAILED, template_version="abd"),
        replace(FAILED, error_class=""),
        replace(FAILED, site="RAL"),
        replace(FAILED, t_final=NOW - timedelta(minutes=1)),
        replace(FAILED, t_final=None, t_observed=None),
    )
    assert [part.explains(one) for one in others] == [False] * len(others)
    assert not replace(part, ended=NOW).explains(FAILED)
