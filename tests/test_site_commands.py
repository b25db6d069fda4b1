"""Contacts tell the robots about their sites by mail: proven, about their own, and answered in words of what will happen."""

import email
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from helpdesk import gathering, steering
from helpdesk.digest.build import digest
from helpdesk.ports import Letter
from helpdesk.store import records, site_orders, verdicts
from helpdesk.store.core import COMMAND
from helpdesk.store.site_orders import Kind
from tests.grid import DIETER, EVA, NAMES, Grid, bad, fine
from tests.stories.test_commands import AIDEN, AUTH, BOARD
from tests.world import World


@pytest.fixture
def grid(tmp_path: Path) -> Iterator[Grid]:
    made = Grid(tmp_path)
    made.world.reconfigure(AUTH)
    made.world.now = made.world.now.replace(hour=6)
    made.world.tick()
    yield made
    made.close()


def say(
    world: World,
    words: str,
    sender: str = DIETER,
    *,
    proven: bool = True,
    answers: Letter | None = None,
    **more: Any,
) -> str:
    """A contact writes to the board, perhaps as an answer to a mail of ours."""
    to = BOARD if answers is None else str(parsed(answers)["Reply-To"])
    domain = sender.rpartition("@")[2]
    passed = {"Authentication-Results": f"mx.example.org; dmarc=pass header.from={domain}"}
    return world.incoming(
        sender,
        "Re: your mail",
        body=words,
        listed=False,
        to=more.pop("to", to),
        headers=passed if proven else {},
        **more,
    )


def hear(world: World, to: str, *words: str) -> Letter:
    """The next mail goes to this address and says these words, wherever its lines end."""
    letter = world.expect_mail(to)
    text = " ".join(f"{parsed(letter)['Subject']} {body(letter)}".split())
    assert all(word in text for word in words), text
    return letter


def body(letter: Letter) -> str:
    return str(parsed(letter).get_body(("plain",)).get_content())


def parsed(letter: Letter) -> Any:
    return email.message_from_bytes(letter.content, policy=SMTP)


def holds(world: World) -> list[tuple[str, str, str]]:
    """What people decided that holds: site, kind, who."""
    with world.engine.connect() as conn:
        return [(one.site, one.kind.value, one.by) for one in site_orders.in_force(conn, world.now)]


def is_out(world: World, site: str) -> bool:
    with world.engine.connect() as conn:
        return verdicts.is_out(conn, site)


def blacklist(grid: Grid) -> dict[str, Any]:
    return dict(json.loads(grid.blacklist.read_text())["excluded"].get("atlas", {}))


def routine(world: World, site: str, since: datetime) -> int:
    """How many routine jobs a site was sent since a moment."""
    with world.engine.connect() as conn:
        found = [one.t_scheduled for one in records.read(conn, site=site) if one.campaign_id == "routine"]
    return sum(one is not None and one > since for one in found)


def lines(world: World) -> str:
    """What the digest says of sites now."""
    with world.engine.connect() as conn:
        mail = digest(gathering.gather(world.board, conn, world.now, ()))
    return "\n".join((mail.sites, *mail.site_lines))


def told_out(grid: Grid, site: str = "S00") -> Letter:
    """A site fails until its contact has the mail about it."""
    grid.run(4, board=False)
    grid.engine.truth = bad(site, since=grid.world.now)
    grid.run(2.5)
    contact = EVA if site == "S01" else DIETER
    return hear(
        grid.world, contact, f"{site} gets no jobs of atlas", "helpdesk: out until 18 Jun", "helpdesk: retest"
    )


def test_out_until_tomorrow(grid: Grid) -> None:
    """A site goes out, its contact answers with a date and hears what happens; the blacklist says who, and it holds over a restart."""
    world = grid.world
    say(world, "helpdesk: out until tomorrow\n\nWe change the disks.\n", answers=told_out(grid))
    world.tick()
    hear(world, DIETER, "S00 gets no jobs of atlas from now until", "00:00 UTC", "helpdesk: resume S00")
    grid.run(0.1)
    entry = blacklist(grid)["S00"]
    assert (entry["by"], entry["cause"]) == ("Dieter Dahl", "pin")
    assert entry["until"].startswith(f"{world.now + timedelta(days=2):%Y-%m-%d}T00:00")
    assert "S00 out of atlas" in lines(world)
    assert "pinned out by Dieter Dahl" in lines(world)
    grid.engine.truth = fine
    began = world.now
    grid.restart()
    grid.run(6)
    assert blacklist(grid)["S00"] == entry
    assert routine(world, "S01", began) > 30
    assert routine(world, "S00", began) == 0
    world.now += timedelta(hours=28)
    grid.run(5)
    assert blacklist(grid) == {}
    assert holds(world) == []


