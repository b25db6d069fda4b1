"""A load test as somebody asks for it: his words become a test, or sentences that say why not.  Pure."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from helpdesk.errors import UsageError
from helpdesk.robots.load.control import needed
from helpdesk.robots.load.values import Kind, LoadTest, Shape
from helpdesk.robots.schedule import Lane

MOST = 100_000  # jobs of any test
RAMP = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True)
class Wish:
    """What was said; None: nothing."""

    jobs: int | None = None
    concurrency: int | None = None
    ramp: tuple[int, ...] | None = None
    per_hour: float | None = None
    even: bool = False
    hours: float | None = None


def shape(wish: Wish) -> Shape:
    """How jobs are sent; a ramp if nothing is said."""
    said = [one for one in (wish.concurrency, wish.ramp, wish.per_hour) if one is not None]
    if len(said) > 1:
        raise UsageError("a test has one of: so many jobs at once, a ramp, a rate")
    if wish.even and wish.per_hour is None:
        raise UsageError("evenly or by chance is said of a rate")
    if wish.per_hour is not None:
        return Shape(Kind.OPEN, (), wish.per_hour, wish.even)
    if wish.concurrency is not None:
        return Shape(Kind.CLOSED, (wish.concurrency,))
    steps = wish.ramp or RAMP
    if len(steps) == 1:
        return Shape(Kind.CLOSED, steps)
    if list(steps) != sorted(set(steps)) or steps[0] < 1:
        raise UsageError("a ramp goes up: for example 1,2,4,8")
    return Shape(Kind.RAMP, steps)


def default_jobs(wanted: Shape) -> int:
    """As many as its figures need."""
    return 50 if wanted.kind is Kind.OPEN else sum(needed(one) for one in wanted.steps)


def steps_of(text: str) -> tuple[int, ...]:
    """1,2,4 as numbers."""
    try:
        found = tuple(int(one) for one in text.split(","))
    except ValueError:
        raise UsageError(f"{text!r} is no ramp: write the jobs at once of each step, like 1,2,4,8") from None
    if not found or any(not 1 <= one <= MOST for one in found):
        raise UsageError(f"{text!r} is no ramp: write the jobs at once of each step, like 1,2,4,8")
    return found


def per_hour_of(text: str) -> float:
    """60/h, 2/min or 1/s as jobs an hour."""
    number, _, unit = text.replace(" ", "").partition("/")
    times = {"h": 1.0, "hour": 1.0, "min": 60.0, "m": 60.0, "s": 3600.0, "": 1.0}.get(unit)
    try:
        found = float(number) * (times or 0.0)
    except ValueError:
        found = 0.0
    if not 0 < found <= 1e6:
        raise UsageError(f"{text!r} is no rate: write 60/h, 2/min or 1/s")
    return found


def choose(
    places: Sequence[tuple[Lane, str]],
    site: str,
    template: str | None,
    experiment: str | None,
    queue: str | None,
) -> tuple[Lane, str]:
    """The one queue and template that is meant; `places` is every one that fits together."""
    mine = [one for one in places if one[0].site == site]
    if not mine:
        raise UsageError(f"no [[site]] {site!r} with a [[site.queue]] whose experiment has a [[template]]")
    fit = [
        (lane, name)
        for lane, name in mine
        if template in {None, name} and experiment in {None, lane.experiment} and queue in {None, lane.queue}
    ]
    if len(fit) == 1:
        return fit[0]
    names = sorted({f"{name} ({lane.experiment}, queue {lane.queue})" for lane, name in fit or mine})
    said = "none of them is that" if not fit else "say which, by template, experiment or queue"
    raise UsageError(f"{site} has {', '.join(names)}: {said}")


def asked(place: tuple[Lane, str], version: str, wish: Wish, by: str, now: datetime) -> LoadTest:
    """The test; its id says nothing and is short."""
    lane, template = place
    wanted = shape(wish)
    octets = hashlib.sha256(f"{lane}\t{template}\t{wanted.key}\t{by}\t{now.isoformat()}".encode()).digest()
    most = default_jobs(wanted) if wish.jobs is None else wish.jobs
    if wanted.steps and most < sum(wanted.steps):
        raise UsageError(
            f"{most} jobs are too few for {wanted.words}: {sum(wanted.steps)} only begin it, {default_jobs(wanted)} are good"
        )
    hours = 4.0 if wish.hours is None else wish.hours
    name = f"lt{base64.b32encode(octets[:5]).decode().lower()}"
    return LoadTest(name, lane, template, version, wanted, most, hours, by, now)
