"""What the board holds of a copy, and what a look and a plan make of it (docs/decisions.md sections 1 and 2)."""

from dataclasses import dataclass, replace

from helpdesk.actions import CopyPlan
from helpdesk.bits import PLACE, Known, touched
from helpdesk.model import Place, Stamp
from helpdesk.rules.facts import LIVING
from tests.whiteboard import Real


@dataclass(frozen=True, slots=True)
class Row:
    """A copy as the board holds it."""

    message: int
    flags: frozenset[str]
    known: Known
    arrived: Stamp
    uid: int
    left: bool = False
    limbo: Stamp | None = None


def looked_at(row: Row, real: Real, bits: frozenset[str], stamp: Stamp) -> Row:
    """What we hold of a copy after it was looked at again."""
    known = row.known
    moved = real.place is not known.place
    between_worlds = moved and not {real.place, known.place} <= LIVING
    touches = dict(touched(known, bits, known.place if between_worlds else real.place, stamp))
    back = real.uid != row.uid and not moved and known.planned_place not in {None, real.place}
    if back or touches.get(PLACE) == stamp:
        touches[PLACE] = row.limbo or stamp  # back in its folder under a new UID: moved back by a human
    known = replace(known, bits=bits, place=real.place, touches=touches)
    if between_worlds:
        known = elsewhere(known, stamp)
    row = replace(row, flags=frozenset(real.bits), known=known, uid=real.uid, limbo=None)
    return replace(row, arrived=stamp, left=False) if moved else row


def elsewhere(known: Known, stamp: Stamp) -> Known:
    """From a place where nothing is open or closed, or from nowhere: into the inbox it is a move by hand."""
    touches = {bit: at for bit, at in known.touches.items() if bit != PLACE}
    if known.place is not Place.INBOX:
        return replace(known, base_place=known.place, planned_place=None, touches=touches)
    touches[PLACE] = stamp
    return replace(known, base_place=Place.ARCHIVE, planned_place=None, touches=touches)


def intended(known: Known, plan: CopyPlan) -> Known:
    """What we hold once a plan is committed."""
    labels = plan.accept - {PLACE}
    base = (known.base - labels) | (known.bits & labels)
    return Known(
        known.bits,
        base,
        (base | plan.add) - plan.remove if plan.add or plan.remove else None,
        known.place,
        known.place if PLACE in plan.accept else known.base_place,
        plan.place,
        {bit: stamp for bit, stamp in known.touches.items() if bit not in plan.accept},
    )
