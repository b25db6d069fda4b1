"""Brakes on implausible plans (docs/decisions.md section 10), counted to the one that is too many."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import timedelta

import pytest

from helpdesk.actions import Action, Kind
from helpdesk.bits import PLACE
from helpdesk.model import ESCALATED, WAITING, Place
from helpdesk.rules import brakes
from helpdesk.rules.brakes import Braked, Budget, shape
from helpdesk.rules.decide import Decision
from helpdesk.rules.state import ThreadState
from tests.threads import DAY, GGUS, START, closed, decided, msg, opened, stamp, thread

NOTHING = Braked(frozenset(), frozenset(), ())


def brake(decisions: Iterable[Decision], budget: Budget, approved: AbstractSet[str] = frozenset()) -> Braked:
    """The brakes on these decisions."""
    return brakes.brake([found for d in decisions if (found := shape(d)) is not None], budget, approved)


def plan(key: int, *actions: Action, idle: timedelta = timedelta()) -> Decision:
    """A decision that does just this."""
    return Decision(key, "", ThreadState(), (), actions, (), (), None, START + idle)


def move(rule: str, *, human: bool = False, to: Place = Place.ARCHIVE) -> Action:
    """A move by a rule."""
    return Action(Kind.MOVE, 1, "", to, rule, "", stamp(), human=human)


def mail(rule: str) -> Action:
    """A mail by a rule."""
    return Action(Kind.SEND_MAIL, 1, "", rule, rule, "", stamp())


def closes(*keys: int) -> list[Decision]:
    """Auto-closes, the first the oldest."""
    return [plan(key, move("auto_close"), idle=n * DAY) for n, key in enumerate(keys)]


class TestAutoClose:
    """The oldest go, the rest is pending: nothing is wrong with them."""

    def test_its_mails_go_as_far_as_the_budget(self) -> None:
        """Closes that tell the user, and warnings, wait for a later run when there are too many mails; they are not held."""
        told = [plan(key, move("auto_close"), mail("auto_close"), idle=key * DAY) for key in (1, 2)]
        warned = [plan(key, mail("auto_close"), idle=key * DAY) for key in (3, 4)]
        budget = Budget(9, 3)
        assert brake([*warned, *told], budget) == Braked(frozenset({4}), frozenset(), ())
        assert (budget.moves, budget.mails) == (7, 0)

    @pytest.mark.parametrize(("moves", "waiting"), [(3, set()), (2, {7}), (0, {5, 6, 7})])
    def test_the_oldest_go(self, moves: int, waiting: set[int]) -> None:
        """As many threads are closed as the budget allows, those first that were idle longest."""
        budget = Budget(moves, 20)
        assert brake(list(reversed(closes(5, 6, 7))), budget) == Braked(frozenset(waiting), frozenset(), ())
        assert budget.moves == max(0, moves - 3)

    def test_of_one_age_the_first_go(self) -> None:
        """Threads that were idle equally long go in the order of their keys."""
        same = [plan(key, move("auto_close")) for key in (9, 8, 7)]
        assert brake(same, Budget(1, 20)).waiting == {8, 9}

    def test_one_budget_for_one_now(self) -> None:
        """Cycles that run at one `now` share what may be moved, and a thread is charged once."""
        budget = Budget(2, 20)
        assert brake(closes(5), budget) == NOTHING
        assert brake(closes(5, 6, 7), budget).waiting == {7}
        assert budget.moves == 0

    def test_a_close_that_comes_back_is_none(self) -> None:
        """The return of a cancelled auto-close is not counted as one."""
        back = [plan(key, move("auto_close", human=True, to=Place.INBOX)) for key in (1, 2)]
        assert brake(back, Budget(0, 0)) == NOTHING


class TestMoves:
    """Moves that the bot starts by another rule."""

    def reopens(self, *keys: int) -> list[Decision]:
        return [plan(key, move("reopen", to=Place.INBOX)) for key in keys]

    @pytest.mark.parametrize(("moves", "held"), [(3, set()), (2, {1, 2, 3})])
    def test_one_too_many_holds_the_rule(self, moves: int, held: set[int]) -> None:
        """More threads than the budget: all moves of that rule are held, and the admins read how many."""
        braked = brake(self.reopens(1, 2, 3), Budget(moves, 20))
        assert braked.held == held
        said = "3 threads would be moved at once; brakes.max_bot_moves allows 2"
        assert braked.why == ((("reopen", said),) if held else ())

    def test_a_humans_own_act_is_never_braked(self) -> None:
        """Five hundred threads archived at the end of a shift are completed at once."""
        acts = [plan(key, move("close", human=True)) for key in range(500)]
        assert brake(acts, Budget(0, 0)) == NOTHING

    def test_rules_are_counted_apart(self) -> None:
        """A rule that is held does not hold another that has room."""
        plans = [*self.reopens(1, 2, 3), plan(4, move("bounce", to=Place.INBOX))]
        braked = brake(plans, Budget(2, 20))
        assert braked.held == {1, 2, 3}
        assert [rule for rule, _ in braked.why] == ["reopen"]

    def test_what_is_on_its_way_goes_on(self) -> None:
        """A thread that was allowed at this `now` is neither counted nor held again."""
        budget = Budget(2, 20)
        assert brake(self.reopens(1, 2), budget) == NOTHING
        braked = brake(self.reopens(1, 2, 3), budget)
        assert braked.held == {3}
        assert brake(self.reopens(1, 2), budget) == NOTHING

    def test_labels_are_free(self) -> None:
        """Only moves and mails are counted."""
        label = Action(Kind.REMOVE_LABEL, 1, "", WAITING, "user_replied", "", stamp())
        assert brake([plan(key, label) for key in range(100)], Budget(0, 0)) == NOTHING


class TestMails:
    """Mails of one cycle."""

    def mails(self, rule: str, *keys: int) -> list[Decision]:
        return [plan(key, mail(rule)) for key in keys]

    @pytest.mark.parametrize(("allowed", "held"), [(3, set()), (2, {1, 2, 3})])
    def test_one_too_many_holds_the_rule(self, allowed: int, held: set[int]) -> None:
        """More mails than the budget: that rule's mails are held, and the admins read how many."""
        braked = brake(self.mails("urgent", 1, 2, 3), Budget(50, allowed))
        assert braked.held == held
        said = "3 mails would be sent at once; brakes.max_mails allows 2"
        assert braked.why == ((("urgent", said),) if held else ())

    def test_rules_share_the_budget(self) -> None:
        """What one rule has sent the next cannot send."""
        budget = Budget(50, 3)
        braked = brake([*self.mails("escalate", 1, 2), *self.mails("urgent", 3, 4)], budget)
        assert braked.held == {3, 4}
        assert budget.mails == 1


