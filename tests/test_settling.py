"""What humans did, once they have let go (docs/decisions.md section 4), and undo."""

from dataclasses import replace
from datetime import timedelta

import pytest

from helpdesk.actions import Action, Kind
from helpdesk.model import ESCALATED, FIXED, TAKEN, URGENT, WAITING, Place, Role
from helpdesk.rules.facts import Hit
from tests.simulated import Simulated, troubles
from tests.test_incoming import finished, markers
from tests.test_merge import begun
from tests.threads import DAY, GGUS, HOUR, MC08, MINUTE, SAVANNAH, SECOND, VIP


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


CLOSING = {
    "labels were removed before": ("unlabel", WAITING, -1),
    "labels were removed in the same cycle": ("unlabel", WAITING, 0),
    "labels were removed after": ("unlabel", WAITING, 1),
    "an info label was added after": ("label", VIP, 1),
    "a temporary label was added after": ("label", MC08, 1),
    "a star was removed after": ("unstar", "", 1),
    "WAITING was added before": ("label", WAITING, -1),
    "WAITING was added in the same cycle": ("label", WAITING, 0),
    "URGENT was added before": ("label", URGENT, -1),
    "a star was set before": ("star", "", -1),
}
OPENING = {
    "WAITING was added later": ("label", WAITING, 1),
    "URGENT was added in the same cycle": ("label", URGENT, 0),
    "URGENT was added later": ("label", URGENT, 1),
    "ESCALATED was added in the same cycle": ("label", ESCALATED, 0),
    "FIXED was added later": ("label", FIXED, 1),
    "a where was added in the same cycle": ("label", GGUS, 0),
    "a star was set in the same cycle": ("star", "", 0),
    "a star was set later": ("star", "", 1),
}


class TestArchiving:
    """Messages archived, and what else happened in the same window."""

    def told(self, how: str, label: str, when: int) -> Simulated:
        """Somebody archives the first message, somebody does something else to the second."""
        adds = how == "label"
        world = begun(*([] if adds or how == "star" else [WAITING]))
        if how == "unstar":
            world.star(2)
            world.settle()

        def act() -> None:
            {
                "label": lambda: world.label(2, label),
                "unlabel": lambda: world.unlabel(2, label),
                "star": lambda: world.star(2),
                "unstar": lambda: world.unstar(2),
            }[how]()

        if when < 0:
            act()
            world.cycle()
        world.wait(SECOND).archive(1)
        if when == 0:
            act()
        world.cycle()
        if when > 0:
            act()
        world.settle()
        assert troubles(world) == []
        return world

    @pytest.mark.parametrize(("how", "label", "when"), CLOSING.values(), ids=CLOSING)
    def test_it_closes(self, how: str, label: str, when: int) -> None:
        """An archived message takes its thread along, whatever harmless things happened beside it."""
        world = self.told(how, label, when)
        assert world.open is False
        assert world.labels == {VIP} & {label}
        assert world.state.rule == "close"

    @pytest.mark.parametrize(("how", "label", "when"), OPENING.values(), ids=OPENING)
    def test_it_stays_open(self, how: str, label: str, when: int) -> None:
        """What makes people see more wins over an archive move."""
        world = self.told(how, label, when)
        assert world.open
        assert label in world.labels | {""}
        assert world.place(1) is Place.INBOX

    def test_info_labels_stay(self) -> None:
        """Closing takes state, where and temporary labels, and leaves the info labels."""
        world = begun(WAITING, ESCALATED, GGUS, MC08, VIP)
        world.archive(1)
        world.settle()
        assert world.labels == world.on(1) == world.on(2) == {VIP}

    def test_moved_back_wins(self) -> None:
        """Messages archived and messages moved back, in any cycle: open."""
        world = begun()
        world.archive(1, 2)
        world.cycle()
        world.fetch_back(1)
        world.settle()
        assert world.open
        assert {world.place(1), world.place(2)} == {Place.INBOX}

    def test_archived_and_fetched_back_is_nothing(self) -> None:
        """Who archives a message and fetches it back leaves the thread as it was."""
        world = begun(WAITING)
        world.archive(1)
        world.cycle()
        world.fetch_back(1)
        world.settle()
        assert world.open
        assert world.labels == {WAITING}
        assert troubles(world) == []

    @pytest.mark.parametrize(("after", "is_open"), [(59, True), (60, False)])
    def test_a_mail_that_comes_into_a_gesture(self, after: int, is_open: bool) -> None:
        """Messages that are archived within the window after a mail came into the archiving do not close its thread."""
        world = begun()
        world.archive(1)
        world.cycle()
        new = world.mail()
        world.cycle()
        world.wait(timedelta(seconds=after)).archive(1, 2)
        world.settle()
        assert world.open is is_open
        assert (world.place(new) is Place.INBOX) is is_open

    def test_a_fresh_mail_does_not_keep_a_thread_open(self) -> None:
        """Who archives one message after the user's fresh mail arrived closes the thread, however fresh that mail is."""
        world = begun()
        world.mail()
        world.cycle()
        world.wait(SECOND).archive(1)
        world.settle()
        assert world.open is False

    def test_a_mail_that_was_archived_itself_was_seen(self) -> None:
        """Who archives the user's fresh mail itself has seen it."""
        world = begun()
        new = world.mail()
        world.cycle()
        world.wait(SECOND).archive(new)
        world.settle()
        assert world.open is False

    def test_closed_while_escalated_is_remembered(self) -> None:
        """A thread that a human closes while ESCALATED is closed, and somebody is to be told about it."""
        world = begun(ESCALATED, GGUS)
        world.archive(1)
        world.settle()
        assert world.open is False
        assert world.state.closed_escalated
        world.fetch_back(1)
        world.settle()
        assert not world.state.closed_escalated

    def test_a_thread_that_left_the_board_is_closed(self) -> None:
        """A thread whose last mail goes to an unwatched folder is closed and carries no label."""
        world = begun(URGENT)
        world.remove(1)
        world.settle()
        assert world.open
        world.remove(2)
        world.cycle()
        assert world.open
        world.cycle()
        assert world.open is False
        assert world.state.reason == "gone"
        assert world.labels == set()


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


