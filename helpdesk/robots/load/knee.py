"""The knee: how many jobs at once a site does with profit.

By the asymptotic bounds of operational analysis (Denning & Buzen 1978; Lazowska et al. 1984, chapter 5) the rate of a closed system is at
most `a N` (each job as fast as alone) and at most the rate of its bottleneck; the knee is where the two lines meet: `N* = rate at the
bottleneck / a`.  Three curves are fitted to the steps, weighted by their errors, and the one that explains them best for its number of
parameters (AIC, Akaike 1974) says where that is:

    linear      a N                                    no knee
    corner      a N up to C, then a C (N / C)^-b       knee C; b = 0: level, b > 0: it gets worse
    gradual     a N / (1 + s (N - 1) + k N (N - 1))    the Universal Scalability Law (Gunther 2007), its peak over a

The interval is a parametric bootstrap: the rates are drawn again within their errors, and the choice of the curve is made anew each time, so
that its uncertainty is in it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from helpdesk.robots.load.estimates import student
from helpdesk.robots.load.steps import Point

ROUNDS = 400
FLOOR = 0.03
"""No rate is known better than this: conditions change from step to step, and the error of one step does not show that."""
CORNERS = 60  # places of the corner that are tried


@dataclass(frozen=True, slots=True)
class Spot:
    """A measured rate: `error` is one standard deviation of its logarithm."""

    jobs: float
    rate: float
    error: float
    freedom: int = 100


@dataclass(frozen=True, slots=True)
class Curve:
    """A fitted curve; `knee` inf: it has none."""

    name: str  # linear, corner, gradual
    slope: float  # a: events/s of one job that is alone
    knee: float
    falling: bool  # whether more jobs than the knee make it worse
    misfit: float  # chi squared
    parameters: int
    rate: Callable[[float], float]  # events/s by jobs

    @property
    def score(self) -> float:
        """AIC with known errors, but for a constant."""
        return self.misfit + 2 * self.parameters


@dataclass(frozen=True, slots=True)
class Knee:
    """The answer: `jobs` None means that no knee was shown up to `tested`: its interval would have no upper end."""

    jobs: float | None
    low: float | None  # of 95 %; without a knee: if there is one, then above this
    high: float | None
    tested: float  # the most jobs at once that were tried
    curve: str
    falling: bool
    below: bool = False  # the first step was beyond it already: it is at most `jobs`


def find(points: Sequence[Point], seed: int = 1) -> Knee | None:
    """The knee of a ramp; None where fewer than three steps have a rate."""
    spots = list(_spots(points))
    return None if len(spots) < 3 else of_spots(spots, seed)


def of_spots(spots: Sequence[Spot], seed: int = 1) -> Knee:
    """The knee of measured rates, by the jobs that were there; at least three."""
    spots = sorted(spots, key=lambda one: one.jobs)
    first, last = spots[0].jobs, spots[-1].jobs
    best = choose(spots)
    rng = Random(seed)  # noqa: S311  # no secret: the same interval each time
    drawn = [choose(list(_drawn(spots, best, rng))) for _ in range(ROUNDS)]
    found = sorted(one.knee for one in drawn)
    low, high = found[int(0.025 * ROUNDS)], found[int(0.975 * ROUNDS) - 1]
    top = high if high <= last else None
    bottom = low if low <= last else None
    if best.knee > last or top is None:
        return Knee(None, bottom, None, last, best.name, falling=False)
    return Knee(
        jobs=best.knee,
        low=min(low, best.knee),
        high=max(top, best.knee),
        tested=last,
        curve=best.name,
        falling=best.falling and sum(one.falling for one in drawn) >= 0.975 * ROUNDS,
        below=best.knee <= first * 1.01,
    )


def choose(spots: Sequence[Spot]) -> Curve:
    """The curve that explains them best for what it costs; the simplest where two do it equally well."""
    curves = [linear(spots), *corners(spots), *graduals(spots)]
    return min(curves, key=lambda one: (one.score, one.parameters))


def linear(spots: Sequence[Spot]) -> Curve:
    """Each job as fast as alone, however many there are."""
    weights = [one.error**-2 for one in spots]
    logs = [math.log(one.rate / one.jobs) for one in spots]
    slope = sum(w * x for w, x in zip(weights, logs, strict=True)) / sum(weights)
    return _curve("linear", spots, lambda n: math.exp(slope) * n, (math.exp(slope), math.inf, False), 1)


def corners(spots: Sequence[Spot]) -> Iterator[Curve]:
    """Two straight lines in logarithms: the best level one, and the best that falls."""
    first, last = spots[0].jobs, spots[-1].jobs
    places = [first * (last / first) ** (i / CORNERS) for i in range(CORNERS)]
    level = min((_corner(spots, place, 0.0) for place in places), key=lambda one: one.misfit)
    yield level
    falls = [_corner(spots, place, fall) for place in places if (fall := _fall(spots, place)) > 0]
    if falls:
        yield min(falls, key=lambda one: one.misfit)


def graduals(spots: Sequence[Spot]) -> Iterator[Curve]:
    """N / rate = (1 + s (N - 1) + k N (N - 1)) / a is linear in what is sought: weighted least squares, nothing below 0."""
    for terms in ((0, 1), (0, 2), (0, 1, 2)):
        found = _least_squares(spots, terms)
        if found is None or any(one <= 0 for one in found):
            continue
        values = dict(zip(terms, found, strict=True))
        slope, s, k = 1 / values[0], values.get(1, 0.0) / values[0], values.get(2, 0.0) / values[0]
        if s >= 1:
            continue
        rate = _law(slope, s, k)
        peak = math.sqrt((1 - s) / k) if k > 0 else math.inf
        top = rate(max(peak, 1.0)) if k > 0 else slope / s
        yield _curve(
            "gradual", spots, rate, (slope, max(1.0, top / slope), peak < spots[-1].jobs), len(terms)
        )


def _law(slope: float, s: float, k: float) -> Callable[[float], float]:
    return lambda n: slope * n / max(1e-9, 1 + s * (n - 1) + k * n * (n - 1))


def _corner(spots: Sequence[Spot], place: float, fall: float) -> Curve:
    """The best height for a corner at this place, with this fall behind it."""

    def shape(n: float) -> float:
        return n if n <= place else place * (n / place) ** -fall

    weights = [one.error**-2 for one in spots]
    logs = [math.log(one.rate / shape(one.jobs)) for one in spots]
    slope = math.exp(sum(w * x for w, x in zip(weights, logs, strict=True)) / sum(weights))
    parameters = 3 if fall else 2
    return _curve("corner", spots, lambda n: slope * shape(n), (slope, place, fall > 0), parameters)


def _fall(spots: Sequence[Spot], place: float) -> float:
    """The fall behind a corner that fits best: linear in the logarithms, with the height."""
    rows = [
        (one.error**-2, max(0.0, math.log(one.jobs / place)), math.log(one.rate / min(one.jobs, place)))
        for one in spots
    ]
    total = sum(w for w, _, _ in rows)
    x = sum(w * a for w, a, _ in rows) / total
    y = sum(w * b for w, _, b in rows) / total
    spread = sum(w * (a - x) ** 2 for w, a, _ in rows)
    return 0.0 if spread <= 0 else -sum(w * (a - x) * (b - y) for w, a, b in rows) / spread


def _curve(
    name: str,
    spots: Sequence[Spot],
    rate: Callable[[float], float],
    found: tuple[float, float, bool],
    parameters: int,
) -> Curve:
    misfit = sum((math.log(one.rate / max(1e-300, rate(one.jobs))) / one.error) ** 2 for one in spots)
    slope, knee, falling = found
    return Curve(name, slope, knee, falling, misfit, parameters, rate)


def _least_squares(spots: Sequence[Spot], terms: Sequence[int]) -> list[float] | None:
    """The coefficients of 1, N - 1 and N (N - 1) in N / rate."""
    rows = []
    for one in spots:
        value = one.jobs / one.rate
        weight = 1 / (value * one.error)
        columns = (1.0, one.jobs - 1, one.jobs * (one.jobs - 1))
        rows.append(([columns[term] * weight for term in terms], value * weight))
    size = len(terms)
    matrix = [
        [*(sum(row[i] * row[j] for row, _ in rows) for j in range(size)), sum(row[i] * y for row, y in rows)]
        for i in range(size)
    ]
    return _solved(matrix)


def _solved(matrix: list[list[float]]) -> list[float] | None:
    """Gauss and Jordan, with pivots; None where there is no one solution."""
    size = len(matrix)
    for i in range(size):
        pivot = max(range(i, size), key=lambda row: abs(matrix[row][i]))
        if abs(matrix[pivot][i]) < 1e-12:
            return None
        matrix[i], matrix[pivot] = matrix[pivot], matrix[i]
        matrix[i] = [one / matrix[i][i] for one in matrix[i]]
        for row in range(size):
            if row != i:
                times = matrix[row][i]
                matrix[row] = [a - times * b for a, b in zip(matrix[row], matrix[i], strict=True)]
    return [row[-1] for row in matrix]


def _spots(points: Sequence[Point]) -> Iterator[Spot]:
    """Steps with a rate and an error; a rate of nothing has no logarithm and says nothing of where it began."""
    for one in points:
        rate = one.rate
        if rate is None or rate.value <= 0 or one.held <= 0 or rate.high is None:
            continue
        relative = (rate.high - rate.value) / rate.value / student(rate.n - 1)
        yield Spot(one.held, rate.value, math.hypot(relative, FLOOR), rate.n - 1)


def _drawn(spots: Sequence[Spot], best: Curve, rng: Random) -> Iterator[Spot]:
    """Rates as the best curve and the errors would give them; errors that are too small for the curve are widened (Birge 1932)."""
    free = len(spots) - best.parameters
    wider = max(1.0, math.sqrt(best.misfit / free)) if free > 0 else 1.0
    for one in spots:
        chance = rng.gauss(0, 1) / math.sqrt(rng.gammavariate(one.freedom / 2, 2 / one.freedom))
        off = max(-3.0, min(3.0, chance * one.error * wider))
        yield Spot(one.jobs, best.rate(one.jobs) * math.exp(off), one.error, one.freedom)
