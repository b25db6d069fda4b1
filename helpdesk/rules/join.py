"""Two threads that a late parent joins are one: what makes people see more wins (design section 2)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from helpdesk.model import URGENT, WAITING, LabelKind, Stamp
from helpdesk.rules.facts import Policy
from helpdesk.rules.state import Moving, Register, Talk, ThreadState
from helpdesk.rules.talks import united


@dataclass(frozen=True, slots=True)
class JoinPart:
    """One of the threads: its state, how many of its copies lie in the archive, and its newest message."""

    state: ThreadState
    archived: int
    newest: int  # the message that would be starred
    cycles: Mapping[int, int] = field(default_factory=dict)  # message -> the cycle that saw it first


def join(parts: Sequence[JoinPart], policy: Policy) -> ThreadState:
    """Open if any is, labels united, WAITING only if all open parts had it, the later clock; no mail.

    More than `max_join_moves` archived copies stay where they are; the newest open message is starred instead.
    """
    is_open = _any_open([p.state for p in parts])
    states = [_reopened(p.state) if is_open else p.state for p in parts]
    live = [s for s in states if s.open] if is_open else states
    latest = max(live, key=lambda s: (s.since is not None, s.since))
    decided = max(s.decided for s in states)
    joined = replace(
        latest,
        open=is_open,
        registers=_registers(states, live),
        moving=None,
        lies=any(s.lies for s in live),
        reopened=_latest(s.reopened for s in states),
        expert_comment=_latest(s.expert_comment for s in states),
        bounce=_latest(s.bounce for s in states),
        touched=_latest(s.touched for s in states),
        interrupted=_latest(s.interrupted for s in states),
        closed_escalated=not is_open and any(s.closed_escalated for s in states),
        bot_star=next((s.bot_star for s in states if s.bot_star is not None), None),
        star_refused=any(s.star_refused for s in states),
        refused=frozenset().union(*(s.refused for s in states)),
        talks=_talks(states),
        episodes={k: max(s.episodes.get(k, 0) for s in states) for s in states for k in s.episodes},
        decided=decided,
        undecided=frozenset().union(*(_undecided(p, decided) for p in parts)),
    )
    if is_open and not joined.lies:
        joined = _gather(joined, parts, policy)
    return _mailed(joined, states, policy)


def _talks(states: Sequence[ThreadState]) -> dict[str, Talk]:
    """Ticket numbers united, the later `heard`, solved only if all say so, the larger count."""
    talks: dict[str, Talk] = {}
    for where in sorted({where for s in states for where in s.talks}):
        found = [s.talks.get(where, Talk()) for s in states if where in s.talks or _is_with(s, where)]
        solved = all(talk.solved for talk in found)
        talks[where] = Talk(
            heard=_latest(talk.heard for talk in found),
            solved=solved,
            untold=_latest(talk.untold for talk in found) if solved else None,
            tickets=united((), (one for talk in found for one in talk.tickets)),
            nags=max(talk.nags for talk in found),
            nagged=_latest(talk.nagged for talk in found),
            patience=max((talk.patience for talk in found if talk.patience is not None), default=None),
        )
    return talks


def _is_with(state: ThreadState, where: str) -> bool:
    return where in state.registers and state.registers[where].present


def _any_open(states: Sequence[ThreadState]) -> bool | None:
    decided = [s.open for s in states if s.open is not None]
    return any(decided) if decided else None


def _undecided(part: JoinPart, decided: int) -> set[int]:
    """The messages that a brake kept from being decided: they are not older news than those of the other parts."""
    late = {key for key, cycle in part.cycles.items() if part.state.decided < cycle <= decided}
    return late | part.state.undecided


def _reopened(state: ThreadState) -> ThreadState:
    """An open part cancels a pending close: what it had cleared returns."""
    if state.moving is None or state.moving.to_open:
        return state
    return replace(state, open=True, registers={**state.registers, **state.moving.registers})


def _registers(states: Sequence[ThreadState], live: Sequence[ThreadState]) -> dict[str, Register]:
    """A label is what the open parts say of it; where they say nothing, what the others say."""
    united: dict[str, Register] = {}
    for label in sorted({name for s in states for name in s.registers}):
        found = [s.registers[label] for s in live if label in s.registers]
        if not found:
            found = [s.registers[label] for s in states if label in s.registers]
        united[label] = _unite(label, found, len(live))
    return united


def _unite(label: str, found: Sequence[Register], parts: int) -> Register:
    latest = max(found, key=lambda r: r.stamp)
    present = [r for r in found if r.present]
    if label == WAITING and len(present) < parts:
        lifted = Register(False, latest.stamp, False, "join", "an open part did not wait")
        return lifted if latest.present else latest
    return max(present, key=lambda r: r.stamp) if present else latest


def _gather(joined: ThreadState, parts: Sequence[JoinPart], policy: Policy) -> ThreadState:
    """The archived parts come back, unless they are too many."""
    archived = sum(p.archived for p in parts)
    if archived > policy.max_join_moves:
        newest = max(p.newest for p in parts if p.state.open)
        star = None if joined.star_refused else newest
        reason = f"a late parent joined threads, and {archived} archived mails are too many to move"
        return replace(joined, rule="join", reason=reason, lies=True, bot_star=joined.bot_star or star)
    if archived and joined.since is not None:
        reason = "a late parent joined it to an open thread"
        return replace(joined, moving=Moving(True, joined.since, "join", False, reason))
    return joined


def _latest(stamps: Iterable[Stamp | None]) -> Stamp | None:
    return max((s for s in stamps if s is not None), default=None)


def _mailed(joined: ThreadState, states: Sequence[ThreadState], policy: Policy) -> ThreadState:
    """A join is no reason to mail: what one of the parts was mailed about is mailed.

    What a human set in a part a moment ago, and nobody was told about yet, is still to be mailed: as the next episode
    where that of this count was mailed once.
    """
    mailed = set[str]().union(*(s.mailed for s in states))
    episodes = dict(joined.episodes)
    for label, count in joined.episodes.items():
        told = [
            number
            for s in states
            if label in s.registers and s.registers[label].present
            for number, occasion in enumerate(_occasions(label, s.episodes.get(label, 0), policy))
            if occasion in s.mailed
        ]
        now = _occasions(label, count, policy)
        if told:
            mailed |= {now[number] for number in told}
        elif mailed.intersection(now):
            episodes[label] = count + 1
    return replace(joined, mailed=frozenset(mailed), episodes=episodes)


def _occasions(label: str, count: int, policy: Policy) -> tuple[str, ...]:
    """What is mailed about an episode of a label."""
    if label == URGENT:
        return (f"urgent\t{count}", f"urgent\t{count}:oncall")
    return (f"escalate\t{label}:{count}",) if policy.kinds.get(label) is LabelKind.WHERE else ()
