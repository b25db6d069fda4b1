"""Until when, as people write it: one meaning, or none."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.commands import Mistake
from helpdesk.commands.dates import until

NOW = datetime(2026, 6, 9, 22, 30, tzinfo=UTC)  # in Berlin it is Wednesday the 10th, half past midnight
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("18 Jun", "2026-06-19T00:00+02:00"),
        ("18 June 2026.", "2026-06-19T00:00+02:00"),
        ("June 18th, 2026", "2026-06-19T00:00+02:00"),
        ("18.06.2026", "2026-06-19T00:00+02:00"),
        ("2026-06-18", "2026-06-19T00:00+02:00"),
        ("Thu 18 Jun", "2026-06-19T00:00+02:00"),
        ("Thursday, 18 Jun 14:00", "2026-06-18T14:00+02:00"),
        ("2026-06-18 14:00", "2026-06-18T14:00+02:00"),
        ("2026-06-18T14:00Z", "2026-06-18T14:00+00:00"),
        ("18 jun at 14:00 UTC", "2026-06-18T14:00+00:00"),
        ("18 Jun 24:00", "2026-06-19T00:00+02:00"),
        ("today", "2026-06-11T00:00+02:00"),
        ("tomorrow", "2026-06-12T00:00+02:00"),
        ("tomorrow 08:00", "2026-06-11T08:00+02:00"),
        ("14:00", "2026-06-10T14:00+02:00"),
        ("Wed", "2026-06-18T00:00+02:00"),
        ("thursday", "2026-06-12T00:00+02:00"),
        ("9 Jun", "2027-06-10T00:00+02:00"),
        ("25 Oct", "2026-10-26T00:00+01:00"),
        ("3 days", "2026-06-13T00:30+02:00"),
        ("for 2 weeks", "2026-06-24T00:30+02:00"),
        ("36h", "2026-06-11T12:30+02:00"),
    ],
)
def test_one_meaning(text: str, moment: str) -> None:
    """Days are the site's own, a day is meant to its end, and a date without a year is the next one."""
    assert until(text, NOW, BERLIN) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "junk",
        "6/7",
        "31 Feb",
        "18",
        "next week",
        "2026-13-01",
        "18 Jun 25:00",
        "99999-01-01",
        "3",
        "14.30",
        "18 Ju",
    ],
)
def test_no_meaning(text: str) -> None:
    """What is no date, or could be two, is refused with examples."""
    found = until(text, NOW, BERLIN)
    assert isinstance(found, Mistake)
    assert "18 Jun" in found.problem


def test_a_weekday_that_is_another() -> None:
    """A weekday that does not fit its date is a slip, and is told."""
    assert until("Wed 18 Jun", NOW, BERLIN) == Mistake("18 June 2026 is a Thursday")


@given(st.text(max_size=200) | st.from_regex(r"[0-9]{0,5}[-. :a-zT]{0,3}[0-9]{0,5}[-. ][0-9a-z:]{0,12}"))
def test_any_text(text: str) -> None:
    """Whatever is written, the answer is a moment or a sentence of one line."""
    found = until(text, NOW, BERLIN)
    if isinstance(found, Mistake):
        assert "\n" not in found.problem or "\n" in text
    else:
        assert found.tzinfo is UTC


@given(
    st.integers(0, 170), st.sampled_from(["%d %b", "%d %B %Y", "%Y-%m-%d", "%b %d", "%a %d %b", "%d.%m.%Y"])
)
def test_a_written_date_is_read(days: int, form: str) -> None:
    """Every common way to write one of the next days is read as that day."""
    day = NOW.astimezone(BERLIN).date() + timedelta(days=days)
    found = until(day.strftime(form), NOW, BERLIN)
    assert isinstance(found, datetime)
    assert found.astimezone(BERLIN).date() == day + timedelta(days=1)
