"""Working hours across weekends, holidays, zones and clock changes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.rules.hours import AROUND_THE_CLOCK, Hours

ZURICH = "Europe/Zurich"
OFFICE = Hours(
    days=(0, 1, 2, 3, 4), opens=9 * 60, closes=17 * 60, zone=ZURICH, holidays=(date(2026, 12, 25),)
)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def local(text: str, zone: str = ZURICH) -> datetime:
    """A wall-clock time there."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def at(text: str, hours: float, working: Hours = OFFICE) -> str:
    """So many working hours after a wall-clock time, as the clock on that wall shows it."""
    found = working.after(local(text, working.zone), hours * HOUR)
    assert found.tzinfo is UTC
    return f"{found.astimezone(ZoneInfo(working.zone)):%a %Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-06-08 10:00", 3, "Mon 2026-06-08 13:00"),
        ("2026-06-08 10:00", 8, "Tue 2026-06-09 10:00"),
        ("2026-06-08 10:00", 24, "Thu 2026-06-11 10:00"),
        ("2026-06-05 16:00", 2, "Mon 2026-06-08 10:00"),  # over a weekend
        ("2026-06-06 12:00", 0, "Mon 2026-06-08 09:00"),  # from a Saturday
        ("2026-06-08 03:00", 1, "Mon 2026-06-08 10:00"),  # from before the day begins
        ("2026-06-08 22:00", 1, "Tue 2026-06-09 10:00"),  # from after it
        ("2026-06-08 16:00", 1, "Tue 2026-06-09 09:00"),  # the end of a day is no working moment
        ("2026-12-24 16:00", 2, "Mon 2026-12-28 10:00"),  # over Christmas and a weekend
    ],
)
def test_working_hours_pass_only_while_they_work(start: str, hours: float, end: str) -> None:
    """Nights, weekends and holidays do not count, and the moment that is found is one at which they work."""
    assert at(start, hours) == end


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-03-29 00:00", 6, "Sun 2026-03-29 07:00"),  # the clocks go forward at 02:00
        ("2026-10-25 00:00", 6, "Sun 2026-10-25 05:00"),  # and back at 03:00
        ("2026-03-28 12:00", 24, "Sun 2026-03-29 13:00"),
    ],
)
def test_hours_are_real_hours(start: str, hours: float, end: str) -> None:
    """Around the clock a day of 23 or 25 hours is as long as it is."""
    assert at(start, hours, Hours(zone=ZURICH)) == end


def test_an_hour_that_the_clocks_leap_over_is_no_working_time() -> None:
    """Who works from 02:00 to 03:00 does not work on the day that has no such hour."""
    night = Hours(opens=2 * 60, closes=3 * 60, zone=ZURICH)
    assert at("2026-03-28 23:00", 0.5, night) == "Mon 2026-03-30 02:30"


def test_another_zone_works_at_other_times() -> None:
    """The hours are those of the destination's wall clock."""
    chicago = Hours(days=OFFICE.days, opens=9 * 60, closes=17 * 60, zone="America/Chicago")
    assert chicago.after(datetime(2026, 6, 8, 9, tzinfo=UTC), HOUR) == datetime(2026, 6, 8, 15, tzinfo=UTC)
    assert chicago.local_date(datetime(2026, 6, 9, 3, tzinfo=UTC)) == date(2026, 6, 8)


def test_the_next_working_day() -> None:
    """A working day begins when it opens, and never on the same date."""
    found = [
        OFFICE.next_day(local(day)) for day in ("2026-06-08 03:00", "2026-06-05 23:00", "2026-12-24 09:00")
    ]
    assert found == [local("2026-06-09 09:00"), local("2026-06-08 09:00"), local("2026-12-28 09:00")]


def test_who_hardly_works_is_not_waited_for_for_ever() -> None:
    """A minute a week gives an answer too, about ten years later."""
    monday = Hours(days=(0,), opens=540, closes=541)
    found = monday.after(datetime(2026, 6, 8, tzinfo=UTC), 10_000 * HOUR)
    assert found == datetime(2036, 6, 23, 9, tzinfo=UTC)


def test_the_length_of_a_working_day() -> None:
    """A day without hours has 24 of them."""
    assert (OFFICE.working_day, AROUND_THE_CLOCK.working_day) == (8 * HOUR, 24 * HOUR)


ZONES = st.sampled_from([ZURICH, "America/Chicago", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
STARTS = st.datetimes(datetime(2025, 12, 1), datetime(2027, 2, 1)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001 - made aware here
AMOUNTS = st.integers(0, 40 * 60).map(lambda minutes: minutes * MINUTE)


@st.composite
def calendars(draw: st.DrawFn) -> Hours:
    opens = draw(st.integers(0, 22 * 60))
    days = tuple(sorted(draw(st.sets(st.integers(0, 6), min_size=1))))
    free = draw(st.sets(st.dates(date(2025, 12, 1), date(2027, 3, 1)), max_size=20))
    return Hours(days, opens, draw(st.integers(opens + 90, 24 * 60)), draw(ZONES), tuple(sorted(free)))


@given(calendars(), STARTS, AMOUNTS, AMOUNTS)
def test_waiting_twice_is_waiting_once_for_both(
    working: Hours, start: datetime, one: timedelta, two: timedelta
) -> None:
    """So much and then so much more is the sum, and no order of waiting wins time."""
    assert working.after(working.after(start, one), two) == working.after(start, one + two)
    assert working.after(start, one) <= working.after(start, one + two)
    assert working.after(start, one) <= working.after(start + two, one)


@given(calendars(), STARTS, st.integers(0, 20 * 60))
def test_the_time_is_counted_minute_by_minute(working: Hours, start: datetime, minutes: int) -> None:
    """Between the two moments there are as many working minutes as were asked for, if one counts them on the wall clock."""
    start = start.replace(second=0, microsecond=0)
    end = working.after(start, minutes * MINUTE)
    assert works(working, end)
    if end - start < timedelta(days=4):
        count = (end - start) // MINUTE
        assert sum(works(working, start + number * MINUTE) for number in range(count)) == minutes
    assert working.at_work(end) == end


def works(working: Hours, moment: datetime) -> bool:
    """What the wall clock and the calendar say at this moment."""
    wall = moment.astimezone(ZoneInfo(working.zone))
    minute = wall.hour * 60 + wall.minute
    free = wall.weekday() not in working.days or wall.date() in working.holidays
    return not free and working.opens <= minute < working.closes
