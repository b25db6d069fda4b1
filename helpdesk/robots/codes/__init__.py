"""What native codes mean: tables kept as data, a file a system, looked up by `table:code`.

Sources: the PanDA pilot's list of codes, WMCore's and CMSSW's exit codes, squeue(1) of Slurm, the hold codes of the HTCondor manual, the states
of A-REX, signal(7), and docs/robots.md for our own payloads.  A code that no table has is kept as it is; `Lookup.unknown` lists them.
"""

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from helpdesk.robots.record import Blame, Phase

TABLES = ("arc", "htcondor", "local", "payload", "pilot", "signal", "slurm", "wmcore")
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code says: a class of error that is the same for all systems, in which phase, and whose it most likely is."""

    error_class: str
    phase: Phase | None
    blame: Blame
    words: str


NOTHING = Meaning(UNKNOWN, None, Blame.UNKNOWN, "")


@cache
def table(name: str) -> Mapping[str, Meaning]:
    """One table; a row that is not as the others is an error of ours, found by a test."""
    text = resources.files(__package__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return {
        row["code"]: Meaning(row["class"], Phase(row["phase"]), Blame(row["blame"]), row["words"])
        for row in csv.DictReader(text.splitlines())
    }


@dataclass(slots=True)
class Lookup:
    """Looks codes up, and remembers those that nobody knows, with how often they came."""

    unknown: Counter[str] = field(default_factory=Counter)
    limit: int = 1000  # different unknown codes that are remembered: a broken engine may make them up

    def meaning(self, native: str) -> Meaning:
        """The meaning of `table:code`; that of nothing for a code or a table that is not known."""
        name, _, code = native.partition(":")
        found = table(name).get(code) if name in TABLES else None
        if found is not None:
            return found
        if native and (native in self.unknown or len(self.unknown) < self.limit):
            self.unknown[native] += 1
        return NOTHING
