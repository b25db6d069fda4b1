"""From what was decided to what is written (docs/decisions.md section 8)."""

from collections.abc import Iterable
from dataclasses import replace

from helpdesk.actions import Action, CopyPlan, Kind
from helpdesk.bits import PLACE, STAR
from helpdesk.model import Place
from helpdesk.rules.draft import Draft, living
from helpdesk.rules.facts import CopyFacts
from helpdesk.rules.state import Register, ThreadState

COVER = "labels_cover_the_thread"


def project(draft: Draft, before: ThreadState) -> tuple[tuple[CopyPlan, ...], tuple[Action, ...]]:
    """The difference between desired and observed, copy by copy, and the same as actions thread by thread."""
    plans: list[CopyPlan] = []
    wanted = {copy.key: _plan(draft, copy) for copy in living(draft.facts)}
    for copy in draft.facts.copies:
        plan = wanted.get(copy.key, CopyPlan(copy.key))
        plan = replace(
            plan, accept=frozenset(draft.accepted.get(copy.key, ())), unleave=_unleave(draft, copy)
        )
        if plan != CopyPlan(copy.key):
            plans.append(plan)
    actions = [
        *_label_actions(draft, before, plans),
        *_star_actions(draft, plans),
        *_move_actions(draft, plans),
    ]
    _finish_moving(draft, plans)
    return tuple(plans), tuple(actions)


def _plan(draft: Draft, copy: CopyFacts) -> CopyPlan:
    if copy.limbo or copy.stuck:
        return CopyPlan(copy.key)
    live = {t.bit for t in draft.touches if t.copy.key == copy.key}
    known, state = copy.known, draft.state
    lying = state.lies and known.place is Place.ARCHIVE
    add: set[str] = set()
    remove: set[str] = set()
    for label, register in state.registers.items():
        if label in live or label not in draft.policy.kinds or lying:
            continue
        if register.present and label not in known.bits and state.open:
            add.add(label)
        elif not register.present and label in known.bits:
            remove.add(label)
    _star(draft, copy, live, add, remove)
    place = None
    if state.open is not None and PLACE not in live and not lying:
        desired = Place.INBOX if state.open else Place.ARCHIVE
        place = desired if desired is not known.place else None
    return CopyPlan(copy.key, frozenset(add), frozenset(remove), place)


def _star(draft: Draft, copy: CopyFacts, live: set[str], add: set[str], remove: set[str]) -> None:
    """Only the bot's own star: on the newest message of an open thread, off when it closes."""
    if copy.message != draft.state.bot_star or STAR in live:
        return
    if draft.state.open and STAR not in copy.known.bits and copy.known.place is Place.INBOX:
        add.add(STAR)
    elif not draft.state.open and STAR in copy.known.bits:
        remove.add(STAR)


def _unleave(draft: Draft, copy: CopyFacts) -> bool:
    """A superseded copy that lies where the thread belongs is an ordinary copy again."""
    if not copy.left or draft.state.open is None:
        return False
    return copy.known.place is (Place.INBOX if draft.state.open else Place.ARCHIVE)


def _finish_moving(draft: Draft, plans: list[CopyPlan]) -> None:
    """A close or reopen is finished when nothing is left to write, in flight, or on its way between folders."""
    busy = any(p.add or p.remove or p.place for p in plans)
    busy = busy or any(c.limbo or c.known.planned is not None for c in draft.facts.copies)
    if draft.state.moving is not None and not busy:
        draft.state = replace(draft.state, moving=None)
    if draft.state.open is False and draft.state.moving is None and not busy:
        draft.state = replace(draft.state, bot_star=None)


def _label_actions(draft: Draft, before: ThreadState, plans: list[CopyPlan]) -> Iterable[Action]:
    for kind, side in ((Kind.ADD_LABEL, "add"), (Kind.REMOVE_LABEL, "remove")):
        labels = sorted({label for p in plans for label in getattr(p, side)} - {STAR})
        for label in labels:
            register = draft.state.registers[label]
            rule, reason = _why(register, before.registers.get(label), draft)
            copies = tuple(p.key for p in plans if label in getattr(p, side))
            yield _action(draft, kind, label, (rule, reason), copies, human=register.human)


def _why(register: Register, old: Register | None, draft: Draft) -> tuple[str, str]:
    """The rule that set a register says why; later mail of the thread is only covered by it."""
    moving = draft.state.moving
    if register != old or (moving is not None and register.stamp == moving.stamp):
        return register.rule, register.reason
    return (COVER if register.present else register.rule), register.reason


def _star_actions(draft: Draft, plans: list[CopyPlan]) -> Iterable[Action]:
    for kind, side in ((Kind.STAR, "add"), (Kind.UNSTAR, "remove")):
        copies = tuple(p.key for p in plans if STAR in getattr(p, side))
        if copies:
            rule = "new" if kind is Kind.STAR else draft.state.rule
            reason = "asked for by a rule" if kind is Kind.STAR else "the thread is closed"
            yield _action(draft, kind, STAR, (rule, reason), copies, human=False)


def _move_actions(draft: Draft, plans: list[CopyPlan]) -> Iterable[Action]:
    for place in (Place.INBOX, Place.ARCHIVE):
        copies = tuple(p.key for p in plans if p.place is place)
        if not copies:
            continue
        state = draft.state
        if state.moving is not None:
            yield _action(
                draft,
                Kind.MOVE,
                place,
                (state.moving.rule, state.moving.reason),
                copies,
                human=state.moving.human,
            )
        else:
            rule = "reopen" if place is Place.INBOX else "close"
            yield _action(draft, Kind.MOVE, place, (rule, "it follows its thread"), copies, human=True)


def _action(
    draft: Draft, kind: Kind, what: str, why: tuple[str, str], copies: tuple[int, ...], *, human: bool
) -> Action:
    facts, state = draft.facts, draft.state
    stamp = state.since if kind is Kind.MOVE and state.since is not None else draft.now
    if kind in {Kind.ADD_LABEL, Kind.REMOVE_LABEL}:
        stamp = state.registers[what].stamp
    return Action(kind, facts.key, facts.code, what, *why, stamp, copies, human=human)
