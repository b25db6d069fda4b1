"""Hours out, by whose cause: from the rows of verdicts, each of which holds until the next.

| cause | a site is out |
|---|---|
| yours | for what its own test jobs did |
| central | for failures that all belong to a failure of many sites, or turned out to |
| downtime | for a downtime that it declared |
| person | because somebody said so |
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Cause(StrEnum):
    """Whose an outage is."""

    YOURS = "yours"
    CENTRAL = "central"
    DOWNTIME = "downtime"
    PERSON = "person"


_ITS_OWN_WORD = frozenset({Cause.DOWNTIME, Cause.PERSON})


@dataclass(frozen=True, slots=True)
class Turn:
    """A site went out of an experiment, came back, or is out for another reason from now on."""

    at: datetime
    out: bool
    cause: str  # evidence, downtime, pin; of a return: proof, explained ...
    by: str  # robot, or a person's name
    why: str  # in a few words
    onset: datetime | None = None  # where its failures began, as the policy found


@dataclass(frozen=True, slots=True)
class Span:
    """Some time out for one cause."""

    start: datetime
    end: datetime
    cause: Cause
    turn: Turn


def spans(
    turns: Sequence[Turn], start: datetime, end: datetime, explained: Callable[[Turn], bool]
) -> Iterator[Span]:
    """The times out between two moments; `explained`: all failures that led to a turn belong to a failure of many sites."""
    for place, turn in enumerate(turns):
        following = turns[place + 1] if place + 1 < len(turns) else None
        begun = max(turn.at, start)
        ended = end if following is None else min(following.at, end)
        if turn.out and begun < ended:
            yield Span(begun, ended, _cause(turn, following, explained), turn)


def by_its_own_word(turns: Sequence[Turn], at: datetime) -> bool:
    """Whether the site was out at a moment for a declared downtime, or because somebody said so."""
    last = next((one for one in reversed(turns) if one.at <= at), None)
    return last is not None and last.out and _cause(last, None, lambda _turn: False) in _ITS_OWN_WORD


def hours(found: Sequence[Span]) -> dict[Cause, timedelta]:
    """How long in all, by cause, in their order."""
    return {
        cause: total
        for cause in Cause
        if (total := sum((one.end - one.start for one in found if one.cause is cause), timedelta()))
    }


def _cause(turn: Turn, following: Turn | None, explained: Callable[[Turn], bool]) -> Cause:
    if turn.cause == "downtime":
        return Cause.DOWNTIME
    if turn.cause == "pin" or turn.by != "robot":
        return Cause.PERSON
    if (following is not None and not following.out and following.cause == "explained") or explained(turn):
        return Cause.CENTRAL
    return Cause.YOURS
