"""How conflicts end: the list of the three-way merge in the design."""

from dataclasses import replace

import pytest

from helpdesk.model import ESCALATED, FIXED, TAKEN, URGENT, WAITING, Place, Role
from helpdesk.rules.facts import Hit
from tests.simulated import Crash, Simulated, troubles
from tests.situations import begun
from tests.threads import DAY, GGUS, MC08, SAVANNAH, VIP


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
