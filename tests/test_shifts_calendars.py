"""Calendars of real programs and of hostile ones: what they say about a window, and what is left out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.shifts.content import MAX_DATES, MAX_EVENTS
from helpdesk.shifts.icalendars import expand
from helpdesk.shifts.values import Attendee, CalendarError, Expanded, Window
from tests.calendars import (
    APPLE,
    GOOGLE,
    JUNE,
    NEXTCLOUD,
    OUTLOOK,
    calendar,
    event,
    timed,
    told,
    zone_definition,
)

ZURICH = "Europe/Zurich"
CHICAGO = "America/Chicago"
SIX = timed("20260601T060000", "20260601T140000", ZURICH)


def in_june(octets: bytes, zone: str = ZURICH) -> Expanded:
    return expand(octets, zone, JUNE)


# -- programs ----------------------------------------------------------------------------------------------------


def test_google() -> None:
    """Google: a weekly shift without its exception, one occurrence moved to somebody else, a UTC time, a whole day."""
    found = in_june(GOOGLE.encode())
    assert told(found) == [
        "0601 0400-1200 DAST shift: Aiden",
        "0603 0400-1200 DAST shift: Aiden",
        "0608 0700-1200 DAST shift: Sergey",
        "0610 0400-1200 DAST shift: Aiden",
        "0612 0400-1200 DAST shift: Aiden",
        "0613 1200-2000 Aiden, Sergey",
        "0613 2200-0614 2200 Alden",
    ]
    assert found.occurrences[0].attendees == (Attendee("Aiden Archer", "aiden@example.org"),)
    assert found.notes == ()


def test_outlook() -> None:
    """Exchange: zones by their Windows names with and without a definition, a zone of its own, a cancelled shift."""
    found = in_june(OUTLOOK.encode())
    assert told(found) == [
        "0601 0400-1200 Aiden / Sergey",
        "0603 0400-1200 Aiden / Sergey",
        "0604 0630-1430 Alden",
        "0605 2000-0606 0400 Gil",
    ]
    assert found.notes == ()


def test_apple() -> None:
    """Apple: whole days that repeat are days of the board's zone, and a floating time is the board's."""
    assert told(in_june(APPLE.encode())) == [
        "0607 2200-0609 2200 Jürgen\u2013Bereitschaft",
        "0614 2200-0616 2200 Jürgen\u2013Bereitschaft",
        "0620 2000-0621 0400 Alden",
    ]


def test_nextcloud() -> None:
    """Nextcloud: a definition of a zone after its use, one occurrence cancelled, attendees without rooms and refusals."""
    found = in_june(NEXTCLOUD.encode())
    assert told(found) == [f"06{day} 1300-2100 Support" for day in ("01", "08", "22")]
    assert found.occurrences[0].attendees == (Attendee("Archer, Aiden", "aiden@example.org"),)


# -- time --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (ZURICH, "20260329", 23),
        (ZURICH, "20261025", 25),
        (CHICAGO, "20260308", 23),
        (CHICAGO, "20261101", 25),
        (ZURICH, "20260608", 24),
    ],
)
def test_a_whole_day_is_as_long_as_it_is(zone: str, day: str, hours: int) -> None:
    """An all-day shift lasts from midnight to midnight in the board's zone: 23 or 25 hours when the clocks change."""
    start = datetime.strptime(day, "%Y%m%d").replace(tzinfo=ZoneInfo(zone))
    octets = calendar(event("Aiden", f"DTSTART;VALUE=DATE:{day}"))
    (found,) = expand(octets, zone, Window(start, start + timedelta(days=1))).occurrences
    assert found.start == start
    assert found.end - found.start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("zone", "night", "hours"),
    [(ZURICH, "20260328", 7), (ZURICH, "20261024", 9), (CHICAGO, "20260307", 7), (CHICAGO, "20261031", 9)],
)
def test_a_night_shift_ends_by_the_clock(zone: str, night: str, hours: int) -> None:
    """A nightly shift from 22:00 to 06:00 meets the next shift at 06:00 also in the nights in which the clocks change."""
    octets = calendar(
        event("Aiden", *timed("20260101T220000", "20260102T060000", zone), "RRULE:FREQ=DAILY"),
        event("Alden", *timed("20260101T060000", "20260101T220000", zone), "RRULE:FREQ=DAILY"),
    )
    start = datetime.strptime(f"{night}23", "%Y%m%d%H").replace(tzinfo=ZoneInfo(zone))
    first, second = expand(octets, "UTC", Window(start, start + timedelta(hours=12))).occurrences
    assert first.end == second.start
    assert first.end - first.start == timedelta(hours=hours)
    assert second.start.astimezone(ZoneInfo(zone)).hour == 6


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (
            "20260329T023000",
            "20260329T060000",
            "0329 0130-0400 Aiden",
        ),  # RFC 5545 3.3.5: the offset before the gap
        ("20261025T023000", "20261025T060000", "1025 0030-0500 Aiden"),  # and the first of two equal times
    ],
)
def test_hours_that_are_not_or_are_twice(start: str, end: str, said: str) -> None:
    """A start in the hour that is left out counts by the offset before it; one in the hour that comes twice is the first."""
    year = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert told(expand(calendar(event("Aiden", *timed(start, end, ZURICH))), "UTC", year)) == [said]


