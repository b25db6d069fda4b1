"""A mailbox with a history (docs/decisions.md section 9): clocks start now, nothing is closed or mailed by it."""

from dataclasses import replace

import pytest

from helpdesk.bits import STAR
from helpdesk.model import ESCALATED, URGENT, WAITING, Nature, Place, Role
from helpdesk.rules.attention import reasons
from helpdesk.rules.facts import Hit, Policy
from tests.simulated import Simulated, troubles
from tests.situations import begun, finished
from tests.threads import (
    DAY,
    GGUS,
    HOUR,
    KINDS,
    MC08,
    POLICY,
    SAVANNAH,
    VIP,
    closed,
    decided,
    msg,
    opened,
    rules_of,
    stamp,
    thread,
)

WITHOUT_VIP: Policy = replace(POLICY, kinds={k: v for k, v in KINDS.items() if k != VIP})


def found(*labels: str, place: Place = Place.INBOX) -> Simulated:
    """A thread that was there a month before the board."""
    world = Simulated()
    world.mail(*labels, adopted=True, place=place)
    world.wait(30 * DAY)
    return world


class TestMail:
    """What lay there before the board."""

    def test_nothing_is_written(self) -> None:
        """A consistent thread is taken over without a command."""
        world = found(WAITING, VIP)
        assert not world.cycle()
        assert world.open
        assert world.state.rule == "adoption"
        assert world.labels == {WAITING, VIP}
        assert all(register.human for register in world.state.registers.values())
        assert troubles(world) == []

    def test_clocks_start_now(self) -> None:
        """A thread that has waited for a month is closed seven days after the adoption."""
        world = found(WAITING)
        world.run()
        world.wait(7 * DAY - HOUR).run()
        assert world.open
        world.wait(HOUR).run()
        assert world.open is False

    def test_an_archived_thread_is_closed(self) -> None:
        """What lies in the archive is closed, however new it is, and keeps its temporary and info labels."""
        world = found(VIP, MC08, place=Place.ARCHIVE)
        assert not world.cycle()
        assert world.open is False
        assert world.on(1) == {VIP, MC08}

    def test_an_archived_thread_loses_its_open_labels(self) -> None:
        """State and where labels of an archived thread are removed by repair."""
        world = found(URGENT, ESCALATED, GGUS, VIP, place=Place.ARCHIVE)
        world.run()
        assert world.on(1) == {VIP}
        assert {a.rule for a in world.journal.values()} == {"repair"}
        assert world.mails == []

    def test_two_places_stay_as_they_lie(self) -> None:
        """A thread in inbox and archive is open and lies; labels of the archive part that open threads have do not count."""
        world = Simulated()
        world.mail(MC08, adopted=True)
        world.mail(URGENT, VIP, adopted=True, place=Place.ARCHIVE)
        world.mail(adopted=True)
        world.settle()
        assert world.state.lies
        assert world.labels == {MC08, VIP}
        assert (world.on(1), world.on(2), world.on(3)) == ({MC08, VIP}, {URGENT, VIP}, {MC08, VIP})
        assert (world.place(1), world.place(2)) == (Place.INBOX, Place.ARCHIVE)

    def test_when_the_lie_ends_the_rest_goes(self) -> None:
        """Once a thread in two places is touched, the open labels that lay in its archive are removed."""
        world = Simulated()
        world.mail(MC08, adopted=True)
        world.mail(URGENT, VIP, adopted=True, place=Place.ARCHIVE)
        world.settle()
        world.star(1)
        world.settle()
        assert world.on(2) == {MC08, VIP}
        assert world.place(2) is Place.INBOX
        assert world.mails == []

    def test_a_sent_mail_is_no_place(self) -> None:
        """A thread that was only in Sent is neither open nor closed."""
        world = found(place=Place.SENT)
        world.run()
        assert world.open is None

    def test_history_is_no_news(self) -> None:
        """Mail that was there reopens nothing, lifts nothing, and no team rule runs on it."""
        world = Simulated()
        world.mail(WAITING, adopted=True, place=Place.ARCHIVE)
        world.mail(adopted=True, place=Place.ARCHIVE, hits=(Hit("r", add=(MC08,), star=True),))
        world.run()
        assert world.open is False
        assert world.labels == set()
        assert world.state.bot_star is None

    def test_new_mail_reopens(self) -> None:
        """The first mail after the adoption is news."""
        world = found(place=Place.ARCHIVE)
        world.run()
        world.mail()
        world.run()
        assert world.open
        assert troubles(world) == []

    def test_adoption_after_adoption(self) -> None:
        """Losing the database and adopting again finds the same thread."""
        world = begun(WAITING, GGUS, VIP)
        had = world.labels
        again = Simulated(
            real=world.real, messages=[replace(m, adopted=True, cycle=1) for m in world.messages]
        )
        assert not again.cycle()
        assert again.labels == had
        assert again.open


