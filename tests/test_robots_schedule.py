"""Which job goes where and when: evenly, by weight, once, and not all at the same moment."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.robots.schedule import Intent, Lane, Mix, asked, choose, routine, template, within

T0 = datetime(2026, 6, 8, tzinfo=UTC)
LANE = Lane("DESY-HH", "atlas", "local", "desy")
MIX = Mix((("dimuon", 3), ("jets", 1)), 48)
SITES = st.sampled_from(["DESY-HH", "RAL", "LYON"])


def day(lane: Lane = LANE, mix: Mix = MIX, step: timedelta = timedelta(minutes=1)) -> list[Intent]:
    found: list[Intent] = []
    now = T0
    while now < T0 + timedelta(days=1):
        found += routine(lane, mix, now, now + step)
        now += step
    return found


def test_a_day() -> None:
    """A day has as many jobs as were wished, by the wished shares, each with an id of its own, in order."""
    jobs = day()
    assert abs(len(jobs) - 48) <= 1
    assert len({one.job for one in jobs}) == len(jobs)
    assert abs(Counter(one.template for one in jobs)["dimuon"] - 36) <= 2
    assert [one.at for one in jobs] == sorted(one.at for one in jobs)


@given(
    site=SITES,
    per_day=st.floats(0.5, 2000),
    jitter=st.floats(0, 0.99),
    cuts=st.lists(st.integers(1, 5000), min_size=1, max_size=20),
)
def test_planned_once_and_none_early(site: str, per_day: float, jitter: float, cuts: list[int]) -> None:
    """However the turns fall, a slot's job is planned at most once and never before its time; frequent turns miss none."""
    lane, mix = Lane(site, "cms", "local", "q"), Mix((("a", 1),), per_day, jitter)
    now, found = T0, []
    for cut in cuts:
        then = now + timedelta(seconds=cut)
        told = list(routine(lane, mix, now, then))
        assert all(now < one.at <= then for one in told)
        found += told
        now = then
    assert len({one.job for one in found}) == len(found)
    if all(cut < 86_400 / per_day * (1 - jitter) for cut in cuts):
        exact = sum(cuts) / (86_400 / per_day)
        assert abs(len(found) - exact) <= 2


def test_nothing_is_made_up_for() -> None:
    """After a night without a turn each queue gets one job, not forty."""
    assert len(list(routine(LANE, MIX, T0, T0 + timedelta(hours=20)))) == 1


def test_sites_are_not_in_step() -> None:
    """Sites do not all get their jobs in the same minute."""
    first = {day(Lane(f"S{n}", "atlas", "local", "q"))[0].at for n in range(20)}
    assert max(first) - min(first) > timedelta(minutes=10)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6), st.integers(0, 10_000))
def test_shares_in_every_stretch(weights: list[int], start: int) -> None:
    """Any stretch of a cocktail has nearly the wished shares."""
    mix = Mix(tuple((f"t{n}", weight) for n, weight in enumerate(weights)), 1)
    length = 64
    told = Counter(template(mix, number) for number in range(start, start + length))
    for name, weight in mix.templates:
        assert abs(told[name] - length * weight / sum(weights)) <= 8


def test_no_job_without_a_template() -> None:
    """A cocktail of nothing, or a rate of nothing, sends nothing."""
    assert list(routine(LANE, Mix((), 48), T0, T0 + timedelta(days=1))) == []
    assert list(routine(LANE, Mix((("a", 1),), 0), T0, T0 + timedelta(days=1))) == []


def test_room_in_the_queue() -> None:
    """A queue that is full gets nothing more; what is asked for goes before routine."""
    jobs = [*asked(LANE, "dimuon", 2, "probe", T0 + timedelta(hours=1)), *day()[:3]]
    going, kept = within(jobs, {LANE: 1}, 4)
    assert [one.campaign for one in going] == ["probe", "probe", "routine"]
    assert len(kept) == 2


def test_asked_again_is_another() -> None:
    """Probes that are asked for at another time are other jobs; asked twice for the same they are the same."""
    first, again, later = (
        [one.job for one in asked(LANE, "dimuon", 3, "probe", at)]
        for at in (T0, T0, T0 + timedelta(minutes=5))
    )
    assert first == again
    assert not set(first) & set(later)
    assert len(set(first)) == 3


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.floats(0, 1e6), max_size=6), st.text(max_size=10))
def test_popular_data(weights: dict[str, float], job: str) -> None:
    """A data set of no weight is never chosen; the same job reads the same one."""
    if not any(weight > 0 for weight in weights.values()):
        with pytest.raises(ValueError, match="weight above 0"):
            choose(weights, job)
        return
    assert weights[choose(weights, job)] > 0
    assert choose(weights, job) == choose(weights, job)


def test_popular_data_by_weight() -> None:
    """Data sets are read as often as they are popular."""
    told = Counter(choose({"a": 3, "b": 1}, f"j{n}") for n in range(4000))
    assert 2800 < told["a"] < 3200