def test_utc_times_repeat_in_the_zone_of_the_calendar() -> None:
    """X-WR-TIMEZONE: a shift that repeats at a UTC time keeps its hour by the clocks of that zone; without it, by UTC."""
    shift = event("Aiden", *timed("20260105T050000Z", "20260105T130000Z"), "RRULE:FREQ=WEEKLY;COUNT=22")
    assert told(in_june(calendar(shift, head="X-WR-TIMEZONE:Europe/Zurich")))[0] == "0601 0400-1200 Aiden"
    assert told(in_june(calendar(shift)))[0] == "0601 0500-1300 Aiden"
    assert told(in_june(calendar(shift, head="X-WR-TIMEZONE:../../etc/passwd")))[0] == "0601 0500-1300 Aiden"


@pytest.mark.parametrize(
    ("tzid", "hour"),
    [
        ("/freeassociation.sourceforge.net/Europe/Berlin", 4),
        ("/Europe/Berlin", 4),
        ("Eastern Standard Time", 10),
        ('"Europe/Moscow"', 3),
        ("UTC", 6),
    ],
)
def test_names_of_zones(tzid: str, hour: int) -> None:
    """Names of Windows, names with a vendor before them, and quoted ones are understood without a definition."""
    (found,) = in_june(
        calendar(event("Aiden", *timed("20260601T060000", "20260601T140000", tzid)))
    ).occurrences
    assert found.start == datetime(2026, 6, 1, hour, tzinfo=UTC)


def test_an_unknown_zone_is_told() -> None:
    """A zone that nobody knows and nothing defines: its times are the board's, and a sentence says so."""
    found = in_june(calendar(event("Aiden", *timed("20260601T060000", "20260601T140000", "Middle/Earth"))))
    assert told(found) == ["0601 0400-1200 Aiden"]
    assert found.notes == ('the time zone "Middle/Earth" is unknown: its times are taken for the board\'s',)


@pytest.mark.parametrize(
    "observances",
    [
        ["STANDARD 19700101T000000 +0000 +0100 FREQ=SECONDLY"],
        ["STANDARD 19700101T000000 +0000 +0100 FREQ=YEARLY;BYHOUR=1,2,3;BYMINUTE=0"],
        ["STANDARD 19700101T000000 noon night FREQ=YEARLY"],
        ["STANDARD 19700101T000000 +0000 +0100 FREQ=YEARLY"] * 300,
    ],
    ids=["every second", "every hour", "no offsets", "too long"],
)
def test_a_definition_that_is_a_trap_is_no_zone(observances: Sequence[str]) -> None:
    """A zone whose clocks change every second, or that cannot be read, is as unknown as one without a definition."""
    shift = event("Aiden", *timed("20260601T060000", "20260601T140000", "Trap"))
    found = in_june(calendar(zone_definition("Trap", *observances), shift))
    assert told(found) == ["0601 0400-1200 Aiden"]
    assert "Trap" in found.notes[0]


