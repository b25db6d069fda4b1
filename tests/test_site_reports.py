"""The weekly report by mail: one a site and week, on Monday morning where the site is, whatever happens to the daemon."""

import email
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from sqlalchemy import select, update

from helpdesk.ports import Letter
from helpdesk.reports import pictures
from helpdesk.store import records, site_orders
from helpdesk.store.core import OUTBOX
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.stories.test_commands import AUTH
from tests.test_command_crashes import dying
from tests.weeks import BAD, GOOD, jobs
from tests.world import CONFIG, World

DIETER = "dieter@desy.example.org"
ON = "\n[reports]\nenabled = true\n"
TEMPLATE = (
    '[[dataset]]\nname = "zmumu"\ninputs = ["zmumu.root"]\n'
    '[[template]]\nname = "read"\nexperiment = "atlas"\npayload = "read"\ndataset = "zmumu"\n'
)
PEOPLE = f'[[people]]\nname = "Dieter Dahl"\naddresses = ["{DIETER}"]\nroles = ["contact"]\n'
DUE = datetime(2026, 6, 15, 6, 0, tzinfo=UTC)  # Monday 08:00 in Berlin
COMMITS = 8


def site(name: str, zone: str = "Europe/Berlin", contacts: str = '["Dieter Dahl"]') -> str:
    return (
        f'[[site]]\nname = "{name}"\ntimezone = "{zone}"\ncontacts = {contacts}\n'
        f'[[site.queue]]\nexperiment = "atlas"\nqueue = "{name}"\n'
    )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A board that has seen the Sunday before, and a week of jobs at DESY-HH."""
    made = begun(tmp_path, PEOPLE + site("DESY-HH") + AUTH + ON)
    with made.engine.begin() as conn:
        records.add(conn, [*jobs(GOOD, 300), *jobs(BAD, 30, node="wn-117", raw={"log": "cannot open it"})])
    yield made
    made.close()


def begun(folder: Path, more: str) -> World:
    server = MemoryServer()
    made = World(server, lambda: MemoryMailbox(server), folder, CONFIG + more)
    made.now = DUE - timedelta(hours=10)
    made.tick()
    return made


def at(world: World, moment: datetime) -> None:
    world.now = moment
    world.tick()


def parsed(letter: Letter) -> EmailMessage:
    message = email.message_from_bytes(letter.content, policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


def home(world: World, letter: Letter) -> None:
    """The board's own copy comes home."""
    world.human.deliver("INBOX", letter.content, world.now, ())


def test_monday_morning(world: World) -> None:
    """The report comes at eight of the site's Monday, not before, once, and says what to fix with the end of a log."""
    at(world, DUE - timedelta(seconds=1))
    world.expect_no_mail()
    at(world, DUE)
    letter = world.expect_mail(DIETER, "DESY-HH week 24: 1 to fix (stage-in, 1 node)", "cannot open it")
    assert DIETER in str(parsed(letter)["To"])
    for _ in range(3):
        world.advance(minutes=1)
    world.advance(days=2)
    world.expect_no_mail()


def test_every_week(world: World) -> None:
    """The next week has a report of its own, also if nobody looked in it."""
    at(world, DUE)
    world.expect_mail(DIETER, "week 24")
    at(world, DUE + timedelta(days=7))
    world.expect_mail(DIETER, "week 25: nobody looked")


def test_pictures_lie_beside_the_page(world: World) -> None:
    """The page shows its pictures from its own mail, and all of it is smaller than 100 KB; the text needs none."""
    if not pictures.available():
        pytest.skip("matplotlib is not installed")
    at(world, DUE)
    letter = world.expect_mail(DIETER)
    images = [one for one in parsed(letter).walk() if one.get_content_type() == "image/png"]
    page = parsed(letter).get_body(("html",))
    assert page is not None
    ids = [str(one["Content-ID"]).strip("<>") for one in images]
    assert len(ids) == 2  # no peers to be among
    assert all(f'src="cid:{one}"' in page.get_content() for one in ids)
    assert all(one.get_content().startswith(b"\x89PNG") for one in images)
    assert len(letter.content) < 100_000


