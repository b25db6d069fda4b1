"""The statistics of load tests, on simulated sites whose answers are known."""

import math
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from helpdesk.robots.load import knee, steps
from helpdesk.robots.load.compare import Earlier, with_last, with_peers
from helpdesk.robots.load.estimates import Estimate, quantile, ranks, ratio, share, student
from helpdesk.robots.load.figures import figures
from helpdesk.robots.load.knee import Spot, of_spots
from helpdesk.robots.load.values import Course, Step
from helpdesk.robots.record import JobState, Record
from tests.load_site import EVENTS, T0, WORLDS, LoadSite, World, at, ramp, storage


def job(number: int, start: float, seconds: float, **more: object) -> Record:
    """A success of 1,000 events, if nothing else is said."""
    base = LoadSite().record
    record = next(iter(_one(base, number)))
    times = {
        "t_scheduled": at(start),
        "t_submitted": at(start),
        "t_started": at(start),
        "t_final": at(start + seconds),
    }
    return replace(record, events_processed=1000, **{**times, **more})  # type: ignore[arg-type]  # a test's shorthand


def _one(_record: object, number: int) -> list[Record]:
    site = LoadSite(spread=0.0, work=1.0)
    site.send(f"j{number}")
    return site.first()


def closed(count: int) -> Course:
    return Course(T0, (Step(count, T0),))


def test_failed_time_is_charged() -> None:
    """Two slots, one of which fails half its time: events/s is what came out over the whole duration."""
    good = [job(n, 10 * n, 10) for n in range(10)]
    bad = [job(20 + n, 10 * n, 10, state=JobState.FAILED, node="wn-9") for n in range(5)]
    other = [job(30 + n, 50 + 10 * n, 10) for n in range(5)]
    found = figures([*good, *bad, *other], closed(2))
    assert found.rate is not None
    assert found.rate.value == pytest.approx(15_000 / 100)
    assert (found.jobs, found.succeeded, found.seconds) == (20, 15, 100)
    assert [(one.name, one.failed) for one in found.nodes] == [("wn-9", 5)]
    assert found.failures[0].count == 5


def test_latency_is_from_the_intended_start() -> None:
    """A site that stands still for a while shows that in all jobs that should have gone meanwhile, though they were sent late and then ran fast."""
    late = [job(n, n, 1, t_submitted=at(100), t_started=at(100), t_final=at(101 + n)) for n in range(50)]
    found = figures(late, Course(T0))
    assert dict(found.latency)[0.5].value == pytest.approx(101)
    assert found.late is not None
    assert found.late.value > 90
    naive = sorted(
        (one.t_final - one.t_submitted).total_seconds() for one in late if one.t_final and one.t_submitted
    )
    assert naive[25] < 30


def test_cut_off_jobs_are_no_failures_and_not_fast() -> None:
    """What we cancelled ourselves counts as no failure, and as slower than all that ended."""
    ended = [job(n, 0, 10 + n) for n in range(4)]
    cancelled = [job(10 + n, 0, 60, state=JobState.CANCELLED) for n in range(6)]
    found = figures([*ended, *cancelled], replace(closed(10), stopped=at(60), filled_until=at(60)))
    assert (found.jobs, found.succeeded, found.cut_off, found.failures) == (4, 4, 6, ())
    assert math.isinf(dict(found.latency)[0.5].value)
    assert found.seconds == 60


def test_a_job_that_the_site_cancelled_failed() -> None:
    """A job that is cancelled before we stop anything was cancelled by the site."""
    found = figures([job(1, 0, 10, state=JobState.CANCELLED)], replace(closed(1), stopped=at(60)))
    assert (found.jobs, found.succeeded, found.cut_off) == (1, 0, 0)


@pytest.mark.parametrize("n", [1, 2, 5, 100])
def test_a_step_has_the_rate_of_its_slots(n: int) -> None:
    """N jobs at once on a site with room for them make N times the events of one, whatever was cut at the edges of the window."""
    records, course = ramp(LoadSite(spread=0.3, seed=n), [n])
    [point] = steps.points(records, course)
    assert point.rate is not None
    assert point.rate.value == pytest.approx(n * EVENTS / 300, rel=0.12)
    assert point.held == pytest.approx(n, rel=0.02)


