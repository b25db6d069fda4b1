"""`helpdesk shifts`: the month as people draw it, at every width; who is on duty; and what programs get of it."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from helpdesk.cli.shifting import terminal_zone
from helpdesk.shifts import bounded
from helpdesk.shifts.icalendars import expand
from tests.calendars import calendar, event, timed
from tests.desk import T0, Desk, Said, environment, memory_desk, process
from tests.servers.calendar_server import serving
from tests.servers.process import free_port

NOW = "2026-06-09T09:00Z"
ZURICH = "Europe/Zurich"
PEOPLE = """\
[[people]]
name = "Sergey Ivanov"
addresses = ["sergey@example.org"]
roles = ["shifter"]
[[people]]
name = "Alden Smith"
addresses = ["alden@example.org"]
roles = ["shifter"]
"""
MORNING = event(
    "DAST shift: Ann", *timed("20260601T060000", "20260601T140000", ZURICH), "RRULE:FREQ=DAILY",
    "EXDATE;TZID=Europe/Zurich:20260610T060000", uid="m",
)  # fmt: skip
LATE = event("Sergey", *timed("20260601T140000", "20260601T220000", ZURICH), "RRULE:FREQ=DAILY")
NIGHT = event("Alden / Ann", *timed("20260531T220000", "20260601T060000", ZURICH), "RRULE:FREQ=DAILY")
SHIFTS = calendar(MORNING, LATE, NIGHT)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A board with a calendar; it is expanded in this process, which is quicker."""
    monkeypatch.setattr(bounded, "expand", expand)
    desk = memory_desk(tmp_path, monkeypatch)
    configure(desk)
    write(desk, SHIFTS)
    return desk


def configure(desk: Desk, place: str = "shifts.ics") -> None:
    desk.write_config(more=f'{PEOPLE}[shifts]\ncalendar = "{place}"\n')
    desk.config.write_text(desk.config.read_text().replace("[board]\n", f'[board]\ntimezone = "{ZURICH}"\n'))


def write(desk: Desk, octets: bytes) -> None:
    (desk.folder / "shifts.ics").write_bytes(octets)


def shifts(desk: Desk, *args: str, columns: int = 80, now: str = NOW) -> Said:
    said = desk.say("shifts", "--now", now, *args, columns=columns)
    assert (said.code, said.err) == (0, "")
    assert all(len(line) <= columns for line in said.out.splitlines()), said.out
    return said


# -- the month ---------------------------------------------------------------------------------------------------


def test_the_month_at_120_columns(desk: Desk) -> None:
    """Where there is room each slot is a line: its hours and who has it; the one that runs is marked, a gap is called that."""
    lines = shifts(desk, columns=120).out.splitlines()
    assert lines[0] == "June 2026, times of Europe/Zurich"
    assert lines[1].split() == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    week = next(number for number, line in enumerate(lines) if line.startswith(" 8 "))
    assert re.findall(r"\d+(?: today)?", lines[week]) == ["8", "9 today", "10", "11", "12", "13", "14"]
    assert lines[week + 1].split() == ["06-14", "Ann", ">06-14", "Ann", "06-14", "gap", *["06-14", "Ann"] * 4]
    assert lines[week + 2].count("14-22 Sergey") == 7
    assert lines[week + 3].count("22-06 Alden") == 7
    assert lines[week + 4].split() == ["Ann"] * 7  # who shares the night


@pytest.mark.parametrize("columns", [60, 80])
def test_the_month_on_a_small_terminal(desk: Desk, columns: int) -> None:
    """At 80 and at 60 columns the grid has names below the hours, and every name is whole."""
    out = shifts(desk, columns=columns).out
    assert out.splitlines()[1].split() == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert out.count("Sergey ") >= 30
    assert "…" not in out