def test_a_custom_zone_changes_its_clocks() -> None:
    """A zone of the calendar's own invention follows its definition, winter and summer."""
    definition = zone_definition(
        "Our hall",
        "STANDARD 19701025T030000 +0500 +0400 FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
        "DAYLIGHT 19700329T020000 +0400 +0500 FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    )
    nights = event("Aiden", *timed("20260105T060000", "20260105T140000", "Our hall"), "RRULE:FREQ=MONTHLY")
    year = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
    starts = [one.start.hour for one in expand(calendar(definition, nights), ZURICH, year).occurrences]
    assert starts == [2, 2, 2, 1, 1, 1]


# -- series ------------------------------------------------------------------------------------------------------


def test_this_and_future() -> None:
    """RANGE=THISANDFUTURE hands the rest of a series to somebody else, at other hours."""
    octets = calendar(
        event("Aiden", *SIX, "RRULE:FREQ=DAILY;COUNT=4", uid="s"),
        event(
            "Sergey",
            *timed("20260603T080000", "20260603T140000", ZURICH),
            "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Zurich:20260603T060000",
            uid="s",
        ),
    )
    assert told(in_june(octets)) == [
        "0601 0400-1200 Aiden", "0602 0400-1200 Aiden", "0603 0600-1200 Sergey", "0604 0600-1200 Sergey",
    ]  # fmt: skip


def test_events_that_share_a_uid_by_mistake() -> None:
    """A home-made calendar in which all events have one UID loses none; where SEQUENCE tells versions apart the last counts."""
    sixth = timed("20260606T060000", "20260606T140000", ZURICH)
    both = calendar(event("Aiden", *SIX, uid="x"), event("Sergey", *sixth, uid="x"))
    assert told(in_june(both)) == ["0601 0400-1200 Aiden", "0606 0400-1200 Sergey"]
    versions = calendar(
        event("Aiden", *SIX, "SEQUENCE:0", uid="x"), event("Sergey", *sixth, "SEQUENCE:1", uid="x")
    )
    assert told(in_june(versions)) == ["0606 0400-1200 Sergey"]


def test_a_new_version_may_lie_elsewhere() -> None:
    """A shift that was moved out of the window by a later version is not shown at its old time."""
    octets = calendar(
        event("Aiden", *SIX, "SEQUENCE:0", uid="x"),
        event("Aiden", *timed("20270601T060000", "20270601T140000", ZURICH), "SEQUENCE:1", uid="x"),
    )
    assert told(in_june(octets)) == []


def test_additional_dates() -> None:
    """RDATE adds dates, and one with a period its own length."""
    octets = calendar(
        event(
            "Aiden", *timed("20260601T060000Z", "20260601T140000Z"), "RDATE:20260603T060000Z",
            "RDATE;VALUE=PERIOD:20260605T060000Z/PT2H",
        )
    )  # fmt: skip
    assert told(in_june(octets)) == ["0601 0600-1400 Aiden", "0603 0600-1400 Aiden", "0605 0600-0800 Aiden"]


def test_only_what_touches_the_window() -> None:
    """What ends as the window begins, or begins as it ends, is outside; what reaches into it is whole."""
    octets = calendar(
        event("before", *timed("20260531T160000Z", "20260601T000000Z")),
        event("into", *timed("20260531T160000Z", "20260601T000001Z")),
        event("over", *timed("20260630T235959Z", "20260701T080000Z")),
        event("after", *timed("20260701T000000Z", "20260701T080000Z")),
        event("around", *timed("20200101T000000Z", "20300101T000000Z")),
    )
    assert [one.summary for one in in_june(octets).occurrences] == ["around", "into", "over"]


def test_two_equal_events_are_one() -> None:
    """The same shift twice in a calendar is one shift."""
    assert len(in_june(calendar(event("Aiden", *SIX), event("Aiden", *SIX))).occurrences) == 1


# -- what is wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        ((*SIX, "RRULE:FREQ=SECONDLY"), "repeats every second"),
        ((*SIX, "RRULE:FREQ=MINUTELY;COUNT=5"), "repeats every minute"),
        ((*SIX, "RRULE:FREQ=FORTNIGHTLY"), "has no frequency that RFC 5545 knows"),
        ((*SIX, "RRULE:COUNT=3"), "has no frequency that RFC 5545 knows"),
        ((*SIX, "RRULE:FREQ=DAILY;INTERVAL=0"), "has an interval that is no positive number"),
        ((*SIX, "RRULE:FREQ=DAILY;INTERVAL=-1"), "has an interval that is no positive number"),
        ((*SIX, "RRULE:FREQ=HOURLY;BYMINUTE=0,10,20"), "repeats more than 48 times a day"),
        ((*SIX, f"RRULE:FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))};BYMINUTE=0,15,30"), "repeats more than 48"),
        ((*SIX, f"RRULE:FREQ=YEARLY;BYYEARDAY={','.join(['1'] * 500)}"), "has a list that is too long"),
        ((*SIX, *["RRULE:FREQ=DAILY"] * 6), "has more than 5 rules"),
        ((*SIX, "RRULE:FREQ=DAILY;UNTIL=soon"), "has a value of RRULE that cannot be read"),
        ((SIX[1],), "has no start"),
        ((SIX[0],), "has no length"),
        ((SIX[0], SIX[0].replace("DTSTART", "DTEND")), "has no length"),
        (timed("20260601T140000", "20260601T060000", ZURICH), "ends before it starts"),
        ((SIX[0], "DTEND:tomorrow"), "has a value of DTEND that cannot be read"),
        (("DTSTART:20260640T000000", SIX[1]), "has a value of DTSTART that cannot be read"),
        (("DTSTART:20261301T000000", SIX[1]), "has a value of DTSTART that cannot be read"),
        ((*SIX, "EXDATE:20260601T060000Z20260602T060000Z"), "has a value of EXDATE that cannot be read"),
        ((*SIX, SIX[0]), "cannot be read"),
        (("DTSTART;VALUE=PERIOD:20260601T060000Z/PT8H",), "cannot be read"),
        (("DTSTART:99991231T230000", "DURATION:P9W"), "cannot be read"),
    ],
)  # fmt: skip
def test_a_bad_event_costs_only_itself(lines: Sequence[str], note: str) -> None:
    """An event that cannot be followed is left out with a sentence that names it, and the others are there."""
    found = in_june(calendar(event("Bad one", *lines), event("Aiden", *SIX)))
    assert told(found) == ["0601 0400-1200 Aiden"]
    assert len(found.notes) == 1
    assert found.notes[0].startswith(f'"Bad one" {note}')
    assert found.notes[0].endswith("it is left out")


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "is no iCalendar document"),
        (b"<!DOCTYPE html><title>Sign in</title>", "is no iCalendar document"),
        (b"\x00\xff\xfe" * 100, "is no iCalendar document"),
        (calendar(event())[:-20], "is cut off"),
        (b"END:VCALENDAR\r\n", "is cut off, or broken"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\nEND:VEVENT\r\n", "is cut off, or broken"),
        (b"BEGIN:VEVENT\r\n" * 100_000, "components within components"),
        (calendar(*[event()] * (MAX_EVENTS + 1)), f"more than {MAX_EVENTS} events"),
        (calendar(event("a", "EXDATE:" + ",".join(["20260101"] * (MAX_DATES + 1)))), "exceptional dates"),
    ],
)
def test_what_is_no_calendar(octets: bytes, why: str) -> None:
    """A sign-in page, half a file, garbage and too much of anything are refused as a whole, with the reason."""
    with pytest.raises(CalendarError, match=why):
        in_june(octets)


