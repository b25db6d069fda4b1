"""When which job goes where: pure, and a function of time, so that a crash or a late turn changes nothing.

Each queue of each site has a slot every `86,400 / jobs a day` seconds, moved to and fro by a jitter that is a hash of the slot; the job of a slot
has an id that is a hash of the slot too, so it is planned once, whoever plans it.  What is due for longer than a slot is not made up for.
The templates of a cocktail come in an order in which every stretch has about the wished shares (van der Corput, base 2).
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Lane:
    """One queue of one site, as an experiment uses it."""

    site: str
    experiment: str
    engine: str
    queue: str


@dataclass(frozen=True, slots=True)
class Mix:
    """What is sent there: weights by template, in a fixed order, and jobs a day."""

    templates: Sequence[tuple[str, int]]
    per_day: float
    jitter: float = 0.5  # of the distance of two slots: 0 is a drum, 1 can make two fall together


@dataclass(frozen=True, slots=True)
class Intent:
    """One job that is to be sent."""

    job: str
    lane: Lane
    template: str
    campaign: str
    at: datetime  # when it was meant to go: latency counts from here


def routine(lane: Lane, mix: Mix, since: datetime, now: datetime) -> Iterator[Intent]:
    """The job whose slot lies after `since`, up to `now`: at most one, the latest; earlier ones are gone."""
    if mix.per_day <= 0 or not mix.templates or now <= since:
        return
    step = DAY / mix.per_day
    last = int(now.timestamp() // step)
    for number in range(last + 1, last - 3, -1):  # the jitter moves a slot by less than one
        at = _moment(lane, mix, number, step)
        if since < at <= now:
            name = _id("routine", lane.site, lane.experiment, lane.queue, mix.per_day, number)
            yield Intent(name, lane, template(mix, _start(lane) + number), "routine", at)
            return


def template(mix: Mix, number: int) -> str:
    """The template of a slot: any stretch of slots has nearly the wished shares."""
    total = sum(weight for _, weight in mix.templates)
    wanted = _van_der_corput(number) * total
    for name, weight in mix.templates:
        wanted -= weight
        if wanted < 0:
            return name
    return mix.templates[-1][0]


def asked(lane: Lane, name: str, count: int, campaign: str, at: datetime) -> Iterator[Intent]:
    """Jobs that somebody asked for now: the policy (probe), a contact (retest), a person (manual)."""
    for number in range(count):
        job = _id(campaign, lane.site, lane.experiment, lane.queue, name, at.timestamp(), number)
        yield Intent(job, lane, name, campaign, at)


def within(
    intents: Sequence[Intent], waiting: Mapping[Lane, int], most: int
) -> tuple[list[Intent], list[Intent]]:
    """Those that may go, and those that would make a queue longer than it may be; probes go first."""
    going: list[Intent] = []
    kept: list[Intent] = []
    count = dict(waiting)
    for one in sorted(intents, key=lambda x: (x.campaign == "routine", x.at, x.job)):
        if count.get(one.lane, 0) < most:
            count[one.lane] = count.get(one.lane, 0) + 1
            going.append(one)
        else:
            kept.append(one)
    return going, kept


def choose(weights: Mapping[str, float], job: str) -> str:
    """One of several data sets, by weight and by the job's id; `ValueError` where there is nothing to choose from."""
    usable = sorted((name, weight) for name, weight in weights.items() if weight > 0)
    if not usable:
        raise ValueError("no data set has a weight above 0")
    wanted = _fraction("dataset", job) * sum(weight for _, weight in usable)
    for name, weight in usable:
        wanted -= weight
        if wanted < 0:
            return name
    return usable[-1][0]


def _moment(lane: Lane, mix: Mix, number: int, step: float) -> datetime:
    offset = _fraction("phase", lane.site, lane.experiment, lane.queue)  # sites do not all begin at once
    moved = (_fraction("jitter", lane.site, lane.experiment, lane.queue, number) - 0.5) * mix.jitter
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=(number + offset + moved) * step)


def _start(lane: Lane) -> int:
    """Sites are not all at the same place of the cocktail."""
    return int(_fraction("start", lane.site, lane.experiment) * 1024)


def _van_der_corput(number: int) -> float:
    found, unit = 0.0, 0.5
    while number > 0:
        found += unit * (number & 1)
        number >>= 1
        unit /= 2
    return found


def _id(*what: object) -> str:
    return base64.b32encode(_hash(*what)[:15]).decode().lower()


def _fraction(*what: object) -> float:
    return int.from_bytes(_hash(*what)[:7], "big") / 2**56


def _hash(*what: object) -> bytes:
    return hashlib.sha256("\t".join(map(str, what)).encode()).digest()
