"""Working hours and moments of the week, as people write them."""

from datetime import time

import pytest

from helpdesk.settings import WeekMoment, WorkingHours
from helpdesk.settings.times import week_moment, working_hours


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("Mon-Fri 09:00-17:00", WorkingHours(frozenset(range(5)), 540, 1020)),
        ("daily 0:00-24:00 Europe/Zurich", WorkingHours(frozenset(range(7)), 0, 1440, "Europe/Zurich")),
        ("Sun-Thu 8:30-12:15", WorkingHours(frozenset({6, 0, 1, 2, 3}), 510, 735)),
        ("tuesday,SAT 10:00-11:00", WorkingHours(frozenset({1, 5}), 600, 660)),
    ],
)
def test_working_hours_are_written_as_people_write_them(written: str, hours: WorkingHours) -> None:
    """Days, hours and a time zone are understood in the usual spellings."""
    assert working_hours(written) == hours


@pytest.mark.parametrize(
    "written",
    [
        "",
        "Mon-Fri",
        "Mon-Fri 9-17",
        "Mon-Fri 09:00-25:00",
        "Mo 09:00-10:00",
        "Mon 09:60-10:00",
        "Mon 09:00-10:00 X",
        5,
    ],
)
def test_hours_that_mean_nothing_are_refused(written: object) -> None:
    """What is no working hours is an error and never a guess."""
    with pytest.raises(ValueError, match="is not"):
        working_hours(written)


@pytest.mark.parametrize(
    ("written", "moment"),
    [("Sunday", WeekMoment(6, 1440)), ("mon 06:30", WeekMoment(0, 390)), ("Sun 24:00", WeekMoment(6, 1440))],
)
def test_a_moment_of_the_week_is_written_as_people_write_it(written: str, moment: WeekMoment) -> None:
    """A day alone means its end, and a time of the day may follow."""
    assert week_moment(written) == moment


def test_the_end_of_a_day_is_midnight_on_the_clock() -> None:
    """A moment tells its wall clock, and the end of a day reads as the midnight that it is."""
    assert WeekMoment(0, 390).at == time(6, 30)
    assert WeekMoment(6, 1440).at == time(0, 0)
