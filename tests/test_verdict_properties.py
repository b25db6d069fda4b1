"""Whatever comes in whatever order: the verdict is the same each time, bounded, and never without evidence."""

from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.robots.protocol import Decision
from helpdesk.robots.verdict import make_policy
from tests.robots_records import HOUR, SITES, T0, TEMPLATES, TICK, Play, bad_from, info, pair

Record = dict[str, Any]

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
)
FIELDS = (
    "record",
    "site",
    "template",
    "state",
    "engine_job_id",
    "attempt",
    "t_submitted",
    "t_final",
    "t_observed",
    "node",
    "error_class",
    "campaign_id",
    "template_version",
    "blame",
    "weight",
    "severity",
)


def _day(seed: int, bad: str | None) -> list[Record]:
    """Half a day of jobs of all sites, one site bad from the fifth hour on, in the order of delivery."""
    rng = Random(seed)  # noqa: S311  # a test
    records: list[Record] = []
    for place, site in enumerate(SITES):
        for number in range(60):
            at = T0 + number * 720 + place * 7
            failed = (site == bad and at > T0 + 5 * HOUR) or rng.random() < 0.04
            error = "stage-in" if failed else None
            records += pair(site, TEMPLATES[number % 3], f"{site}-{number}", at, error)
    return sorted(records, key=lambda one: one["t_observed"])


def _play(records: Sequence[Record]) -> list[Decision]:
    policy, log, now = make_policy(info()), [], T0
    left = list(records)
    while left:
        now += TICK
        while left and left[0]["t_observed"] <= now:
            policy.observe(left.pop(0))
        log += policy.decisions(now)
        policy.due_probes(now)
    return log


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([None, *SITES[15:20]]))
def test_the_same_records_bring_the_same_verdict(seed: int, bad: str | None) -> None:
    """Two policies that see the same decide the same, and only about the site that is bad."""
    records = _day(seed, bad)
    log = _play(records)
    assert log == _play(records)
    if bad is not None:
        assert bad in {site for site, _, _ in log}
    assert len({site for site, _, _ in log} - {bad}) <= 1  # chance has its due


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.floats(0, 3600), st.floats(0, 0.5))
def test_late_twice_and_out_of_order(seed: int, late: float, twice: float) -> None:
    """Records that come up to an hour late, in any order and some twice still find the bad site."""
    rng = Random(seed)  # noqa: S311  # a test
    records = [
        {**one, "t_observed": one["t_observed"] + rng.random() * late}
        for one in _day(seed, "S17")
        for _ in range(1 + (rng.random() < twice))
    ]
    log = _play(sorted(records, key=lambda one: one["t_observed"]))
    assert ("S17", "exclude") in {(site, action) for site, action, _ in log}


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_record_is_borne(data: st.DataObject) -> None:
    """Fields of any kind, anywhere: never an exception, never a decision about a site without failures."""
    policy = make_policy(info())
    for number in range(data.draw(st.integers(1, 30))):
        record = dict(data.draw(st.sampled_from(list(pair("S01", "read", number, T0, None)))))
        for key in data.draw(st.lists(st.sampled_from(FIELDS), max_size=4)):
            record[key] = data.draw(JUNK)
        policy.observe(record)
    for tick in range(1, 4):
        assert all(site == "S01" for site, _, _ in policy.decisions(T0 + tick * TICK))
        policy.due_probes(T0 + tick * TICK)
    policy.explain("S01")


@settings(max_examples=6, deadline=None)
@given(st.sets(st.sampled_from(SITES), min_size=1, max_size=12), st.integers(3, 8))
def test_at_most_a_tenth_is_out_and_nobody_without_evidence(bad: set[str], hours: int) -> None:
    """However many fail: of thirty sites the robot puts out three at a time, and only such as fail."""
    play = Play(bad_from(3, *bad, end=3 + hours))
    for _ in range(hours + 4):
        play.run(1)
        assert len(play.out()) <= 3
    assert play.ever() <= bad


@settings(max_examples=6, deadline=None)
@given(st.sampled_from(SITES), st.integers(1, 10))
def test_a_site_that_works_again_returns(site: str, hours: int) -> None:
    """Nobody has to do anything for it."""
    play = Play(bad_from(3, site, end=3 + hours)).run(3 + hours + 2)
    assert not play.out()


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 100))
def test_memory_is_bounded(seed: int) -> None:
    """A flood of jobs that never end, or of ends without a beginning, fills no more than its site's share."""
    policy, rng, now = make_policy(info()), Random(seed), T0  # noqa: S311  # a test
    for number in range(20_000):
        now += 1
        begun, ended = pair("S01", "read", number, now, rng.choice(["auth", None]))
        policy.observe(rng.choice([begun, {**ended, "t_observed": now}]))
        if number % 300 == 0:
            policy.decisions(now)
    site = policy._intake.sites["S01"]
    assert len(site.results) <= 64
    assert len(site.jobs) <= 1024
    assert len(site.overdue) <= 128
    assert site.watched <= 512
    assert len(site.trace) <= 200
