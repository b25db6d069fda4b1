"""The only module that speaks to HTCondor: one question as JSON on standard input, its answer on standard output, an object a line.

It is a process of its own, because `htcondor2` keeps the interpreter to itself while it waits for a schedd (20 s for one that is silent): the
board would stand still.  So it is bounded and ended as any client program is (`helpdesk.robots.engines.process`).

| ask | is told | answers |
|---|---|---|
| describe | "expressions": every one is checked | {"name", "version"} |
| submit | "description" in the submit language, "items": macros for each job | {"cluster", "first", "jobs"} |
| query, history | "constraint", "attributes", "most" | the attributes of each job that has them |
| remove | "constraint", "reason" | {"error", "denied", "success"}: how many jobs |

"pool" and "schedd" say whom; null is what the configuration of HTCondor says.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from helpdesk.robots.engine import EngineError

if TYPE_CHECKING:
    import classad2
    import htcondor2

PASSING = "try again: "
"""What begins the sentence of an error that may pass."""

INSTALL = "the engine htcondor needs HTCondor's own package: in a checkout, pip install '.[htcondor]'"
_DENIED = ("denied", "not authorized", "authenticat", "authoriz", "permission", "submit requirement")
_EXPRESSIONS = ("requirements", "periodic_hold", "leave_in_queue")

Plain = dict[str, Any]


class Submitted(Protocol):
    """What a schedd says of a submission."""

    def cluster(self) -> int:
        """Its number."""

    def first_proc(self) -> int:
        """The number of its first job."""

    def num_procs(self) -> int:
        """How many jobs it took."""


class Schedd(Protocol):
    """The part of `htcondor2.Schedd` that is used, with types; every method may raise `HTCondorException`."""

    def query(self, constraint: str, projection: list[str]) -> "Iterable[classad2.ClassAd]":
        """The jobs in its queue."""

    def history(self, constraint: str, projection: list[str], match: int) -> "Iterable[classad2.ClassAd]":
        """The jobs that have left it."""

    def submit(self, description: "htcondor2.Submit", *, itemdata: Iterator[dict[str, str]]) -> Submitted:
        """All or nothing."""

    def act(
        self, action: "htcondor2.JobAction", job_spec: str, reason: tuple[str, int]
    ) -> "classad2.ClassAd":
        """Remove jobs, by a constraint; a reason that is no tuple is dropped by `htcondor2`."""


Connect = Callable[[str | None, str | None], tuple[Schedd, Plain]]
"""(pool, schedd) -> the schedd, and its name and version."""


def main() -> int:
    """Answer one question; the exit code is 1 for one that could not be answered, and standard error says why."""
    try:
        answers = reply(json.load(sys.stdin), connect)
    except EngineError as error:
        sys.stderr.write(f"{PASSING if error.passing else ''}{error}\n")
        return 1
    sys.stdout.writelines(f"{json.dumps(one)}\n" for one in answers)
    return 0


def reply(told: Mapping[str, Any], to: Connect) -> Sequence[Plain]:
    """What the schedd says; `EngineError` if it does not, or the question is wrong."""
    try:
        import htcondor2  # noqa: PLC0415 -- an extra: only who uses the engine has it
    except ImportError as error:
        raise EngineError(INSTALL, passing=False) from error
    for expression in told.get("expressions", ()):
        _check(expression)
    try:
        schedd, who = to(told.get("pool"), told.get("schedd"))
        return _ASKED[told["ask"]](schedd, {**told, "who": who})
    except htcondor2.HTCondorException as error:
        words = " ".join(str(error).split()) or "HTCondor gave no reason"
        raise EngineError(words, passing=not any(one in words.lower() for one in _DENIED)) from error


def connect(pool: str | None, name: str | None) -> tuple[Schedd, Plain]:
    """Find a schedd: that of this machine, or one that a pool's collector knows."""
    import htcondor2  # noqa: PLC0415 -- see reply

    at = htcondor2.Collector(pool).locate(htcondor2.DaemonType.Schedd, name)
    if at is None:
        raise EngineError(f"the collector knows no schedd {name or 'here'}", passing=True)
    who = {"name": str(at.get("Name") or name or "schedd"), "version": str(at.get("CondorVersion") or "")}
    return cast("Schedd", htcondor2.Schedd(at)), who


def plain(ad: "classad2.ClassAd", attributes: Iterable[str]) -> Plain:
    """The attributes that have a value: numbers, truths and texts; an expression is evaluated, nothing and errors are left out."""
    import classad2  # noqa: PLC0415 -- see reply

    found: Plain = {}
    for name in attributes:
        try:
            value = ad.eval(name) if name in ad else None
        except (classad2.ClassAdException, ValueError, TypeError):
            continue  # one that cannot be evaluated concerns itself alone
        if isinstance(value, int | float | str) and not isinstance(value, classad2.Value):
            found[name] = value  # Value.Undefined and Value.Error are numbers to Python
    return found


def _check(expression: str) -> None:
    """`htcondor2.Submit` takes a broken expression in silence, and its job then waits for ever."""
    import classad2  # noqa: PLC0415 -- see reply

    try:
        classad2.ExprTree(expression)
    except classad2.ClassAdException as error:
        raise EngineError(f"{expression!r} is no ClassAd expression", passing=False) from error


def _submit(schedd: Schedd, told: Mapping[str, Any]) -> Sequence[Plain]:
    import htcondor2  # noqa: PLC0415 -- see reply

    description = htcondor2.Submit(told["description"])
    for name in _EXPRESSIONS:
        _check(description.expand(name) or "true")
    done = schedd.submit(description, itemdata=iter(told["items"]))
    return [{"cluster": done.cluster(), "first": done.first_proc(), "jobs": done.num_procs()}]


def _describe(schedd: Schedd, told: Mapping[str, Any]) -> Sequence[Plain]:
    """Who it is, once it has answered: a collector lists schedds that are gone, too."""
    schedd.query("false", ["ClusterId"])
    return [told["who"]]


def _query(schedd: Schedd, told: Mapping[str, Any]) -> Sequence[Plain]:
    names = list(told["attributes"])
    return [plain(ad, names) for ad in schedd.query(told["constraint"], names)]


def _history(schedd: Schedd, told: Mapping[str, Any]) -> Sequence[Plain]:
    names = list(told["attributes"])
    return [plain(ad, names) for ad in schedd.history(told["constraint"], names, int(told["most"]))]


def _remove(schedd: Schedd, told: Mapping[str, Any]) -> Sequence[Plain]:
    import htcondor2  # noqa: PLC0415 -- see reply

    done = schedd.act(htcondor2.JobAction.Remove, told["constraint"], (str(told["reason"]), 0))
    names = {"error": "TotalError", "denied": "TotalPermissionDenied", "success": "TotalSuccess"}
    counts = plain(done, names.values())
    return [{ours: counts.get(theirs, 0) for ours, theirs in names.items()}]


_ASKED = {"describe": _describe, "submit": _submit, "query": _query, "history": _history, "remove": _remove}

if __name__ == "__main__":
    sys.exit(main())
