"""The figures behind reports: intervals, tails, nodes, and weeks in every zone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.errors import UsageError
from helpdesk.reports import weeks
from helpdesk.reports.nodes import concentrated, named
from helpdesk.reports.rates import interval, middle, percent, tail, wilson
from helpdesk.reports.weeks import Week
from helpdesk.settings.times import WeekMoment, week_moment
from tests.weeks import utc


@pytest.mark.parametrize(
    ("good", "ended", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson(good: int, ended: int, low: float, high: float) -> None:
    """The interval is the published one (Newcombe 1998, table I, method 3)."""
    assert wilson(good, ended) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_is_never_better_than_it_is(jobs: tuple[int, int]) -> None:
    """100 % is said only of all and 0 % only of none, and the interval holds the share and lies between them."""
    good, ended = jobs
    told = float(percent(good, ended).removesuffix(" %"))
    assert (told == 100) == (good == ended)
    assert (told == 0) == (good == 0)
    low, high = map(int, interval(good, ended).split("-"))
    assert 0 <= low <= 100 * good / ended <= high <= 100


@pytest.mark.parametrize(
    ("good", "ended", "said"), [(322, 336, "95.8 %"), (48, 50, "96 %"), (1999, 2000, "99.9 %")]
)
def test_percent(good: int, ended: int, said: str) -> None:
    """A decimal is told of a hundred jobs or more."""
    assert percent(good, ended) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(1.0, "100.0 %"), (0.9996, "99.9 %"), (0.9861, "98.6 %"), (0.0002, "0.1 %"), (0.0, "0.0 %")],
)
def test_middle(share: float, said: str) -> None:
    """A median of peers is not said to be 100 % where it is less."""
    assert middle(share) == said


@given(st.integers(0, 40), st.integers(0, 40), st.floats(0, 1))
def test_tail(least: int, tries: int, share: float) -> None:
    """The tail is a probability that falls as more is asked for."""
    assert 0 <= tail(least + 1, tries, share) <= tail(least, tries, share) <= 1


def test_tail_exactly() -> None:
    """Two heads or more of three throws are as likely as not."""
    assert tail(2, 3, 0.5) == pytest.approx(0.5)
    assert (tail(0, 3, 0.0), tail(1, 3, 0.0), tail(3, 3, 1.0), tail(4, 3, 0.5)) == (1, 0, 1, 0)


MANY = {f"wn-{n:03}": 5 for n in range(213)}


def test_bad_nodes() -> None:
    """Nodes that fail most of their jobs are named, several too, and the others are counted."""
    failed = {"wn-117": 5, "wn-118": 4, "wn-119": 5, "wn-007": 1}
    found = concentrated(MANY, failed, 0.01)
    assert found is not None
    assert found.names == ("wn-117", "wn-118", "wn-119")
    assert (found.failed, found.jobs, found.others, found.others_failed, found.others_jobs) == (
        14,
        15,
        210,
        1,
        1050,
    )


def test_a_black_hole() -> None:
    """One node that catches most jobs and fails them is found."""
    found = concentrated({**MANY, "wn-042": 400}, {"wn-042": 390, "wn-001": 1}, 0.01)
    assert found is not None
    assert found.names == ("wn-042",)


@pytest.mark.parametrize(
    ("jobs", "failed"),
    [
        (MANY, dict.fromkeys(list(MANY)[:60], 1)),  # spread
        (MANY, dict.fromkeys(MANY, 4)),  # all of them
        ({"only": 30}, {"only": 20}),  # nothing to compare with
        ({"a": 2, "b": 2, "c": 2}, {"a": 2}),  # too few jobs to say so
        (MANY, {"wn-001": 1}),
        (MANY, {}),
        ({}, {}),
    ],
)
def test_no_bad_nodes(jobs: dict[str, int], failed: dict[str, int]) -> None:
    """Failures that are spread, or too few, or on the only node, are no node's."""
    assert concentrated(jobs, failed, 0.01) is None


