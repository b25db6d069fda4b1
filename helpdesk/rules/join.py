"""Two threads that a late parent joins are one: what makes people see more wins (design section 2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from helpdesk.model import WAITING, LabelKind, Stamp
from helpdesk.rules.facts import Policy
from helpdesk.rules.state import Register, ThreadState


@dataclass(frozen=True, slots=True)
class JoinPart:
    """One of the threads: its state, how many of its copies lie in the archive, and its newest message."""

    state: ThreadState
    archived: int
    newest: int  # the message that would be starred


def join(parts: Sequence[JoinPart], policy: Policy) -> ThreadState:
    """Open if any is, labels united, WAITING only if all open parts had it, the later clock; no mail.

    More than `max_join_moves` archived copies stay where they are; the newest message is starred instead.
    """
    states = [p.state for p in parts]
    is_open = _any_open(states)
    live = [s for s in states if s.open] if is_open else states
    registers: dict[str, Register] = {}
    for label in sorted({name for s in states for name in s.registers}):
        found = [s.registers[label] for s in live if label in s.registers]
        if not found:
            found = [s.registers[label] for s in states if label in s.registers]
        registers[label] = _unite(label, found, len(live))
    too_many = bool(is_open) and sum(p.archived for p in parts) > policy.max_join_moves
    joined = replace(
        states[0],
        open=is_open,
        since=_latest(s.since for s in live),
        registers=registers,
        moving=None,
        lies=too_many or any(s.lies for s in live),
        reopened=_latest(s.reopened for s in states),
        expert_comment=_latest(s.expert_comment for s in states),
        bounce=_latest(s.bounce for s in states),
        touched=_latest(s.touched for s in states),
        bot_star=max(p.newest for p in parts)
        if too_many
        else next((s.bot_star for s in states if s.bot_star), None),
        star_refused=any(s.star_refused for s in states),
        refused=frozenset().union(*(s.refused for s in states)),
        episodes={k: max(s.episodes.get(k, 0) for s in states) for s in states for k in s.episodes},
        decided=max(s.decided for s in states),
    )
    return _no_mail(joined, states, policy)


def _any_open(states: Sequence[ThreadState]) -> bool | None:
    decided = [s.open for s in states if s.open is not None]
    return any(decided) if decided else None


def _unite(label: str, found: Sequence[Register], parts: int) -> Register:
    latest = max(found, key=lambda r: r.stamp)
    present = [r for r in found if r.present]
    if label == WAITING:
        everywhere = len(present) == parts
        return latest if everywhere == latest.present else replace(latest, present=everywhere)
    return max(present, key=lambda r: r.stamp) if present else latest


def _latest(stamps: Iterable[Stamp | None]) -> Stamp | None:
    return max((s for s in stamps if s is not None), default=None)


def _no_mail(joined: ThreadState, states: Sequence[ThreadState], policy: Policy) -> ThreadState:
    mailed = set[str]().union(*(s.mailed for s in states))
    for label, n in joined.episodes.items():
        if policy.kinds.get(label) is LabelKind.WHERE:
            mailed.add(f"escalate\t{label}:{n}")
        else:
            mailed |= {f"urgent\t{n}", f"urgent\t{n}:oncall"}
    return replace(joined, mailed=frozenset(mailed))