def test_retest(grid: Grid) -> None:
    """A contact asks for jobs now: each template runs once; within an hour another is refused with when it may be asked for."""
    world, letter = grid.world, told_out(grid)
    grid.engine.truth = fine
    grid.engine.sent.clear()
    said = world.now
    say(world, "helpdesk: retest", answers=letter)
    world.tick()
    hear(world, DIETER, "A test job of dimuon and read goes to S00 now")
    asked = len(grid.engine.sent)
    grid.step()
    at_once = [kind for when, site, kind in grid.engine.sent[asked:] if site == "S00" and when == said]
    assert {"dimuon", "read"} <= set(at_once)
    say(world, "helpdesk: retest s00")
    world.tick()
    hear(world, DIETER, "Once an hour", f"{said + timedelta(hours=1):%H:%M} UTC")
    grid.run(1)
    say(world, "helpdesk: retest S00")
    world.tick()
    hear(world, DIETER, "A test job of")


def test_pause_and_resume(grid: Grid) -> None:
    """A paused site gets no job and no verdict, whatever is on its way; the robots know it after a restart; `resume` tests it."""
    world = grid.world
    grid.run(4, board=False)
    say(world, "helpdesk: pause S00")
    world.tick()
    hear(world, DIETER, "No test jobs go to S00 until", "it stays in the work of atlas")
    assert holds(world) == [("S00", "pause", "Dieter Dahl")]
    grid.step()
    grid.engine.sent.clear()
    grid.engine.truth = bad("S00", since=world.now - timedelta(hours=1))
    grid.restart()
    grid.run(8)
    assert {site for _, site, _ in grid.engine.sent} == set(NAMES) - {"S00"}
    assert not is_out(world, "S00")
    assert "paused S00" in lines(world)
    assert "by Dieter Dahl" in lines(world)
    say(world, "helpdesk: resume S00")
    world.tick()
    hear(world, DIETER, "Ended: paused until", "goes to S00 now")
    grid.run(3)
    assert is_out(world, "S00")
    hear(world, DIETER, "S00 gets no jobs")


def test_a_pause_ends_by_itself(grid: Grid) -> None:
    """Without a date a pause is a week long."""
    say(grid.world, "helpdesk: pause", EVA)
    grid.world.tick()
    hear(grid.world, EVA, "No test jobs go to S01 until")
    with grid.world.engine.connect() as conn:
        [one] = site_orders.in_force(conn, grid.world.now)
    assert one.until == grid.world.now + timedelta(days=7)
    grid.world.now += timedelta(days=7)
    assert holds(grid.world) == []


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("helpdesk: out S01 until tomorrow", "S01 is not one of your sites"),
        ("helpdesk: retest S01", "S01 is not one of your sites"),
        ("helpdesk: pause S03", "S03 is not one of your sites"),
        ("helpdesk: out S0 until tomorrow", "There is no site 'S0'"),
        ("helpdesk: out S00 until junk", "'junk' is no date"),
        ("helpdesk: out S00 until 1 Jan 2009", "is past"),
        ("helpdesk: out S00 until 18 Jun 2029", "more than 180 days away"),
        ("helpdesk: pause S00 until 18 Aug", "more than 31 days away"),
        ("helpdesk: out S00", "Out needs a date"),
        ("helpdesk: out until tomorrow", "Which site?"),
        ("helpdesk: resume S00", "neither paused nor pinned"),
        ("helpdesk: close x7m2q", "Contacts may say retest"),
        ("helpdesk: status", "Contacts may say retest"),
    ],
)
def test_refused(grid: Grid, said: str, answer: str) -> None:
    """What is not his, not possible or not clear is answered with why, and nothing is done."""
    say(grid.world, said)
    grid.world.tick()
    hear(grid.world, DIETER, "Not done", answer)
    assert holds(grid.world) == []
    with grid.world.engine.connect() as conn:
        assert site_orders.last_retest(conn, "S01") is None


def test_forged(grid: Grid) -> None:
    """A forged From does nothing but ask the contact, at his configured address; his confirmation carries it out."""
    world = grid.world
    say(world, "helpdesk: out S00 until tomorrow", "dahl@desy.example.org", proven=False)
    world.tick()
    question = hear(world, DIETER, "Did you write this?", "helpdesk: out S00 until tomorrow")
    assert holds(world) == []
    text = parsed(question).get_body(("plain",)).get_content()
    token = next(
        word for line in text.splitlines() if "confirm " in line for word in line.split() if len(word) > 20
    )
    say(world, f"helpdesk: confirm {token}", EVA)
    world.tick()
    hear(world, EVA, "not known here")
    assert holds(world) == []
    say(world, f"helpdesk: confirm {token}", proven=False)
    world.tick()
    hear(world, DIETER, "S00 gets no jobs of atlas from now")
    assert holds(world) == [("S00", "out", "Dieter Dahl")]