def test_without_matplotlib(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no pictures can be drawn the mail goes without them."""
    monkeypatch.setattr(pictures, "available", lambda: False)
    at(world, DUE)
    letter = world.expect_mail(DIETER, "1 to fix")
    assert parsed(letter).get_content_type() == "multipart/alternative"
    assert b"image/png" not in letter.content


@pytest.mark.parametrize(("hours", "told"), [(47, True), (49, False)])
def test_a_daemon_that_was_away(world: World, hours: int, told: bool) -> None:
    """Who comes back within two days still sends it; later it is no news."""
    at(world, DUE + timedelta(hours=hours))
    assert bool(world.mailer.arrived) == told
    world.expected = len(world.mailer.arrived)


def test_a_new_board(tmp_path: Path) -> None:
    """A board that begins after the moment says nothing about a week that it has not seen end."""
    server = MemoryServer()
    world = World(server, lambda: MemoryMailbox(server), tmp_path, CONFIG + PEOPLE + site("DESY-HH") + ON)
    world.now = DUE + timedelta(minutes=1)
    world.tick()
    world.advance(hours=2)
    world.close()


def test_the_database_is_lost(world: World) -> None:
    """Whoever loses the database mails nothing again."""
    at(world, DUE)
    home(world, world.expect_mail(DIETER))
    world.tick()
    world.lose_database()
    world.advance(minutes=5)
    world.advance(hours=20)
    world.expect_no_mail()


def test_a_backup_is_restored(world: World) -> None:
    """A database from before the mail finds the copy that came home: no contact gets it again, then or when a person lets mails go."""
    world.backup()
    at(world, DUE)
    home(world, world.expect_mail(DIETER))
    world.tick()
    world.restore()
    world.advance(minutes=5)
    world.ask("resume")
    world.advance(minutes=5)
    again = [one for one in world.mailer.arrived[1:] if DIETER in one.recipients]
    assert again == []
    with world.engine.connect() as conn:
        [state] = conn.execute(select(OUTBOX.c.state).where(OUTBOX.c.rule == "site_report")).scalars()
    assert state == "observed"
    world.expected = len(world.mailer.arrived)  # the admins hear that mails were held


@pytest.mark.parametrize("commit", range(1, COMMITS))
def test_a_crash_before_any_commit(world: World, commit: int) -> None:
    """A process that dies before any commit of that morning leaves one mail in the end, or the same one again."""
    world.now = DUE
    with dying(world, commit):
        world.tick()
    world._board = None
    for _ in range(3):
        world.advance(minutes=20)
    ids = {str(parsed(one)["Message-ID"]) for one in world.mailer.arrived}
    assert len(ids) == 1
    assert len(world.mailer.arrived) <= 2
    with world.engine.connect() as conn:
        assert len(conn.execute(select(OUTBOX.c.id).where(OUTBOX.c.rule == "site_report")).all()) == 1
    world.expected = len(world.mailer.arrived)


def test_off_by_default(world: World) -> None:
    """Nobody gets a report who was not promised one."""
    world.reconfigure(without=ON)
    at(world, DUE)
    world.expect_no_mail()


def test_another_moment(world: World) -> None:
    """The team may choose another moment of the week; the report is of the week that was over then."""
    world.reconfigure(without=ON, more='\n[reports]\nenabled = true\nweekly = "Tuesday 10:30"\n')
    at(world, DUE + timedelta(days=1, hours=2, minutes=29))
    world.expect_no_mail()
    world.advance(minutes=1)
    world.expect_mail(DIETER, "week 24")


def test_each_in_its_own_time(tmp_path: Path) -> None:
    """Sites east and west have their Monday at different times; who has no contacts gets none."""
    world = begun(
        tmp_path,
        PEOPLE
        + site("TOKYO", "Asia/Tokyo")
        + site("FNAL", "America/Chicago")
        + site("X", contacts="[]")
        + ON,
    )
    at(world, datetime(2026, 6, 14, 23, 0, tzinfo=UTC))
    world.expect_mail(DIETER, "TOKYO week 24")
    at(world, datetime(2026, 6, 15, 12, 59, tzinfo=UTC))
    world.expect_no_mail()
    world.advance(minutes=1)
    world.expect_mail(DIETER, "FNAL week 24")
    world.advance(hours=5)
    world.close()


def test_a_few_at_a_time(tmp_path: Path) -> None:
    """Forty sites of one zone get theirs five in ten minutes: no brake trips, no cap holds one, each gets one."""
    world = begun(tmp_path, PEOPLE + "".join(site(f"S{n:02}") for n in range(40)) + ON)
    at(world, DUE)
    assert len(world.mailer.arrived) == 5
    for _ in range(90):
        assert world.advance(minutes=2).held == []
    subjects = [str(parsed(one)["Subject"]) for one in world.mailer.arrived]
    assert len(subjects) == len(set(subjects)) == 40
    world.expected = 40
    world.close()


def test_a_clock_that_was_weeks_ahead(tmp_path: Path) -> None:
    """What was sent by a clock that was weeks ahead keeps no report of the weeks until then."""
    world = begun(tmp_path, PEOPLE + "".join(site(f"S{n:02}") for n in range(6)) + ON)
    at(world, DUE)
    with world.engine.begin() as conn:
        conn.execute(update(OUTBOX).values(planned_at=DUE + timedelta(days=30)))
    for _ in range(10):
        world.advance(minutes=2)
    assert len(world.mailer.arrived) == 6
    world.expected = 6
    world.close()


def test_observe_mode(world: World) -> None:
    """A board that only observes mails no contact."""
    world.config = world.config.replace('act = "act"', 'act = "observe"')
    world.reconfigure()
    at(world, DUE)
    assert not any(DIETER in one.recipients for one in world.mailer.arrived)
    world.expected = len(world.mailer.arrived)


def answer(world: World, letter: Letter, words: str) -> str:
    return world.incoming(
        DIETER,
        "Re: your report",
        body=words,
        listed=False,
        to=str(parsed(letter)["Reply-To"]),
        headers={"Authentication-Results": "mx.example.org; dmarc=pass header.from=desy.example.org"},
    )


def test_an_answer_in_words(world: World) -> None:
    """An answer to a report is read by a human: it is a thread, and needs attention."""
    at(world, DUE)
    letter = world.expect_mail(DIETER)
    home(world, letter)
    wrong = answer(world, letter, "The node was taken out on Tuesday.")
    world.advance(minutes=5)
    assert world.thread(wrong)["attention"]


@pytest.mark.parametrize("place", range(3))
def test_every_command_that_a_report_names(world: World, place: int) -> None:
    """What a report tells a contact to write is obeyed for that site, as it stands there."""
    world.config += TEMPLATE + site("RAL")  # so that the site is not his only one
    world.reconfigure()
    at(world, DUE)
    letters = {str(parsed(one)["Subject"]).split()[1]: one for one in world.mailer.arrived}
    world.expected = 2
    letter = letters["DESY-HH"]
    body = parsed(letter).get_body(("plain",))
    assert body is not None
    named = " ".join(str(body.get_content()).split()).partition("Or helpdesk: ")[2].split(" | ")
    answer(world, letter, f"helpdesk: {named[place]}")
    world.advance(minutes=1)
    said = world.expect_mail(DIETER, "DESY-HH")
    assert "sorry" not in said.content.decode()
    with world.engine.connect() as conn:
        held = [(one.site, one.kind.value) for one in site_orders.in_force(conn, world.now)]
    expected: list[list[tuple[str, str]]] = [[], [("DESY-HH", "out")], [("DESY-HH", "pause")]]
    assert held == expected[place]


def test_asked_for(world: World) -> None:
    """Somebody may have one sent more; that does not take the place of the scheduled one."""
    world.now = DUE - timedelta(hours=1)
    world.ask("site_report", site="DESY-HH", week="2026-W24")
    world.expect_mail(DIETER, "DESY-HH week 24")
    at(world, DUE)
    world.expect_mail(DIETER, "DESY-HH week 24")
    world.ask("site_report", site="GONE", week="2026-W24")
    world.expect_no_mail()
