"""What a load test does next: pure, from what it has sent and what came back; `now` is an argument.

It is asked again and again, and remembers nothing but its row: who begins anew after a crash goes on where the rows are.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from helpdesk.robots.load import steps
from helpdesk.robots.load.values import Kind, LoadTest, State, Step, failed
from helpdesk.robots.record import Record

GAP = timedelta(minutes=2)
"""A test at which nobody looks for longer was left alone: what was due meanwhile is not sent, and the report says so."""
PATIENT = 2  # times its concurrency: so many of a step's own jobs end before its precision is asked for
SOME = 4  # and so many more


@dataclass(frozen=True, slots=True)
class Rules:
    """What protects a site, and when a step is known well enough; `[loadtest]` of the configuration."""

    stop_after: int = 20  # finished jobs
    stop_failed: float = 0.5
    stop_waiting: int = 100  # jobs that wait at the site
    precision: float = 0.05  # half of the interval of 95 %, as a fraction of the rate


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of its jobs."""

    sent: int
    there: int  # without a record
    waiting: int  # of those: not seen to run
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Move:
    """The test as it is from now on, and what it sends: (number of the job, its intended start)."""

    test: LoadTest
    send: tuple[tuple[int, datetime], ...] = ()


def control(test: LoadTest, seen: Seen, rules: Rules, now: datetime) -> Move:
    """Begin, send, go on to the next step, stop or end."""
    if test.state is State.ENDED:
        return Move(test)
    test = _looked(test, now)
    if test.state is State.ASKED:
        if test.stop_by:
            return Move(_ended(test, _by(test), now))
        first = tuple(Step(one, now) for one in test.shape.steps[:1])
        test = replace(test, state=State.RUNNING, began=now, steps=first)
    if test.state is State.RUNNING and (reason := stop_reason(test, seen, rules, now)):
        test = replace(test, state=State.STOPPING, stopped=now, reason=reason)
    if test.state is State.STOPPING:
        return Move(test if seen.there else _ended(test, test.reason, now))
    if test.filled_until is not None:
        return Move(test if seen.there else _ended(test, "all jobs were sent and have ended", now))
    return _open(test, seen, now) if test.shape.kind is Kind.OPEN else _closed(test, seen, rules, now)


def stop_reason(test: LoadTest, seen: Seen, rules: Rules, now: datetime) -> str:
    """Why it must stop now; "" if nothing is wrong."""
    finished = len(seen.records)
    bad = sum(map(failed, seen.records))
    if test.stop_by:
        return _by(test)
    if finished >= rules.stop_after and bad > rules.stop_failed * finished:
        return f"{bad} of {finished} jobs failed"
    if finished >= rules.stop_after and all(map(failed, seen.records[-rules.stop_after :])):
        return f"the last {rules.stop_after} jobs failed"
    if seen.waiting > rules.stop_waiting:
        return f"{seen.waiting} jobs wait at the site: it is asked for more than it does"
    if now - (test.began or now) >= timedelta(hours=test.hours):
        return f"its {test.hours:g} hours were over"
    return ""


def name(test: str, number: int) -> str:
    """The id of its job: the same whoever makes it, so a job is planned once."""
    octets = hashlib.sha256(f"load\t{test}\t{number}".encode()).digest()
    return base64.b32encode(octets[:15]).decode().lower()


def arrivals(test: LoadTest) -> Iterator[datetime]:
    """When the jobs of an open model are due, from the test's own seed: the same after a restart."""
    began = test.began or test.asked
    mean = 3600 / test.shape.per_hour
    rng = Random(test.id)  # noqa: S311  # no secret: a clock
    after = 0.0
    while True:
        yield began + timedelta(seconds=after)
        after += mean if test.shape.even else rng.expovariate(1 / mean)


def budget(test: LoadTest) -> tuple[int, ...]:
    """How many jobs each step of a ramp may send: in proportion to what it needs."""
    needs = [needed(one) for one in test.shape.steps]
    return tuple(max(1, test.most * need // sum(needs)) for need in needs)


def needed(concurrency: int) -> int:
    """Jobs that a step should have: some rounds of its concurrency."""
    return max(12, 4 * concurrency)


def _closed(test: LoadTest, seen: Seen, rules: Rules, now: datetime) -> Move:
    """Keep the concurrency of the step; the next one when this one is known."""
    if _is_known(test, seen, rules, now):
        rest = test.shape.steps[len(test.steps) :]
        if not rest:
            return Move(_full(test, now))
        test = replace(test, steps=(*test.steps, Step(rest[0], now, seen.sent)))
    left = test.most - seen.sent
    if left <= 0:
        return Move(_full(test, now))
    room = rules.stop_waiting - seen.waiting  # more at once would stop the test
    count = min(left, room, test.steps[-1].concurrency - seen.there)
    return Move(test, tuple((seen.sent + i, now) for i in range(max(0, count))))


def _is_known(test: LoadTest, seen: Seen, rules: Rules, now: datetime) -> bool:
    """Whether the step has done: its rate is known well enough, or its share of jobs or of time is used up."""
    if test.shape.kind is not Kind.RAMP:
        return False
    step, number = test.steps[-1], len(test.steps) - 1
    if seen.sent - step.first >= budget(test)[number]:
        return True
    own = sum(one.t_scheduled is not None and one.t_scheduled >= step.began for one in seen.records)
    if own and now - step.began >= timedelta(hours=test.hours) / len(test.shape.steps):
        return True
    if own < PATIENT * step.concurrency + SOME:
        return False
    rate = steps.points(seen.records, replace(test.course, filled_until=now))[-1].rate
    return rate is not None and rate.precision is not None and rate.precision <= rules.precision


def _open(test: LoadTest, seen: Seen, now: datetime) -> Move:
    """Send what is due by the clock, whatever became of the others; its intended start is when it was due."""
    send: list[tuple[int, datetime]] = []
    skipped = test.skipped
    for index, due in enumerate(arrivals(test)):
        if due > now or seen.sent + len(send) >= test.most:
            break
        if index < seen.sent + test.skipped:
            continue
        if any(start < due <= end for start, end in test.gaps):
            skipped += 1
        else:
            send.append((seen.sent + len(send), due))
    test = replace(test, skipped=skipped)
    full = seen.sent + len(send) >= test.most
    return Move(_full(test, now) if full else test, tuple(send))


def _looked(test: LoadTest, now: datetime) -> LoadTest:
    alone = test.looked is not None and test.state is State.RUNNING and now - test.looked > GAP
    gaps = (*test.gaps, (test.looked, now)) if alone and test.looked is not None else test.gaps
    return replace(test, looked=now, gaps=gaps)


def _full(test: LoadTest, now: datetime) -> LoadTest:
    return replace(test, filled_until=now)


def _ended(test: LoadTest, reason: str, now: datetime) -> LoadTest:
    return replace(test, state=State.ENDED, ended=now, reason=reason)


def _by(test: LoadTest) -> str:
    return f"{test.stop_by} stopped it"
