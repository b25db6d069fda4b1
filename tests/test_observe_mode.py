"""`act = "observe"`: decisions are committed, nothing is written, and the board does not change its mind."""

from collections.abc import Callable

import pytest

from helpdesk.actions import Action, Kind
from helpdesk.bits import STAR
from helpdesk.model import ESCALATED, URGENT, WAITING
from tests.simulated import Crash, Simulated, troubles
from tests.situations import begun, closing_by_hand, closing_by_the_bot, reopening
from tests.threads import GGUS, SECOND


class TestObserveMode:
    """`act = "observe"`: decisions are committed and nothing is ever written."""

    def steps(self, world: Simulated) -> list[list[Action]]:
        """What four more cycles would do."""
        found = []
        for _ in range(4):
            world.wait(SECOND).cycle()
            assert world.decision is not None
            found.append([a for a in world.decision.actions if a.kind is not Kind.SEND_MAIL])
        return found

    @pytest.mark.parametrize("begin", [closing_by_hand, closing_by_the_bot, reopening])
    def test_the_plan_does_not_change(self, begin: Callable[[Crash | None], Simulated]) -> None:
        """The board says the same again in every cycle, with the same ids, rules and reasons."""
        world = begin(Crash.COMMITTED)
        world.acting = False
        first, *others = self.steps(world)
        assert first
        assert all(other == first for other in others)

    def test_a_repair_does_not_change_its_mind(self) -> None:
        """What repair and the team's rules would write is said in the same words every time."""
        world = Simulated(acting=False)
        world.mail(GGUS, STAR)
        world.cycle()
        world.wait(world.policy.settle).cycle()
        first, *others = self.steps(world)
        assert [(a.what, a.rule) for a in first] == [(ESCALATED, "repair")]
        assert all(other == first for other in others)

    def test_humans_are_still_seen(self) -> None:
        """A human who does by hand what the board would have done, or the contrary, is taken at his word."""
        world = begun(WAITING)
        world.acting = False
        world.mail()
        world.run()
        assert world.labels == set()
        world.unlabel(1, WAITING)
        world.unlabel(2, WAITING)
        world.settle()
        assert world.decision is not None
        assert world.decision.actions == ()
        world.label(1, URGENT)
        world.settle()
        assert world.labels == {URGENT}

    def test_when_the_board_may_act_everything_is_put_right(self) -> None:
        """After a time of observing, one run writes what was decided."""
        world = closing_by_the_bot(Crash.COMMITTED)
        world.acting = False
        self.steps(world)
        world.acting = True
        world.dirty = True
        world.run()
        assert world.open is False
        assert troubles(world) == []
