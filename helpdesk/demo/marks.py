"""Signs of the live board, with Unicode or without."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Marks:
    """Signs that need Unicode, or what stands for them."""

    kept: str = "✓"
    broken: str = "✗"
    bar: str = "━"
    rest: str = "─"
    dot: str = "·"


ASCII = Marks("ok", "NO", "=", "-", "-")
