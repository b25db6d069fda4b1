"""Whose change is it? (docs/decisions.md section 2), and how conflicts end (the list of the three-way merge)."""

from dataclasses import replace

import pytest

from helpdesk.bits import PLACE, STAR, Known, confirmed, pack, touched, unpack
from helpdesk.model import ESCALATED, FIXED, TAKEN, URGENT, WAITING, Place, Role, Stamp
from helpdesk.rules.facts import Hit
from tests.simulated import Crash, Simulated, troubles
from tests.threads import DAY, GGUS, MC08, SAVANNAH, VIP, stamp

NOBODY = Known(frozenset(), frozenset(), None, Place.INBOX, Place.INBOX, None, {})
W = frozenset({WAITING})
NOW = stamp(5)


def begun(*labels: str) -> Simulated:
    """A settled open thread of two user mails, with these labels."""
    world = Simulated()
    world.mail(*labels)
    world.settle()
    world.mail(role=Role.SHIFTER)
    world.wait(DAY).settle()
    assert troubles(world) == []
    return world


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


class TestConflicts:
    """The list of the design: how conflicts end."""

    @pytest.mark.parametrize("label", [URGENT, FIXED, SAVANNAH, MC08, VIP])
    def test_between_humans_added_wins(self, label: str) -> None:
        """A label that one human adds and another removes in the same window is there."""
        world = begun()
        world.label(1, label)
        world.settle()
        world.unlabel(1, label)
        world.cycle()
        new = world.mail(label, role=Role.SHIFTER)
        world.settle()
        assert label in world.labels
        assert label in world.on(1) & world.on(new)

    @pytest.mark.parametrize("label", [WAITING, TAKEN])
    def test_between_humans_waiting_removed_wins(self, label: str) -> None:
        """WAITING or taken, added on one message and removed on another in the same window, has gone."""
        world = begun()
        world.label(1, label)
        world.settle()
        world.unlabel(1, label)
        new = world.machine(label)
        world.settle()
        assert world.labels == set()
        assert world.on(2) == world.on(new) == set()

    def test_a_mail_is_newer_than_a_label_of_the_same_cycle(self) -> None:
        """WAITING and a user's mail, first seen together: WAITING goes."""
        world = begun()
        world.label(1, WAITING)
        world.mail()
        world.run()
        assert world.on(1) == set()
        world.settle()
        assert world.labels == set()

    def test_a_label_on_that_very_mail_is_newer(self) -> None:
        """WAITING on the user's mail itself was set by somebody who read it."""
        world = begun()
        world.mail(WAITING)
        world.settle()
        assert world.labels == {WAITING}
        assert world.on(1) == {WAITING}

    def test_a_users_mail_and_an_archive_move_first_seen_together_is_open(self) -> None:
        """Whoever archived the thread did not see the user's new mail."""
        world = begun()
        world.archive(1, 2)
        world.mail()
        world.run()
        assert world.place(1) is Place.INBOX
        world.settle()
        assert world.open
        assert troubles(world) == []

    def test_escalated_takes_its_wheres_along(self) -> None:
        """Removing ESCALATED removes every where."""
        world = begun(ESCALATED, GGUS, SAVANNAH)
        world.unlabel(1, ESCALATED)
        world.settle()
        assert world.labels == set()
        assert world.on(2) == set()

    def test_the_last_where_takes_escalated_along(self) -> None:
        """Removing the last where removes ESCALATED."""
        world = begun(ESCALATED, GGUS)
        world.unlabel(1, GGUS)
        world.settle()
        assert world.labels == set()

    def test_one_where_of_two_is_not_the_last(self) -> None:
        """While another where is left, ESCALATED stays."""
        world = begun(ESCALATED, GGUS, SAVANNAH)
        world.unlabel(2, GGUS)
        world.settle()
        assert world.labels == {ESCALATED, SAVANNAH}

    def test_a_where_is_exchanged(self) -> None:
        """Removing the last where and adding another in one window keeps ESCALATED."""
        world = begun(ESCALATED, GGUS)
        world.unlabel(1, GGUS)
        world.label(2, SAVANNAH)
        world.settle()
        assert world.labels == {ESCALATED, SAVANNAH}

    def test_escalated_removed_while_a_where_is_added_is_escalated(self) -> None:
        """Who adds a where wants the thread escalated, whatever somebody else does to ESCALATED."""
        world = begun(ESCALATED, GGUS)
        world.unlabel(1, ESCALATED)
        world.label(2, SAVANNAH)
        world.settle()
        assert world.labels == {ESCALATED, GGUS, SAVANNAH}

    def test_the_last_where_removed_while_escalated_is_added_asks_to_where(self) -> None:
        """Who sets ESCALATED while the last where goes is asked to where."""
        world = begun(GGUS)
        world.unlabel(1, ESCALATED)
        world.cycle()
        world.label(1, ESCALATED)
        world.unlabel(1, GGUS)
        world.mail(ESCALATED, role=Role.SHIFTER)
        world.settle()
        assert world.labels == {ESCALATED}
        assert world.decision is not None
        assert world.decision.notes == ("ESCALATED, but to where?",)

    def test_what_a_rule_added_and_a_human_removed_is_not_added_again(self) -> None:
        """A tombstone per thread, label and rule: another rule may still add it."""
        world = Simulated()
        world.mail(hits=(Hit("mc08", add=(MC08,)),))
        world.settle()
        assert world.on(1) == {MC08}
        world.unlabel(1, MC08)
        world.settle()
        world.wait(DAY).mail(hits=(Hit("mc08", add=(MC08,)),))
        world.settle()
        assert world.labels == set()
        world.mail(hits=(Hit("other", add=(MC08,)),))
        world.settle()
        assert world.labels == {MC08}

    def test_the_human_wins_a_race(self) -> None:
        """A label that a human removes after we looked and before we write the rest is not written over."""
        world = begun(WAITING)
        world.mail(role=Role.USER)
        world.cycle(meanwhile=lambda: world.label(1, VIP))
        world.settle()
        assert world.labels == {VIP}
        assert world.on(1) == world.on(3) == {VIP}

    def test_three_messages_archived_one_by_one_are_one_close(self) -> None:
        """Closing waits until the human has let go of the thread."""
        world = begun(WAITING)
        world.archive(1)
        world.run()
        world.wait(world.policy.settle / 2)
        world.archive(2)
        world.run()
        world.wait(world.policy.settle / 2).run()
        assert world.open
        world.settle()
        assert world.open is False
        assert world.on(1) == world.on(2) == set()

    def test_with_settle_seconds_zero_the_same_run_does_it(self) -> None:
        """With `settle_seconds = 0` a human's act is completed in the run that sees it."""
        world = begun(WAITING)
        world.policy = replace(world.policy, settle=world.policy.settle * 0)
        world.archive(1)
        world.run()
        assert world.open is False
        assert troubles(world) == []

    @pytest.mark.parametrize("crash", Crash)
    def test_a_crash_loses_no_touch(self, crash: Crash) -> None:
        """However far the cycle came that completes a human's act, the act is completed."""
        world = begun(WAITING)
        world.archive(1)
        world.run()
        world.wait(world.policy.settle).cycle(crash)
        world.run()
        assert world.open is False
        assert troubles(world) == []
