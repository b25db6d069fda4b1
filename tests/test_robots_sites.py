"""A site's contacts are told once what is out, in their own day, and not more than they can bear."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from helpdesk.robots.record import JobState, Phase
from helpdesk.sites import Contacts, Out, SiteTelling, due, enough, occasion, tell
from helpdesk.store import records, verdicts
from helpdesk.store.verdicts import Change
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.test_robots_records import FAILED
from tests.world import CONFIG, World

NOON = datetime(2026, 6, 9, 12, 0, tzinfo=UTC)
BERLIN = SiteTelling({"DESY-HH": Contacts(("dieter@desy.example.org",), "Europe/Berlin")})
ATLAS = Out("atlas", NOON - timedelta(hours=2), "three in a row")


@pytest.mark.parametrize(("hour", "told"), [(5, False), (6, True), (17, True), (18, False), (23, False)])
def test_in_its_own_day(hour: int, told: bool) -> None:
    """Mail goes out between 8 and 20 o'clock where the site is, in summer two hours before UTC."""
    now = NOON.replace(hour=hour)
    out = {"DESY-HH": [replace(ATLAS, since=now - timedelta(hours=3))]}
    assert bool(list(due(BERLIN, out, now))) == told


def test_out_for_an_hour() -> None:
    """A site that is out for less than an hour is told nothing; what is out for longer is named."""
    out = {"DESY-HH": [ATLAS, Out("cms", NOON - timedelta(minutes=59), "new")]}
    assert [outs for _, outs in due(BERLIN, out, NOON)] == [(ATLAS,)]


def test_nobody_to_tell() -> None:
    """A site without contacts, or one that is not configured any more, is passed over."""
    nobody = SiteTelling({"DESY-HH": Contacts((), "UTC")})
    assert list(due(nobody, {"DESY-HH": [ATLAS], "GONE": [ATLAS]}, NOON)) == []


def test_once_for_what_is_out() -> None:
    """The same exclusion is one occasion; one more experiment is another."""
    more = Out("cms", ATLAS.since + timedelta(minutes=5), "too")
    assert occasion("DESY-HH", [ATLAS]) == occasion("DESY-HH", [ATLAS])
    assert occasion("DESY-HH", [ATLAS]) != occasion("DESY-HH", [ATLAS, more])


def test_two_a_day() -> None:
    """After two mails of its own day a site gets no third."""
    yesterday = NOON - timedelta(days=1)
    assert not enough([NOON, yesterday, yesterday], BERLIN, "DESY-HH", NOON)
    assert enough([NOON, NOON], BERLIN, "DESY-HH", NOON)


def test_what_it_says() -> None:
    """The commonest failures come first with their worst nodes, and the example is one of them with the end of its log."""
    log = {"log": "\n".join(f"line {n}" for n in range(30))}
    stage_in = [
        replace(FAILED, job=f"a{n}", node=f"wn-{n % 5}", raw=log if n == 3 else {}) for n in range(10)
    ]
    crash = replace(
        FAILED, job="b", phase=Phase.PAYLOAD, native_code="payload:31", native_text="wrong", node=""
    )
    good = replace(FAILED, job="c", state=JobState.SUCCESS, native_code="", phase=None)
    elsewhere = replace(FAILED, job="d", site="RAL")
    mail = tell("DESY-HH", (ATLAS,), [*stage_in, crash, good, elsewhere])
    assert (mail.ended, mail.failed) == (12, 11)
    assert [(one.count, one.phase, one.code, one.everywhere) for one in mail.failures] == [
        (10, "stage-in", "pilot 1099", True),
        (1, "payload", "exit 31", False),
    ]
    assert mail.example is not None
    assert mail.example.job == "a3"
    assert mail.example.log[-1] == "line 29"


def test_nothing_is_known() -> None:
    """A site that is out without a single record has a mail that says no more than that."""
    mail = tell("DESY-HH", (ATLAS,), [])
    assert (mail.failures, mail.example) == ((), None)


SITES = """
[[people]]
name = "Dieter Dahl"
addresses = ["dieter@desy.example.org"]
roles = ["contact"]
[[site]]
name = "DESY-HH"
timezone = "Europe/Berlin"
contacts = ["Dieter Dahl"]
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    server = MemoryServer()
    made = World(server, lambda: MemoryMailbox(server), tmp_path, CONFIG + SITES)
    yield made
    made.close()


def change(world: World, action: str, **more: object) -> None:
    said = Change(world.now, "atlas", "DESY-HH", action, "6 of 7 jobs failed", "v1")
    with world.engine.begin() as conn:
        verdicts.add(conn, [replace(said, **more)])  # type: ignore[arg-type]  # any of its fields


def test_why_in_plain_words(world: World) -> None:
    """A contact reads why in a phrase, without the policy's figures."""
    world.tick()
    world.now = world.now.replace(hour=10)
    said = "6 of 7 failed, mostly no_replica (6); evidence 13.2"
    change(world, "exclude", reason=said, evidence={"phrase": "6 of 7 failed, mostly no_replica"})
    world.advance(hours=2)
    mail = world.expect_mail("dieter@desy.example.org", "6 of 7 failed, mostly", "no_replica")
    assert b"evidence" not in mail.content


def test_story(world: World) -> None:
    """A site goes out in the morning: its contact hears once, with the job's log; when it is back and out again, once more."""
    world.tick()
    change(world, "exclude")
    with world.engine.begin() as conn:
        records.add(conn, [replace(FAILED, t_observed=world.now, raw={"log": "cannot open the file"})])
    world.advance(minutes=30)
    world.expect_no_mail()
    world.now = world.now.replace(hour=7, minute=30)
    world.tick()
    world.expect_mail(
        "dieter@desy.example.org", "DESY-HH gets no jobs of atlas", "pilot 1099", "cannot open the file"
    )
    world.advance(hours=3)
    world.expect_no_mail()
    change(world, "include")
    world.advance(hours=1)
    change(world, "exclude")
    world.advance(hours=2)
    world.expect_mail("dieter@desy.example.org", "DESY-HH")
    change(world, "include")
    world.advance(minutes=10)
    change(world, "exclude")
    world.advance(hours=2)
    world.expect_no_mail()


@pytest.mark.parametrize("why", [{"by": "Ann"}, {"evidence": {"cause": "downtime"}}])
def test_not_the_robots_doing(world: World, why: dict[str, object]) -> None:
    """A site that a person pinned, or that declared a downtime, needs no mail about it."""
    world.tick()
    change(world, "exclude", **why)
    world.now = world.now.replace(hour=12)
    world.tick()
    world.expect_no_mail()
