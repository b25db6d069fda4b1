"""Brakes on implausible plans (promise 5); completing a human's own act is never braked."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from helpdesk.actions import Kind
from helpdesk.model import Place
from helpdesk.rules.decide import Decision

AUTO_CLOSE = "auto_close"


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


def brake(decisions: Sequence[Decision], budget: Budget) -> Braked:
    """Look at the whole plan of a cycle; the budget is charged for what may go."""
    waiting = _auto_close(decisions, budget)
    held: set[int] = set()
    why: list[tuple[str, str]] = []
    for rule, threads in sorted(_moves(decisions).items()):
        new = threads - budget.moved
        if len(new) > budget.moves:
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
    for rule, mails in sorted(_mails(decisions).items()):
        if len(mails) > budget.mails:
            held |= set(mails)
            why.append(
                (rule, f"{len(mails)} mails would be sent at once; brakes.max_mails allows {budget.mails}")
            )
        else:
            budget.mails -= len(mails)
    return Braked(waiting, frozenset(held), tuple(why))


def _auto_close(decisions: Sequence[Decision], budget: Budget) -> frozenset[int]:
    """The oldest go as far as the budget lasts, the rest is pending: nothing is wrong with them."""
    closing = [d for d in decisions if _starts_auto_close(d) and d.key not in budget.moved]
    closing.sort(key=lambda d: (d.idle_since, d.key))
    going, rest = closing[: budget.moves], closing[budget.moves :]
    budget.moved |= {d.key for d in going}
    budget.moves -= len(going)
    return frozenset(d.key for d in rest)


def _starts_auto_close(decision: Decision) -> bool:
    return any(
        a.kind is Kind.MOVE and a.rule == AUTO_CLOSE and a.what == Place.ARCHIVE for a in decision.actions
    )


def _moves(decisions: Sequence[Decision]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for decision in decisions:
        for action in decision.actions:
            if action.kind is Kind.MOVE and not action.human and action.rule != AUTO_CLOSE:
                found[action.rule].add(decision.key)
    return found


def _mails(decisions: Sequence[Decision]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for decision in decisions:
        for action in decision.actions:
            if action.kind is Kind.SEND_MAIL:
                found[action.rule].append(decision.key)
    return found
