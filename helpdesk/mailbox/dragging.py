"""Where labels are folders: whose change of folder is it? (docs/decisions.md section 13).  Pure."""

from dataclasses import replace

from helpdesk.bits import PLACE, READ, STAR, Known
from helpdesk.model import Place, Stamp

_OWN = frozenset({STAR, PLACE})


def unlabelled(known: Known) -> Known:
    """The same where no labels can be: nothing is known of them, and nobody touched any."""
    planned = None if known.planned is None else known.planned & _OWN
    touches = {bit: stamp for bit, stamp in known.touches.items() if bit in _OWN}
    return replace(known, base=known.base & _OWN, planned=planned, touches=touches)


def dragged(known: Known, seen: Known, stamp: Stamp, *, moved: bool) -> Known:
    """`seen` with the touches of its labels; it was held as `known`, and `moved` if it is seen under another UID.

    A folder is one value.  The one that we set out for is ours; any other is a human's word on every label that it has, that
    the former folder had, and that we wanted.
    """
    own = {bit: one for bit, one in seen.touches.items() if bit in _OWN}
    touches = {bit: one for bit, one in known.touches.items() if bit not in _OWN}
    if not moved:
        return replace(seen, touches=own | touches)
    touches.pop(READ, None)
    labels, was, base = seen.bits - _OWN, known.bits - _OWN, known.base - _OWN
    wanted = base if known.planned is None else known.planned - _OWN
    in_flight = wanted != base or known.planned_place not in {None, known.base_place}
    back = labels == was and seen.place is known.place
    arrived = labels == wanted and seen.place is (known.planned_place or known.place)
    if arrived or (back and not in_flight):
        return replace(seen, touches=own | touches)
    touches |= dict.fromkeys(labels | (was - labels) | (wanted - labels), stamp)
    left = wanted if back else base  # brought back under a new UID: it had been where we wanted it
    return replace(seen, base=(seen.base & _OWN) | left, touches=own | touches)


def copied_between(source: Known, bits: frozenset[str], place: Place, stamp: Stamp) -> Known:
    """A COPY into an open folder while its source lives; one that our plan made is ours.

    Into a label's folder it only adds labels; into the inbox it takes off those that the source had, or would say nothing.
    """
    labels = bits - _OWN
    star = bits & source.base & _OWN
    if source.planned is not None and labels == source.planned - _OWN:
        return Known(bits, labels | star, None, place, place, None, {})
    gone = frozenset() if labels else source.bits - _OWN
    touches = dict.fromkeys((bits - star) | gone, stamp)
    return Known(bits, star | gone, None, place, place, None, touches)
