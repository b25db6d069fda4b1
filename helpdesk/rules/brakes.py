"""Brakes on implausible plans (promise 5); completing a human's own act is never braked."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

from helpdesk.actions import Kind
from helpdesk.model import Place
from helpdesk.rules.decide import Decision

AUTO_CLOSE = "auto_close"
MAILS = "mails"
"""Held by an observation that found mail of ours without a row: no rule may mail (promise 7)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a brake has to know of a decision: small, because a plan may be about a hundred thousand threads."""

    key: int
    idle_since: datetime
    moves: frozenset[str]  # the rules that move this thread by themselves
    closes: bool  # it is auto-closed
    mails: tuple[str, ...]  # the rule of each mail

    def blocked(self, held: AbstractSet[str]) -> bool:
        """Whether a held rule would move or mail."""
        return bool(self.moves & held) or (
            bool(self.mails) and (MAILS in held or not held.isdisjoint(self.mails))
        )


def shape(decision: Decision) -> Shape | None:
    """What a brake looks at; None: nothing of this decision can ever be braked."""
    moves, mails, closes = set[str](), list[str](), False
    for action in decision.actions:
        if action.kind is Kind.SEND_MAIL:
            mails.append(action.rule)
        elif action.kind is Kind.MOVE:
            closes = closes or (action.rule == AUTO_CLOSE and action.what == Place.ARCHIVE)
            if not action.human:
                moves.add(action.rule)
    if not (moves or mails or closes):
        return None
    return Shape(decision.key, decision.idle_since, frozenset(moves), closes, tuple(mails))


@dataclass(slots=True)
class Budget:
    """What the bot may still start by itself at one `now`, over all cycles that run at it."""

    moves: int
    mails: int
    moved: set[int] = field(default_factory=set)  # threads


@dataclass(frozen=True, slots=True)
class Braked:
    """Which threads wait (auto-close, for a later run), which rules are held, and the sentences for the admins."""

    waiting: frozenset[int]
    held: frozenset[int]
    why: tuple[tuple[str, str], ...]


def brake(shapes: Sequence[Shape], budget: Budget, approved: AbstractSet[str] = frozenset()) -> Braked:
    """Look at the whole plan of a cycle; the budget is charged for what may go.  A person approved the plans of some rules."""
    waiting = _auto_close(shapes, budget)
    held: set[int] = set()
    why: list[tuple[str, str]] = []
    for rule, threads in sorted(_moves(shapes).items()):
        new = threads - budget.moved
        if rule in approved:
            budget.moved |= new
        elif len(new) > budget.moves:
            held |= new
            why.append(
                (
                    rule,
                    f"{len(new)} threads would be moved at once; brakes.max_bot_moves allows {budget.moves}",
                )
            )
        else:
            budget.moved |= new
            budget.moves -= len(new)
    for rule, mails in sorted(_mails(shapes).items()):
        if rule in approved:
            continue
        if len(mails) > budget.mails:
            held |= set(mails)
            why.append(
                (rule, f"{len(mails)} mails would be sent at once; brakes.max_mails allows {budget.mails}")
            )
        else:
            budget.mails -= len(mails)
    return Braked(waiting, frozenset(held), tuple(why))


def _auto_close(shapes: Iterable[Shape], budget: Budget) -> frozenset[int]:
    """The oldest go as far as the budget lasts, with their mails; the rest is pending: nothing is wrong with them."""
    wanted = [s for s in shapes if (s.closes and s.key not in budget.moved) or AUTO_CLOSE in s.mails]
    rest: set[int] = set()
    for one in sorted(wanted, key=lambda s: (s.idle_since, s.key)):
        moves, mails = int(one.closes and one.key not in budget.moved), one.mails.count(AUTO_CLOSE)
        if moves > budget.moves or mails > budget.mails:
            rest.add(one.key)
            continue
        budget.moved |= {one.key} if moves else set()
        budget.moves -= moves
        budget.mails -= mails
    return frozenset(rest)


def _moves(shapes: Iterable[Shape]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for one in shapes:
        for rule in one.moves - {AUTO_CLOSE}:
            found[rule].add(one.key)
    return found


def _mails(shapes: Iterable[Shape]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for one in shapes:
        for rule in one.mails:
            if rule != AUTO_CLOSE:
                found[rule].append(one.key)
    return found
