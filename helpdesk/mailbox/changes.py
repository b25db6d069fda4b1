"""What one observation writes about copies: collected first, then stored in a few statements."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType

from sqlalchemy import Connection

from helpdesk.bits import PLACE, READ, Known, Touches, confirmed, touched
from helpdesk.mailbox.dragging import copied_between, dragged, unlabelled
from helpdesk.model import Place, Stamp
from helpdesk.rules.facts import LIVING
from helpdesk.store import copies, threads
from helpdesk.store.copies import Held
from helpdesk.store.flags import Seen


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a copy is seen, and with what on it."""

    folder: int
    folder_name: str
    place: Place
    uid: int
    flags: frozenset[str]
    seen: Seen


@dataclass(slots=True)
class Changes:
    """The copies that are not as they were, and the threads that must be decided."""

    stamp: Stamp
    last: Stamp | None  # the cycle before this one
    adopting: bool
    in_folders: bool = False  # whether labels are folders
    changed: dict[int, Held] = field(default_factory=dict)
    removed: dict[int, Held] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)  # messages of copies that changed their folder or went
    dirty: set[int] = field(default_factory=set)
    seen: int = 0  # copies that were observed to be different
    lost: dict[str, set[int]] = field(
        default_factory=lambda: defaultdict(set)
    )  # label -> threads that lost it

    def observe(self, held: Held, spot: Spot, older: Stamp | None = None) -> None:
        """A known copy is seen here; it may be the same as ever.  `older`: when its flags were read last, if long ago."""
        place = (held.folder, held.uid)
        if place == (spot.folder, spot.uid) and held.flags == spot.flags and held.limbo is None:
            return
        if self.adopting:
            held.known = adopted(spot.seen.bits, spot.place)
        else:
            if not self._files_away(held.known, spot.place):
                self._note_losses(held, spot.seen.bits)
            held.known = self._seen(held, spot, older or self.stamp)
        if held.folder != spot.folder:
            held.arrived, held.left = self.stamp, False
            self.moved.add(held.message)
        held.folder, held.folder_name, held.uid = spot.folder, spot.folder_name, spot.uid
        held.flags, held.seen, held.limbo, held.attempts = spot.flags, spot.seen, None, 0
        self.seen += 1
        self.keep(held)

    def restore(self, held: Held, spot: Spot) -> None:
        """The same copy under a new UIDVALIDITY: what is on it is as it should be, nobody touched anything."""
        touched_bits = held.known.touches.keys()
        base = (spot.seen.bits - touched_bits) | (held.known.base & touched_bits)
        held.known = replace(held.known, bits=spot.seen.bits, base=base)
        held.uid, held.flags, held.seen, held.limbo = spot.uid, spot.flags, spot.seen, None
        self.keep(held)

    def vanish(self, held: Held) -> None:
        """A UID has gone: it gets one full cycle to appear elsewhere."""
        held.limbo = self.stamp.cycle
        self.keep(held)

    def confirm(self, planned: Iterable[Held]) -> None:
        """Nothing is in flight any more: the observation followed the writes, except of what cannot be seen."""
        for copy in planned:
            held = self.changed.get(copy.key, copy)
            if copy.key in self.removed or held.limbo is not None:
                continue
            if _happened(held.known):
                held.attempts = 0
            held.known = confirmed(held.known)
            self.keep(held)

    def keep(self, held: Held) -> None:
        """Store this copy; its thread must be decided."""
        self.changed[held.key] = held
        self.dirty.add(held.thread)

    def remove(self, held: Held) -> None:
        """Forget a copy that has gone."""
        self.changed.pop(held.key, None)
        self.removed[held.key] = held
        self.moved.add(held.message)
        self.dirty.add(held.thread)

    def store(self, conn: Connection) -> None:
        """Write everything; the UIDs of moved copies are new, so no two rows collide."""
        copies.remove(conn, self.removed)
        copies.save(conn, self.changed.values())
        threads.mark_dirty(conn, self.dirty - {0})

    def _seen(self, held: Held, spot: Spot, stamp: Stamp) -> Known:
        return self._dragged(held, spot, stamp) if self.in_folders else self._seen_flags(held, spot, stamp)

    def _seen_flags(self, held: Held, spot: Spot, stamp: Stamp) -> Known:
        known, bits, place = held.known, spot.seen.bits, spot.place
        if place is not known.place and not {place, known.place} <= LIVING:
            return self._between_worlds(known, bits, place)
        touches = dict(touched(known, bits, place, stamp))
        if _moved_back(held, spot):
            touches[PLACE] = stamp
        if touches.get(PLACE) == stamp and held.limbo is not None and self.last is not None:
            touches[PLACE] = Stamp(
                held.limbo, self.last.at
            )  # a move is as old as the cycle in which the UID vanished
        return replace(known, bits=bits, place=place, touches=touches)

    def _dragged(self, held: Held, spot: Spot, stamp: Stamp) -> Known:
        """The same where labels are folders: the bits of the folder are one value."""
        moved = (held.folder, held.uid) != (spot.folder, spot.uid)
        if moved and held.limbo is not None and self.last is not None:
            stamp = Stamp(held.limbo, self.last.at)
        seen = self._seen_flags(held, spot, stamp)
        if spot.place is not Place.INBOX:
            return unlabelled(seen)
        seen = dragged(held.known, seen, stamp, moved=moved)
        if spot.seen.seen and not held.seen.seen and not moved:
            return replace(seen, touches={**seen.touches, READ: stamp})
        return seen

    def _files_away(self, known: Known, place: Place) -> bool:
        """Out of a label's folder into one that has no labels: that says nothing about them."""
        return self.in_folders and known.place is Place.INBOX and place is not Place.INBOX

    def _between_worlds(self, known: Known, bits: frozenset[str], place: Place) -> Known:
        """To or from a folder where nothing is open or closed: as with a message that had gone."""
        labels = dict(touched(known, bits, known.place, self.stamp))
        labels.pop(PLACE, None)
        moved = replace(known, bits=bits, place=place, base_place=place, planned_place=None, touches=labels)
        return brought(moved, self.stamp) if place is Place.INBOX else moved

    def _note_losses(self, held: Held, bits: frozenset[str]) -> None:
        planned = held.known.base if held.known.planned is None else held.known.planned
        for bit in held.known.bits - bits:
            if bit in held.known.base and bit in planned:
                self.lost[bit].add(held.thread)


