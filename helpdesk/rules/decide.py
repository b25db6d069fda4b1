"""The decision about one thread, on one screen."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from helpdesk.actions import Action, CopyPlan, Kind
from helpdesk.model import Stamp
from helpdesk.rules.adopt import adopt
from helpdesk.rules.clocks import watch_clocks
from helpdesk.rules.draft import Draft, Pending, find_touches, living
from helpdesk.rules.facts import Policy, ThreadFacts, Told
from helpdesk.rules.mail import read_mail
from helpdesk.rules.moving import check_moving
from helpdesk.rules.orders import obey
from helpdesk.rules.project import project
from helpdesk.rules.repair import repair
from helpdesk.rules.settle import COVER, settle, undo
from helpdesk.rules.shown import shown, unveil
from helpdesk.rules.state import ThreadState
from helpdesk.rules.trouble import name_trouble


@dataclass(frozen=True, slots=True)
class Decision:
    """What a thread becomes, what is written and mailed for it, and when to look again."""

    key: int
    code: str
    state: ThreadState
    plans: tuple[CopyPlan, ...]
    actions: tuple[Action, ...]
    pending: tuple[Pending, ...]
    notes: tuple[str, ...]  # what only a human can settle, and what counts as mailed though it never was
    due: datetime | None
    idle_since: datetime  # the last message: auto-close takes the oldest first
    told: tuple[Told, ...] = ()  # what became of orders


def decide(facts: ThreadFacts, policy: Policy, now: Stamp, held: AbstractSet[str] = frozenset()) -> Decision:
    """Read docs/decisions.md beside this: one stage a section, in this order.

    Pure: the same facts, policy and `now` give the same decision.  `held` names the rules that a brake holds.
    """
    draft = Draft(facts, policy, now, frozenset(held), facts.state, find_touches(facts, policy))
    before = shown(draft) if policy.labels_in_folders else None
    adopt(draft)  # section 9
    check_moving(draft)  # section 5
    read_mail(draft)  # section 3
    name_trouble(draft)  # section 3, whose fault
    undo(draft)
    obey(draft)
    settle(draft)  # section 4
    _gone(draft)
    repair(draft)  # section 7
    unveil(draft, before)  # section 13
    watch_clocks(draft)  # section 6
    plans, actions = project(draft)  # section 8
    draft.state = replace(draft.state, decided=now.cycle, undecided=frozenset())
    return Decision(
        facts.key,
        facts.code,
        draft.state,
        plans,
        (*actions, *draft.mails),
        _pending(draft),
        tuple(draft.notes),
        min((*(p.due for p in _pending(draft)), *draft.looks), default=None),
        max((m.time for m in facts.messages), default=now.at),
        tuple(draft.told),
    )


def _gone(draft: Draft) -> None:
    """A thread whose last mail left the board is closed; one that is only in Sent was never open."""
    if draft.state.open and not living(draft.facts):
        draft.close("close", "gone", draft.now, human=True)


def _pending(draft: Draft) -> tuple[Pending, ...]:
    """What comes if nothing happens; of an unsettled thread: what settling will do, and what is pending after it."""
    if draft.settled:
        return tuple(draft.pending)
    due = max(t.stamp for t in draft.touches).at + draft.policy.settle
    later = decide(draft.facts, draft.policy, Stamp(draft.now.cycle, due), draft.held)
    moves = [a.rule for a in later.actions if a.kind is Kind.MOVE]
    rules = [*moves, *(a.rule for a in later.actions), COVER]
    return (Pending(rules[0], due), *later.pending)
