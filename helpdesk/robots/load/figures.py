"""What a load test found, from its records and its course alone."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from helpdesk.robots.load import knee, steps
from helpdesk.robots.load.estimates import Estimate, quantile, ratio, share
from helpdesk.robots.load.knee import Knee
from helpdesk.robots.load.steps import Point
from helpdesk.robots.load.values import Course, events_of, failed, seconds_between
from helpdesk.robots.record import Record

LEVELS = (0.5, 0.9, 0.95)
KINDS_TOLD = 8  # kinds of failures, and nodes


@dataclass(frozen=True, slots=True)
class Failure:
    """Failures of one kind, with one of them as an example."""

    phase: str
    error_class: str
    native_code: str
    count: int
    nodes: tuple[tuple[str, int], ...]
    example: str  # our id
    engine_job_id: str
    words: str


@dataclass(frozen=True, slots=True)
class Node:
    """One worker node."""

    name: str
    jobs: int
    failed: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is told of a test; None where nothing can be said."""

    jobs: int  # with an end of their own
    succeeded: int
    cut_off: int  # cancelled when the test was stopped: no part of any figure but the latency
    seconds: float  # from the first intended start to the last end, or to the stop
    events: float
    rate: Estimate | None  # events/s of the whole test; an interval where the concurrency was one
    success: Estimate | None
    latency: tuple[tuple[float, Estimate], ...]  # (level, s from the intended start to the end) of successes
    waiting: Estimate | None  # s from the intended start until it ran, median
    running: Estimate | None  # s that it ran, median
    late: Estimate | None  # s that we ourselves sent jobs too late, 95 %
    efficiency: Estimate | None  # CPU / (wall x cores)
    stage_in: Estimate | None  # octets/s of one job
    rate_running: Estimate | None  # events/s of one job while it runs
    failures: tuple[Failure, ...]
    nodes: tuple[Node, ...]  # those with failures, the worst first
    points: tuple[Point, ...]
    knee: Knee | None


def figures(records: Sequence[Record], course: Course, *, knees: bool = True) -> Figures:
    """All figures of a test, finished or not; a knee costs some tenths of a second."""
    own = [one for one in records if not course.cut_off(one)]
    good = [one for one in own if not failed(one)]
    seconds = _seconds(records, own, course)
    events = sum(map(events_of, own))
    steady = len({one.concurrency for one in course.steps}) <= 1
    found = tuple(steps.points(records, course))
    return Figures(
        jobs=len(own),
        succeeded=len(good),
        cut_off=len(records) - len(own),
        seconds=seconds,
        events=events,
        rate=_rate(own, events, seconds, steady=steady),
        success=share(len(good), len(own)),
        latency=tuple((level, one) for level in LEVELS if (one := latency(records, course, level))),
        waiting=_median(good, "t_scheduled", "t_started"),
        running=_median(good, "t_started", "t_final"),
        late=quantile(_spans(own, "t_scheduled", "t_submitted"), 0.95),
        efficiency=_efficiency(good),
        stage_in=_stage_in(good),
        rate_running=_rate_running(good),
        failures=_failures([one for one in own if failed(one)]),
        nodes=_nodes(own),
        points=found,
        knee=knee.find(found) if knees and not steady else None,
    )


def latency(records: Sequence[Record], course: Course, level: float) -> Estimate | None:
    """From the intended start, never from when we came to send it (coordinated omission); a job that was cut off took longer than any.

    A quantile that falls among those is infinite: nobody saw it.
    """
    ended = _spans([one for one in records if not failed(one)], "t_scheduled", "t_final")
    unseen = [float("inf") for one in records if course.cut_off(one)]
    return quantile([*ended, *unseen], level) if ended else None


def _seconds(records: Sequence[Record], own: Sequence[Record], course: Course) -> float:
    """The duration of the test: failed jobs' time is in it."""
    ends = [one.t_final for one in own if one.t_final is not None]
    if course.stopped is not None and len(records) > len(own):
        ends.append(course.stopped)
    return max(0.0, (max(ends) - course.began).total_seconds()) if ends else 0.0


def _rate(own: Sequence[Record], events: float, seconds: float, *, steady: bool) -> Estimate | None:
    """Events of successful jobs / duration; the relative error is that of events per second of a job's time."""
    if seconds <= 0 or not own:
        return None
    value = events / seconds
    timed = [one for one in own if seconds_between(one.t_scheduled, one.t_final) is not None]
    spans = [seconds_between(one.t_scheduled, one.t_final) or 0.0 for one in timed]
    each = ratio([events_of(one) for one in timed], spans)
    if not steady or each is None or each.value <= 0 or each.low is None or each.high is None:
        return Estimate(value, None, None, len(own))
    return Estimate(value, value * each.low / each.value, value * each.high / each.value, len(own))


def _spans(records: Sequence[Record], first: str, last: str) -> list[float]:
    found = (seconds_between(_time(one, first), _time(one, last)) for one in records)
    return [one for one in found if one is not None]


def _time(record: Record, name: str) -> datetime | None:
    found: datetime | None = getattr(record, name)
    return found


def _median(records: Sequence[Record], first: str, last: str) -> Estimate | None:
    return quantile(_spans(records, first, last), 0.5)


def _efficiency(good: Sequence[Record]) -> Estimate | None:
    told = [(cpu, one.wall_s * one.cores) for one in good if one.wall_s and (cpu := _cpu(one)) is not None]
    return ratio([cpu for cpu, _ in told], [wall for _, wall in told])


def _cpu(one: Record) -> float | None:
    return None if one.cpu_user_s is None or one.cpu_sys_s is None else one.cpu_user_s + one.cpu_sys_s


def _stage_in(good: Sequence[Record]) -> Estimate | None:
    """Only copies have a stage-in that moves the bytes: a stream reads them while it works."""
    told = [
        (float(one.bytes_read), seconds)
        for one in good
        if one.access_mode == "copy"
        and one.bytes_read
        and (seconds := seconds_between(one.t_started, one.t_stagein_end))
    ]
    return ratio([size for size, _ in told], [seconds for _, seconds in told])


def _rate_running(good: Sequence[Record]) -> Estimate | None:
    told = [(events_of(one), s) for one in good if (s := seconds_between(one.t_started, one.t_final))]
    return ratio([events for events, _ in told], [seconds for _, seconds in told])


def _failures(bad: Sequence[Record]) -> tuple[Failure, ...]:
    kinds: dict[tuple[str, str, str], list[Record]] = defaultdict(list)
    for one in bad:
        kinds["" if one.phase is None else one.phase.value, one.error_class, one.native_code].append(one)
    ordered = sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0]))[:KINDS_TOLD]
    return tuple(_failure(kind, mine) for kind, mine in ordered)


def _failure(kind: tuple[str, str, str], mine: Sequence[Record]) -> Failure:
    nodes = Counter(one.node for one in mine if one.node)
    example = mine[-1]
    return Failure(
        *kind,
        count=len(mine),
        nodes=tuple(nodes.most_common(3)),
        example=example.job,
        engine_job_id=example.engine_job_id,
        words=example.native_text,
    )


def _nodes(own: Sequence[Record]) -> tuple[Node, ...]:
    jobs = Counter(one.node for one in own if one.node)
    bad = Counter(one.node for one in own if one.node and failed(one))
    found = [Node(name, jobs[name], count) for name, count in bad.items()]
    return tuple(sorted(found, key=lambda one: (-one.failed, one.name))[:KINDS_TOLD])
