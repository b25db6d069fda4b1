"""A load test as people read it, and as a JSON document: events/s first, and what limits the figures last.  Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from helpdesk.robots.load.compare import Comparison
from helpdesk.robots.load.estimates import Estimate
from helpdesk.robots.load.figures import Figures
from helpdesk.robots.load.knee import Knee
from helpdesk.robots.load.limits import limits
from helpdesk.robots.load.steps import HELD, Point
from helpdesk.robots.load.values import Kind, LoadTest, State

BAR = 20  # columns of the longest bar


@dataclass(frozen=True, slots=True)
class LoadPart:
    """One part of a report; `columns`: its lines are laid out, and no blank of them may go."""

    title: str
    lines: tuple[str, ...]
    columns: bool = False


@dataclass(frozen=True, slots=True)
class LoadReportMail:
    """The report on one load test."""

    kind: ClassVar[str] = "load_report"

    site: str
    found: str  # the headline
    intro: tuple[str, ...]
    parts: tuple[LoadPart, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A test, what it found, and what that is beside others."""

    test: LoadTest
    figures: Figures
    last: Comparison | None = None
    peers: Comparison | None = None


def headline(test: LoadTest, figures: Figures) -> tuple[Estimate | None, int | None]:
    """The figure that is compared: of a ramp its best step, with the jobs at once there; else the whole test's."""
    if test.shape.kind is not Kind.RAMP:
        return figures.rate, None
    best = _best(figures)
    return (None, None) if best is None else (best.rate, best.concurrency)


def _best(figures: Figures) -> Point | None:
    """The step of a ramp with the highest rate."""
    rated = [one for one in figures.points if one.rate is not None]
    return max(rated, key=lambda one: one.rate.value if one.rate else 0.0, default=None)


def _at_once(figures: Figures) -> str:
    """How many jobs there were in the best step: those that were meant, unless they were not there."""
    best = _best(figures)
    if best is None or best.held >= HELD * best.concurrency:
        return f"{best.concurrency if best else 0} jobs at once"
    return f"{best.held:.1f} jobs at once ({best.concurrency} were meant)"


def report(told: Told) -> LoadReportMail:
    """All of it in words."""
    test, figures = told.test, told.figures
    rate, at_once = headline(test, figures)
    about = "no events" if rate is None or rate.value <= 0 else f"{amount(rate.value)} events/s"
    about += "" if at_once is None or not rate else f" at {_at_once(figures)}"
    bad = figures.jobs - figures.succeeded
    found = f"{about}{f', {bad} of {figures.jobs} failed' if bad else ''}"
    parts = [
        LoadPart("Events/s", tuple(_rates(told))),
        LoadPart("Events/s against jobs at once", tuple(_curve(figures.points)), columns=True),
        LoadPart("Latency, from the intended start", tuple(_latency(figures))),
        LoadPart("Resources", tuple(_resources(figures))),
        LoadPart("Failures", tuple(_failures(figures))),
        LoadPart("Compared", tuple(_compared(told))),
        LoadPart("What limits these figures", tuple(limits(test, figures))),
    ]
    return LoadReportMail(
        test.lane.site, found, tuple(_intro(test)), tuple(one for one in parts if one.lines)
    )


def _intro(test: LoadTest) -> Iterator[str]:
    lane = test.lane
    yield f"{test.id}: {test.shape.words}, template {test.template}, {lane.experiment} queue {lane.queue} ({lane.engine})."
    yield f"Asked for by {test.by} on {_when(test.asked)}: at most {test.most} jobs, {test.hours:g} hours."
    if test.state is State.ENDED and test.ended is not None:
        took = "" if test.began is None else f" after {_span(test.ended - test.began)}"
        yield f"It ended {_when(test.ended)}{took}: {test.reason}."
    else:
        yield f"It has not ended: {test.state}. These are the figures so far."


def _rates(told: Told) -> Iterator[str]:
    figures = told.figures
    if figures.rate is not None:
        yield f"{estimate(figures.rate)} events/s over the whole test ({figures.jobs} jobs in {_seconds(figures.seconds)}; failed jobs' time is charged)"
    rate, at_once = headline(told.test, figures)
    if rate is not None and at_once is not None:
        yield f"{estimate(rate)} events/s at {_at_once(figures)}, the best step"
    if figures.rate_running is not None:
        yield f"{estimate(figures.rate_running)} events/s of one job while it runs"
    if figures.knee is not None:
        yield knee_words(figures.knee)
    elif told.test.shape.kind is Kind.RAMP:
        yield "No knee: that takes three steps whose rate is known"


def knee_words(knee: Knee) -> str:
    """The knee in a sentence."""
    if knee.jobs is None:
        above = "" if knee.low is None else f" (if there is one, then above {_few(knee.low)})"
        return f"Knee: none shown up to {_few(knee.tested)} jobs at once{above}"
    if knee.below:
        return f"Knee: at or below {_few(knee.jobs)} jobs at once, where the ramp began"
    more = "more make it worse" if knee.falling else "more bring little or nothing"
    between = "" if knee.low is None or knee.high is None else f" ({_few(knee.low)} to {_few(knee.high)})"
    return f"Knee: {_few(knee.jobs)} jobs at once{between}; {more}"