_UNTOUCHED: Touches = MappingProxyType({})


@lru_cache(maxsize=10_000)
def adopted(bits: frozenset[str], place: Place) -> Known:
    """A copy that was there before the board: base := observed.  There are many of few kinds: they share a value."""
    return Known(bits, bits, None, place, place, None, _UNTOUCHED)


def arrived(seen: Seen, place: Place, stamp: Stamp) -> Known:
    """A copy that nobody knew: the labels on it are touches, what it lacks is no removal, lying somewhere is no move."""
    return _differing(seen.bits, frozenset(), place, stamp)


def copied(seen: Seen, place: Place, source: Known, stamp: Stamp, *, in_folders: bool = False) -> Known:
    """A COPY of a living copy: only what differs from its source is a touch; in another place it is a move by hand."""
    if in_folders:
        known = copied_between(source, seen.bits, place, stamp)
        known = unlabelled(known) if place is Place.ARCHIVE else known
    else:
        known = _differing(seen.bits, source.base, place, stamp)
    return known if place is source.place else brought(known, stamp)


def brought(known: Known, stamp: Stamp) -> Known:
    """A human put it where it lies: the base is the other place."""
    other = Place.ARCHIVE if known.place is Place.INBOX else Place.INBOX
    return replace(known, base_place=other, touches={**known.touches, PLACE: stamp})


def _differing(bits: frozenset[str], base: frozenset[str], place: Place, stamp: Stamp) -> Known:
    before = Known(base, base, None, place, place, None, {})
    return replace(before, bits=bits, touches=touched(before, bits, place, stamp))


def _moved_back(held: Held, spot: Spot) -> bool:
    """Back in its base folder under a new UID while a plan would have moved it: a human was faster than our read-back."""
    known = held.known
    against = known.planned_place is not None and known.planned_place is not spot.place
    return against and held.uid != spot.uid and spot.place is known.base_place and spot.place is known.place


def _happened(known: Known) -> bool:
    """Whether all that was in flight is there now."""
    planned = known.base if known.planned is None else known.planned
    in_flight = (known.base ^ planned) - known.touches.keys()
    return not (known.bits ^ planned) & in_flight and known.planned_place in {None, known.place}
