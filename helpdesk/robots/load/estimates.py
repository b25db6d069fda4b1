"""How sure a figure is: ratios of sums, and quantiles by their order statistics.  No library: a site without `helpdesk[robots]` tests too."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

Z95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with the ends of its interval of 95 %; None: it has no such end (too few jobs, or jobs that were cut off)."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0  # of what it was made

    @property
    def precision(self) -> float | None:
        """Half of the interval, as a fraction of the figure."""
        if self.low is None or self.high is None or self.value <= 0:
            return None
        return (self.high - self.low) / 2 / self.value

    def times(self, factor: float) -> "Estimate":
        """The same in another unit."""
        low, high = (None if one is None else one * factor for one in (self.low, self.high))
        return Estimate(self.value * factor, low, high, self.n)


def ratio(tops: Sequence[float], bottoms: Sequence[float]) -> Estimate | None:
    """The ratio of two sums over the same jobs: its error by linearisation, with Student's t (Cochran 1977, section 6.4)."""
    n, below = len(tops), sum(bottoms)
    if n == 0 or below <= 0:
        return None
    value = sum(tops) / below
    if n == 1:
        return Estimate(value, None, None, 1)
    squares = sum((top - value * bottom) ** 2 for top, bottom in zip(tops, bottoms, strict=True))
    error = math.sqrt(n / (n - 1) * squares) / below * student(n - 1)
    return Estimate(value, max(0.0, value - error), value + error, n)


def share(count: int, n: int) -> Estimate | None:
    """A fraction by Wilson's interval."""
    if n == 0:
        return None
    middle = (count + Z95**2 / 2) / (n + Z95**2)
    half = Z95 / (n + Z95**2) * math.sqrt(count * (n - count) / n + Z95**2 / 4)
    return Estimate(count / n, max(0.0, middle - half), min(1.0, middle + half), n)


def quantile(values: Sequence[float], level: float) -> Estimate | None:
    """A quantile, and the order statistics that enclose it with at least 95 % whatever the distribution (David & Nagaraja 2003, 7.1).

    `math.inf` stands for what was not seen to end.  Where the sample is too small for an end of the interval, that end is None.
    """
    ordered, n = sorted(values), len(values)
    if n == 0:
        return None
    value = ordered[min(n - 1, max(0, math.ceil(level * n) - 1))]
    low, high = (None if rank is None else ordered[rank - 1] for rank in ranks(n, level))
    return Estimate(value, low, None if high is None or math.isinf(high) else high, n)


def ranks(n: int, level: float) -> tuple[int | None, int | None]:
    """The ranks (from 1) l < u with P(X_l <= quantile <= X_u) >= 95 %, 2.5 % on each side; None where there is none."""
    low: int | None = None
    high: int | None = None
    below = 0.0  # P(Binomial < rank)
    for rank in range(1, n + 1):
        below += math.exp(_log_binomial(n, rank - 1, level))
        if below <= 0.025:
            low = rank
        if high is None and below >= 0.975:
            high = rank
    return low, high


def _log_binomial(n: int, k: int, p: float) -> float:
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return ways + k * math.log(p) + (n - k) * math.log1p(-p)


def student(freedom: int) -> float:
    """The 97.5 % point of Student's t: exact for one and two degrees of freedom, else Cornish and Fisher's series (error < 0.01)."""
    if freedom <= 0:
        return math.inf
    if freedom == 1:
        return math.tan(math.pi * 0.475)
    if freedom == 2:
        return 0.95 * math.sqrt(2 / (1 - 0.95**2))
    z, f = Z95, float(freedom)
    return (
        z
        + (z**3 + z) / (4 * f)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * f**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * f**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * f**4)
    )