def test_the_month_as_a_list(desk: Desk) -> None:
    """Below 60 columns the month is a list, a slot a line, without the days of other months."""
    lines = shifts(desk, columns=50).out.splitlines()
    assert "Tue  9 >06-14 Ann" in lines
    assert "Wed 10  06-14 gap" in lines
    assert (
        len([line for line in lines if re.match(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [ \d]\d  ?>?-?\d", line)])
        == 30
    )


def test_other_zones_and_months(desk: Desk) -> None:
    """--zone shows the hours of another place, and --month another month of any year."""
    assert "23-07 Ann" in shifts(desk, "--zone", "America/Chicago", columns=120).out
    out = shifts(desk, "--month", "2031-12", columns=120).out
    assert out.startswith("December 2031, times of Europe/Zurich")
    assert out.count("14-22 Sergey") == 35  # the week of 29 December ends in January
    assert "today" not in out
    assert "Ann Archer until Tue 9 Jun 14:00" in out


def test_the_nights_in_which_the_clocks_change(desk: Desk) -> None:
    """A night of seven or nine hours is drawn by the clock."""
    for month, day in (("2027-03", 28), ("2026-10", 25)):
        out = shifts(desk, "--month", month, columns=120).out
        (week,) = [line for line in out.splitlines() if re.search(rf"\b{day} ─+$", line)]
        assert week
        assert "gap" not in out
        assert out.count("22-06 Alden") == out.count("14-22 Sergey")


def test_days_and_odd_hours(desk: Desk) -> None:
    """Whole days, shifts over several days, and hours that are not full are told as what they are."""
    write(
        desk,
        calendar(
            event("Ann", "DTSTART;VALUE=DATE:20260602"),
            event("Sergey", *timed("20260603T063000", "20260603T140000", ZURICH)),
            event("Alden", *timed("20260604T180000", "20260606T080000", ZURICH)),
        ),
    )
    lines = shifts(desk, columns=50, now="2026-06-01T08:00Z").out.splitlines()
    wanted = ["Tue  2  all day Ann", "Wed  3  00-0630 gap", "        0630-14 Sergey", "Thu  4  -18   gap"]
    wanted += ["        18-   Alden", "Fri  5  all day Alden", "Sat  6  -08   Alden", "Sun  7  all day gap"]
    assert [line for line in wanted if line not in lines] == []
    lines = shifts(desk, columns=50, now="2026-06-05T08:00Z").out.splitlines()
    assert [line for line in lines if ">" in line] == ["Fri  5 >all day Alden"]


def test_an_unknown_name_is_marked(desk: Desk) -> None:
    """A name that fits nobody of the team has a question mark, and the week ahead says who may be meant."""
    write(desk, calendar(MORNING, LATE.replace("Sergey", "Sergei"), NIGHT))
    out = shifts(desk).out
    assert "Sergei?" in out
    assert "did you mean Sergey Ivanov?" in " ".join(out.split())


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_hostile_names_are_harmless(desk: Desk, columns: int) -> None:
    """No escape, bidi mark, line end or markup of a summary reaches the terminal, and no name breaks the grid."""
    hostile = "\x1b[31m\u202egnp.exe [/foo] [bold]x :smile: 漢字漢字漢字漢字 " + "y" * 300
    write(desk, calendar(event(hostile, *timed("20260609T060000Z", "20260609T140000Z"))))
    out = desk.say("shifts", "--now", NOW, columns=columns).out
    assert all(sign.isprintable() for line in out.splitlines() for sign in line)
    assert "\u202e" not in out
    assert desk.say("shifts", "--now", NOW, "--json").out.isascii()


# -- who and what ------------------------------------------------------------------------------------------------


def test_who_is_on_duty(desk: Desk) -> None:
    """Below the month: who has the shift until when, who comes next, who was before, and what is to be put right."""
    out = " ".join(shifts(desk).out.split())
    assert "on duty Ann Archer until Tue 9 Jun 14:00" in out
    assert "next Sergey Ivanov from Tue 9 Jun 14:00" in out
    assert "before Alden Smith and Ann Archer from Mon 8 Jun 22:00" in out
    assert "To put right until Tue 16 Jun - nobody has a shift Wed 10 Jun 06:00-14:00" in out
    assert "nothing: no gap" in shifts(desk, now="2026-06-20T09:00Z").out
    assert "on duty nobody" in " ".join(shifts(desk, now="2026-06-10T09:00Z").out.split())


def test_the_document(desk: Desk) -> None:
    """--json has the month's shifts, gaps and overlaps, who is on duty, and the problems; all times are UTC."""
    write(
        desk, calendar(MORNING, LATE, NIGHT, event("Zorro", *timed("20260609T123000Z", "20260609T130000Z")))
    )
    told = desk.read("shifts", "--now", NOW)
    assert (told["now"], told["month"], told["zone"]) == ("2026-06-09T09:00:00Z", "2026-06", ZURICH)
    assert told["on_duty"] == [{"name": "Ann Archer", "address": "ann@example.org", "zone": ZURICH}]
    morning = {
        "start": "2026-06-09T04:00:00Z",
        "end": "2026-06-09T12:00:00Z",
        "people": ["Ann Archer"],
        "unknown": [],
    }
    assert told["current"] == [morning]
    assert [one["people"] for one in told["previous"]] == [["Alden Smith", "Ann Archer"]]
    assert [one["start"] for one in told["following"]] == [told["next_start"]] == ["2026-06-09T12:00:00Z"]
    assert told["gaps"] == [{"start": "2026-06-10T04:00:00Z", "end": "2026-06-10T12:00:00Z"}]
    overlap = {
        "start": "2026-06-09T12:30:00Z",
        "end": "2026-06-09T13:00:00Z",
        "names": ["Sergey Ivanov", "Zorro?"],
    }
    assert told["overlaps"] == [overlap]
    assert morning in told["shifts"]
    assert len(told["shifts"]) == 30 + 29 + 31 + 1
    assert told["calendar"]["trouble"] is None
    assert told["calendar"]["notes"] == []
    assert [line.split()[0] for line in told["problems"]] == ['"Zorro"', "nobody", "Sergey"]


def test_the_time_of_a_simulated_board(desk: Desk) -> None:
    """Without --now a simulated board shows the time of its last cycle, and nothing is marked by looking."""
    desk.run(T0)
    assert desk.read("shifts")["now"] == "2026-06-08T08:00:00Z"
    assert desk.read("shifts", "--now", "2030-01-01")["now"] == "2030-01-01T00:00:00Z"
    assert desk.read("shifts")["now"] == "2026-06-08T08:00:00Z"


# -- exit codes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["--month", "june"], "is no month"),
        (["--month", "2026-13"], "is no month"),
        (["--zone", "Middle/Earth"], "not a time zone"),
        (["--now", "noon"], "ISO 8601"),
    ],
)
def test_wrong_usage(desk: Desk, args: list[str], why: str) -> None:
    """An option that cannot be meant ends with 2 and says what it should look like."""
    said = desk.say("shifts", *args, columns=200)
    assert (said.code, said.out) == (2, "")
    assert why in said.err


def test_without_a_calendar(desk: Desk) -> None:
    """A board without a calendar, and one whose file is no calendar, end with 2 and a sentence."""
    write(desk, b"<html>Sign in</html>")
    said = desk.say("shifts")
    assert (said.code, said.out) == (2, "")
    assert "is no iCalendar document" in said.err
    desk.write_config()
    said = desk.say("shifts", "--json")
    assert (said.code, said.out) == (2, "")
    assert "[shifts] calendar" in said.err


def test_a_server_that_is_gone(desk: Desk) -> None:
    """A calendar that cannot be reached ends with 3 as long as there is no copy; with one it is shown, with its age."""
    with serving(None, SHIFTS) as server:
        url = server.url()
        configure(desk, url)
        assert desk.read("shifts", "--now", NOW)["calendar"]["trouble"] is None
    told = desk.read("shifts", "--now", NOW)
    assert "localhost" in told["calendar"]["trouble"]
    assert told["on_duty"][0]["name"] == "Ann Archer"
    assert "a copy of" in shifts(desk).out
    configure(desk, f"https://localhost:{free_port()}/secret-token/basic.ics")
    said = desk.say("shifts")
    assert (said.code, said.out) == (3, "")
    assert "localhost" in said.err
    assert "secret-token" not in said.err


def test_the_installed_program(desk: Desk, tmp_path: Path) -> None:
    """The program itself draws the month, without a terminal in the board's zone whatever this machine's is."""
    said = process(
        tmp_path, "shifts", "--now", NOW, COLUMNS="120", TZ="Asia/Tokyo", PYTHONIOENCODING="ascii:replace"
    )
    assert (said.code, said.err) == (0, "")
    assert ">06-14 Ann" in said.out
    assert " 8 -------" in said.out
    assert desk.folder == tmp_path
    assert (tmp_path / "helpdesk.calendar").exists()


# -- a terminal --------------------------------------------------------------------------------------------------


def test_colours_and_the_zone_of_a_terminal(desk: Desk, terminal: Callable[..., str]) -> None:
    """At a terminal each person has a colour, what runs is reversed, and the hours are those of who looks."""
    out = terminal("shifts", "--now", NOW, TZ="America/Chicago")
    assert "America/Chicago" in out
    assert out.count("\x1b[36m23-07 Ann") + out.count("36m23-07 Ann") > 10
    assert re.search(r"\x1b\[1;7;36m23-07 Ann", out)
    assert "\x1b[1;31m23-07 gap" in out
    assert (desk.folder / "helpdesk.calendar").exists()


@pytest.mark.parametrize(
    ("environment", "zone"),
    [
        ({"TZ": "America/Chicago"}, "America/Chicago"),
        ({"TZ": ":Asia/Tokyo"}, "Asia/Tokyo"),
        ({"TZ": "CET-1CEST"}, None),
        ({"TZ": ""}, None),
        ({}, "Europe/Zurich"),
    ],
)
def test_the_zone_of_who_looks(tmp_path: Path, environment: dict[str, str], zone: str | None) -> None:
    """TZ counts before the machine's own zone; a zone without a name is none, and without a terminal nobody looks."""
    (tmp_path / "zoneinfo" / "Europe").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "Europe" / "Zurich").touch()
    localtime = tmp_path / "localtime"
    localtime.symlink_to(tmp_path / "zoneinfo" / "Europe" / "Zurich")
    assert terminal_zone(terminal=True, environment=environment, localtime=localtime) == zone
    assert terminal_zone(terminal=False, environment=environment, localtime=localtime) is None
    assert terminal_zone(terminal=True, environment={}, localtime=tmp_path / "none") is None


@pytest.fixture
def terminal(desk: Desk) -> Callable[..., str]:
    """Run a command at a terminal of its own, 120 columns wide; what it wrote."""
    return lambda *args, **env: _at_a_terminal(desk.folder, *args, **env)


def _at_a_terminal(folder: Path, *args: str, **env: str) -> str:
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "helpdesk", *args],
        cwd=folder,
        env=environment(COLUMNS="120", TERM="xterm-256color", **env),
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    octets = b""
    with suppress(OSError):  # EIO: the other end is closed
        while chunk := os.read(master, 65_536):
            octets += chunk
    os.close(master)
    assert child.wait(60) == 0, octets
    return octets.decode()