class TestOldMailInANewFolder:
    """A folder that is read for the first time while the board runs."""

    def old(self, world: Simulated, place: Place) -> int:
        copy = world.mail(adopted=True, place=place)
        world.messages[-1] = replace(world.messages[-1], time=world.now - 30 * DAY)
        return copy

    def test_old_mail_of_an_open_thread_stays_in_the_archive(self) -> None:
        """A new alias of the archive does not empty itself into the inbox."""
        world = begun(WAITING)
        old = self.old(world, Place.ARCHIVE)
        world.settle()
        assert world.open
        assert world.place(old) is Place.ARCHIVE
        assert world.state.lies
        assert troubles(world) == []

    def test_old_mail_of_a_closed_thread_in_the_inbox_opens_it(self) -> None:
        """A thread with old mail in a new folder of the inbox is open and stays as it lies."""
        world = finished(VIP)
        old = self.old(world, Place.INBOX)
        world.settle()
        assert world.open
        assert world.state.lies
        assert (world.place(old), world.place(1)) == (Place.INBOX, Place.ARCHIVE)
        assert troubles(world) == []

    def test_a_thread_that_lies_goes_on_lying(self) -> None:
        """More old mail in the inbox does not put a thread in two places together."""
        world = begun(WAITING)
        self.old(world, Place.ARCHIVE)
        world.settle()
        self.old(world, Place.INBOX)
        world.settle()
        assert world.state.lies
        assert troubles(world) == []

    @pytest.mark.parametrize("place", [Place.INBOX, Place.ARCHIVE])
    def test_old_mail_where_its_thread_lies_changes_nothing(self, place: Place) -> None:
        """Old mail beside its thread belongs to it."""
        world = begun(VIP) if place is Place.INBOX else finished(VIP)
        was = world.open
        self.old(world, place)
        world.settle()
        assert world.open is was
        assert not world.state.lies
        assert troubles(world) == []

    def test_a_pending_close_is_over(self) -> None:
        """A close that is not finished when old mail turns up in the inbox is not gone on with."""
        world = begun(WAITING)
        world.archive(1)
        world.run()
        world.wait(world.policy.settle).cycle()
        self.old(world, Place.INBOX)
        world.settle()
        assert world.open
        assert world.state.moving is None