def _curve(points: tuple[Point, ...]) -> Iterator[str]:
    """A table that is a picture too."""
    most = max((one.rate.value for one in points if one.rate), default=0.0)
    if len(points) < 2 or most <= 0:
        return
    yield f"{'at once':>7}  {'events/s':>9}  {'95 %':^17}  {'jobs':>5} {'failed':>6}  {'s each':>7}"
    for one in points:
        rate, each = one.rate, "" if one.latency is None else f"{one.latency.value:.1f}"
        value = "-" if rate is None else amount(rate.value)
        ends = (
            ""
            if rate is None or rate.low is None or rate.high is None
            else f"{amount(rate.low)} - {amount(rate.high)}"
        )
        bar = "#" * round(BAR * rate.value / most) if rate else ""
        yield f"{one.concurrency:>7}  {value:>9}  {ends:^17}  {one.jobs:>5} {one.failed:>6}  {each:>7}"
        yield f"{'':>7}  {bar}"


def _latency(figures: Figures) -> Iterator[str]:
    for level, found in figures.latency:
        if math.isinf(found.value):
            yield f"{level * 100:.0f} % ended in: not seen, so many were cut off"
        else:
            yield f"{level * 100:.0f} % ended within {_seconds(found.value)}{_between(found)}"
    parts = (("waiting", figures.waiting), ("running", figures.running))
    said = [f"{name} {_seconds(found.value)}" for name, found in parts if found is not None]
    if said:
        yield f"Of that, in the middle: {', '.join(said)}"


def _resources(figures: Figures) -> Iterator[str]:
    if figures.efficiency is not None:
        ends = figures.efficiency
        inside = (
            ""
            if ends.low is None or ends.high is None
            else f" ({ends.low:.0%} to {max(ends.value, min(1.0, ends.high)):.0%})"
        )
        yield f"CPU efficiency {ends.value:.0%}{inside}: CPU time / (wall time x cores) of jobs that succeeded"
    if figures.stage_in is not None:
        yield f"Stage-in {estimate(figures.stage_in.times(1e-6))} MB/s of one job, from its start to its data"


def _failures(figures: Figures) -> Iterator[str]:
    if figures.success is not None:
        low, high = figures.success.low or 0.0, figures.success.high or 1.0
        yield f"{figures.succeeded} of {figures.jobs} jobs succeeded: {figures.success.value:.1%} ({low:.1%} to {high:.1%})"
    for one in figures.failures:
        kind = " ".join(filter(None, (one.phase, one.error_class, one.native_code)))
        nodes = ", ".join(f"{name} {count}" for name, count in one.nodes)
        yield f"{one.count} x {kind}{f', on {nodes}' if nodes else ''}; for example job {one.engine_job_id or one.example}: {one.words}"
    worst = [f"{one.name} {one.failed} of {one.jobs}" for one in figures.nodes]
    if worst:
        yield f"By node, failed: {', '.join(worst)}"


def _compared(told: Told) -> Iterator[str]:
    if (last := told.last) is not None:
        yield f"The site's last test of this shape ({last.of}): {amount(last.rate)} events/s: {_change(last)}"
        if last.knee is not None:
            yield f"Its knee was {_few(last.knee)} jobs at once"
    if (peers := told.peers) is not None:
        sites = "one other site" if peers.peers == 1 else f"{peers.peers} other sites, the middle"
        times = "" if peers.change is None else f": this is {peers.change.value:.2f} of that"
        yield f"The same at {sites}: {amount(peers.rate)} events/s{times}"
    if told.last is None and told.peers is None:
        yield "No earlier test of this shape and template, here or elsewhere, in the last 90 days"


def _change(one: Comparison) -> str:
    change = one.change
    if change is None or change.low is None or change.high is None:
        return "nobody can tell whether it changed: an interval is missing"
    inside = f"{change.value:.2f} of that ({change.low:.2f} to {change.high:.2f})"
    return f"this is {inside}{', so it changed' if one.differs else ', no change that is sure'}"


# -- numbers


def amount(value: float) -> str:
    """A number with three digits that count."""
    if value == 0 or math.isinf(value):
        return f"{value:.0f}"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):,.{max(0, digits)}f}"


def estimate(found: Estimate) -> str:
    """A figure and its interval."""
    if found.low is None or found.high is None:
        return amount(found.value)
    return f"{amount(found.value)} ({amount(found.low)} to {amount(found.high)})"


def _between(found: Estimate) -> str:
    if found.low is None and found.high is None:
        return ""
    low = "..." if found.low is None else _seconds(found.low)
    return f" ({low} to {'...' if found.high is None else _seconds(found.high)})"


def _few(value: float) -> str:
    return f"{value:.1f}" if value < 20 else f"{value:.0f}"


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value < 100 else _span(timedelta(seconds=value))


def _span(value: timedelta) -> str:
    minutes = round(value.total_seconds() / 60)
    if minutes < 2:
        return f"{value.total_seconds():.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%a %d %b %Y %H:%M} UTC"