def test_by_luck() -> None:
    """Among a thousand nodes, one with three failures of five jobs where a fifth of all fail is luck."""
    jobs = {f"n{n}": 5 for n in range(1000)}
    failed = dict.fromkeys(jobs, 1) | {"n7": 3}
    assert concentrated(jobs, failed, 0.01) is None


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["wn-117", "wn-118", "wn-119"], "wn-117..119"),
        (
            ["wn-119.desy.example.org", "wn-117.desy.example.org", "wn-2.desy.example.org"],
            "wn-2, wn-117, wn-119",
        ),
        (["wn9", "wn10", "wn11"], "wn9, wn10..11"),
        (["wn009", "wn010"], "wn009..010"),
        (["r1n5x", "r1n6x"], "r1n5..6x"),
        (["gpu", "wn-1"], "gpu, wn-1"),
        (["c01-001-1", "c01-001-2"], "c01-001-1..2"),
        ([], ""),
    ],
)
def test_names_of_nodes(names: list[str], said: str) -> None:
    """Nodes are named without their domain, consecutive ones as a range."""
    assert named(names) == said


@pytest.mark.parametrize(
    ("zone", "week", "start", "hours"),
    [
        ("Europe/Berlin", (2026, 24), "2026-06-07T22:00", 168),
        ("Europe/Berlin", (2026, 13), "2026-03-22T23:00", 167),
        ("Europe/Berlin", (2026, 43), "2026-10-18T22:00", 169),
        ("UTC", (2026, 53), "2026-12-28T00:00", 168),
        ("UTC", (2026, 1), "2025-12-29T00:00", 168),
        ("America/Havana", (2026, 10), "2026-03-02T05:00", 167),  # the clock skips the midnight of Sunday
    ],
)
def test_weeks(zone: str, week: tuple[int, int], start: str, hours: int) -> None:
    """A week begins at the site's own midnight; one in which clocks change is an hour shorter or longer."""
    found = Week(*week, zone)
    assert found.start == utc(start)
    assert found.end - found.start == timedelta(hours=hours)
    assert found.before.end == found.start
    assert weeks.running(found.start, zone) == found
    assert weeks.running(found.end - timedelta(seconds=1), zone) == found
    assert weeks.complete(found.end, zone) == found


@pytest.mark.parametrize(
    ("written", "week"),
    [
        ("2026-W24", (2026, 24)),
        ("24", (2026, 24)),
        ("w24", (2026, 24)),
        ("2026w01", (2026, 1)),
        ("W52", (2025, 52)),
        ("26", (2026, 26)),
    ],
)
def test_asked_for(written: str, week: tuple[int, int]) -> None:
    """A week may be written in several ways; a number alone is the latest week that has begun."""
    assert weeks.asked(written, utc("2026-06-24T12:00"), "Europe/Berlin") == Week(*week, "Europe/Berlin")


@pytest.mark.parametrize(
    "written",
    ["", "2026-W27", "54", "0", "last", "2026-06-08", "2025-W53", "9999-W60", "0001-W01", "9999-W52"],
)
def test_no_week(written: str) -> None:
    """What is no week, or one that has not begun, is refused with an example."""
    with pytest.raises(UsageError, match="for example 2026-W25"):
        weeks.asked(written, utc("2026-06-24T12:00"), "Europe/Berlin")


ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/Chicago", "Asia/Kolkata", "Pacific/Apia", "America/Havana"]
)
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
WEEKLY = st.builds(WeekMoment, st.integers(0, 6), st.integers(0, 1440))


@given(MOMENTS, ZONES, WEEKLY)
def test_due(now: datetime, zone: str, weekly: WeekMoment) -> None:
    """What fell due last is a week that was over then, not yet the next one, and no more than eight days ago."""
    week, at = weeks.due(weekly, now, zone)
    assert week.end <= at <= now
    assert at - week.end <= timedelta(days=7, hours=1)
    assert now - at <= timedelta(days=8)
    assert weeks.told(week, weekly) == at


@pytest.mark.parametrize(
    ("now", "week"),
    [("2026-06-15T05:59", 23), ("2026-06-15T06:00", 24), ("2026-06-21T12:00", 24)],
)
def test_due_on_monday(now: str, week: int) -> None:
    """On Monday at eight of the site's time the report of the week before falls due."""
    assert weeks.due(week_moment("Monday 08:00"), utc(now), "Europe/Berlin")[0].number == week


def test_dates() -> None:
    """A week is told by its days, and the year of its last one."""
    assert Week(2026, 53, "UTC").dates == "Mon 28 Dec - Sun 3 Jan 2027"
