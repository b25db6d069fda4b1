"""From what was decided to what is written (docs/decisions.md section 8)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from helpdesk.actions import Action, CopyPlan, Kind
from helpdesk.bits import PLACE, STAR
from helpdesk.model import Place, Stamp
from helpdesk.rules.draft import Draft, living
from helpdesk.rules.facts import CopyFacts
from helpdesk.rules.shown import difference, shown

COVER = "labels_cover_the_thread"


def project(draft: Draft) -> tuple[tuple[CopyPlan, ...], tuple[Action, ...]]:
    """The difference between desired and observed, copy by copy, and the same as actions thread by thread."""
    plans: list[CopyPlan] = []
    ours = {copy.key for copy in living(draft.facts)}
    for copy in draft.facts.copies:
        unleave = copy.left and _unleave(draft, copy, outlived=copy.key in ours)
        plan = _plan(draft, copy) if copy.key in ours or unleave else CopyPlan(copy.key)
        accept = frozenset(draft.accepted.get(copy.key, ()))
        if accept or unleave:
            plan = replace(plan, accept=accept, unleave=unleave)
        if plan != CopyPlan(copy.key):
            plans.append(plan)
    actions = [
        *_label_actions(draft, plans),
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
    place = None
    if PLACE not in live and not lying:
        desired = Place.INBOX if state.open else Place.ARCHIVE
        place = desired if desired is not known.place else None
    if draft.policy.labels_in_folders:
        add, remove = difference(draft, copy, live, place or known.place)
    else:
        add, remove = _labels(draft, copy, live) if not lying else (set(), set())
    _star(draft, copy, live, add, remove)
    return CopyPlan(copy.key, frozenset(add), frozenset(remove), place)


def _labels(draft: Draft, copy: CopyFacts, live: set[str]) -> tuple[set[str], set[str]]:
    """The labels to add and to remove where they are keywords: each for itself."""
    add: set[str] = set()
    remove: set[str] = set()
    for label, register in draft.state.registers.items():
        if label in live or label not in draft.policy.kinds:
            continue
        if register.present and label not in copy.known.bits and draft.state.open:
            add.add(label)
        elif not register.present and label in copy.known.bits:
            remove.add(label)
    return add, remove


def _star(draft: Draft, copy: CopyFacts, live: set[str], add: set[str], remove: set[str]) -> None:
    """Only the bot's own star: on while the thread is open and nobody refused it."""
    if copy.message != draft.state.bot_star or STAR in live:
        return
    wanted = _wants_star(draft)
    if wanted and STAR not in copy.known.bits and copy.known.place is Place.INBOX:
        add.add(STAR)
    elif not wanted and STAR in copy.known.bits:
        remove.add(STAR)


def _wants_star(draft: Draft) -> bool:
    return draft.state.open is True and not draft.state.star_refused


def _unleave(draft: Draft, copy: CopyFacts, *, outlived: bool) -> bool:
    """A superseded copy is an ordinary copy again when it lies where the thread belongs, or outlived the newer one."""
    home = Place.INBOX if draft.state.open else Place.ARCHIVE
    at_home = copy.known.place is home
    if draft.policy.labels_in_folders and home is Place.INBOX:
        at_home = at_home and not copy.unknown and (copy.known.bits - {STAR}) == shown(draft)
    return draft.settled and (outlived or at_home)


def _finish_moving(draft: Draft, plans: list[CopyPlan]) -> None:
    """A close or reopen is finished when nothing is left to write, in flight, or on its way between folders."""
    busy = any(p.add or p.remove or p.place for p in plans)
    busy = busy or any(c.limbo or c.known.planned is not None for c in draft.facts.copies)
    if busy:
        return
    star = draft.state.bot_star if _wants_star(draft) else None
    if draft.state.moving is not None or draft.state.bot_star != star:
        draft.state = replace(draft.state, moving=None, bot_star=star)


CAME = "it came into a thread that is"
"""The reason of a label that covers later mail; the label and its own reason follow."""


class _Why(NamedTuple):
    rule: str
    reason: str
    stamp: Stamp
    human: bool


def _label_actions(draft: Draft, plans: list[CopyPlan]) -> Iterable[Action]:
    """The rule that set a register says why; mail that came after it is only covered by it."""
    for kind, side in ((Kind.ADD_LABEL, "add"), (Kind.REMOVE_LABEL, "remove")):
        for label in sorted({label for p in plans for label in getattr(p, side)} - {STAR}):
            register = draft.state.registers[label]
            if kind is Kind.REMOVE_LABEL and register.present:
                continue  # another label hides it
            copies = tuple(p.key for p in plans if label in getattr(p, side))
            stamp = _stamp(draft, register.stamp, copies)
            rule, reason = register.rule, register.reason
            if register.present and stamp != register.stamp:
                rule, reason = COVER, f"{CAME} {label} ({register.reason})"
            yield _action(draft, kind, label, _Why(rule, reason, stamp, register.human), copies)


def _star_actions(draft: Draft, plans: list[CopyPlan]) -> Iterable[Action]:
    state = draft.state
    starred = tuple(p.key for p in plans if STAR in p.add)
    if starred:
        stamp = next(Stamp(m.cycle, m.time) for m in draft.facts.messages if m.key == state.bot_star)
        rule = "join" if state.rule == "join" else "new"
        yield _action(draft, Kind.STAR, STAR, _Why(rule, "asked for by a rule", stamp, False), starred)
    cleared = tuple(p.key for p in plans if STAR in p.remove)
    if cleared:
        rule, reason = (
            ("undo", "a human took it back") if state.open else (state.rule, "the thread is closed")
        )
        stamp = (state.touched if state.open else state.since) or draft.now
        yield _action(draft, Kind.UNSTAR, STAR, _Why(rule, reason, stamp, False), cleared)


def _move_actions(draft: Draft, plans: list[CopyPlan]) -> Iterable[Action]:
    moving = draft.state.moving
    for place in (Place.INBOX, Place.ARCHIVE):
        copies = tuple(p.key for p in plans if p.place is place)
        if not copies:
            continue
        stamp = _stamp(draft, draft.state.since or draft.now, copies)
        why = _Why("reopen" if place is Place.INBOX else "close", "it follows its thread", stamp, True)
        if moving is not None:
            why = _Why(moving.rule, moving.reason, stamp, moving.human)
        yield _action(draft, Kind.MOVE, place, why, copies)


def _stamp(draft: Draft, decided: Stamp, copies: tuple[int, ...]) -> Stamp:
    """When this became wanted: with the decision, or when the last of these came, if all came after it."""
    keys = set(copies)
    arrived = [c.arrived for c in draft.facts.copies if c.key in keys]
    return decided if any(a.cycle <= decided.cycle for a in arrived) else max(arrived)


def _action(draft: Draft, kind: Kind, what: str, why: _Why, copies: tuple[int, ...]) -> Action:
    facts = draft.facts
    return Action(kind, facts.key, facts.code, what, why.rule, why.reason, why.stamp, copies, human=why.human)
