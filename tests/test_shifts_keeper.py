"""The rota is kept: read when it is time, from the last good copy when the calendar is gone or is none any more."""

import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from helpdesk.config import settings_of
from helpdesk.errors import UnreachableError, UsageError
from helpdesk.shifts import bounded, kept
from helpdesk.shifts.configured import keeper as configured
from helpdesk.shifts.icalendars import expand
from helpdesk.shifts.keeper import REACH, REFRESH, Keeper, around
from helpdesk.shifts.source import Source
from helpdesk.shifts.values import CalendarError, Window
from tests.calendars import GOOGLE, JUNE, calendar, event, team, timed
from tests.minimal import HERE, MINIMAL, minimal
from tests.servers.calendar_server import CalendarServer, serving

NOW = datetime(2026, 6, 10, 9, 30, tzinfo=UTC)
TEXT = GOOGLE.encode()
OTHER = calendar(event("Sergey", *timed("20260610T080000Z", "20260610T160000Z")))
BOMB = event(
    "Never", *timed("20200101T000000Z", "20200101T080000Z"), "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"
)


@pytest.fixture
def server() -> Iterator[CalendarServer]:
    with serving(None, TEXT) as running:
        running.headers = {"ETag": '"v1"'}
        yield running


@pytest.fixture
def keeper(server: CalendarServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    """A keeper that expands in this process, which is quicker; another test looks at the process."""
    monkeypatch.setattr(bounded, "expand", expand)
    return _keeper(server.url(), tmp_path / "helpdesk.calendar")


def _keeper(place: str, path: Path | None) -> Keeper:
    return Keeper(Source(place), path, team("Aiden Archer", "Sergey"), "Europe/Zurich")


def _again(keeper: Keeper) -> Keeper:
    """The same board after a restart."""
    return Keeper(keeper.source, keeper.path, keeper.team, keeper.zone)


# -- copies ------------------------------------------------------------------------------------------------------


def test_a_good_calendar_is_kept(keeper: Keeper) -> None:
    """What was read is kept in a private file, and an unchanged calendar only renews its date."""
    rota = keeper.read(NOW, asked_at=NOW).rota
    assert [one.name for one in rota.on_duty(NOW)] == ["Aiden Archer"]
    assert (rota.origin.read_at, rota.origin.trouble, rota.origin.age) == (NOW, "", timedelta(0))
    assert keeper.path is not None
    assert stat.S_IMODE(keeper.path.stat().st_mode) == 0o600
    assert [path.name for path in keeper.path.parent.iterdir()] == ["helpdesk.calendar"]
    later = NOW + timedelta(hours=1)
    assert _again(keeper).read(NOW, asked_at=later).rota.origin.read_at == later
    copy = kept.load(keeper.path, keeper.source)
    assert copy is not None
    assert (copy.octets, copy.read_at, copy.validators.etag) == (TEXT, later, '"v1"')


def test_a_dead_server_harms_nothing(keeper: Keeper, server: CalendarServer) -> None:
    """When the server is gone the copy is used, after a restart too, and its age and the reason are told."""
    keeper.read(NOW, asked_at=NOW)
    server.status = 503
    server.headers = {}
    later = NOW + timedelta(days=3)
    for one in (keeper, _again(keeper)):
        rota = one.read(NOW, asked_at=later).rota
        assert [who.name for who in rota.on_duty(NOW)] == ["Aiden Archer"]
        assert (rota.origin.read_at, rota.origin.age) == (NOW, timedelta(days=3))
        assert "answers 503" in rota.origin.trouble
        assert "3 days old" in rota.problems(NOW)[0]
    server.status = 200
    assert keeper.read(NOW, asked_at=later).rota.origin.trouble == ""


@pytest.mark.parametrize(
    "octets", [b"", b"<html>Sign in</html>", TEXT[:-50], calendar(*[event()] * 2001), b"x" * 5_000_001]
)
def test_a_bad_calendar_does_not_replace_a_good_one(
    keeper: Keeper, server: CalendarServer, octets: bytes
) -> None:
    """What is no calendar any more, or too much of one, leaves the copy as it is."""
    keeper.read(NOW, asked_at=NOW)
    server.octets, server.headers = octets, {}
    rota = _again(keeper).read(NOW, asked_at=NOW).rota
    assert rota.on_duty(NOW)
    assert "127.0.0.1" in rota.origin.trouble or "localhost" in rota.origin.trouble
    copy = kept.load(keeper.path, keeper.source)
    assert copy is not None
    assert copy.octets == TEXT


def test_a_new_calendar_replaces_the_copy(keeper: Keeper, server: CalendarServer) -> None:
    """A good calendar takes the place of the last one, also if it says something else."""
    keeper.read(NOW, asked_at=NOW)
    server.octets, server.headers = OTHER, {"ETag": '"v2"'}
    assert [who.name for who in keeper.read(NOW, asked_at=NOW).rota.on_duty(NOW)] == ["Sergey"]
    server.status = 500
    server.headers = {}
    assert [who.name for who in _again(keeper).read(NOW, asked_at=NOW).rota.on_duty(NOW)] == ["Sergey"]


def test_without_a_copy_the_trouble_is_raised(keeper: Keeper, server: CalendarServer, tmp_path: Path) -> None:
    """A server that gives nothing, or no calendar, is an unreachable server; a file is a mistake of the configuration."""
    server.status = 404
    with pytest.raises(UnreachableError, match="answers 404"):
        keeper.read(NOW, asked_at=NOW)
    server.status, server.octets = 200, b"<html>"
    with pytest.raises(UnreachableError, match="is no iCalendar document"):
        keeper.read(NOW, asked_at=NOW)
    (tmp_path / "shifts.ics").write_bytes(b"<html>")
    with pytest.raises(UsageError, match="is no iCalendar document"):
        _keeper(str(tmp_path / "shifts.ics"), None).read(NOW, asked_at=NOW)
    assert not (tmp_path / "helpdesk.calendar").exists()


def test_the_copy_of_another_source_counts_for_nothing(keeper: Keeper, tmp_path: Path) -> None:
    """After the configuration names another calendar, the copy of the old one is not shown for it."""
    keeper.read(NOW, asked_at=NOW)
    with pytest.raises(UsageError, match=r"none\.ics"):
        _keeper(str(tmp_path / "none.ics"), keeper.path).read(NOW, asked_at=NOW)


@pytest.mark.parametrize("octets", [b"", b"\xff\n", b"[]\nx", b'{"source": 1}\nx', b"{" * 10_000])
def test_a_damaged_copy_is_no_copy(keeper: Keeper, octets: bytes) -> None:
    """Whatever stands in the file of the copy, the calendar is read, and the copy made anew."""
    assert keeper.path is not None
    keeper.path.write_bytes(octets)
    assert kept.load(keeper.path, keeper.source) is None
    assert keeper.read(NOW, asked_at=NOW).rota.on_duty(NOW)
    assert kept.load(keeper.path, keeper.source) is not None


def test_a_copy_that_cannot_be_kept_is_told(keeper: Keeper, tmp_path: Path) -> None:
    """Where no copy can be written the rota is there all the same, with a sentence; this process remembers it."""
    keeper.path = tmp_path / "none" / "helpdesk.calendar"
    rota = keeper.read(NOW, asked_at=NOW).rota
    assert rota.on_duty(NOW)
    assert "cannot be kept" in rota.problems(NOW)[0]
    keeper.source = Source(keeper.source.place.replace("shifts.ics", "gone"), None, seconds=1)
    assert keeper.read(NOW, asked_at=NOW).rota.on_duty(NOW)


def test_a_copy_that_somebody_deleted_is_made_again(keeper: Keeper) -> None:
    """The copy is a cache: who deletes it gets it back with the next reading."""
    keeper.read(NOW, asked_at=NOW)
    assert keeper.path is not None
    keeper.path.unlink()
    assert keeper.read(NOW, asked_at=NOW).rota.origin.notes == ()
    assert keeper.path.exists()


def test_who_changes_nothing_keeps_nothing(keeper: Keeper) -> None:
    """For a plan or a check a copy is used and none is written."""
    keeper.keep = False
    assert keeper.read(NOW, asked_at=NOW).rota.on_duty(NOW)
    assert keeper.path is not None
    assert not keeper.path.exists()


def test_a_file_that_is_gone(keeper: Keeper, tmp_path: Path) -> None:
    """A calendar in a file has a copy too: it may lie on a disk that is away."""
    path = tmp_path / "shifts.ics"
    path.write_bytes(TEXT)
    keeper.source = Source(str(path))
    keeper.read(NOW, asked_at=NOW)
    path.unlink()
    rota = _again(keeper).read(NOW, asked_at=NOW).rota
    assert rota.on_duty(NOW)
    assert "No such file" in rota.origin.trouble


# -- a daemon ----------------------------------------------------------------------------------------------------


def test_refresh_asks_now_and_then(keeper: Keeper, server: CalendarServer) -> None:
    """The source is asked every quarter of an hour, and when the day changes; in between the last rota stands."""
    rota = keeper.refresh(NOW)
    assert keeper.refresh(NOW + REFRESH - timedelta(seconds=1)) is rota
    assert keeper.latest is rota
    assert len(server.asked) == 1
    keeper.refresh(NOW + REFRESH)
    assert len(server.asked) == 2
    assert keeper.refresh(NOW + timedelta(days=1)).window == around(NOW + timedelta(days=1))
    assert len(server.asked) == 3
    keeper.refresh(NOW)
    assert len(server.asked) == 4


def test_refresh_survives_everything(keeper: Keeper, server: CalendarServer) -> None:
    """A daemon that began without a calendar goes on without one, and has it as soon as it is there."""
    server.status = 500
    with pytest.raises(UnreachableError):
        keeper.refresh(NOW)
    assert keeper.latest is None
    server.status = 200
    assert keeper.refresh(NOW + timedelta(minutes=1)).on_duty(NOW)
    server.status, server.headers = 500, {}
    rota = keeper.refresh(NOW + timedelta(days=2))
    assert rota.window == around(NOW + timedelta(days=2))
    assert rota.origin.trouble


def test_the_window_is_days_around_now() -> None:
    """A rota reaches forty days back and ahead, from midnight."""
    window = around(NOW)
    assert window.start == datetime(2026, 6, 10, tzinfo=UTC) - REACH
    assert window.contains(JUNE)
    assert not JUNE.contains(window)


def test_another_time_of_the_same_calendar(keeper: Keeper, server: CalendarServer) -> None:
    """A month far away is asked of the octets that were read, not of the server."""
    octets = calendar(event("Aiden", "DTSTART;VALUE=DATE:20200101", "RRULE:FREQ=YEARLY"))
    server.octets = octets
    reading = keeper.read(NOW, asked_at=NOW)
    far = Window(datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 2, 1, tzinfo=UTC))
    assert len(keeper.elsewhere(reading, far).shifts) == 1
    assert len(server.asked) == 1


