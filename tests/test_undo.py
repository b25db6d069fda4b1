"""`undo` reverses the bot's own actions and counts as a touch (docs/decisions.md section 4)."""

from dataclasses import replace
from datetime import timedelta

from helpdesk.actions import Action, Kind
from helpdesk.model import ESCALATED, URGENT, WAITING, Place, Role
from helpdesk.rules.facts import Hit
from tests.simulated import Simulated, troubles
from tests.situations import begun, finished, markers
from tests.threads import DAY, GGUS, MC08, MINUTE, SECOND, VIP


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

    def test_what_would_hide_a_new_mail_stays(self) -> None:
        """Who takes a reopening or a lifted WAITING back has not seen the mail that comes in the same cycle."""
        for kind, what in ((Kind.MOVE, Place.INBOX), (Kind.REMOVE_LABEL, WAITING)):
            for role in (Role.USER, Role.EXPERT):
                world = begun(WAITING)
                world.archive(1)
                world.settle()
                world.wait(DAY).label(1, WAITING)
                world.settle()
                world.mail()
                world.run()
                world.archive(1)
                world.settle()
                world.wait(DAY).mail()
                world.run()
                assert world.open
                world.mail(role=role)
                world.take_back(self.done(world, kind, what))
                world.run()
                assert world.open
                assert world.labels == set()

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

    def test_it_is_a_persons_own_act(self) -> None:
        """What an undo moves is never braked."""
        for kind, what in ((Kind.MOVE, Place.ARCHIVE), (Kind.REMOVE_LABEL, WAITING)):
            world = begun(WAITING)
            world.wait(8 * DAY).run()
            world.take_back(self.done(world, kind, what))
            world.run()
            back = self.done(world, Kind.MOVE, Place.INBOX)
            assert (back.rule, back.human) == ("undo", True)

    def test_what_has_come_back_by_itself_is_no_new_occasion(self) -> None:
        """Undoing the removal of URGENT from a thread that is URGENT again calls nobody a second time."""
        world = begun(URGENT)
        world.archive(1)
        world.settle()
        removal = self.done(world, Kind.REMOVE_LABEL, URGENT)
        world.label(1, URGENT)
        world.settle()
        count = world.state.episodes
        world.take_back(removal)
        world.run()
        assert world.state.episodes == count

    def test_a_touch_of_the_same_cycle_does_not_cancel_it(self) -> None:
        """A star that somebody sets while a reopening is taken back is only a star on a closed thread."""
        world = finished()
        world.mail()
        world.run()
        world.take_back(self.done(world, Kind.MOVE, Place.INBOX))
        world.star(1)
        world.settle()
        assert world.open is False
        assert world.starred(1)

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
        assert self.done(world, Kind.MOVE, Place.INBOX).human
        assert world.on(new) == set()
        assert troubles(world) == []
