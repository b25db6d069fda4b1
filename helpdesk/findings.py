"""What a check found: a sentence, and what to do about it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

FAILED, UNREACHABLE = 1, 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; fine with a `todo` is a warning."""

    name: str
    ok: bool
    what: str
    todo: str = ""
    unreachable: bool = False

    def as_json(self) -> Mapping[str, Any]:
        """The document of the contract."""
        return {"name": self.name, "ok": self.ok, "what": self.what, "todo": self.todo}


def exit_code(findings: Iterable[Finding]) -> int:
    """3 when a server could not be reached, else 1 when anything is wrong."""
    found = list(findings)
    if any(one.unreachable for one in found):
        return UNREACHABLE
    return 0 if all(one.ok for one in found) else FAILED
