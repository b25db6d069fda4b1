"""What the board holds of a copy, and what a look and a plan make of it (docs/decisions.md sections 1 and 2)."""

from dataclasses import dataclass, replace

from helpdesk.actions import CopyPlan
from helpdesk.bits import PLACE, Known, touched
from helpdesk.model import Stamp
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
    touches = dict(touched(known, bits, real.place, row.limbo or stamp))
    back = real.uid != row.uid and real.place is known.place
    if back and known.planned_place not in {None, real.place}:
        touches[PLACE] = row.limbo or stamp  # back in its folder under a new UID: moved back by a human
    known = replace(known, bits=bits, place=real.place, touches=touches)
    arrived = row.arrived if real.uid == row.uid else stamp
    return replace(row, flags=frozenset(real.bits), known=known, uid=real.uid, limbo=None, arrived=arrived)


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
