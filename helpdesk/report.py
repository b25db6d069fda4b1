"""What a cycle says it saw, did, left for later and holds: the JSON of `run --once` and `plan` (docs/json.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from helpdesk.errors import UnreachableError


@dataclass(frozen=True, slots=True)
class Objection:
    """Somebody calls a plan of observe mode wrong."""

    by: str
    at: datetime
    words: str

    def as_json(self) -> Mapping[str, Any]:
        """As `plan` and `show` print it."""
        return {"by": self.by, "at": utc(self.at), "words": self.words}


@dataclass(frozen=True, slots=True)
class Done:
    """One action, by the names of the contract."""

    id: str
    kind: str
    thread: str
    rule: str
    reason: str
    what: str
    wrong: tuple[Objection, ...] = ()


@dataclass(frozen=True, slots=True)
class Later:
    """Something that will be done at `due` if nothing happens before."""

    thread: str
    rule: str
    due: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """Something that a brake keeps from happening, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Note:
    """What only a human can settle, or what counts as mailed though it never was."""

    thread: str
    note: str


COUNTS = ("messages", "new", "changed", "gone", "commands", "bytes")
STAGES = ("observe", "thread", "decide", "act", "report")


@dataclass(slots=True)
class Report:
    """One cycle, or several that converged."""

    now: datetime
    observed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    actions: list[Done] = field(default_factory=list)
    pending: list[Later] = field(default_factory=list)
    held: list[Hold] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    unreached: list[UnreachableError] = field(default_factory=list)  # for each mail that reached no server
    again: bool = False  # something is in flight: another cycle will tell how it ended

    def add(self, cycle: "Report") -> None:
        """Take in the next cycle of the same run; an action that is planned again is one action."""
        for name in COUNTS:
            self.observed[name] = cycle.observed[name] + (self.observed[name] if name != "messages" else 0)
        known = {(a.thread, a.kind, a.what, a.rule) for a in self.actions}
        self.actions += [a for a in cycle.actions if (a.thread, a.kind, a.what, a.rule) not in known]
        self.held += [h for h in cycle.held if h not in self.held]
        seen = set(self.notes)
        self.notes += [n for n in cycle.notes if n not in seen]
        for name in STAGES:
            self.seconds[name] += cycle.seconds[name]
        self.unreached += cycle.unreached
        self.again = cycle.again

    def as_json(self) -> Mapping[str, Any]:
        """The document of the contract."""
        return {
            "now": utc(self.now),
            "observed": self.observed,
            "actions": [
                {
                    "id": a.id,
                    "kind": a.kind,
                    "thread": a.thread,
                    "rule": a.rule,
                    "reason": a.reason,
                    "what": a.what,
                    "wrong": [one.as_json() for one in a.wrong],
                }
                for a in self.actions
            ],
            "pending": [{"thread": p.thread, "rule": p.rule, "due": utc(p.due)} for p in self.pending],
            "held": [{"what": h.what, "why": h.why} for h in self.held],
            "notes": [{"thread": n.thread, "note": n.note} for n in self.notes],
            "seconds": {name: round(value, 6) for name, value in self.seconds.items()},
        }


def utc(moment: datetime) -> str:
    """A time as every JSON document of ours writes it: UTC, ISO 8601, `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
