"""A close that is not finished: does it still stand? (docs/decisions.md section 5)."""

from dataclasses import replace

from helpdesk.bits import PLACE, STAR
from helpdesk.model import WAITING
from helpdesk.rules.draft import Draft, Touch
from helpdesk.rules.facts import OPEN_KINDS
from helpdesk.rules.state import Moving


def check_moving(draft: Draft) -> None:
    """If a human was there meanwhile, move back: the old registers return, less what that human removed."""
    moving = draft.state.moving
    if moving is None or moving.to_open:
        return
    later = [t for t in draft.touches if t.stamp.cycle > moving.stamp.cycle]
    removed = {t.bit for t in later if t.real and not t.on}
    kept = {name: register for name, register in moving.registers.items() if name not in removed}
    draft.state = replace(draft.state, moving=replace(moving, registers=kept))
    if any(_cancels(draft, moving, t) for t in later):
        draft.open(moving.rule, "a human was there meanwhile", human=True)
        waiting = draft.register(WAITING)
        if not moving.human and waiting is not None and waiting.present:  # else it would be closed again
            draft.write(WAITING, replace(waiting, stamp=max(t.stamp for t in later)))


def _cancels(draft: Draft, moving: Moving, touch: Touch) -> bool:
    if touch.bit == PLACE:
        return touch.on  # even where nothing had arrived yet: moved back under a new UID
    if touch.bit == STAR or not touch.real:
        return touch.on and touch.real
    return not moving.human or (touch.on and draft.kind(touch.bit) in OPEN_KINDS)
