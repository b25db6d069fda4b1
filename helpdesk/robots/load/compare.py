"""A test beside the site's last of the same shape, and beside the same at other sites."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from helpdesk.robots.load.estimates import Z95, Estimate


@dataclass(frozen=True, slots=True)
class Earlier:
    """A test that ended before."""

    id: str
    site: str
    began: datetime
    rate: Estimate | None
    knee: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A test against another, or against the median of several."""

    of: str  # the id of the other, or how many peers
    rate: float
    change: Estimate | None  # this / other; None: one of them has no interval
    knee: float | None
    peers: int = 0

    @property
    def differs(self) -> bool | None:
        """Whether the two really differ; None: nobody can tell."""
        if self.change is None or self.change.low is None or self.change.high is None:
            return None
        return self.change.low > 1 or self.change.high < 1


def with_last(rate: Estimate | None, last: Earlier | None) -> Comparison | None:
    """Beside the site's own last test."""
    if rate is None or last is None or last.rate is None or last.rate.value <= 0:
        return None
    return Comparison(last.id, last.rate.value, _change(rate, last.rate), last.knee)


def with_peers(rate: Estimate | None, peers: Sequence[Earlier]) -> Comparison | None:
    """Beside the median of other sites, each with its newest test."""
    newest: dict[str, Earlier] = {}
    for one in sorted(peers, key=lambda x: x.began):
        if one.rate is not None and one.rate.value > 0:
            newest[one.site] = one
    if rate is None or not newest:
        return None
    rates = [one.rate.value for one in newest.values() if one.rate is not None]
    knees = [one.knee for one in newest.values() if one.knee is not None]
    middle = median(rates)
    change = Estimate(rate.value / middle, None, None, len(rates))
    return Comparison("peers", middle, change, median(knees) if knees else None, len(rates))


def _change(one: Estimate, other: Estimate) -> Estimate | None:
    """A ratio of two independent figures: their relative errors add in squares."""
    if one.precision is None or other.precision is None or one.value <= 0:
        return None
    half = Z95 * math.hypot(one.precision / Z95, other.precision / Z95)
    value = one.value / other.value
    return Estimate(value, value * math.exp(-half), value * math.exp(half), min(one.n, other.n))
