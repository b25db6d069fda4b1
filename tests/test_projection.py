"""From what was decided to what is written (docs/decisions.md section 8): the difference, and an honest reason for it."""

from helpdesk.actions import CopyPlan
from helpdesk.model import ESCALATED, URGENT, WAITING, Place, Role
from tests.simulated import Crash, Simulated, troubles
from tests.situations import begun, finished
from tests.threads import DAY, GGUS, HOUR, MC08, VIP, closed, decided, msg, opened, stamp, thread


def ids(world: Simulated, rule: str) -> set[str]:
    """The journal's lines of a rule."""
    return {key for key, action in world.journal.items() if action.rule == rule}


class TestPlans:
    """What is written to a copy."""

    def test_only_the_difference(self) -> None:
        """A copy that is as it should be is not written; another gets what it lacks."""
        state = opened(WAITING, VIP)
        facts = thread(msg().in_inbox(WAITING, VIP), msg().in_inbox(VIP), state=state)
        assert decided(facts, stamp(2)).plans == (CopyPlan(2, add=frozenset({WAITING})),)

    def test_sent_mail_is_never_written(self) -> None:
        """A message in Sent never moves and carries no labels, whatever somebody put on it."""
        facts = thread(
            msg().in_archive(), msg().by_shifter().in_sent(URGENT, touches={URGENT: stamp()}), state=closed()
        )
        decision = decided(facts, stamp(2, DAY))
        assert decision.plans == ()
        assert decision.state.open is False

    def test_a_message_that_is_dragged_to_sent(self) -> None:
        """A message that a human files among the sent ones is gone from the thread, and nothing is archived."""
        world = begun(VIP)
        world.real[1].place = Place.SENT
        world.settle()
        assert world.open
        assert world.place(1) is Place.SENT
        assert troubles(world) == []

    def test_a_stuck_copy_is_written_no_more(self) -> None:
        """A copy whose writes the server answers and does not do is left alone, and the thread goes on."""
        facts = thread(msg().in_inbox(stuck=True), msg().in_inbox(), state=opened(VIP))
        assert [plan.key for plan in decided(facts, stamp(2)).plans] == [2]

    def test_a_copy_in_limbo_is_not_written(self) -> None:
        """A copy whose UID has vanished is written when it is found again."""
        facts = thread(msg().in_inbox(limbo=True), state=opened(VIP))
        assert decided(facts, stamp(2)).plans == ()

    def test_a_touch_on_a_word_that_is_no_label(self) -> None:
        """A touch on a label that has left the configuration settles nothing and holds nothing up."""
        facts = thread(msg().in_inbox("bobs", touches={"bobs": stamp(2)}), state=opened())
        decision = decided(facts, stamp(2))
        assert decision.plans == ()
        assert decision.pending == ()

    def test_a_settled_touch_is_accepted(self) -> None:
        """A touch that has become part of the board is the new base, on the copy where it was."""
        facts = thread(msg().in_inbox(VIP, touches={VIP: stamp(2)}), msg().in_inbox(), state=opened())
        assert decided(facts, stamp(3, HOUR)).plans == (
            CopyPlan(1, accept=frozenset({VIP})),
            CopyPlan(2, add=frozenset({VIP})),
        )


class TestActions:
    """What the journal reads."""

    def test_a_rule_is_named_for_what_it_did(self) -> None:
        """The rule that set a register is named, as often as its plan is made again."""
        world = begun()
        world.label(1, GGUS)
        world.run()
        world.wait(world.policy.settle).cycle(Crash.COMMITTED)
        first = ids(world, "repair")
        world.wait(HOUR).run()
        assert len(first) == 1
        assert ids(world, "repair") == first
        assert world.on(2) == {GGUS, ESCALATED}

    def test_later_mail_is_covered(self) -> None:
        """A mail that comes after the decision gets its labels because labels cover the thread, each in a line of its own."""
        world = begun(GGUS)
        before = ids(world, "labels_cover_the_thread")
        for number in (1, 2):
            world.wait(DAY).machine()
            world.run()
            assert len(ids(world, "labels_cover_the_thread") - before) == 2 * number
        assert len(ids(world, "repair")) == 1

    def test_every_mail_that_follows_has_its_line(self) -> None:
        """Two automatic mails that follow a closed thread are two lines beside the close."""
        world = finished()
        assert len(ids(world, "close")) == 1
        for number in (2, 3):
            world.wait(DAY).machine()
            world.run()
            assert len(ids(world, "close")) == number

    def test_a_removal_names_the_rule_that_removed(self) -> None:
        """The line about a lifted WAITING is the rule's that lifted it."""
        world = begun(WAITING, MC08)
        world.mail()
        world.run()
        assert {a.what for a in world.journal.values() if a.rule == "user_replied"} == {WAITING}

    def test_what_completes_a_humans_act_says_so(self) -> None:
        """Actions that complete a human's own act are marked, others are not."""
        world = begun(GGUS)
        repaired = [a for a in world.journal.values() if a.rule == "repair"]
        assert [a.human for a in repaired] == [False]
        world.archive(1)
        world.settle()
        assert [a.human for a in world.journal.values() if a.kind == "move"] == [True]

    def test_the_oldest_thread_is_known_by_its_last_mail(self) -> None:
        """A decision carries the time of the last message, for brakes that take the oldest first."""
        world = Simulated()
        world.mail()
        world.wait(HOUR).mail(role=Role.SHIFTER)
        last = world.now
        world.wait(DAY).cycle()
        assert world.decision is not None
        assert world.decision.idle_since == last
