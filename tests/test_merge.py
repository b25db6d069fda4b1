"""Whose change is it? (docs/decisions.md section 2), and how conflicts end (the list of the three-way merge)."""

from dataclasses import replace

import pytest

from helpdesk.bits import PLACE, STAR, Known, confirmed, pack, touched, unpack
from helpdesk.model import ESCALATED, FIXED, URGENT, WAITING, Place, Role, Stamp
from tests.simulated import troubles
from tests.situations import begun
from tests.threads import DAY, GGUS, MC08, VIP, stamp

NOBODY = Known(frozenset(), frozenset(), None, Place.INBOX, Place.INBOX, None, {})
W = frozenset({WAITING})
NOW = stamp(5)


class TestBits:
    """The table: observed against base and planned."""

    @pytest.mark.parametrize(
        ("base", "planned", "held", "seen", "by_human"),
        [
            pytest.param(W, None, W, W, False, id="nothing changed"),
            pytest.param(frozenset(), None, frozenset(), W, True, id="set, and nothing was planned"),
            pytest.param(W, None, W, frozenset(), True, id="removed, and nothing was planned"),
            pytest.param(frozenset(), W, frozenset(), W, False, id="the write arrived"),
            pytest.param(frozenset(), W, frozenset(), frozenset(), False, id="the write is still to come"),
            pytest.param(W, frozenset(), W, frozenset(), False, id="the removal arrived"),
            pytest.param(W, W, W, frozenset(), True, id="removed while something else was planned"),
        ],
    )
    def test_a_change_that_is_neither_base_nor_plan_is_a_humans(
        self,
        base: frozenset[str],
        planned: frozenset[str] | None,
        held: frozenset[str],
        seen: frozenset[str],
        by_human: bool,
    ) -> None:
        """A label is a human's touch exactly when it is neither what we left nor what we set out to write."""
        known = replace(NOBODY, bits=held, base=base, planned=planned)
        assert touched(known, seen, Place.INBOX, NOW) == ({WAITING: NOW} if by_human else {})

    @pytest.mark.parametrize(
        ("base", "planned", "held", "seen", "by_human"),
        [
            pytest.param(Place.INBOX, None, Place.INBOX, Place.ARCHIVE, True, id="archived by hand"),
            pytest.param(
                Place.INBOX, Place.ARCHIVE, Place.INBOX, Place.ARCHIVE, False, id="our move arrived"
            ),
            pytest.param(Place.INBOX, Place.ARCHIVE, Place.ARCHIVE, Place.INBOX, False, id="not moved yet"),
            pytest.param(Place.INBOX, Place.INBOX, Place.INBOX, Place.SENT, True, id="elsewhere"),
        ],
    )
    def test_a_place_is_judged_like_a_label(
        self, base: Place, planned: Place | None, held: Place, seen: Place, by_human: bool
    ) -> None:
        """A copy was moved by a human exactly when it lies neither where we left it nor where we were moving it."""
        known = replace(NOBODY, place=held, base_place=base, planned_place=planned)
        assert touched(known, frozenset(), seen, NOW) == ({PLACE: NOW} if by_human else {})

    def test_a_change_that_is_taken_back_stays_a_touch(self) -> None:
        """Who sets a label and removes it again has touched the thread, with the stamp of the removal."""
        known = replace(NOBODY, bits=W, touches={WAITING: stamp(4)})
        assert touched(known, frozenset(), Place.INBOX, NOW) == {WAITING: NOW}

    def test_a_move_that_is_taken_back_stays_a_touch(self) -> None:
        """Who archives a message and fetches it back has touched the thread, with the later stamp."""
        known = replace(NOBODY, place=Place.ARCHIVE, touches={PLACE: stamp(4)})
        assert touched(known, frozenset(), Place.INBOX, NOW) == {PLACE: NOW}

    def test_a_touch_that_does_not_change_keeps_its_stamp(self) -> None:
        """A touch is dated by the cycle in which the bit changed, not by the last look at it."""
        known = replace(NOBODY, bits=W, touches={WAITING: stamp(4)})
        assert touched(known, W | {STAR}, Place.INBOX, NOW) == {WAITING: stamp(4), STAR: NOW}

    @pytest.mark.parametrize("seen", [frozenset(), W])
    def test_after_a_full_look_the_observed_value_is_the_base(self, seen: frozenset[str]) -> None:
        """What was in flight is ours whether it arrived or not, and nothing is in flight any more."""
        known = confirmed(replace(NOBODY, bits=seen, planned=W, planned_place=Place.ARCHIVE))
        assert known == replace(NOBODY, bits=seen, base=seen)

    def test_a_full_look_accepts_no_touch(self) -> None:
        """A read-back makes a human's label and a human's move no part of what we left."""
        touches = {WAITING: NOW, PLACE: NOW}
        known = replace(
            NOBODY,
            bits=W,
            place=Place.ARCHIVE,
            planned=W | {URGENT},
            planned_place=Place.INBOX,
            touches=touches,
        )
        assert confirmed(known) == replace(known, planned=None, planned_place=None)

    def test_a_copy_with_nothing_in_flight_is_left_alone(self) -> None:
        """A look at a copy that we did not write confirms nothing."""
        known = replace(NOBODY, bits=W, touches={WAITING: NOW})
        assert confirmed(known) is known

    @pytest.mark.parametrize("bits", [frozenset(), W, frozenset({FIXED, STAR, MC08})])
    def test_bits_survive_the_database(self, bits: frozenset[str]) -> None:
        """What is packed is unpacked as it was."""
        assert unpack(pack(bits)) == bits