# -- the process -------------------------------------------------------------------------------------------------


def test_the_process_says_what_the_library_says() -> None:
    """A calendar is expanded in a process of its own with the same result; what it refuses it refuses there too."""
    octets = calendar(GOOGLE.partition("VERSION:2.0\n")[2].rpartition("END:VCALENDAR")[0], event("Bad"))
    assert bounded.expand(octets, "Europe/Zurich", JUNE) == expand(octets, "Europe/Zurich", JUNE)
    with pytest.raises(CalendarError, match="is no iCalendar document"):
        bounded.expand(b"<html>", "UTC", JUNE)


def test_a_rule_that_never_matches_costs_only_itself() -> None:
    """A rule that would be computed up to the year 9999 is given up, and the other shifts are there."""
    found = bounded.expand(
        calendar(BOMB, event("Aiden", *timed("20260601T060000Z", "20260601T140000Z"))), "UTC", JUNE
    )
    assert [one.summary for one in found.occurrences] == ["Aiden"]
    assert found.notes == ('"Never" takes too long to compute: it is left out',)


def test_a_service_that_may_set_no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system forbids to set limits of memory (a hardened service) the calendar is read all the same."""
    program = (
        "import resource\n"
        "def refused(*_): raise PermissionError(1, 'Operation not permitted')\n"
        "resource.setrlimit = refused\n"
        "from helpdesk.shifts.expanding import main\n"
        "main()\n"
    )
    monkeypatch.setattr(bounded, "_PROGRAM", (*bounded._PROGRAM[:1], "-c", program))
    assert len(bounded.expand(TEXT, "Europe/Zurich", JUNE).occurrences) == 7


def test_a_process_that_cannot_work_is_a_bad_calendar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever becomes of the process, who asked gets CalendarError; it knows none of our secrets."""
    monkeypatch.setenv("HELPDESK_PASSWORD", "hunter2")
    for program, why in (
        ("import os, sys; sys.exit('HELPDESK_PASSWORD' in os.environ)", None),
        ("raise MemoryError", "MemoryError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "too long"),
        ("import time; time.sleep(60)", "too long"),
    ):
        monkeypatch.setattr(bounded, "_PROGRAM", (*bounded._PROGRAM[:1], "-c", program))
        monkeypatch.setattr(bounded, "WALL_SECONDS", 1)
        with pytest.raises(CalendarError if why else ValueError, match=why):
            bounded.expand(b"", "UTC", JUNE)


# -- settings ----------------------------------------------------------------------------------------------------

PEOPLE = """\
[[people]]
name = "Ann Archer"
addresses = ["Ann@example.org", "a@example.com"]
roles = ["shifter", "admin"]
timezone = "America/Chicago"
[[people]]
name = "Gil"
addresses = ["gil@example.org"]
roles = ["expert"]
[[people]]
name = "Dieter"
addresses = ["dieter@example.org"]
roles = ["contact"]
"""


def test_a_keeper_of_the_settings() -> None:
    """The team of the configuration can be named, contacts of sites cannot; the copy is beside the database."""
    assert configured(minimal()) is None
    one = configured(minimal('[shifts]\ncalendar = "shifts.ics"\nca_file = "ca.pem"\n' + PEOPLE))
    assert one is not None
    assert one.source == Source("/etc/helpdesk/shifts.ics", Path("/etc/helpdesk/ca.pem"))
    assert one.path == Path("/etc/helpdesk/helpdesk.calendar")
    found = [(who.name, who.addresses, who.zone, who.shifter) for who in one.team.people]
    assert found == [
        ("Ann Archer", ("ann@example.org", "a@example.com"), "America/Chicago", True),
        ("Gil", ("gil@example.org",), "UTC", False),
    ]


def test_a_board_on_postgresql_keeps_the_copy_beside_its_secret() -> None:
    """Where the database is a server, the copy is beside the board's secret; a database in memory has none."""
    shifts = '[shifts]\ncalendar = "https://example.org/x"\n[store]\nurl = '
    text = MINIMAL.replace("[board]", '[board]\nsecret_file = "dast.secret"')
    beside = configured(settings_of(HERE, f'{text}{shifts}"postgresql+psycopg://dast@db/dast"'))
    nowhere = configured(minimal(f'{shifts}"sqlite://"'))
    assert beside is not None
    assert nowhere is not None
    assert (beside.path, nowhere.path) == (Path("/etc/helpdesk/dast.calendar"), None)
    assert beside.source.shown == "example.org"
