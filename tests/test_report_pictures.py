"""The pictures of a report: drawn where they say more than words, small, and of any week that can be."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest

from helpdesk.reports import pictures
from helpdesk.reports.week import site_week
from helpdesk.reports.weeks import Week
from helpdesk.robots.record import JobState, Phase
from tests.weeks import BAD, GOOD, bad_week, facts, green_week, jobs, out, peers

image = pytest.importorskip("PIL.Image")


def test_a_bad_week() -> None:
    """A bad week has three pictures with words in their place, together small enough for a mail."""
    drawn = pictures.pictures(site_week(bad_week()))
    assert [one.name for one in drawn] == ["days", "failures", "peers"]
    assert drawn[0].says.startswith("This week by day: Mon ")
    assert drawn[1].says == "44 failures of the week: 42 in stage-in and 2 in payload."
    assert "atlas 87.9 %, the median of 14 peers 96.9 %" in drawn[2].says
    assert sum(len(one.png) for one in drawn) < 60_000
    for one in drawn:
        assert image.open(io.BytesIO(one.png)).width == 2 * pictures.WIDTH


def test_the_same_each_time() -> None:
    """The same week gives the same octets: a mail that is written again is the same mail."""
    assert pictures.pictures(site_week(bad_week())) == pictures.pictures(site_week(bad_week()))


def test_where_words_are_enough() -> None:
    """A green week, one that nobody saw, and one of a few jobs have none."""
    assert pictures.pictures(site_week(green_week())) == ()
    assert pictures.pictures(site_week(facts(()))) == ()
    assert pictures.pictures(site_week(facts(jobs(BAD, 2)))) == ()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Havana", "Asia/Kolkata"])
@pytest.mark.parametrize("number", [10, 13, 24, 43, 44])
def test_any_week(zone: str, number: int) -> None:
    """Weeks of 167 and 169 hours are drawn like others, to the last minute."""
    week = Week(2026, number, zone)
    ends = replace(BAD, job="last", t_final=week.end - timedelta(seconds=1), state=JobState.LOST)
    phases = [replace(BAD, job=f"p{one}", phase=one, t_final=week.start) for one in Phase]
    found = [*jobs(GOOD, 14 * 48, week.before.start), *phases, ends]
    turns = {"atlas": out(week.start, None)}
    known = facts(found, week=week, now=week.end, turns=turns, peers={"atlas": peers(3)})
    assert len(pictures.pictures(site_week(known))) == 3


@pytest.mark.parametrize("odd", ["$\\frac{a}{$ _x", "experiment " * 20, "\u5b9f\u9a13"])
def test_any_name(odd: str) -> None:
    """What looks like a formula in a name is drawn as it is, a long name is cut, and one in another script stops nothing."""
    found = [*jobs(GOOD, 40, experiment=odd), *jobs(BAD, 20, experiment=odd)]
    assert len(pictures.pictures(site_week(facts(found, experiments=(odd,), peers={odd: peers(4)})))) == 3
