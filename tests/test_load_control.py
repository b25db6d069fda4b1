"""What a load test does next, at simulated sites."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from helpdesk.errors import UsageError
from helpdesk.robots.load.asking import Wish, asked, choose, per_hour_of, steps_of
from helpdesk.robots.load.control import Move, Rules, Seen, arrivals, budget, control, name
from helpdesk.robots.load.figures import figures
from helpdesk.robots.load.limits import limits
from helpdesk.robots.load.telling import Told, report
from helpdesk.robots.load.values import Kind, LoadTest, Shape, State, shape_of
from helpdesk.robots.record import JobState
from helpdesk.robots.schedule import Lane
from tests.load_site import T0, LoadSite, at, play

LANE = Lane("DESY-HH", "atlas", "local", "desy")


def wished(**wish: object) -> LoadTest:
    return asked((LANE, "dimuon"), "v1", Wish(**wish), "ann", T0)  # type: ignore[arg-type]  # a test's shorthand


def test_ramp_finds_its_knee() -> None:
    """A ramp keeps each step until its rate is known, ends by itself, and its records say where the knee is."""
    test, records = play(wished(ramp=(1, 2, 4, 8, 16), hours=100.0), LoadSite(slots=5, spread=0.1))
    found = figures(records, test.course)
    assert test.state is State.ENDED
    assert test.reason == "all jobs were sent and have ended"
    assert [one.concurrency for one in test.steps] == [1, 2, 4, 8, 16]
    assert found.knee is not None
    assert found.knee.jobs == pytest.approx(5, rel=0.15)
    assert len(records) <= test.most
    assert list(limits(test, found)) == []


def test_closed_keeps_its_number() -> None:
    """So many jobs are there all the time, and in the end as many were sent as were asked for."""
    test, records = play(wished(concurrency=6, jobs=60, hours=100.0), LoadSite(slots=10))
    found = figures(records, test.course)
    assert len(records) == 60
    assert found.points[0].held == pytest.approx(6, rel=0.05)
    assert len({one.job for one in records}) == 60


def test_open_model_does_not_wait_for_the_site() -> None:
    """A site that is too slow gets its jobs by the clock all the same, and the wait is in the latency from the intended start."""
    slow = LoadSite(slots=2, spread=0.1)
    test, records = play(wished(per_hour=60.0, jobs=80, hours=100.0), slow, look=30.0)
    found = figures(records, test.course)
    due = [one.t_scheduled for one in records if one.t_scheduled]
    assert (max(due) - min(due)).total_seconds() == pytest.approx(79 * 60, rel=0.3)
    assert dict(found.latency)[0.95].value > 5000
    assert found.running is not None
    assert found.running.value == pytest.approx(300, rel=0.2)
    expected = [due for _, due in zip(range(80), arrivals(test), strict=False)]
    assert sorted(one.t_scheduled for one in records if one.t_scheduled) == expected


@pytest.mark.parametrize("even", [True, False])
def test_arrivals(even: bool) -> None:
    """Arrivals come at the rate that was asked for, evenly or as Poisson says, and are the same after a restart."""
    test = replace(wished(per_hour=60.0, even=even), began=T0)
    first = [due for _, due in zip(range(1001), arrivals(test), strict=False)]
    gaps = [(b - a).total_seconds() for a, b in pairwise(first)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((one - mean) ** 2 for one in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(60, rel=0.1)
    assert spread == pytest.approx(0 if even else 60, rel=0.15, abs=1e-6)
    assert first == [due for _, due in zip(range(1001), arrivals(test), strict=False)]


def test_a_failing_site_is_left_in_peace() -> None:
    """After 20 jobs of which more than half failed nothing more is sent."""
    test, records = play(wished(concurrency=4, jobs=500, hours=100.0), LoadSite(fails=0.9, seed=4))
    assert test.state is State.ENDED
    assert test.reason.endswith("jobs failed")
    assert 20 <= len(records) <= 30


def test_a_site_that_breaks_late_is_left_in_peace() -> None:
    """Hundreds of good jobs before do not hide that the last 20 failed."""
    site = LoadSite(slots=8)
    test = wished(concurrency=8, jobs=2000, hours=1000.0)
    seen = Seen(320, 8, 0, play(replace(test, most=300), site)[1])
    bad = [replace(one, state=JobState.FAILED) for one in seen.records[:20]]
    running = replace(test, state=State.RUNNING, began=T0)
    moved = control(running, replace(seen, records=[*seen.records, *bad]), Rules(), at(60))
    assert (moved.test.state, moved.test.reason, moved.send) == (
        State.STOPPING,
        "the last 20 jobs failed",
        (),
    )


def test_queue_growth_stops() -> None:
    """An open model that asks for more than the site does ends when too many jobs wait, and cancels them."""
    test, records = play(
        wished(per_hour=600.0, jobs=2000, hours=100.0), LoadSite(slots=2), Rules(stop_waiting=30)
    )
    assert "wait at the site" in test.reason
    assert figures(records, test.course).cut_off > 30


def test_many_at_once_are_sent_as_the_site_begins_them() -> None:
    """A closed test of more jobs at once than may wait sends no flood, and is not stopped by its own beginning: it reaches its number."""
    test = wished(concurrency=250, jobs=1000, hours=100.0)
    move = control(test, Seen(0, 0, 0, ()), Rules(), T0)
    assert len(move.send) == 100
    test, records = play(test, LoadSite(slots=300))
    assert (test.reason, len(records)) == ("all jobs were sent and have ended", 1000)


def test_hours_are_kept() -> None:
    """At its end nothing more is sent and what runs is cancelled; that is no failure of the site."""
    test, records = play(wished(concurrency=4, jobs=5000, hours=2.0), LoadSite(slots=8))
    found = figures(records, test.course)
    assert test.reason == "its 2 hours were over"
    assert test.ended is not None
    assert test.ended - T0 <= timedelta(hours=2, minutes=1)
    assert (found.cut_off, found.failures) == (4, ())


def test_somebody_stops_it() -> None:
    """Whoever says stop is named; a test that nobody began just ends."""
    going = replace(wished(concurrency=2), state=State.RUNNING, began=T0, stop_by="Dieter")
    stopping = control(going, Seen(2, 2, 0, []), Rules(), at(9)).test
    assert (stopping.state, stopping.stopped, stopping.reason) == (State.STOPPING, at(9), "Dieter stopped it")
    assert control(stopping, Seen(2, 0, 0, []), Rules(), at(19)).test.ended == at(19)
    waiting = replace(wished(concurrency=2), stop_by="Dieter")
    assert control(waiting, Seen(0, 0, 0, []), Rules(), at(9)).test.state is State.ENDED
    ended = control(stopping, Seen(2, 0, 0, []), Rules(), at(19)).test
    assert control(ended, Seen(2, 0, 0, []), Rules(), at(29)) == Move(ended)


def test_left_alone() -> None:
    """A process that was away for an hour sends nothing of what was due meanwhile, says so, and goes on."""
    test, records = play(
        wished(per_hour=60.0, even=True, jobs=100, hours=100.0), LoadSite(), blind=(1800, 5400)
    )
    assert test.state is State.ENDED
    assert len(records) == 100
    assert test.skipped == pytest.approx(60, abs=2)
    assert test.gaps == ((at(1800), at(5400)),)
    assert not any(at(1800) < one.t_scheduled < at(5400) for one in records if one.t_scheduled)
    said = " ".join(limits(test, figures(records, test.course)))
    assert "Nobody looked after the test for 60 minutes" in said
    assert "jobs that were due meanwhile were not sent" in said


def test_each_job_has_one_name() -> None:
    """The id of a job follows from its test and its number alone."""
    names = {name(test, number) for test in ("lta", "ltb") for number in range(100)}
    assert len(names) == 200
    assert name("lta", 7) == name("lta", 7)


def test_budget_is_shared() -> None:
    """A ramp with few jobs gives each step its part."""
    assert budget(wished(ramp=(1, 2, 4, 8))) == (12, 12, 16, 32)
    assert sum(budget(wished(ramp=(1, 2, 4, 8), jobs=36))) <= 36


@pytest.mark.parametrize(
    "shape",
    [
        Shape(Kind.CLOSED, (4,)),
        Shape(Kind.RAMP, (1, 2, 4)),
        Shape(Kind.OPEN, (), 60.0),
        Shape(Kind.OPEN, (), 90.0, even=True),
    ],
)
def test_a_shape_is_kept(shape: Shape) -> None:
    """What is written down of a shape is all of it."""
    assert shape_of(shape.key) == shape
    assert shape.words


@pytest.mark.parametrize(
    "wish",
    [
        Wish(concurrency=2, ramp=(1, 2)),
        Wish(ramp=(4, 2)),
        Wish(even=True),
        Wish(concurrency=50, jobs=10),
    ],
)
def test_what_makes_no_test(wish: Wish) -> None:
    """What contradicts itself, or cannot tell anything, is refused in a sentence."""
    with pytest.raises(UsageError):
        asked((LANE, "dimuon"), "v1", wish, "ann", T0)


def test_words_become_numbers() -> None:
    """Rates and ramps are read as people write them, and nonsense is refused."""
    assert [per_hour_of(one) for one in ("60/h", "2/min", "1/s", "30")] == [60, 120, 3600, 30]
    assert steps_of("1,2,4") == (1, 2, 4)
    for nonsense in ("0/h", "x/h", "5/parsec", "-1/h"):
        with pytest.raises(UsageError):
            per_hour_of(nonsense)
    for nonsense in ("", "1,x", "0,1"):
        with pytest.raises(UsageError):
            steps_of(nonsense)


def test_the_queue_that_is_meant() -> None:
    """One queue and template, by as many words as that needs."""
    other = replace(LANE, experiment="lhcb", queue="lhcb")
    places = [(LANE, "dimuon"), (LANE, "read"), (other, "b-to-hh")]
    assert choose(places, "DESY-HH", "dimuon", None, None) == (LANE, "dimuon")
    assert choose(places, "DESY-HH", None, "lhcb", None) == (other, "b-to-hh")
    for site, template in (("RAL", None), ("DESY-HH", None), ("DESY-HH", "nothing")):
        with pytest.raises(UsageError):
            choose(places, site, template, None, None)


def test_an_efficiency_above_one() -> None:
    """CPU efficiency above 100 %, which a payload may report of short jobs, has no interval that lies below itself."""
    test, records = play(wished(concurrency=2, jobs=8, hours=100.0), LoadSite(slots=4))
    told = [
        replace(one, wall_s=10.0, cpu_user_s=12.0 + place, cpu_sys_s=0.0) for place, one in enumerate(records)
    ]
    lines = [line for part in report(Told(test, figures(told, test.course))).parts for line in part.lines]
    [said] = [line for line in lines if line.startswith("CPU efficiency")]
    assert said.startswith("CPU efficiency 155% (135% to 155%)")


def test_a_step_that_was_not_held_is_called_what_it_was() -> None:
    """A headline names the jobs that were there, where those that were meant were not: short jobs end before the next is sent."""
    test, records = play(wished(ramp=(1, 2, 4), hours=100.0), LoadSite(slots=8))
    found = figures(records, test.course)
    assert report(Told(test, found)).found.endswith("events/s at 4 jobs at once")
    thin = replace(found, points=tuple(replace(one, held=one.held / 3) for one in found.points))
    assert "at 1.3 jobs at once (4 were meant)" in report(Told(test, thin)).found
