"""Times of several rounds, and two of them side by side: what slows the machine down slows down both."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Series:
    """What the rounds measured, in their order."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        """The value to quote."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        least, most = min(self.values), max(self.values)
        return (
            _shown(self.median)
            if least == most
            else f"{_shown(self.median)} ({_shown(least)}-{_shown(most)})"
        )

    def over(self, other: "Series") -> "Series":
        """The ratio of each round."""
        return Series([ours / theirs for ours, theirs in zip(self.values, other.values, strict=True)])


def shown_seconds(series: Series) -> str:
    """In the unit that people would choose."""
    if series.median < 1:
        return f"{Series([1000 * value for value in series.values])} ms"
    return f"{series} s"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