def test_too_many_shifts_are_refused() -> None:
    """Series that are fine one by one may be too many together."""
    octets = calendar(*[event(f"A{number}", *SIX, "RRULE:FREQ=HOURLY") for number in range(8)])
    with pytest.raises(CalendarError, match="more than 5000 events from 2026-06-01 to 2026-07-01"):
        in_june(octets)


def test_series_that_take_too_long() -> None:
    """Who gives each series a limit of time gets the others; several that are too slow are no calendar."""

    @contextmanager
    def late() -> Iterator[None]:
        yield
        raise TimeoutError

    slow = event("Slow", *SIX)
    found = expand(calendar(slow), ZURICH, JUNE, late)
    assert found == Expanded((), ('"Slow" takes too long to compute: it is left out',))
    with pytest.raises(CalendarError, match="more than 3 events that take too long"):
        expand(calendar(*[slow] * 4), ZURICH, JUNE, late)


def test_few_notes_of_many() -> None:
    """A calendar with hundreds of bad events does not fill the screen."""
    octets = calendar(*[event(f"Bad {number}", SIX[0]) for number in range(30)])
    notes = in_june(octets).notes
    assert len(notes) == 21
    assert notes[-1] == "and 10 more remarks on the calendar"


def test_a_large_calendar_of_years_is_read() -> None:
    """Two thousand single shifts of many years are no burden: those of other years are not even looked at."""
    days = [datetime(2022, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in range(MAX_EVENTS)]
    octets = calendar(
        *[event("Aiden", *timed(f"{day:%Y%m%d}T060000Z", f"{day:%Y%m%d}T140000Z")) for day in days]
    )
    assert len(in_june(octets).occurrences) == 30


# -- text --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_encodings(encoding: str) -> None:
    """UTF-8 with and without a mark, and what old programs write, give the same name; a fold may split a character."""
    octets = calendar(event("Jürgen Ødegård", *SIX)).decode().encode(encoding)
    folded = octets.replace(
        "ü".encode(encoding), b"\r\n ".join([*("ü".encode(encoding)[i : i + 1] for i in range(9))])
    )
    for text in (octets, folded, octets.replace(b"\r\n", b"\n")):
        assert [one.summary for one in in_june(text).occurrences] == ["Jürgen Ødegård"]


def test_a_summary_is_made_safe() -> None:
    """Nothing of a summary can move a cursor, turn the writing round, or fill a page."""
    hostile = "\x1b[31mAiden\x1b]0;x\x07\u202e\\nBcc: x" + "y" * 1000
    (found,) = in_june(calendar(event(hostile, *SIX))).occurrences
    assert found.summary.startswith("Aiden Bcc: x")
    assert found.summary.isprintable()
    assert len(found.summary) <= 200


_LINES = st.sampled_from(
    [
        "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VTIMEZONE", "END:VTIMEZONE", "TZID:x",
        "BEGIN:VALARM", "END:VALARM", "SUMMARY:Aiden", "UID:1", "SEQUENCE:x", "SEQUENCE:9", "X-WR-TIMEZONE:x", "DTSTART:",
        "DTSTART:20260601T060000", "DTSTART;VALUE=DATE:20260601", "DTSTART;TZID=x:20260601T060000", "DTEND:20260601T140000Z",
        "DTEND;VALUE=DATE:20260602", "DURATION:PT8H", "DURATION:-P1D", "DURATION:", "RRULE:FREQ=DAILY", "RRULE:", "RRULE:FREQ=",
        "RRULE:FREQ=WEEKLY;BYDAY=XX", "RRULE:FREQ=DAILY;COUNT=x", "RRULE:FREQ=DAILY;UNTIL=20260610", "EXDATE:20260602T060000",
        "EXDATE;VALUE=DATE:20260602", "RDATE:x", "RDATE;VALUE=PERIOD:20260601/PT1H", "RECURRENCE-ID:20260602T060000",
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20260603", "STATUS:CANCELLED", "ATTENDEE:x", 'ATTENDEE;CN="a:b";CUTYPE=:', " folded",
        "TZOFFSETTO:+0100", "BEGIN:STANDARD", "END:STANDARD", ":", ";;;", "\x00", "DTSTART;TZID=:1", "DTSTART:00010101T000000",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(_LINES, max_size=14), st.booleans())
def test_any_lines_are_a_calendar_or_are_refused(lines: list[str], whole: bool) -> None:
    """Whatever stands in a calendar, the answer is occurrences and notes, or CalendarError; nothing else comes out."""
    inner = "\n".join(lines)
    octets = calendar("BEGIN:VEVENT", inner, "END:VEVENT") if whole else inner.encode()
    try:
        found = in_june(octets)
    except CalendarError:
        return
    assert all(one.start < one.end for one in found.occurrences)