class TestWithDecisions:
    """Brakes on what `decide` really says."""

    def test_a_human_close_is_free_and_an_auto_close_is_not(self) -> None:
        """The same move is braked when the bot began it, and not when a human did."""
        bots = decided(thread(msg().in_inbox(WAITING), state=opened(WAITING)), stamp(2, 8 * DAY))
        assert brake([bots], Budget(0, 0)).waiting == {1}
        archived = msg().in_archive(was=Place.INBOX, touches={PLACE: stamp(2)})
        humans = decided(thread(archived, msg().in_inbox(), state=opened()), stamp(3, DAY))
        assert brake([humans], Budget(0, 0)) == NOTHING

    def test_a_reply_that_reopens_is_counted(self) -> None:
        """Threads that mail brings back are moved by the bot."""
        facts = thread(msg().in_archive(), msg().after(DAY, 2).in_inbox(), state=closed())
        assert brake([decided(facts, stamp(2, DAY))], Budget(0, 0)).held == {1}

    def test_an_approved_plan_has_no_limit(self) -> None:
        """What an admin approved goes, however much it is."""
        facts = thread(msg().in_inbox(ESCALATED, GGUS), state=opened(ESCALATED, GGUS))
        decision = decided(facts, stamp(2, DAY))
        assert brake([decision], Budget(0, 0)).held == {1}
        assert brake([decision], Budget(0, 0), {"escalate"}) == NOTHING
        assert brake([decision], Budget(0, 0), {"urgent"}).held == {1}
        back = decided(
            thread(msg().in_archive(), msg().after(DAY, 2).in_inbox(), state=closed()), stamp(2, DAY)
        )
        assert brake([back], Budget(0, 0), {"reopen"}) == NOTHING
