"""How sure a figure is: the bootstrap, by sites of worlds, which are what is independent here."""

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

Unit = TypeVar("Unit")
Interval = tuple[float, float, float]
"""A figure, and the ends of its interval of 95 %."""

ROUNDS = 400


def bootstrap(units: Sequence[Unit], figure: Callable[[Sequence[Unit]], float], seed: int = 1) -> Interval:
    """Draw the units again and again, with replacement."""
    rng = Random(seed)  # noqa: S311  # no secret: the same interval each time
    found = sorted(figure(rng.choices(units, k=len(units))) for _ in range(ROUNDS))
    return figure(units), found[int(0.025 * ROUNDS)], found[int(0.975 * ROUNDS)]


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value that a share does not exceed; of nothing there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