class TestUndo:
    """`undo` reverses the bot's own actions and counts as a touch."""

    def done(self, world: Simulated, kind: Kind, what: str) -> Action:
        return next(a for a in reversed(world.journal.values()) if (a.kind, a.what) == (kind, what))

    def test_a_label_that_a_rule_added_goes_for_good(self) -> None:
        """The undone label is removed, and the same rule never adds it again."""
        world = Simulated()
        world.mail(hits=(Hit("mc08", add=(MC08,)),))
        world.run()
        world.take_back(self.done(world, Kind.ADD_LABEL, MC08))
        world.run()
        assert world.on(1) == set()
        world.mail(hits=(Hit("mc08", add=(MC08,)),))
        world.run()
        assert world.labels == set()
        assert world.state.registers[MC08].rule == "undo"

    def test_escalated_that_repair_added_takes_its_wheres_along(self) -> None:
        """Undoing ESCALATED removes the where, so that repair does not set it again."""
        world = begun(GGUS)
        assert world.labels == {GGUS, ESCALATED}
        world.take_back(self.done(world, Kind.ADD_LABEL, ESCALATED))
        world.settle()
        assert world.labels == set()

    def test_a_lifted_waiting_returns(self) -> None:
        """The undone removal puts the label back, as a human's."""
        world = begun(WAITING)
        world.mail()
        world.run()
        world.take_back(self.done(world, Kind.REMOVE_LABEL, WAITING))
        world.run()
        assert world.labels == world.on(1) == {WAITING}
        assert world.state.registers[WAITING].human

    def test_an_auto_close_is_taken_back_whole(self) -> None:
        """Undoing the move opens the thread; undoing the removal of its label does so, too."""
        for kind, what in ((Kind.MOVE, Place.ARCHIVE), (Kind.REMOVE_LABEL, WAITING)):
            world = begun(WAITING)
            world.wait(8 * DAY).run()
            assert world.open is False
            world.take_back(self.done(world, kind, what))
            world.run()
            assert world.open
            assert world.labels == (set() if kind is Kind.MOVE else {WAITING})
            assert troubles(world) == []

    def test_an_info_label_does_not_reopen(self) -> None:
        """Undoing the removal of an info label leaves a closed thread closed."""
        world = finished()
        world.mail(role=Role.SHIFTER, date=world.now - 9 * DAY, hits=(Hit("r", remove=(VIP,)),))
        world.label(1, VIP)
        world.settle()
        world.mail(role=Role.SHIFTER, date=world.now - 9 * DAY, hits=(Hit("r", remove=(VIP,)),))
        world.run()
        world.take_back(self.done(world, Kind.REMOVE_LABEL, VIP))
        world.run()
        assert world.open is False
        assert world.labels == {VIP}

    def test_a_reopening_is_taken_back(self) -> None:
        """Undoing the return of a thread closes it again, and what called for attention is over."""
        world = finished()
        world.mail()
        world.run()
        world.take_back(self.done(world, Kind.MOVE, Place.INBOX))
        world.run()
        assert world.open is False
        assert markers(world) == set()
        assert troubles(world) == []

    def test_a_star_is_taken_back(self) -> None:
        """The undone star goes, and the bot stars nothing in this thread any more."""
        world = begun()
        new = world.mail(hits=(Hit("vip", star=True),))
        world.run()
        world.take_back(self.done(world, Kind.STAR, "\\star"))
        world.run()
        assert not world.starred(new)
        assert world.state.bot_star is None
        assert self.done(world, Kind.UNSTAR, "\\star").rule == "undo"
        world.mail(hits=(Hit("vip", star=True),))
        world.run()
        assert not any(world.starred(copy) for copy in world.real)

    def test_a_mail_cannot_be_taken_back(self) -> None:
        """Undoing a mail changes nothing, but it is a touch."""
        world = begun(URGENT)
        world.wait(DAY).run()
        world.take_back(world.mails[0])
        world.run()
        assert world.labels == {URGENT}
        assert world.state.touched is not None
        assert world.state.touched.at == world.now

    def test_an_undo_keeps_the_bot_away(self) -> None:
        """Nothing is closed within 15 minutes of an undo."""
        world = begun(WAITING)
        world.wait(8 * DAY).run()
        waiting = replace(world.policy, waiting_close=timedelta())
        world.policy = waiting
        world.take_back(self.done(world, Kind.REMOVE_LABEL, WAITING))
        world.run()
        world.wait(15 * MINUTE - SECOND).run()
        assert world.open
        world.wait(SECOND).run()
        assert world.open is False

    def test_a_touched_thread_does_not_lie(self) -> None:
        """An undo is a touch, so a thread that lay in two places is put together by it."""
        world = Simulated()
        world.mail(adopted=True)
        world.mail(adopted=True, place=Place.ARCHIVE)
        world.run()
        new = world.machine()
        world.messages[-1] = replace(world.messages[-1], hits=(Hit("mc08", add=(MC08,)),))
        world.run()
        assert world.place(2) is Place.ARCHIVE
        world.take_back(self.done(world, Kind.ADD_LABEL, MC08))
        world.run()
        assert world.place(2) is Place.INBOX
        assert world.on(new) == set()
        assert troubles(world) == []
