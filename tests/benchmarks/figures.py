"""One figure: ours, the peer's, their ratio, and what was promised."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.benchmarks.series import Series, shown_seconds


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should be: at most, or at least."""

    number: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Whether it is."""
        return value >= self.number if self.at_least else value <= self.number

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.number:,.4g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table; without a goal it is there for the eye."""

    what: str
    ours: str
    peer: str
    value: Series = field(default_factory=lambda: Series([]))  # what the goal is about: mostly a ratio
    goal: Goal | None = None
    note: str = ""

    @property
    def met(self) -> str:
        """Met, missed, or nothing that could be either."""
        if self.goal is None or not self.value.values:
            return ""
        return "met" if self.goal.met(self.value.median) else "MISSED"

    def as_json(self) -> Mapping[str, object]:
        """For `--json`."""
        values = list(self.value.values)
        return {
            "what": self.what,
            "ours": self.ours,
            "peer": self.peer,
            "value": self.value.median if values else None,
            "rounds": values,
            "goal": None if self.goal is None else str(self.goal),
            "met": {"met": True, "MISSED": False}.get(self.met),
            "note": self.note,
        }


def against(what: str, ours: Series, peer: Series, name: str, goal: float | None = None) -> Figure:
    """Our seconds over the peer's, at most `goal`."""
    return Figure(
        what,
        shown_seconds(ours),
        f"{name}: {shown_seconds(peer)}",
        ours.over(peer),
        None if goal is None else Goal(goal),
    )


def not_run(what: str, why: str) -> Figure:
    """What could not be measured here."""
    return Figure(what, "", f"not run: {why}")