def test_a_step_is_free_of_the_one_before() -> None:
    """The window of a step begins when the jobs of the step before have ended."""
    records, course = ramp(LoadSite(speed=storage(2), seed=3, spread=0.1), [8, 1])
    first, second = steps.points(records, course)
    assert first.rate is not None
    assert second.rate is not None
    assert first.rate.value == pytest.approx(2 * EVENTS / 300, rel=0.1)
    assert second.rate.value == pytest.approx(EVENTS / 300, rel=0.1)
    assert second.held == pytest.approx(1, rel=0.02)


def test_intervals_hold_the_truth() -> None:
    """The interval of a ratio holds the true value in about 95 % of samples, small ones too."""
    rng, inside, rounds = Random(5), 0, 1000  # noqa: S311 - samples from a seed
    for _ in range(rounds):
        times = [rng.lognormvariate(0, 0.4) for _ in range(8)]
        found = ratio([100.0] * 8, times)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= 100 / math.exp(0.08) <= found.high
    assert 0.92 <= inside / rounds <= 0.98


def test_quantiles_and_their_ranks() -> None:
    """The interval of a median comes from order statistics (table of David & Nagaraja); too few values have none."""
    assert ranks(10, 0.5) == (2, 9)
    assert ranks(5, 0.5) == (None, None)
    assert ranks(100, 0.5) == (40, 61)
    found = quantile([float(n) for n in range(1, 101)], 0.5)
    assert found == Estimate(50.0, 40.0, 61.0, 100)
    assert quantile([], 0.5) is None


@pytest.mark.parametrize(("freedom", "value"), [(1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (30, 2.042)])
def test_student(freedom: int, value: float) -> None:
    """Student's t agrees with its table."""
    assert student(freedom) == pytest.approx(value, rel=0.003)


def test_shares() -> None:
    """A fraction has Wilson's interval; all of five is not certainty."""
    found = share(5, 5)
    assert found is not None
    assert found.low == pytest.approx(0.566, abs=0.001)


@pytest.mark.parametrize("world", WORLDS, ids=lambda one: one.name.replace(" ", "-"))
def test_knee(world: World) -> None:
    """A simulated site's knee is found within its interval, and where there is none nobody invents one (seeds: tests/measure_knee.py)."""
    found = knee.find(steps.points(*ramp(world.make(103), (1, 2, 4, 8, 16, 32))))
    assert found is not None
    if world.knee is None:
        assert found.jobs is None
        assert found.tested == pytest.approx(32, rel=0.03)
    else:
        assert found.jobs == pytest.approx(world.knee, rel=0.35)
        assert found.low is not None
        assert found.high is not None
        assert found.low * 0.95 <= world.knee <= found.high * 1.05
        if world.name != "retrograde":  # there the fall is 5 % at 32 jobs: too little to be sure of
            assert found.falling == (world.name == "thrashing")


def test_knee_below_the_first_step() -> None:
    """A ramp that begins beyond the knee says so."""
    found = of_spots([Spot(n, 100.0, 0.03) for n in (4, 8, 16)])
    assert found.below
    assert found.jobs == pytest.approx(4)


def test_knee_needs_three_steps() -> None:
    """Two steps have no knee that anybody could tell."""
    assert knee.find(steps.points(*ramp(LoadSite(slots=2), (1, 8)))) is None


def test_compared() -> None:
    """A real change is told from chance; peers are the newest test of each other site."""
    now = Estimate(100, 95, 105, 30)
    same = with_last(now, Earlier("a", "DESY-HH", T0, Estimate(102, 96, 108, 30), 4))
    slower = with_last(now, Earlier("a", "DESY-HH", T0, Estimate(150, 145, 155, 30), 4))
    assert same is not None
    assert slower is not None
    assert (same.differs, slower.differs) == (False, True)
    peers = [
        Earlier("b", "RAL", T0, Estimate(50), 2),
        Earlier("c", "RAL", T0 + timedelta(days=1), Estimate(200), 8),
        Earlier("d", "PIC", T0, Estimate(300), None),
    ]
    found = with_peers(now, peers)
    assert found is not None
    assert (found.rate, found.peers, found.knee) == (250, 2, 8)
    assert with_peers(now, []) is None
