"""Team rules ([[rule]]) and the star of the bot (docs/decisions.md sections 3 and 8)."""

from dataclasses import replace

import pytest

from helpdesk.bits import STAR
from helpdesk.model import ESCALATED, FIXED, URGENT, WAITING, Nature, Role
from helpdesk.rules.facts import Hit
from tests.simulated import Crash, Simulated, troubles
from tests.situations import begun, finished
from tests.threads import DAY, GGUS, HOUR, MC08, VIP, decided, labels_of, msg, opened, stamp, thread


class TestTeamRules:
    """[[rule]]: each sees a new message once."""

    def test_a_rule_labels_the_thread(self) -> None:
        """A match adds its labels, in the name of the rule."""
        world = begun()
        world.mail(hits=(Hit("mc08", add=(MC08,)),))
        world.run()
        assert world.on(1) == {MC08}
        assert not world.state.registers[MC08].human

    def test_a_rule_removes_labels(self) -> None:
        """A match takes its labels off."""
        world = begun(MC08)
        world.mail(hits=(Hit("over", remove=(MC08, VIP)),))
        world.run()
        assert world.labels == set()

    def test_a_rule_that_removes_escalated_removes_its_wheres(self) -> None:
        """What holds between ESCALATED and its wheres holds for rules, too."""
        world = begun(ESCALATED, GGUS)
        world.mail(role=Role.SHIFTER, hits=(Hit("over", remove=(ESCALATED,)),))
        world.settle()
        assert world.labels == set()

    def test_a_shadow_rule_only_reports(self) -> None:
        """A rule in the shadow changes nothing."""
        world = begun()
        world.mail(hits=(Hit("mc08", add=(MC08,), star=True, shadow=True),))
        world.run()
        assert world.labels == set()
        assert world.state.bot_star is None

    def test_a_rule_never_runs_on_history(self) -> None:
        """A match on a mail that was there before the board adds nothing."""
        world = Simulated()
        world.mail(adopted=True, hits=(Hit("mc08", add=(MC08,)),))
        world.run()
        assert world.labels == set()

    @pytest.mark.parametrize("label", [WAITING, URGENT, FIXED, GGUS])
    def test_a_machine_changes_no_state(self, label: str) -> None:
        """A rule that matches automatic mail neither adds nor removes a state or a where."""
        world = begun()
        world.machine()
        world.messages[-1] = replace(world.messages[-1], hits=(Hit("bad", add=(label, VIP)),))
        world.settle()
        assert world.labels == {VIP}
        world = begun(label)
        had = world.labels
        world.machine()
        world.messages[-1] = replace(world.messages[-1], hits=(Hit("bad", remove=(label,)),))
        world.settle()
        assert world.labels == had

    def test_our_own_mail_matches_nothing(self) -> None:
        """No rule sees the board's own mail."""
        world = begun()
        world.mail(nature=Nature.OWN, hits=(Hit("mc08", add=(MC08,)),))
        world.run()
        assert world.labels == set()

    def test_a_rule_cannot_put_a_state_on_a_closed_thread(self) -> None:
        """A list copy of the closing answer that a rule would label WAITING leaves the closed thread as it is."""
        world = finished()
        since = world.state.since
        assert since is not None
        world.mail(role=Role.SHIFTER, date=since.at, hits=(Hit("asked", add=(WAITING,)),))
        world.settle()
        assert world.open is False
        assert world.labels == set()
        assert troubles(world) == []

    def test_what_is_there_already_is_not_the_rules(self) -> None:
        """A label that a human set stays the human's when a rule would add it."""
        world = begun(MC08)
        world.mail(hits=(Hit("mc08", add=(MC08,)),))
        world.settle()
        assert world.state.registers[MC08].human


class TestBotStar:
    """The bot stars one message and clears only its own star."""

    STAR = Hit("vip", star=True)

    def starred(self) -> Simulated:
        world = begun()
        world.mail(hits=(self.STAR,))
        world.settle()
        assert world.starred(3)
        return world

    def test_only_the_message_that_asked_is_starred(self) -> None:
        """Stars do not spread."""
        world = self.starred()
        assert not world.starred(1)
        assert [a.what for a in world.journal.values() if a.kind == "star"] == [STAR]

    def test_one_star_is_enough(self) -> None:
        """A second match does not leave a star behind that nobody will ever clear."""
        world = self.starred()
        new = world.mail(hits=(self.STAR,))
        world.settle()
        assert not world.starred(new)

    def test_it_goes_when_the_thread_closes(self) -> None:
        """The bot's star does not go into the archive; a human's does."""
        world = self.starred()
        world.star(1)
        world.settle()
        world.archive(1, 2, 3)
        world.settle()
        assert (world.starred(1), world.starred(3)) == (True, False)
        assert world.state.bot_star is None

    def test_one_that_a_human_removed_is_never_set_again(self) -> None:
        """A human who removes the bot's star has decided for the whole thread."""
        world = self.starred()
        world.unstar(3)
        world.settle()
        new = world.mail(hits=(self.STAR,))
        world.settle()
        assert not world.starred(3)
        assert not world.starred(new)
        assert world.state.star_refused

    def test_a_refused_star_is_not_even_wanted(self) -> None:
        """After a refusal no message is remembered as the one that the bot starred, even while labels are written."""
        refused = opened(VIP, star_refused=True)
        facts = thread(msg().after(DAY, 2).hit(self.STAR).in_inbox(), state=refused)
        decision = decided(facts, stamp(2, DAY))
        assert decision.plans[0].add == {VIP}
        assert decision.state.bot_star is None

    def test_another_star_that_a_human_removed_says_nothing(self) -> None:
        """A human who takes his own star off another message does not refuse the bot's."""
        world = self.starred()
        world.star(1)
        world.settle()
        world.unstar(1)
        world.settle()
        assert world.starred(3)
        assert not world.state.star_refused

    def test_the_star_that_goes_has_one_line(self) -> None:
        """Clearing the bot's star is the same action before and after a crash."""
        world = self.starred()
        world.archive(1, 2, 3)
        world.run()
        world.wait(world.policy.settle).cycle(Crash.COMMITTED)
        world.wait(HOUR).run()
        assert [a.rule for a in world.journal.values() if a.kind == "unstar"] == ["close"]

    def test_a_humans_star_never_becomes_the_bots(self) -> None:
        """A message that comes with a human's star keeps it when the thread closes."""
        world = begun()
        new = world.mail(STAR, hits=(self.STAR,))
        world.settle()
        world.archive(1, 2, new)
        world.settle()
        assert world.starred(new)

    def test_the_same_star_has_the_same_id(self) -> None:
        """A star that is planned again after a crash is the same action."""
        world = begun()
        world.mail(hits=(self.STAR,))
        world.cycle()
        world.unstar(3)
        first = set(world.journal)
        world.wait(HOUR).cycle()
        assert set(world.journal) == first
        assert labels_of(world.state) == set()
