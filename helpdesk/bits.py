r"""A human's change, bit by bit (docs/decisions.md section 2).

A bit is a label's name, `\\star` or `\\place`; no label begins with a backslash.  Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from helpdesk.model import Place, Stamp

STAR = "\\star"
PLACE = "\\place"
READ = "\\read"
"""No bit, and nobody's touch: when a mail was first seen to be read, where labels are folders (docs/decisions.md section 13)."""

Touches = Mapping[str, Stamp]


@dataclass(frozen=True, slots=True)
class Known:
    """What we hold of a copy: observed, last left or accepted (base), set out to write (planned)."""

    bits: frozenset[str]
    base: frozenset[str]
    planned: frozenset[str] | None
    place: Place
    base_place: Place
    planned_place: Place | None
    touches: Touches


def touched(known: Known, bits: frozenset[str], place: Place, stamp: Stamp) -> Touches:
    """The touches after `bits` and `place` were observed where `known` was held.

    A bit that changed to a value which is neither ours (base) nor wanted (planned) is a human's, and so is one that a
    human takes back: both get this stamp.
    """
    touches = dict(known.touches)
    for bit in known.bits ^ bits:
        planned = known.base if known.planned is None else known.planned
        ours = (bit in bits) in {bit in known.base, bit in planned}
        if not ours or bit in touches:
            touches[bit] = stamp
    if place is not known.place and (
        PLACE in touches or place not in {known.base_place, known.planned_place or known.base_place}
    ):
        touches[PLACE] = stamp
    return touches


def confirmed(known: Known) -> Known:
    """What we hold after an observation that followed the write: nothing is in flight any more.

    Where plan and base differed, the observed value is ours either way and becomes the base.
    """
    if known.planned is None and known.planned_place is None:
        return known
    in_flight = frozenset() if known.planned is None else (known.base ^ known.planned) - known.touches.keys()
    base = (known.base - in_flight) | (known.bits & in_flight)
    base_place = known.base_place
    if known.planned_place is not None and PLACE not in known.touches:
        base_place = known.place
    return Known(known.bits, base, None, known.place, base_place, None, known.touches)


def pack(bits: frozenset[str]) -> str:
    """As stored: newline-joined, sorted."""
    return "\n".join(sorted(bits))


def unpack(text: str) -> frozenset[str]:
    """The inverse of `pack`."""
    return frozenset(text.split("\n")) if text else frozenset()
