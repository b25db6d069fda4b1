"""Proportions: Wilson's interval, which is for display only, and the exact tail of the binomial distribution."""

from math import ceil, exp, floor, lgamma, log, sqrt

Z = 1.959964
"""The quantile of the normal distribution that leaves 2.5 % on each side."""

MANY = 100
"""From so many jobs on a share has a decimal."""


def wilson(good: int, ended: int) -> tuple[float, float]:
    """The interval of 95 % of a proportion (E. B. Wilson, JASA 22, 1927); all of it where there is nothing."""
    if ended == 0:
        return 0.0, 1.0
    share, square = good / ended, Z * Z
    middle = (share + square / (2 * ended)) / (1 + square / ended)
    half = Z * sqrt(share * (1 - share) / ended + square / (4 * ended * ended)) / (1 + square / ended)
    low = 0.0 if good == 0 else max(0.0, middle - half)
    return low, 1.0 if good == ended else min(1.0, middle + half)


def tail(least: int, tries: int, share: float) -> float:
    """How likely so many or more of `tries` are hit, each with the chance `share`."""
    if least <= 0 or share >= 1:
        return 1.0
    if least > tries or share <= 0:
        return 0.0
    return min(1.0, sum(_exactly(hits, tries, share) for hits in range(least, tries + 1)))


def _exactly(hits: int, tries: int, share: float) -> float:
    ways = lgamma(tries + 1) - lgamma(hits + 1) - lgamma(tries - hits + 1)
    return exp(ways + hits * log(share) + (tries - hits) * log(1 - share))


def percent(good: int, ended: int) -> str:
    """95.9 %, of few jobs 96 %; 100 % is said only of all, 0 % only of none."""
    digits = 1 if ended >= MANY else 0
    unit: float = 10.0**-digits
    value: float = round(100 * good / ended, digits)
    if good < ended:
        value = min(value, 100 - unit)
    if good > 0:
        value = max(value, unit)
    return f"{value:.{digits}f} %"


def middle(share: float) -> str:
    """A median of shares with a decimal: 100.0 % is said only of all, 0.0 % only of none."""
    value = round(100 * share, 1)
    if share < 1:
        value = min(value, 99.9)
    if share > 0:
        value = max(value, 0.1)
    return f"{value:.1f} %"


def interval(good: int, ended: int) -> str:
    """94-97: whole percents, outward, so that the interval is never narrower than it is."""
    low, high = wilson(good, ended)
    return f"{floor(100 * low + 1e-9)}-{ceil(100 * high - 1e-9)}"