def test_a_stranger_and_a_foreign_token(grid: Grid) -> None:
    """A stranger who has the mail about a site commands nothing and hears nothing; another site's contact hears that it is not his."""
    world, letter = grid.world, told_out(grid)
    thread = say(world, "helpdesk: out until tomorrow", "mallory@evil.example.net", answers=letter)
    world.tick()
    world.expect_no_mail()
    assert world.thread(thread)["state"] == "open"
    say(world, "helpdesk: out until tomorrow", EVA, answers=letter)
    world.tick()
    hear(world, EVA, "S00 is not one of your sites")
    assert holds(world) == []


def test_other_words_are_a_thread(grid: Grid) -> None:
    """An answer that is no command is an issue like any other; so is one in which the command is only quoted."""
    world, letter = grid.world, told_out(grid)
    plain = say(world, "What is wrong with wn-3?\n\n> helpdesk: out until 18 Jun\n", answers=letter)
    world.tick()
    assert world.thread(plain)["state"] == "open"
    assert holds(world) == []


def test_the_answer_is_answered(grid: Grid) -> None:
    """An answer to our answer is about the same site."""
    world = grid.world
    say(world, "helpdesk: out S02 until tomorrow")
    world.tick()
    answer = hear(world, DIETER, "S02 gets no jobs")
    say(world, "helpdesk: back in", answers=answer)
    world.tick()
    hear(world, DIETER, "Ended: pinned out until", "goes to S02 now")
    assert holds(world) == []


def test_a_later_date_takes_the_place(grid: Grid) -> None:
    """Said again, the new date holds, alone; the blacklist follows."""
    world = grid.world
    for date in ("tomorrow", "3 days"):
        say(world, f"helpdesk: out S00 until {date}" if date == "tomorrow" else f"helpdesk: out S00 {date}")
        world.tick()
        hear(world, DIETER, "S00 gets no jobs")
        grid.run(0.1)
    assert holds(world) == [("S00", "out", "Dieter Dahl")]
    assert f"{world.now + timedelta(days=3):%Y-%m-%d}" in blacklist(grid)["S00"]["until"]


def test_the_team_stands_above_a_contact(grid: Grid) -> None:
    """A shifter commands any site; what he said, no contact takes back, but another of the team does."""
    world = grid.world
    say(world, "helpdesk: out S00 until tomorrow", AIDEN)
    world.tick()
    hear(world, AIDEN, "S00 gets no jobs")
    for wish in ("helpdesk: resume S00", "helpdesk: out S00 until 18 Jun"):
        say(world, wish)
        world.tick()
        hear(world, DIETER, "pinned out", "by Aiden Archer, of the team")
    assert holds(world) == [("S00", "out", "Aiden Archer")]
    say(world, "helpdesk: pause S00\nhelpdesk: resume S00")
    world.tick()
    hear(world, DIETER, "Ended: paused until", "It is still pinned out until")
    assert holds(world) == [("S00", "out", "Aiden Archer")]
    say(world, "helpdesk: resume S00", AIDEN)
    world.tick()
    hear(world, AIDEN, "Ended: pinned out")
    assert holds(world) == []


def test_help(grid: Grid) -> None:
    """A contact who asks hears of his own commands, and only of these."""
    say(grid.world, "helpdesk: help")
    grid.world.tick()
    letter = hear(grid.world, DIETER, "retest S", "pause S")
    assert b"tell user" not in letter.content


def test_once(grid: Grid) -> None:
    """A command mail that lies there twice is carried out once."""
    world = grid.world
    said = say(world, "helpdesk: retest S00")
    say(world, "helpdesk: retest S00", message_id=said)
    world.tick()
    world.tick()
    hear(world, DIETER, "A test job of")
    with world.engine.connect() as conn:
        assert list(conn.execute(select(COMMAND.c.state)).scalars()) == ["answered"]


def test_pinned_in(grid: Grid) -> None:
    """A site that the team keeps in is not put out while it fails; when the pin is over, the verdict counts."""
    world = grid.world
    grid.run(4, board=False)
    with world.engine.begin() as conn:
        site = steering.Site("S00", "UTC", {"atlas": ("dimuon", "read")})
        until = world.now + timedelta(hours=6)
        steering.pin(conn, site, steering.Speaker("ann", team=True), (Kind.IN, until, "a test"), world.now)
    grid.engine.truth = bad("S00", since=world.now)
    grid.run(5.5)
    assert not is_out(world, "S00")
    assert "S00 is pinned in until" in lines(world)
    grid.run(1)
    assert is_out(world, "S00")
    assert blacklist(grid)["S00"]["cause"] == "evidence"
    world.expected = len(world.mailer.arrived)
