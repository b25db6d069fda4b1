"""The mails that time brings (docs/decisions.md section 6): escalations, URGENT, releases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from helpdesk.model import ESCALATED, FIXED, URGENT, WAITING, Nature, Stamp
from helpdesk.rules.facts import Release, ThreadFacts
from tests.situations import begun, finished
from tests.test_clocks import LATER, at, due, mails
from tests.threads import (
    DAY,
    GGUS,
    HOUR,
    MC08,
    MINUTE,
    POLICY,
    SAVANNAH,
    SECOND,
    VIP,
    Mail,
    decided,
    labels_of,
    msg,
    on,
    opened,
    stamp,
    thread,
)


class TestEscalate:
    """[3.4, 4.1] The story goes to the destination after the grace period."""

    MAIL = ("escalate", "GGUS:1", ("help@ggus.example",))

    def escalated(self, *wheres: str) -> ThreadFacts:
        return thread(msg().in_inbox(ESCALATED, *wheres), state=opened(ESCALATED, *wheres))

    @pytest.mark.parametrize(("after", "sent"), [(10 * MINUTE - SECOND, False), (10 * MINUTE, True)])
    def test_ten_minutes_to_the_second(self, after: timedelta, sent: bool) -> None:
        """A slip of less than ten minutes does not leak."""
        decision = at(self.escalated(GGUS), after)
        assert mails(decision) == ([self.MAIL] if sent else [])
        assert due(decision) == ([] if sent else [("escalate", 10 * MINUTE)])

    def test_a_tracked_destination_gets_no_mail(self) -> None:
        """For `mode = "track"` nothing is sent; nor is it for a where that no destination has."""
        assert mails(at(self.escalated(SAVANNAH), DAY)) == []
        assert mails(at(self.escalated(GGUS), DAY, replace(POLICY, destinations={}))) == []

    def test_only_with_escalated(self) -> None:
        """A where alone sends nothing while repair is held."""
        facts = thread(msg().in_inbox(GGUS), state=opened(GGUS))
        assert mails(decided(facts, stamp(LATER, DAY), held={"repair"})) == []
        assert mails(at(facts, DAY)) == [self.MAIL]

    def test_only_when_settled(self) -> None:
        """While a human is at the thread nothing leaves the house."""
        copy = msg().in_inbox(ESCALATED, GGUS, VIP, touches={VIP: stamp(LATER, DAY)})
        facts = thread(copy, state=opened(ESCALATED, GGUS))
        assert mails(at(facts, DAY + 59 * SECOND)) == []
        assert mails(at(facts, DAY + 60 * SECOND)) == [self.MAIL]

    def test_not_while_it_is_held(self) -> None:
        """A held escalation stays pending."""
        decision = at(self.escalated(GGUS), DAY, held="escalate")
        assert mails(decision) == []
        assert due(decision) == [("escalate", 10 * MINUTE)]

    def test_once_a_time(self) -> None:
        """Escalating again to the same destination is another occasion, everything else is not."""
        world = begun(ESCALATED, GGUS)
        world.wait(HOUR).run()
        world.label(2, MC08)
        world.settle()
        world.wait(HOUR).run()
        assert [m.occasion for m in world.mails] == ["GGUS:1"]
        world.unlabel(1, ESCALATED)
        world.settle()
        world.label(1, GGUS)
        world.settle()
        world.wait(HOUR).run()
        assert [m.occasion for m in world.mails] == ["GGUS:1", "GGUS:2"]

    def test_a_slip_does_not_leak(self) -> None:
        """A where that is gone before the grace period is over sends nothing."""
        world = begun()
        world.label(1, GGUS)
        world.settle()
        world.unlabel(1, GGUS)
        world.settle()
        world.wait(DAY).run()
        assert world.mails == []


class TestUrgent:
    """[3.3] The shifters after two minutes, the people on call when nobody answers."""

    AT_ONCE = ("urgent", "1", ("aiden@team.example",))
    ON_CALL = ("urgent", "1:oncall", ("sergey@team.example",))

    def urgent(self, *more: Mail, mailed: frozenset[str] = frozenset()) -> ThreadFacts:
        return thread(msg().in_inbox(URGENT), *more, state=replace(opened(URGENT), mailed=mailed))

    @pytest.mark.parametrize(("after", "sent"), [(2 * MINUTE - SECOND, False), (2 * MINUTE, True)])
    def test_two_minutes_to_the_second(self, after: timedelta, sent: bool) -> None:
        """URGENT that stands for two minutes is mailed to the shifters."""
        decision = at(self.urgent(), after)
        assert mails(decision) == ([self.AT_ONCE] if sent else [])
        assert ("urgent", HOUR) in due(decision)

    @pytest.mark.parametrize(("after", "sent"), [(HOUR - SECOND, False), (HOUR, True)])
    def test_an_hour_to_the_second(self, after: timedelta, sent: bool) -> None:
        """URGENT without an answer for an hour is mailed to the people on call."""
        decision = at(self.urgent(mailed=frozenset({"urgent\t1"})), after)
        assert mails(decision) == ([self.ON_CALL] if sent else [])

    @pytest.mark.parametrize(
        ("answer", "sent"),
        [
            pytest.param(msg().by_shifter().after(SECOND), False, id="a shifter answered"),
            pytest.param(msg().by_expert().after(SECOND), False, id="an expert answered"),
            pytest.param(msg().by_shifter(), True, id="the answer is older than URGENT"),
            pytest.param(msg().by_shifter().after(-HOUR, cycle=2), False, id="by a mail server's slow clock"),
            pytest.param(msg().by_shifter().after(-HOUR, cycle=2).old(), True, id="history"),
            pytest.param(msg().by_shifter().untrusted().after(SECOND), True, id="not authentic"),
            pytest.param(msg().by_shifter().by(Nature.AUTOMATIC).after(SECOND), True, id="out of office"),
            pytest.param(msg().by_user().after(SECOND), True, id="another user wrote"),
        ],
    )
    def test_an_answer_of_the_team_keeps_the_others_asleep(self, answer: Mail, sent: bool) -> None:
        """Only an authentic human mail of the team, later than URGENT, spares the people on call."""
        facts = self.urgent(answer.in_inbox(URGENT), mailed=frozenset({"urgent\t1"}))
        assert mails(at(facts, DAY)) == ([self.ON_CALL] if sent else [])

    def test_nobody_on_call(self) -> None:
        """Without people on call nothing is pending after the first mail."""
        policy = replace(POLICY, oncall=())
        decision = at(self.urgent(), 2 * MINUTE, policy)
        assert mails(decision) == [self.AT_ONCE]
        assert due(decision) == []

    def test_nobody_on_shift(self) -> None:
        """Without a shifter nothing is mailed, and the occasion is not used up."""
        policy = replace(POLICY, shifters=(), oncall=())
        decision = at(self.urgent(), DAY, policy)
        assert mails(decision) == []
        assert decision.state.mailed == frozenset()

    def test_removed_is_gone_at_once(self) -> None:
        """URGENT that a human has just removed mails nobody, settled or not."""
        copy = msg().in_inbox(touches={URGENT: stamp(LATER, HOUR)})
        assert mails(at(thread(copy, state=opened(URGENT)), HOUR)) == []

    def test_not_while_it_is_held(self) -> None:
        """A held mail stays pending."""
        assert mails(at(self.urgent(), DAY, held="urgent")) == []

    def test_every_time_once(self) -> None:
        """URGENT that is set again is another occasion."""
        world = begun(URGENT)
        world.wait(DAY).run()
        world.unlabel(1, URGENT)
        world.settle()
        world.label(1, URGENT)
        world.settle()
        world.wait(DAY).run()
        assert [m.occasion for m in world.mails] == ["1", "2", "2:oncall"]


class TestFixed:
    """[3.5] The release is out: the user is asked once, and FIXED becomes WAITING."""

    RELEASE = Release(GGUS, "2.1", stamp(2, HOUR))
    ASKED = ("fixed", "GGUS:2.1", ("ann@user.example",))

    def fixed(self, *labels: str, release: Release = RELEASE, more: tuple[Mail, ...] = ()) -> ThreadFacts:
        state = opened(FIXED, *labels)
        return thread(msg().in_inbox(FIXED, *labels), *more, state=state, releases=[release])

    def test_the_user_is_asked(self) -> None:
        """The first user of the thread gets one mail, and the thread waits for the answer as a human's."""
        facts = self.fixed(MC08, GGUS, more=(msg().from_address("bob@user.example").after(HOUR),))
        decision = decided(facts, stamp(LATER, HOUR), held={"repair"})
        assert mails(decision) == [self.ASKED]
        assert labels_of(decision.state) == {WAITING, MC08, GGUS}
        assert decision.state.registers[WAITING].human
        assert decision.state.registers[WAITING].rule == "fixed"

    @pytest.mark.parametrize(
        ("said", "asked"),
        [(stamp(1), True), (stamp(1, -SECOND), False), (stamp(0, HOUR), False), (stamp(2), True)],
    )
    def test_only_a_release_after_fixed(self, said: Stamp, asked: bool) -> None:
        """A release that was said before FIXED was set is not the one that is waited for."""
        release = replace(self.RELEASE, name=MC08, stamp=said)
        assert (mails(at(self.fixed(MC08, release=release), HOUR)) != []) is asked

    @pytest.mark.parametrize(("name", "asked"), [("ggus", True), ("GGUS", True), ("Ganga", False)])
    def test_only_what_it_belongs_to(self, name: str, asked: bool) -> None:
        """A release is for the threads that carry a label of its name, in any case of letters."""
        release = replace(self.RELEASE, name=name)
        asking = [
            rule for rule, _, _ in mails(at(self.fixed(GGUS, release=release), HOUR)) if rule == "fixed"
        ]
        assert bool(asking) is asked

    @pytest.mark.parametrize(("name", "asked"), [("ganga", True), ("Panda", False)])
    def test_a_destinations_components_belong_to_it(self, name: str, asked: bool) -> None:
        """A release of a component is for the threads that were escalated to the destination that has it."""
        ggus = replace(POLICY.destinations[GGUS], components=("Ganga",))
        policy = replace(POLICY, destinations={GGUS: ggus})
        facts = self.fixed(GGUS, release=replace(self.RELEASE, name=name))
        assert ("fixed" in {rule for rule, _, _ in mails(at(facts, HOUR, policy))}) is asked

    def test_a_label_that_has_gone_does_not_count(self) -> None:
        """A thread belongs to what it carries now."""
        gone = {GGUS: replace(on(GGUS)[GGUS], present=False), **on(FIXED)}
        facts = thread(msg().in_inbox(FIXED), state=opened(registers=gone), releases=[self.RELEASE])
        assert mails(at(facts, HOUR)) == []

    def test_not_without_fixed(self) -> None:
        """A release says nothing to a thread that is not FIXED any more."""
        gone = {FIXED: replace(on(FIXED)[FIXED], present=False), **on(MC08)}
        release = replace(self.RELEASE, name=MC08)
        assert (
            mails(at(thread(msg().in_inbox(MC08), state=opened(registers=gone), releases=[release]), HOUR))
            == []
        )

    def test_not_while_it_is_held(self) -> None:
        """A held question leaves FIXED on the thread."""
        decision = at(self.fixed(MC08, release=replace(self.RELEASE, name=MC08)), HOUR, held="fixed")
        assert labels_of(decision.state) == {FIXED, MC08}
        assert decision.actions == ()

    def test_not_while_a_touch_is_unsettled(self) -> None:
        """While a human is at the thread the user is not asked."""
        copy = msg().in_inbox(FIXED, MC08, VIP, touches={VIP: stamp(LATER, HOUR)})
        release = replace(self.RELEASE, name=MC08)
        facts = thread(copy, state=opened(FIXED, MC08), releases=[release])
        assert mails(at(facts, HOUR)) == []

    @pytest.mark.parametrize(
        "mail",
        [
            pytest.param(msg().by_shifter(), id="only the team wrote"),
            pytest.param(msg().by(Nature.UNSURE), id="perhaps a machine"),
            pytest.param(msg().from_address(""), id="no address"),
        ],
    )
    def test_nobody_to_ask(self, mail: Mail) -> None:
        """A thread without a user who is certainly human is listed, and stays FIXED."""
        facts = thread(
            mail.in_inbox(FIXED, MC08), state=opened(FIXED, MC08), releases=[replace(self.RELEASE, name=MC08)]
        )
        decision = at(facts, HOUR)
        assert decision.notes == ("mc08 dataset problem 2.1 is out, and there is no user to ask",)
        assert labels_of(decision.state) == {FIXED, MC08}

    def test_once_a_release(self) -> None:
        """FIXED that is set again waits for another release; the same one asks nobody twice."""
        world = begun(FIXED, MC08)
        world.release(MC08, "2.1")
        world.run()
        assert world.labels == {WAITING, MC08}
        world.wait(HOUR).label(1, FIXED)
        world.settle()
        assert FIXED in world.labels
        world.release(MC08, "2.1")
        world.run()
        assert [m.occasion for m in world.mails] == [f"{MC08}:2.1"]
        world.wait(HOUR).label(2, FIXED)
        world.settle()
        world.release(MC08, "2.2")
        world.run()
        assert [m.occasion for m in world.mails] == [f"{MC08}:2.1", f"{MC08}:2.2"]

    def test_a_closed_thread_is_not_asked(self) -> None:
        """A release says nothing to a closed thread."""
        world = finished(FIXED)
        world.release(MC08, "2.1")
        world.run()
        assert world.mails == []
