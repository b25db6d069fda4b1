"""The rate of a site at each concurrency: what a ramp measures.

A step's window begins when the last job of the step before has ended, and ends when the next step begins or no more jobs are sent; so
all jobs in it met the same concurrency.  A job that lies partly in the window counts with the part of its events that it made there, and no
time is wasted on running empty between steps.  A failed job counts with its time and no events.

How far a job had come at the edge of a window follows from the pace at each concurrency, which is what is sought: a few rounds find both
(`_Progress`).  Taken as even over a job's life, the rate before a slower step would come out too low.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise, zip_longest

from helpdesk.robots.load.estimates import Estimate, quantile, ratio
from helpdesk.robots.load.values import Course, Step, events_of, failed, seconds_between
from helpdesk.robots.record import Record

ROUNDS = 6  # until pace and progress agree; each halves the error, or better


HELD = 0.9
"""Of the jobs that were meant: with fewer on the average a step was not held."""


@dataclass(frozen=True, slots=True)
class Point:
    """One step: events/s against jobs at the site."""

    concurrency: int  # that was meant
    held: float  # jobs that were there, on the average over the window
    seconds: float  # of the window
    jobs: int  # with a part in it
    failed: int
    rate: Estimate | None  # events/s of all jobs together; None: no window
    latency: Estimate | None  # median, of the step's own jobs that succeeded


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of a step in which all jobs are its own."""

    step: Step
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class _Life:
    """One job from its intended start to its end, in epoch seconds."""

    start: float
    end: float
    events: float
    failed: bool
    cut_off: bool

    def inside(self, window: _Window) -> float:
        """Seconds of it in a window."""
        return max(0.0, min(self.end, window.end) - max(self.start, window.start))


class _Progress:
    """How far jobs had come at any moment: all that are there at once go at the pace of their number."""

    def __init__(self, lives: Sequence[_Life], pace: Mapping[float, float]) -> None:
        changes = sorted([(one.start, 1) for one in lives] + [(one.end, -1) for one in lives])
        self._times = [at for at, _ in changes]
        self._done = [0.0]
        there = 0
        for (at, change), (after, _) in pairwise(changes):
            there += change
            self._done.append(self._done[-1] + (after - at) * _between(pace, there))

    def share(self, life: _Life, window: _Window) -> float:
        """The part of a job's work that lies in a window."""
        whole = self._at(life.end) - self._at(life.start)
        part = self._at(min(life.end, window.end)) - self._at(max(life.start, window.start))
        return part / whole if whole > 0 else 0.0

    def _at(self, moment: float) -> float:
        number = max(0, min(len(self._times) - 1, bisect_right(self._times, moment) - 1))
        if number + 1 >= len(self._times) or moment <= self._times[number]:
            return self._done[number]
        span = self._times[number + 1] - self._times[number]
        part = (moment - self._times[number]) / span if span > 0 else 0.0
        return self._done[number] + part * (self._done[number + 1] - self._done[number])


def points(records: Sequence[Record], course: Course) -> list[Point]:
    """A point for each step, in their order."""
    lives = list(_lives(records, course))
    windows = list(_windows(lives, course))
    pace: dict[float, float] = {}
    found: list[Point] = []
    for _ in range(ROUNDS if len(windows) > 1 else 1):
        progress = _Progress(lives, pace)
        found = [_point(lives, one, progress) for one in windows]
        pace = {x.held: x.rate.value / x.held for x in found if x.rate and x.rate.value > 0 and x.held > 0}
    waits = [_waits(records, one) for one in windows]
    return [
        Point(x.concurrency, x.held, x.seconds, x.jobs, x.failed, x.rate, quantile(wait, 0.5))
        for x, wait in zip(found, waits, strict=True)
    ]


def _lives(records: Iterable[Record], course: Course) -> Iterable[_Life]:
    for one in records:
        if seconds_between(one.t_scheduled, one.t_final) and one.t_scheduled and one.t_final:
            ends = one.t_scheduled.timestamp(), one.t_final.timestamp()
            yield _Life(*ends, events_of(one), failed(one), course.cut_off(one))


def _windows(lives: Sequence[_Life], course: Course) -> Iterable[_Window]:
    end = _end(lives, course)
    for step, after in zip_longest(course.steps, course.steps[1:]):
        began = step.began.timestamp()
        before = [one.end for one in lives if one.start < began]
        yield _Window(step, max([began, *before]), after.began.timestamp() if after else end)


def _end(lives: Sequence[_Life], course: Course) -> float:
    known = [one.timestamp() for one in (course.filled_until, course.stopped) if one is not None]
    return min(known) if known else max((one.end for one in lives), default=0.0)


def _point(lives: Sequence[_Life], window: _Window, progress: _Progress) -> Point:
    seconds = window.end - window.start
    if seconds <= 0:
        return Point(window.step.concurrency, 0.0, 0.0, 0, 0, None, None)
    there = [one for one in lives if one.inside(window) > 0]
    told = [one for one in there if not one.cut_off]
    held = sum(one.inside(window) for one in there) / seconds
    each = ratio(
        [one.events * progress.share(one, window) for one in told], [one.inside(window) for one in told]
    )
    return Point(
        concurrency=window.step.concurrency,
        held=held,
        seconds=seconds,
        jobs=len(told),
        failed=sum(one.failed for one in told),
        rate=None if each is None else each.times(held),
        latency=None,
    )


def _waits(records: Iterable[Record], window: _Window) -> list[float]:
    """How long the step's own jobs took, from their intended start."""
    return [
        found
        for one in records
        if not failed(one)
        and one.t_scheduled is not None
        and window.step.began <= one.t_scheduled < datetime.fromtimestamp(window.end, one.t_scheduled.tzinfo)
        and (found := seconds_between(one.t_scheduled, one.t_final)) is not None
    ]


def _between(pace: Mapping[float, float], jobs: float) -> float:
    """The pace at a number of jobs: straight lines in logarithms between what was measured, level outside."""
    known = sorted(pace.items())
    if not known:
        return 1.0
    for (low, slow), (high, fast) in pairwise(known):
        if low <= jobs <= high and low < high:
            part = math.log(jobs / low) / math.log(high / low)
            return slow * math.exp(part * math.log(fast / slow))
    return known[0][1] if jobs < known[0][0] else known[-1][1]
