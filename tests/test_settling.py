"""What humans did, once they have let go (docs/decisions.md section 4)."""

from datetime import timedelta

import pytest

from helpdesk.model import ESCALATED, FIXED, TAKEN, URGENT, WAITING, Place, Role
from tests.simulated import Simulated, troubles
from tests.situations import begun, finished, markers
from tests.threads import HOUR, MC08, MINUTE, SAVANNAH, SECOND, VIP


class TestPatience:
    """A thread is settled when nobody has touched it for `settle_seconds`."""

    @pytest.mark.parametrize(("after", "covered"), [(59, False), (60, True)])
    def test_the_last_second_counts(self, after: int, covered: bool) -> None:
        """One second before `settle_seconds` nothing happens; on the second everything does."""
        world = begun()
        world.label(1, VIP)
        world.cycle()
        world.wait(timedelta(seconds=after)).run()
        assert (VIP in world.on(2)) is covered

    def test_every_touch_begins_anew(self) -> None:
        """A second touch makes the first wait, too."""
        world = begun()
        world.label(1, VIP)
        world.cycle()
        world.wait(59 * SECOND).label(2, MC08)
        world.cycle()
        world.wait(59 * SECOND).run()
        assert world.labels == set()
        world.wait(SECOND).run()
        assert world.labels == {VIP, MC08}

    def test_unsettled_work_is_pending(self) -> None:
        """What waits is named with the time at which the thread will be settled."""
        world = begun()
        world.label(1, VIP)
        world.cycle()
        assert world.decision is not None
        assert [(p.rule, p.due) for p in world.decision.pending] == [
            ("labels_cover_the_thread", world.now + MINUTE)
        ]
        world.settle()
        assert world.decision.pending == ()

    def test_an_unsettled_label_is_not_written(self) -> None:
        """A label that a human has just removed is not put back while the thread is unsettled."""
        world = begun(WAITING)
        world.unlabel(1, WAITING)
        world.cycle()
        world.machine()
        world.run()
        assert world.on(1) == set()

    @pytest.mark.parametrize("label", [WAITING, URGENT, VIP])
    def test_a_label_that_is_taken_back_is_nothing(self, label: str) -> None:
        """Who sets a label and removes it again leaves the thread as it was, but has touched it."""
        world = begun()
        world.label(1, label)
        world.cycle()
        world.unlabel(1, label)
        world.settle()
        assert world.labels == set()
        assert world.state.registers == {}
        assert world.state.touched is not None

    @pytest.mark.parametrize("label", [WAITING, TAKEN])
    def test_what_is_taken_back_does_not_count_against_another(self, label: str) -> None:
        """A label that is set on one message, after somebody set it on another and thought better of it, is there."""
        world = begun()
        world.label(1, label)
        world.cycle()
        world.unlabel(1, label)
        world.cycle()
        world.label(2, label)
        world.settle()
        assert world.labels == {label}

    def test_a_star_that_is_taken_off_and_set_again_is_nothing(self) -> None:
        """A star that was there before does not keep an archived thread open, whatever was done to it meanwhile."""
        world = begun()
        world.star(2)
        world.settle()
        world.wait(HOUR).unstar(2)
        world.cycle()
        world.star(2)
        world.archive(1)
        world.settle()
        assert world.open is False

    @pytest.mark.parametrize("label", [WAITING, URGENT, VIP])
    def test_a_removal_that_is_taken_back_is_nothing(self, label: str) -> None:
        """Who removes a label and sets it again leaves it on the whole thread, with its old clock."""
        world = begun(label)
        before = world.state.registers
        world.unlabel(1, label)
        world.cycle()
        world.label(1, label)
        world.settle()
        assert world.state.registers == before
        assert world.on(1) == world.on(2) == {label}

    def test_a_removal_that_is_taken_back_after_a_reply_stands(self) -> None:
        """WAITING that was removed by hand, lifted by a reply, and set again by hand is there."""
        world = begun(WAITING)
        world.unlabel(1, WAITING)
        world.cycle()
        world.mail()
        world.cycle()
        world.label(1, WAITING)
        world.settle()
        assert world.labels == {WAITING}
        assert troubles(world) == []

    def test_a_touch_ends_the_calls_for_attention(self) -> None:
        """Who touches a thread has seen what it called for; who touched it before has not."""
        world = begun()
        world.label(1, VIP)
        world.cycle()
        world.mail(role=Role.EXPERT)
        world.settle()
        assert markers(world) == {"expert_comment"}
        world.label(1, MC08)
        world.settle()
        assert markers(world) == set()


class TestClosed:
    """Touches on a closed thread."""

    def test_a_message_moved_back_reopens(self) -> None:
        """One message dragged into the inbox brings the whole thread back."""
        world = finished(VIP)
        world.fetch_back(2)
        world.settle()
        assert world.open
        assert world.state.rule == "reopened_by_hand"
        assert world.place(1) is Place.INBOX
        assert markers(world) == set()

    @pytest.mark.parametrize("label", [WAITING, URGENT, ESCALATED, FIXED, SAVANNAH])
    def test_a_state_label_reopens(self, label: str) -> None:
        """A state or a where set on a closed thread opens the whole thread with it."""
        world = finished()
        world.label(1, label)
        world.settle()
        assert world.open
        assert world.state.rule == "reopened_by_hand"
        assert label in world.on(2)
        assert troubles(world) == []

    def test_it_is_a_humans_own_act(self) -> None:
        """What a human reopens, by a move or by a label, is completed without a brake."""
        for act in (Simulated.fetch_back, lambda world, copy: world.label(copy, URGENT)):
            world = finished()
            act(world, 1)
            world.settle()
            back = [a for a in world.journal.values() if (a.kind, a.what) == ("move", "inbox")]
            assert [(a.rule, a.human) for a in back] == [("reopened_by_hand", True)]

    @pytest.mark.parametrize("label", [VIP, MC08, TAKEN])
    def test_another_label_stays_where_it_was_put(self, label: str) -> None:
        """A temporary or info label on one message of a closed thread stays on that message."""
        world = finished()
        world.label(1, label)
        world.settle()
        assert world.open is False
        assert (world.on(1), world.on(2)) == ({label}, set())

    def test_a_temporary_label_goes_with_the_next_close(self) -> None:
        """A temporary label from the archive covers the thread when it reopens, and goes when it closes again."""
        world = finished()
        world.label(1, MC08)
        world.settle()
        world.mail()
        world.settle()
        assert world.on(2) == {MC08}
        world.wait(HOUR).archive(1)
        world.settle()
        assert world.labels == world.on(1) == set()

    def test_an_info_label_is_removed_everywhere(self) -> None:
        """An info label that a human removes from one archived message goes from the others."""
        world = finished(VIP)
        world.unlabel(1, VIP)
        world.settle()
        assert world.on(2) == set()
        assert world.open is False

    def test_a_star_is_only_a_star(self) -> None:
        """A star on an archived message stays, and nothing else happens."""
        world = finished()
        world.star(1)
        world.settle()
        assert world.open is False
        assert world.starred(1)
