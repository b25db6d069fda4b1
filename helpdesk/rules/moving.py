"""A close that is not finished: does it still stand? (docs/decisions.md section 5)."""

from dataclasses import replace

from helpdesk.bits import PLACE, STAR
from helpdesk.rules.draft import Draft, Touch
from helpdesk.rules.facts import OPEN_KINDS
from helpdesk.rules.state import Moving


def check_moving(draft: Draft) -> None:
    """If a human was there meanwhile, move back: the old registers return, less what that human removed."""
    moving = draft.state.moving
    if moving is None or moving.to_open:
        return
    later = [t for t in draft.touches if t.stamp.cycle > moving.stamp.cycle and t.real]
    removed = {t.bit for t in later if not t.on and t.bit in moving.registers}
    if removed:
        kept = {name: register for name, register in moving.registers.items() if name not in removed}
        moving = replace(moving, registers=kept)
        draft.state = replace(draft.state, moving=moving)
    back = [t for t in draft.touches if t.bit == PLACE and t.on and t.stamp.cycle > moving.stamp.cycle]
    if back or any(_cancels(draft, moving, t) for t in later):
        draft.open(moving.rule, "a human was there meanwhile", human=True)


def _cancels(draft: Draft, moving: Moving, touch: Touch) -> bool:
    if touch.bit == PLACE or (touch.bit == STAR and not touch.on):
        return touch.bit == PLACE and touch.on
    if not moving.human:
        return True
    kind = draft.kind(touch.bit)
    return touch.on and (touch.bit == STAR or kind in OPEN_KINDS)
