"""What time brings (docs/decisions.md section 6): every limit to the second, and every `unless`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from helpdesk.bits import STAR
from helpdesk.model import ESCALATED, FIXED, TAKEN, URGENT, WAITING, Nature, Role
from helpdesk.rules.decide import Decision
from helpdesk.rules.facts import Policy, ThreadFacts
from tests.situations import begun
from tests.threads import (
    DAY,
    HOUR,
    MC08,
    MINUTE,
    POLICY,
    SECOND,
    VIP,
    Mail,
    closed,
    decided,
    labels_of,
    msg,
    on,
    opened,
    rules_of,
    stamp,
    thread,
)

WEEK = 7 * DAY
LATER = 9  # a cycle after everything that is set up here


def at(facts: ThreadFacts, after: timedelta, policy: Policy = POLICY, *, held: str = "") -> Decision:
    """Decide so long after `START`."""
    return decided(facts, stamp(LATER, after), policy, {held} if held else ())


def mails(decision: Decision) -> list[tuple[str, str, tuple[str, ...]]]:
    """What is mailed: rule, occasion, recipients."""
    return [(a.rule, a.occasion, a.recipients) for a in decision.actions if a.kind == "send_mail"]


def due(decision: Decision) -> list[tuple[str, timedelta]]:
    """What is pending, and how long after `START`."""
    return [(p.rule, p.due - stamp().at) for p in decision.pending]


class TestAutoClose:
    """[i3] WAITING, and no human mail for seven days."""

    def waiting(self, *labels: str, star: bool = False, more: tuple[Mail, ...] = ()) -> ThreadFacts:
        bits = (*((STAR,) if star else ()), WAITING, *labels)
        return thread(msg().in_inbox(*bits), *more, state=opened(WAITING, *labels))

    @pytest.mark.parametrize(("after", "closes"), [(WEEK - SECOND, False), (WEEK, True)])
    def test_seven_days_to_the_second(self, after: timedelta, closes: bool) -> None:
        """One second before seven days the thread waits, on the second it is closed."""
        decision = at(self.waiting(), after)
        assert (decision.state.open is False) is closes
        assert due(decision) == ([] if closes else [("auto_close", WEEK)])
        assert decision.due == (None if closes else stamp().at + WEEK)

    def test_it_says_why(self) -> None:
        """The move and the removal are the rule's, with a reason that counts the days."""
        decision = at(self.waiting(MC08, VIP), WEEK)
        assert rules_of(decision) == [
            ("remove_label", WAITING, "auto_close"),
            ("remove_label", MC08, "auto_close"),
            ("move", "archive", "auto_close"),
        ]
        assert {a.reason for a in decision.actions} == {"no human mail for 7 days"}
        assert not any(a.human for a in decision.actions)
        assert labels_of(decision.state) == {VIP}

    @pytest.mark.parametrize("role", [Role.USER, Role.SHIFTER, Role.EXPERT])
    def test_the_last_human_mail_counts(self, role: Role) -> None:
        """Seven days are counted from the later of the label and the last human mail, whoever wrote it."""
        mail = replace(msg(), role=role).after(HOUR).in_inbox(WAITING)
        facts = self.waiting(more=(mail,))
        assert at(facts, WEEK).state.open
        assert at(facts, WEEK + HOUR).state.open is False

    def test_the_label_counts(self) -> None:
        """A label that was set after the last mail has seven days of its own."""
        facts = thread(msg().in_inbox(WAITING), state=opened(registers=on(WAITING, since=stamp(2, HOUR))))
        assert at(facts, WEEK + HOUR - SECOND).state.open
        assert at(facts, WEEK + HOUR).state.open is False

    def test_automatic_mail_does_not_count(self) -> None:
        """Machines do not prolong the wait."""
        mail = msg().by(Nature.AUTOMATIC).after(HOUR).in_inbox(WAITING)
        assert at(self.waiting(more=(mail,)), WEEK).state.open is False

    @pytest.mark.parametrize("label", [ESCALATED, URGENT, FIXED])
    def test_never_with_another_state(self, label: str) -> None:
        """A thread that is also ESCALATED, URGENT or FIXED is never closed by the board."""
        decision = at(self.waiting(label), 10 * WEEK)
        assert decision.state.open
        assert "auto_close" not in {rule for rule, _ in due(decision)}

    def test_never_with_a_star(self) -> None:
        """A starred thread is never closed by the board."""
        assert at(self.waiting(star=True), 10 * WEEK).state.open

    def test_never_without_waiting(self) -> None:
        """A thread that waits for nobody is never closed by the board, not even one that once waited."""
        assert at(thread(msg().in_inbox(), state=opened()), 10 * WEEK).state.open
        lifted = replace(on(WAITING)[WAITING], present=False)
        assert at(thread(msg().in_inbox(), state=opened(registers={WAITING: lifted})), 10 * WEEK).state.open

    @pytest.mark.parametrize(("after", "is_open"), [(HOUR, True), (timedelta(), True), (-SECOND, False)])
    def test_a_bounce_suspends_it(self, after: timedelta, is_open: bool) -> None:
        """While a bounce of ours is not older than the last human mail, the user may not even know."""
        bounce = msg().by(Nature.BOUNCE, of_ours=True).after(after).in_inbox(WAITING)
        assert at(self.waiting(more=(bounce,)), 10 * WEEK).state.open is is_open

    def test_a_bounce_alone_suspends_it(self) -> None:
        """A thread without any human mail, and with a bounce of ours, is not closed by the board."""
        bounce = msg().by(Nature.BOUNCE, of_ours=True).in_inbox(WAITING)
        assert at(thread(bounce, state=opened(WAITING)), 10 * WEEK).state.open

    def test_a_strangers_bounce_suspends_nothing(self) -> None:
        """A bounce of somebody else's mail does not keep a thread open."""
        bounce = msg().by(Nature.BOUNCE).after(HOUR).in_inbox(WAITING)
        assert at(self.waiting(more=(bounce,)), WEEK).state.open is False

    @pytest.mark.parametrize(("after", "is_open"), [(15 * MINUTE - SECOND, True), (15 * MINUTE, False)])
    def test_never_within_15_minutes_of_a_touch(self, after: timedelta, is_open: bool) -> None:
        """The bot starts nothing of its own within 15 minutes of a human's touch."""
        state = replace(opened(WAITING), touched=stamp(3, WEEK))
        decision = at(thread(msg().in_inbox(WAITING), state=state), WEEK + after)
        assert decision.state.open is is_open
        assert due(decision) == ([("auto_close", WEEK + 15 * MINUTE)] if is_open else [])

    def test_never_while_a_touch_is_unsettled(self) -> None:
        """A thread that somebody is working on is not closed, however short the quiet time is configured."""
        policy = replace(POLICY, quiet=timedelta())
        copy = msg().in_inbox(WAITING, VIP, touches={VIP: stamp(LATER, WEEK)})
        decision = at(thread(copy, state=opened(WAITING)), WEEK, policy)
        assert decision.state.open
        assert [rule for rule, _ in due(decision)] == ["auto_close"]

    def test_never_while_it_is_held(self) -> None:
        """A held auto-close stays pending with the time at which it was due."""
        decision = at(self.waiting(), WEEK + DAY, held="auto_close")
        assert decision.state.open
        assert due(decision) == [("auto_close", WEEK)]

    def test_a_closed_thread_has_no_clocks(self) -> None:
        """Nothing is due for a closed thread."""
        decision = at(thread(msg().in_archive(), state=closed()), 10 * WEEK)
        assert due(decision) == []
        assert decision.actions == ()


class TestTaken:
    """A soft claim runs out."""

    @pytest.mark.parametrize(("after", "gone"), [(4 * HOUR - SECOND, False), (4 * HOUR, True)])
    def test_four_hours_to_the_second(self, after: timedelta, gone: bool) -> None:
        """`taken` goes four hours after it was set."""
        decision = at(thread(msg().in_inbox(TAKEN), state=opened(TAKEN)), after)
        assert rules_of(decision) == ([("remove_label", TAKEN, "taken")] if gone else [])
        assert due(decision) == ([] if gone else [("taken", 4 * HOUR)])

    def test_in_the_archive_too(self) -> None:
        """`taken` is an info label, so it goes into the archive, and it runs out there."""
        world = begun()
        world.label(1, TAKEN)
        world.archive(1)
        world.settle()
        assert world.on(1) == {TAKEN}
        world.wait(4 * HOUR).run()
        assert world.on(1) == set()

    def test_once_gone_is_gone(self) -> None:
        """A claim that has run out is not taken off twice."""
        off = replace(on(TAKEN)[TAKEN], present=False)
        assert due(at(thread(msg().in_inbox(), state=opened(registers={TAKEN: off})), DAY)) == []