class TestLabels:
    """Labels that were never decided."""

    def test_a_rules_label_is_the_rules(self) -> None:
        """A label that a team rule would have added does not count as a human's."""
        facts = thread(msg().old().hit(Hit("mc08", add=(MC08,))).in_inbox(MC08))
        decision = decided(facts, stamp())
        register = decision.state.registers[MC08]
        assert (register.human, register.team_rule) == (False, "mc08")
        assert reasons(replace(facts, state=decision.state), POLICY) == ("unlabelled",)

    def test_a_shadow_rule_owns_nothing(self) -> None:
        """A label that only a shadow rule would have added is a human's."""
        facts = thread(msg().old().hit(Hit("mc08", add=(MC08,), shadow=True)).in_inbox(MC08))
        assert decided(facts, stamp()).state.registers[MC08].human

    def test_a_star_is_no_label(self) -> None:
        """A star that was there is a human's, and stays."""
        world = found(STAR)
        world.run()
        assert world.state.registers == {}
        assert world.starred(1)

    def test_a_label_that_is_configured_later(self) -> None:
        """A word that becomes a label is adopted where it lies in the inbox, covers its thread, and can be removed."""
        world = Simulated(policy=WITHOUT_VIP)
        world.mail(VIP)
        world.mail(role=Role.SHIFTER)
        world.settle()
        assert world.labels == set()
        world.policy, world.dirty = POLICY, True
        world.settle()
        assert world.labels == world.on(2) == {VIP}
        assert world.state.registers[VIP].rule == "adoption"
        assert troubles(world) == []
        world.unlabel(1, VIP)
        world.settle()
        assert world.on(2) == set()

    def test_a_where_that_is_configured_later_reopens_nothing(self) -> None:
        """A word on archived mail that becomes a where is no human's touch: it is taken off."""
        late = replace(POLICY, kinds={k: v for k, v in KINDS.items() if k != SAVANNAH})
        world = Simulated(policy=late)
        world.mail(SAVANNAH)
        world.settle()
        world.archive(1)
        world.settle()
        world.policy, world.dirty = POLICY, True
        world.settle()
        assert world.open is False
        assert world.on(1) == set()
        assert troubles(world) == []

    def test_a_label_that_nobody_was_seen_to_set(self) -> None:
        """A label on a new mail without a touch counts as set by a human."""
        facts = thread(msg().in_inbox(URGENT, unseen=frozenset({URGENT})))
        decision = decided(facts, stamp())
        assert decision.state.registers[URGENT].human
        assert decision.plans[0].accept == {URGENT}

    def test_on_mail_that_follows_into_the_archive(self) -> None:
        """An open label that nobody was seen to set on a mail of a closed thread is taken off, wherever the mail lies."""
        facts = thread(msg().in_inbox(URGENT, unseen=frozenset({URGENT})), state=closed())
        decision = decided(facts, stamp(2))
        assert decision.state.open is False
        assert rules_of(decision) == [("remove_label", URGENT, "repair"), ("move", "archive", "close")]

    def test_a_label_that_somebody_is_setting_is_a_touch(self) -> None:
        """A fresh touch is settled in its own time, not adopted."""
        facts = thread(msg().in_inbox(VIP, touches={VIP: stamp(2)}), state=opened())
        assert decided(facts, stamp(2)).state.registers == {}

    def test_an_unconfigured_label_is_left_alone(self) -> None:
        """A bit that is no label of the policy is neither adopted nor written."""
        facts = thread(msg().old().in_inbox("bobs"), state=opened())
        assert decided(facts, stamp(2)).plans == ()


class TestMailed:
    """What is already true counts as mailed, and is reported."""

    def test_urgent_and_escalated(self) -> None:
        """URGENT and an escalation that were there mail nobody, ever, and are reported once."""
        world = found(URGENT, ESCALATED, GGUS)
        world.cycle()
        assert world.decision is not None
        said = "was there before the board: nothing is mailed about it"
        assert list(world.decision.notes) == [f"GGUS {said}", f"URGENT {said}"]
        world.wait(DAY).run()
        assert world.mails == []
        assert list(world.decision.notes) == []

    def test_the_next_time_is_mailed(self) -> None:
        """URGENT that is set again after the adoption is mailed."""
        world = found(URGENT)
        world.run()
        world.unlabel(1, URGENT)
        world.settle()
        world.label(1, URGENT)
        world.settle()
        world.wait(DAY).run()
        assert [m.occasion for m in world.mails] == ["2", "2:oncall"]

    def test_counts_go_on_from_our_own_mails(self) -> None:
        """An occasion that may have been mailed before the database was lost is never used again."""
        world = Simulated()
        world.mail(adopted=True)
        world.mail(adopted=True, nature=Nature.OWN, place=Place.SENT)
        world.mail(adopted=True, nature=Nature.OWN, place=Place.SENT)
        world.run()
        world.label(1, URGENT)
        world.settle()
        world.wait(DAY).run()
        assert [m.occasion for m in world.mails] == ["3", "3:oncall"]

    def test_a_where_without_escalated_is_repaired_and_not_mailed(self) -> None:
        """Repair adds ESCALATED to what was there, and the destination hears nothing."""
        world = found(GGUS)
        world.run()
        assert world.labels == {GGUS, ESCALATED}
        world.wait(DAY).run()
        assert world.mails == []

    def test_the_archive_counts_for_nothing(self) -> None:
        """URGENT in the archive is removed, and the first real one is mailed."""
        facts = thread(msg().old().in_archive(URGENT))
        decision = decided(facts, stamp())
        assert decision.state.mailed == frozenset()
        assert decision.notes == ()
        assert rules_of(decision) == [("remove_label", URGENT, "repair")]
        assert closed().open is decision.state.open
