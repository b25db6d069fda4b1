"""Whose change is it?  Every combination of docs/decisions.md section 2."""

from datetime import UTC, datetime
from itertools import product as combine

import pytest

from helpdesk.bits import PLACE, STAR, Known, confirmed, pack, touched, unpack
from helpdesk.model import Place, Stamp

OLD, NOW = Stamp(1, datetime(2026, 6, 8, tzinfo=UTC)), Stamp(2, datetime(2026, 6, 9, tzinfo=UTC))
BIT = "URGENT"
ON, OFF = frozenset({BIT}), frozenset[str]()


def every(*values: tuple[object, ...]) -> list[tuple[object, ...]]:
    """All combinations."""
    return list(combine(*values))


def known(
    before: bool,
    base: bool,
    planned: bool | None,
    touches: bool,
    places: tuple[Place, Place, Place | None] | None = None,
) -> Known:
    """A copy with one bit."""
    place, base_place, planned_place = places or (Place.INBOX, Place.INBOX, None)
    return Known(
        ON if before else OFF,
        ON if base else OFF,
        None if planned is None else ON if planned else OFF,
        place,
        base_place,
        planned_place,
        {BIT: OLD} if touches else {},
    )


@pytest.mark.parametrize(
    ("before", "base", "planned", "touched_before", "observed"),
    every((False, True), (False, True), (None, False, True), (False, True), (False, True)),
)
def test_every_bit(
    before: bool, base: bool, planned: bool | None, touched_before: bool, observed: bool
) -> None:
    """A bit that did not change keeps its stamp; one that changed is ours if it is as we left it or want it, else a touch."""
    held = known(before, base, planned, touched_before)
    wanted = base if planned is None else planned
    ours = observed in {base, wanted}
    expected = {BIT: OLD} if touched_before else {}
    if before != observed and (touched_before or not ours):
        expected = {BIT: NOW}
    assert touched(held, ON if observed else OFF, Place.INBOX, NOW) == expected


@pytest.mark.parametrize(
    ("before", "base", "planned", "touched_before", "observed"),
    every(
        (Place.INBOX, Place.ARCHIVE),
        (Place.INBOX, Place.ARCHIVE),
        (None, Place.INBOX, Place.ARCHIVE),
        (False, True),
        (Place.INBOX, Place.ARCHIVE),
    ),
)
def test_every_place(
    before: Place, base: Place, planned: Place | None, touched_before: bool, observed: Place
) -> None:
    """Where a mail lies is one bit more, with the same table."""
    held = Known(OFF, OFF, None, before, base, planned, {PLACE: OLD} if touched_before else {})
    ours = observed in {base, planned or base}
    expected = {PLACE: OLD} if touched_before else {}
    if before is not observed and (touched_before or not ours):
        expected = {PLACE: NOW}
    assert touched(held, OFF, observed, NOW) == expected


@pytest.mark.parametrize(
    ("observed", "base", "planned", "touches"),
    every((False, True), (False, True), (None, False, True), (False, True)),
)
def test_every_confirmation(observed: bool, base: bool, planned: bool | None, touches: bool) -> None:
    """After the read-back nothing is in flight, and the base takes what was in flight and no human touched."""
    held = known(observed, base, planned, touches)
    after = confirmed(held)
    in_flight = planned is not None and planned != base and not touches
    assert after.planned is None
    assert after.touches == held.touches
    assert (BIT in after.base) == (observed if in_flight else base)


@pytest.mark.parametrize(
    ("observed", "base", "planned", "touches"),
    every((Place.INBOX, Place.ARCHIVE), (Place.INBOX, Place.ARCHIVE), (None, *Place), (False, True)),
)
def test_every_confirmed_place(observed: Place, base: Place, planned: Place | None, touches: bool) -> None:
    """After the read-back the base place is where the mail lies, if it was to be moved and no human touched it."""
    held = Known(OFF, OFF, None, observed, base, planned, {PLACE: OLD} if touches else {})
    after = confirmed(held)
    assert after.planned_place is None
    assert after.base_place is (observed if planned is not None and not touches else base)


@pytest.mark.parametrize(
    ("before", "base", "planned", "first", "second"),
    every((False, True), (False, True), (None, False, True), (False, True), (False, True)),
)
def test_the_last_change_wins(
    before: bool, base: bool, planned: bool | None, first: bool, second: bool
) -> None:
    """Seen in two steps, a touch has the stamp of its last change, and what nobody changed has none."""
    held = known(before, base, planned, touches=False)
    once = touched(held, ON if first else OFF, Place.INBOX, OLD)
    middle = Known(ON if first else OFF, held.base, held.planned, Place.INBOX, Place.INBOX, None, once)
    twice = touched(middle, ON if second else OFF, Place.INBOX, NOW)
    assert set(twice) >= set(once)
    if first != second and BIT in twice:
        assert twice == {BIT: NOW}
    if first == second:
        assert twice == once


@pytest.mark.parametrize("bits", [(), (STAR,), ("WAITING", "FIXED in next release", STAR)])
def test_bits_are_kept_as_they_are(bits: tuple[str, ...]) -> None:
    """What is packed comes back."""
    assert unpack(pack(frozenset(bits))) == frozenset(bits)