class TestNewCopies:
    """The table of new copies."""

    def test_labels_on_a_new_message_are_touches(self) -> None:
        """A label that comes with a new message was set by a human, and covers the thread once it is settled."""
        world = begun()
        world.mail(GGUS, role=Role.SHIFTER)
        world.run()
        assert world.labels == set()
        world.settle()
        assert world.labels == {GGUS, ESCALATED}
        assert world.on(1) == {GGUS, ESCALATED}

    def test_what_a_new_message_lacks_is_no_removal(self) -> None:
        """A new mail without the thread's label gets it, and the thread keeps it."""
        world = begun(MC08)
        new = world.machine()
        world.run()
        assert world.on(new) == {MC08}
        assert troubles(world) == []

    def test_a_copy_to_the_archive_is_an_archive_move(self) -> None:
        """A client that archives by COPY closes the thread, and the copy that it left behind stays where it is."""
        world = begun(WAITING)
        new = world.archive_by_copy(1)
        world.settle()
        assert world.open is False
        assert (world.place(1), world.place(2), world.place(new)) == (
            Place.INBOX,
            Place.ARCHIVE,
            Place.ARCHIVE,
        )
        assert world.rows[1].left
        assert troubles(world) == []

    def test_a_copy_that_was_left_waits_for_the_settled_thread(self) -> None:
        """Until the archive-by-COPY is settled, the left copy is not taken for an ordinary one again."""
        world = begun()
        world.archive_by_copy(1)
        world.run()
        assert world.rows[1].left

    def test_a_left_copy_is_ordinary_again_where_its_thread_belongs(self) -> None:
        """When the thread comes back to the inbox, the copy that was left there is covered again."""
        world = begun(MC08)
        new = world.archive_by_copy(1)
        world.settle()
        world.wait(DAY).mail()
        world.run()
        world.label(new, VIP)
        world.settle()
        assert not world.rows[1].left
        assert world.on(1) == world.on(new) == {VIP}
        assert troubles(world) == []

    def test_a_left_copy_outlives_the_newer_one(self) -> None:
        """When the copy in the archive is thrown away, the one that was left is the message, and follows its thread."""
        world = begun()
        new = world.archive_by_copy(1)
        world.settle()
        world.remove(new)
        world.run()
        world.settle()
        assert world.place(1) is Place.ARCHIVE
        assert troubles(world) == []

    def test_labels_that_a_copy_brings_along_are_no_touches(self) -> None:
        """Only what differs from the source of a COPY is a human's."""
        world = begun(WAITING, GGUS)
        world.archive_by_copy(1)
        world.run()
        assert set(world.rows[3].known.touches) == {PLACE}

    def test_a_twin_follows_the_thread(self) -> None:
        """A second copy of a message, with another content, is labelled as its thread is."""
        world = begun(WAITING)
        twin = world.twin(2)
        world.run()
        assert world.on(twin) == {WAITING}
        assert troubles(world) == []

    def test_a_twin_in_the_archive_is_no_archive_move(self) -> None:
        """A twin that turns up in the archive of an open thread comes to the inbox."""
        world = begun()
        twin = world.twin(2, Place.ARCHIVE)
        world.settle()
        assert world.open
        assert world.place(twin) is Place.INBOX

    def test_a_message_that_is_brought_back_to_the_inbox_reopens(self) -> None:
        """Who drags a mail that had gone into the inbox wants the thread open."""
        world = begun()
        world.archive(2)
        world.settle()
        world.remove(1)
        world.run()
        world.cycle()
        world.bring_back(1)
        world.settle()
        assert world.open
        assert world.state.rule == "reopened_by_hand"
        assert troubles(world) == []

    def test_a_message_that_is_brought_back_to_the_archive_changes_nothing(self) -> None:
        """Who drags a mail that had gone into the archive of an open thread does not close it."""
        world = begun()
        world.remove(1)
        world.run()
        world.cycle()
        copy = world.bring_back(1, place=Place.ARCHIVE)
        world.settle()
        assert world.open
        assert world.place(copy) is Place.INBOX


class TestStamps:
    """When a touch happened."""

    def test_a_slow_move_is_stamped_when_it_began(self) -> None:
        """A move is a touch of the cycle in which the UID vanished, not of the one that found it again."""
        world = begun()
        world.archive(1, away=True)
        world.cycle()
        vanished = Stamp(world.number, world.now)
        world.wait(DAY).cycle()
        assert world.rows[1].known.touches == {} or world.rows[1].known.touches[PLACE] == vanished
        assert world.state.touched == vanished

    def test_a_copy_in_limbo_is_where_it_was(self) -> None:
        """A message between two folders neither closes its thread nor is written to."""
        world = begun()
        world.archive(1, 2, away=True)
        world.label(1, VIP)
        world.cycle()
        assert world.open
        world.settle()
        assert world.open is False

    def test_back_under_a_new_uid_is_a_touch(self) -> None:
        """Who moves a message back before we saw our own move arrive has cancelled it."""
        world = begun(WAITING)
        world.archive(1)
        world.run()
        world.wait(world.policy.settle).cycle()
        world.fetch_back(2)
        world.settle()
        assert world.open
        assert world.place(1) is world.place(2) is Place.INBOX
