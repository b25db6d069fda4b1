"""What limits the figures of a load test: said beside them, in sentences."""

from collections.abc import Iterator

from helpdesk.robots.load.control import GAP
from helpdesk.robots.load.figures import Figures
from helpdesk.robots.load.steps import HELD
from helpdesk.robots.load.values import Kind, LoadTest, State

FEW = 20  # jobs
ROUNDS = 2  # jobs of a step per job at once


def limits(test: LoadTest, found: Figures) -> Iterator[str]:
    """One sentence for each reason not to believe a figure too much."""
    if found.jobs < FEW:
        yield f"Only {found.jobs} jobs ended: all intervals are wide, and quantiles above the median say little"
    if test.state is not State.ENDED:
        yield "The test goes on"
    if found.cut_off:
        yield f"{found.cut_off} jobs were cancelled when the test was stopped: they count as no failure, and as slower than all that ended"
    yield from _steps(test, found)
    late, middle = found.late, dict(found.latency).get(0.5)
    if late is not None and middle is not None and late.value > max(1.0, 0.1 * middle.value):
        yield f"We sent some jobs up to {late.value:.0f} s after their intended start: that is in the latency, and is ours, not the site's"
    if any((end - start) > GAP for start, end in test.gaps):
        total = sum((end - start).total_seconds() for start, end in test.gaps)
        yield f"Nobody looked after the test for {total / 60:.0f} minutes: fewer jobs were there than meant, and rates of that step are too low"
    if test.skipped:
        yield f"{test.skipped} jobs that were due meanwhile were not sent"
    if found.events == 0 and found.succeeded:
        yield "The payload does not say how many events it processed"


def _steps(test: LoadTest, found: Figures) -> Iterator[str]:
    missing = test.shape.steps[len(found.points) :] if test.shape.kind is not Kind.OPEN else ()
    if missing and test.state is State.ENDED:
        yield f"The ramp did not come to {', '.join(map(str, missing))} jobs at once"
    thin = [
        one.concurrency for one in found.points if one.jobs < ROUNDS * one.concurrency or one.rate is None
    ]
    if thin:
        yield f"Too few jobs for a rate at {', '.join(map(str, thin))} at once: fewer than {ROUNDS} rounds"
    short = [one for one in found.points if one.rate is not None and one.held < HELD * one.concurrency]
    if short:
        said = ", ".join(f"{one.held:.1f} instead of {one.concurrency}" for one in short)
        yield f"On the average fewer jobs were there than meant ({said}); the knee is reckoned with those that were"
