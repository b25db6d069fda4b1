"""The conversation with a destination (docs/mail.md section 3): what it says, when it is reminded, what the shifter is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.bits import PLACE
from helpdesk.model import ESCALATED, TAKEN, URGENT, WAITING, Nature, Role, Stamp
from helpdesk.rules.attention import reasons
from helpdesk.rules.decide import Decision
from helpdesk.rules.facts import TO_LIST, TO_TEAM, Fate, Outgoing, ThreadFacts
from helpdesk.rules.hours import Hours
from helpdesk.rules.state import Talk, ThreadState
from helpdesk.rules.talks import due_nags, nags, patient, reminded, ticket_key, to_tell
from tests.threads import (
    AUTHORS,
    DAY,
    GGUS,
    HOUR,
    MINUTE,
    POLICY,
    SAVANNAH,
    SECOND,
    START,
    Mail,
    closed,
    decided,
    msg,
    opened,
    stamp,
    thread,
)

NOW = stamp(5, HOUR)
WORDS = [Nature.HUMAN, Nature.COMMENT, Nature.SOLVED, Nature.UNSOLVED]
SENT = Outgoing("escalate", "GGUS:1", to_user=False, fate=Fate.LEFT, left=START)
ANN = AUTHORS[Role.USER]


def says(nature: Nature, *tickets: str, where: str = GGUS, **talk: Any) -> Decision:
    """What a destination's mail does to a thread that is with it."""
    mail = msg().word_of(where, *tickets).by(nature).after(HOUR, 5).in_inbox()
    talks = {GGUS: Talk(**talk)} if talk else {}
    mailed = frozenset({"escalate\tGGUS:1"})
    state = opened(ESCALATED, GGUS, talks=talks, mailed=mailed)
    return decided(thread(msg().in_inbox(), mail, state=state, sent=[SENT]), NOW)


def talk(decision: Decision, where: str = GGUS) -> Talk:
    return decision.state.talks.get(where, Talk())


def escalated(
    *mails: Mail, sent: tuple[Outgoing, ...] = (SENT,), where: str = GGUS, **kept: Any
) -> ThreadFacts:
    """A thread that is with a destination since `START`."""
    talks = {where: Talk(**kept)} if kept else {}
    state = opened(ESCALATED, where, talks=talks, mailed=frozenset({f"escalate\t{where}:1"}))
    return thread(msg().in_inbox(ESCALATED, where), *mails, state=state, sent=sent)


def due(decision: Decision) -> list[timedelta]:
    """When reminders are pending."""
    return [p.due - START for p in decision.pending if p.rule == "nag"]


class TestWords:
    """Receipt, comment, solved, open again."""

    @pytest.mark.parametrize("nature", WORDS)
    def test_a_word_is_heard(self, nature: Nature) -> None:
        """Whatever a destination says but a receipt starts its clock anew, reminders included, and calls for a shifter."""
        decision = says(nature, nags=2, nagged=stamp(3), patience=START + DAY)
        assert talk(decision).heard == NOW
        assert (talk(decision).nags, talk(decision).nagged, talk(decision).patience) == (0, None, None)
        assert decision.state.expert_comment == NOW

    @pytest.mark.parametrize("nature", [Nature.RECEIPT, Nature.AUTOMATIC, Nature.BOUNCE, Nature.OWN])
    def test_a_receipt_is_nothing(self, nature: Nature) -> None:
        """That they have it, an absence and a bounce change neither the clock nor attention."""
        before = Talk(nags=2, nagged=stamp(3))
        decision = says(nature, nags=2, nagged=stamp(3))
        assert talk(decision) == before
        assert decision.state.expert_comment is None

    def test_solved_is_for_the_shifter_to_tell(self) -> None:
        """After "solved" there are no reminders, and the digest says that the user does not know."""
        decision = says(Nature.SOLVED)
        assert talk(decision).solved
        assert due(decision) == []
        assert to_tell(decision.state) == [GGUS]

    def test_solved_twice_is_told_once(self) -> None:
        """A tracker that goes on to write about a closed ticket does not ask again for what was told."""
        assert to_tell(says(Nature.SOLVED, solved=True).state) == []

    def test_open_again(self) -> None:
        """What is taken back need not be told, and reminders go on."""
        decision = says(Nature.UNSOLVED, solved=True, untold=stamp(3))
        assert (talk(decision).solved, to_tell(decision.state)) == (False, [])
        assert due(decision) == [HOUR + DAY]

    def test_a_comment_leaves_solved(self) -> None:
        """Words about a solved ticket do not open it."""
        assert talk(says(Nature.COMMENT, solved=True)).solved

    def test_only_its_own_talk(self) -> None:
        """A destination that the thread was never with has no say in it; its machine's mail is a comment."""
        decision = says(Nature.SOLVED, "[Ticket#7]", where=SAVANNAH)
        assert decision.state.talks == {}
        assert decision.state.expert_comment == NOW

    def test_a_destination_that_it_was_with(self) -> None:
        """A late word of a destination is kept although the thread is with nobody any more; there is nothing to tell."""
        mail = msg().word_of(GGUS).by(Nature.SOLVED).after(HOUR, 5).in_inbox()
        off = {GGUS: replace(opened(GGUS).registers[GGUS], present=False)}
        decision = decided(thread(msg().in_inbox(), mail, state=opened(registers=off)), NOW)
        assert talk(decision).solved
        assert to_tell(decision.state) == []

    def test_a_new_escalation_is_a_new_talk(self) -> None:
        """Escalated again, what was solved is not solved, and the ticket's number stays."""
        off = {name: replace(one, present=False) for name, one in opened(GGUS, ESCALATED).registers.items()}
        old = Talk(heard=stamp(2), solved=True, tickets=("[Ticket#7]",), nags=3)
        copy = msg().in_inbox(ESCALATED, GGUS, touches={GGUS: stamp(4), ESCALATED: stamp(4)})
        state = opened(registers=off, talks={GGUS: old}, episodes={GGUS: 1})
        assert talk(decided(thread(copy, state=state), NOW)) == Talk(tickets=("[Ticket#7]",))

    def test_it_reopens(self) -> None:
        """A destination's word brings a closed thread back; its receipt does not."""
        for nature in (Nature.SOLVED, Nature.RECEIPT):
            mail = msg().word_of(GGUS).by(nature).after(HOUR, 5).in_inbox()
            decision = decided(thread(msg().in_archive(), mail, state=closed()), NOW)
            assert decision.state.open is (nature is Nature.SOLVED)


class TestTold:
    """Until the user knows, the digest asks for it."""

    def answered(self, mail: Mail) -> list[str]:
        state = opened(ESCALATED, GGUS, talks={GGUS: Talk(solved=True, untold=stamp(2))})
        facts = thread(msg().in_inbox(), mail.after(HOUR, 5).in_inbox(), state=state, sent=[SENT])
        return list(to_tell(decided(facts, NOW).state))

    def test_an_answer_tells(self) -> None:
        """A shifter who answers the user has told him."""
        assert self.answered(msg().by_shifter().to(ANN)) == []

    @pytest.mark.parametrize(
        "mail",
        [msg().by_shifter().to(TO_TEAM), msg().by_shifter().untrusted().to(ANN), msg(), msg().by_expert()],
    )
    def test_nobody_else_does(self, mail: Mail) -> None:
        """An internal word, an unproven one, the user's own and an expert's leave it to be told."""
        assert self.answered(mail) == [GGUS]

    @pytest.mark.parametrize(
        ("left", "told"), [(None, False), (START - SECOND, False), (START, True), (START + HOUR, True)]
    )
    def test_a_note_tells_when_it_is_sent(self, left: datetime | None, told: bool) -> None:
        """The note to the user ends it when it has left, and not while it waits."""
        state = opened(ESCALATED, GGUS, talks={GGUS: Talk(solved=True, untold=stamp(2)), SAVANNAH: Talk()})
        fate = Fate.WAITS if left is None else Fate.LEFT
        note = Outgoing("tell_user", "1", to_user=True, fate=fate, left=left)
        decision = decided(thread(msg().in_inbox(), state=state, sent=[SENT, note]), NOW)
        assert (to_tell(decision.state) == []) is told

    @pytest.mark.parametrize(
        ("planned", "left", "told"),
        [
            (HOUR, HOUR, True),
            (HOUR, None, False),
            (2 * HOUR, 3 * HOUR, True),
            (HOUR - SECOND, 3 * HOUR, False),
        ],
    )
    def test_a_note_answers_what_was_said_before_it(
        self, planned: timedelta, left: timedelta | None, told: bool
    ) -> None:
        """A comment asks for nobody once a note that a person wanted after it has left; one that came meanwhile still does."""
        state = opened(ESCALATED, GGUS, expert_comment=stamp(3, HOUR))
        note = Outgoing(
            "tell_user",
            "1",
            to_user=True,
            fate=Fate.WAITS if left is None else Fate.LEFT,
            left=None if left is None else START + left,
            planned=START + planned,
        )
        decision = decided(thread(msg().in_inbox(), state=state, sent=[SENT, note]), stamp(5, 4 * HOUR))
        assert (decision.state.expert_comment is None) is told

    def test_a_closed_thread_has_nothing_to_tell(self) -> None:
        """Who closed the thread has settled it."""
        state = closed(talks={GGUS: Talk(solved=True, untold=stamp(2))})
        assert to_tell(state) == []
        assert to_tell(opened(talks={GGUS: Talk(solved=True, untold=stamp(2))})) == []


class TestTickets:
    """The destination's numbers are quoted as it spells them."""

    @pytest.mark.parametrize("nature", [*WORDS, Nature.RECEIPT])
    def test_a_number_is_learned(self, nature: Nature) -> None:
        """A receipt teaches the number too, and each number once, in its first spelling."""
        decision = says(nature, "[Ticket#7]", "Ticket #7", "DDM-8")
        assert talk(decision).tickets == ("[Ticket#7]", "DDM-8")

    @pytest.mark.parametrize("nature", [Nature.AUTOMATIC, Nature.BOUNCE, Nature.OWN])
    def test_an_answering_machine_teaches_nothing(self, nature: Nature) -> None:
        """An absence that quotes a number of somebody else's is no word."""
        assert talk(says(nature, "[Ticket#7]")).tickets == ()

    def test_adopted_mail_teaches(self) -> None:
        """After the database was lost the numbers are learned from the mail that is there."""
        mail = msg().word_of(GGUS, "[Ticket#7]").by(Nature.RECEIPT).old().in_inbox(unseen=frozenset({GGUS}))
        first = msg().old().in_inbox(GGUS, unseen=frozenset({GGUS}))
        decision = decided(thread(first, mail), stamp(1))
        assert talk(decision) == Talk(tickets=("[Ticket#7]",))

    def test_what_others_named_first_is_not_learned(self) -> None:
        """A number that stood in the user's subject comes back in the tracker's, and is not the tracker's."""
        user = replace(msg(), tickets=("[Ticket#1]",)).in_inbox()
        receipt = (
            msg().word_of(GGUS, "[Ticket#7]", "[Ticket#1]").by(Nature.RECEIPT).after(MINUTE, 2).in_inbox()
        )
        late = replace(msg().after(HOUR, 3), tickets=("[Ticket#7]",)).in_inbox()
        decision = decided(thread(user, receipt, late, state=opened(ESCALATED, GGUS)), NOW)
        assert talk(decision).tickets == ("[Ticket#7]",)

    def test_not_without_end(self) -> None:
        """Of a tracker that names a new number in every mail the newest ten are kept."""
        numbers = [f"[Ticket#{n}]" for n in range(30)]
        assert list(talk(says(Nature.COMMENT, *numbers)).tickets) == numbers[-10:]

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ("[Ticket#48112]", "Ticket #48112", True),
            ("[GGUS-Ticket-ID: #48112]", "GGUS-Ticket-ID: 48112", True),
            ("(DDM-12)", "DDM-12", True),
            ("DDM-12", "DDM-123", False),
            ("[Ticket#1]", "[Ticket#11]", False),
            ("(#7)", "DDM-7", False),
        ],
    )
    def test_spellings(self, one: str, other: str, same: bool) -> None:
        """Two spellings are one number when what identifies the ticket is the same."""
        assert (ticket_key(one) == ticket_key(other)) is same


class TestNags:
    """[3.4] A destination that says nothing is reminded, three times."""

    def test_a_day_to_the_second(self) -> None:
        """The reminder is due 24 hours after the story was mailed, and pending until then."""
        assert due(decided(escalated(), NOW)) == [DAY]
        assert due_nags(escalated(), POLICY, START + DAY - SECOND) == []
        assert [n.where for n in due_nags(escalated(), POLICY, START + DAY)] == [GGUS]

    @pytest.mark.parametrize("fate", [Fate.WAITS, Fate.STUCK, Fate.DROPPED])
    def test_the_clock_begins_with_the_mail(self, fate: Fate) -> None:
        """What the destination never got it is not reminded of."""
        unsent = replace(SENT, fate=fate, left=None)
        assert due(decided(escalated(sent=(unsent,)), NOW)) == []
        late = replace(SENT, left=START + 5 * HOUR)
        assert due(decided(escalated(sent=(late,)), NOW)) == [DAY + 5 * HOUR]

    def test_history_is_not_nagged(self) -> None:
        """A thread that was escalated before the board came is nobody's reminder; our own mail in it proves that it was us."""
        assert due(decided(escalated(sent=()), NOW)) == []
        own = replace(msg().by(Nature.OWN), role=Role.BOT).to("help@ggus.example").in_inbox()
        assert due(decided(escalated(own, sent=()), NOW)) == [DAY]

    def test_not_of_what_has_not_left_yet(self) -> None:
        """In the decision that mails the story again, an older copy starts no clock."""
        own = replace(msg().by(Nature.OWN), role=Role.BOT).to("help@ggus.example").in_inbox()
        facts = thread(msg().in_inbox(ESCALATED, GGUS), own, state=opened(ESCALATED, GGUS))
        decision = decided(facts, stamp(5, DAY))
        assert [a.rule for a in decision.actions if a.kind == "send_mail"] == ["escalate"]
        assert due(decision) == []

    @pytest.mark.parametrize(
        ("kept", "expected"),
        [
            ({"heard": stamp(3, 5 * HOUR)}, [DAY + 5 * HOUR]),
            ({"nags": 1, "nagged": stamp(3, 30 * HOUR)}, [DAY + 30 * HOUR]),
            ({"nags": 2, "nagged": stamp(3, 2 * DAY), "heard": stamp(2)}, [3 * DAY]),
            ({"patience": START + 3 * DAY}, [3 * DAY]),
            ({"patience": START + HOUR}, [DAY]),
            ({"nags": 3, "nagged": stamp(3, 3 * DAY)}, []),
            ({"solved": True}, []),
        ],
    )
    def test_the_later_of_what_was_said(self, kept: dict[str, Any], expected: list[timedelta]) -> None:
        """It is counted from the later of mail, word and reminder; not after three, nor when it is solved."""
        assert due(decided(escalated(**kept), NOW)) == expected

    def test_in_its_own_hours(self) -> None:
        """Only the destination's working time counts."""
        office = Hours((0, 1, 2, 3, 4), 9 * 60, 17 * 60, "Europe/Zurich")
        ggus = replace(POLICY.destinations[GGUS], hours=office)
        policy = replace(POLICY, destinations={GGUS: ggus})
        (nag,) = nags(escalated(), escalated().state, policy)
        assert nag.due == datetime(
            2026, 6, 12, 8, tzinfo=UTC
        )  # Tuesday 10:00 there, and 24 hours are three days

    def test_nobody_is_nagged_about(self) -> None:
        """A closed thread, one without ESCALATED, a tracked destination, one that nobody configured: no reminder."""
        facts = escalated()
        state = facts.state
        assert nags(facts, replace(state, open=False), POLICY) == []
        alone = {GGUS: state.registers[GGUS]}
        assert nags(facts, replace(state, registers=alone), POLICY) == []
        assert nags(escalated(where=SAVANNAH), escalated(where=SAVANNAH).state, POLICY) == []
        assert nags(facts, state, replace(POLICY, destinations={})) == []

    def test_not_while_a_human_is_at_work(self) -> None:
        """A label that was taken off a moment ago leaks no reminder."""
        copy = msg().in_inbox(ESCALATED, touches={GGUS: stamp(5, DAY)})
        facts = replace(escalated(), copies=thread(copy).copies)
        assert due_nags(facts, POLICY, START + 2 * DAY) == ()

    def test_counting(self) -> None:
        """A thread in a reminder counts it; one that came too late for it waits until the day that it is told."""
        state = patient(escalated().state, GGUS, START + 3 * DAY)
        assert state.talks[GGUS].patience == START + 3 * DAY
        counted = reminded(state, GGUS, NOW).talks[GGUS]
        assert (counted.nags, counted.nagged, counted.patience) == (1, NOW, None)


class TestNotes:
    """What only the shifter can settle."""

    def test_after_three_reminders(self) -> None:
        """A destination that does not answer three reminders is the shifter's; one that has solved it is not."""
        assert decided(escalated(nags=3), NOW).notes == ("GGUS has not answered 3 reminders",)
        assert decided(escalated(nags=3, solved=True), NOW).notes == ()
        assert decided(escalated(nags=2), NOW).notes == ()

    def test_a_mail_that_has_not_left(self) -> None:
        """An escalation that is held or refused is told on the thread."""
        stuck = replace(SENT, fate=Fate.STUCK, left=None)
        assert decided(escalated(sent=(stuck,)), NOW).notes == ("the mail to GGUS has not left",)

    def tracked(self, **kept: Any) -> ThreadFacts:
        return escalated(sent=(), where=SAVANNAH, **kept)

    def test_a_tracked_thread_without_a_number(self) -> None:
        """Where nothing is mailed, a thread without a ticket number is told after a working day."""
        decision = decided(self.tracked(), stamp(5, DAY - SECOND))
        assert (decision.notes, decision.due) == ((), START + DAY)
        assert decided(self.tracked(), stamp(5, DAY)).notes == ("no ticket number of DQ2 Savannah is known",)
        assert decided(self.tracked(tickets=("[bug #5]",)), stamp(5, DAY)).notes == ()

    def test_nothing_without_escalated(self) -> None:
        """A where alone, before it is repaired, and a where that is nobody's destination are no talks."""
        facts = thread(msg().in_inbox(SAVANNAH), state=opened(SAVANNAH))
        assert decided(facts, stamp(5, 2 * DAY), held={"repair"}).notes == ()
        bare = replace(POLICY, destinations={})
        assert decided(self.tracked(), stamp(5, 2 * DAY), bare).notes == ()


class TestInternal:
    """A human team mail that no user got is no answer."""

    def after(self, mail: Mail, **more: Any) -> ThreadState:
        state = opened(TAKEN, expert_comment=stamp(2), reopened=stamp(2), **more)
        facts = thread(msg().in_inbox(TAKEN), mail.after(HOUR, 5).in_inbox(), state=state)
        return decided(facts, NOW).state

    @pytest.mark.parametrize(
        ("audience", "internal"),
        [
            ((TO_TEAM,), True),
            (("fred@ggus.example",), True),
            ((TO_TEAM, "fred@ggus.example"), True),
            ((ANN,), False),
            ((TO_LIST,), False),
            ((TO_TEAM, TO_LIST), False),
            ((TO_TEAM, ANN), False),
            ((), False),
        ],
    )
    def test_it_clears_nothing(self, audience: tuple[str, ...], internal: bool) -> None:
        """A word to the team or the destination ends neither attention nor the claim; an answer to a user or the list does."""
        state = self.after(msg().by_shifter().to(*audience))
        assert (state.expert_comment is not None) is internal
        assert (state.reopened is not None) is internal
        assert state.registers[TAKEN].present is internal

    def test_whom_a_user_wrote_to_is_a_user(self) -> None:
        """An answer to who was in Cc of the question, or to another address of the user, reaches the user."""
        question = msg().to(TO_LIST, "bob@user.example").in_inbox()
        mail = msg().by_shifter().to("bob@user.example").after(HOUR, 5).in_inbox()
        state = opened(expert_comment=stamp(2))
        assert decided(thread(question, mail, state=state), NOW).state.expert_comment is None

    def test_where_no_user_has_written(self) -> None:
        """A thread that the team began with somebody is answered by what goes to somebody outside."""
        for audience, internal in (("carl@other.example", False), (TO_TEAM, True)):
            first = msg().by_shifter().in_inbox()
            mail = msg().by_shifter().to(audience).after(HOUR, 5).in_inbox()
            state = opened(expert_comment=stamp(2))
            decision = decided(thread(first, mail, state=state), NOW)
            assert (decision.state.expert_comment is not None) is internal

    def test_it_does_not_reopen(self) -> None:
        """A word to the destination after the close leaves the thread closed."""
        mail = msg().by_shifter().to(TO_TEAM).after(HOUR, 5).dated(HOUR).in_archive()
        assert decided(thread(msg().in_archive(), mail, state=closed()), NOW).state.open is False

    def test_urgent_goes_on(self) -> None:
        """An answer to the urgent mail does not keep the people on call asleep; one to the user does."""
        for audience, woken in ((TO_TEAM, True), (ANN, False)):
            mail = msg().by_shifter().to(audience).after(MINUTE, 2).in_inbox(URGENT)
            state = opened(URGENT, mailed=frozenset({"urgent\t1"}))
            decision = decided(thread(msg().in_inbox(URGENT), mail, state=state), stamp(5, DAY))
            assert ("urgent" in {a.rule for a in decision.actions}) is woken

    def test_an_unread_question_stays_unread(self) -> None:
        """What the team says among itself does not answer a mail that nobody has read."""
        for audience, unread in ((TO_TEAM, True), (ANN, False)):
            question = msg().after(MINUTE).in_inbox(read=False)
            mail = msg().by_shifter().to(audience).after(HOUR, 2).in_inbox()
            why = reasons(thread(question, mail, state=opened()), POLICY)
            assert ("unread_reply" in why) is unread


class TestStrangers:
    """Somebody who has our token and is nobody's word: an expert, unproven."""

    stranger = msg().by_expert().untrusted().from_address("mallory@evil.example")

    def test_he_adds_attention(self) -> None:
        """His mail calls for a shifter, and opens a closed thread."""
        mail = self.stranger.after(HOUR, 5).in_inbox(read=False)
        decision = decided(thread(msg().in_archive(), mail, state=closed()), NOW)
        assert decision.state.open
        assert decision.state.expert_comment == NOW
        facts = thread(msg().in_inbox(), mail, state=decision.state)
        assert {"expert_comment", "unread_reply"} <= set(reasons(facts, POLICY))

    def test_he_takes_nothing_away(self) -> None:
        """He answers no question, ends no claim and no wait, stops no reminder and no second alarm."""
        mail = self.stranger.to(TO_LIST, ANN).after(HOUR, 5).in_inbox()
        state = opened(TAKEN, WAITING, URGENT, ESCALATED, GGUS, reopened=stamp(2), bounce=stamp(2))
        state = replace(state, mailed=frozenset({"urgent\t1", "escalate\tGGUS:1"}))
        unread = msg().after(MINUTE).in_inbox(read=False)
        facts = thread(unread, mail, state=state, sent=[SENT])
        decision = decided(facts, stamp(6, 2 * HOUR))
        after = decision.state
        assert after.reopened == state.reopened
        assert after.bounce == state.bounce
        assert all(after.registers[label].present for label in (TAKEN, WAITING, URGENT, ESCALATED, GGUS))
        assert due(decision) == [DAY]
        assert "urgent" in {a.rule for a in decision.actions}
        assert "unread_reply" in reasons(replace(facts, state=after), POLICY)

    def test_a_machine_of_his_says_nothing(self) -> None:
        """A forged tracker's comment is a comment: attention, no clock."""
        mail = self.stranger.by(Nature.COMMENT).after(HOUR, 5).in_inbox()
        facts = escalated(mail)
        decision = decided(facts, NOW)
        assert decision.state.talks == {}
        assert due(decision) == [DAY]


class TestMailsToUsers:
    """A mail that never left changes nothing for its user."""

    def waiting(self, fate: Fate, left: datetime | None = None, rule: str = "fixed") -> Decision:
        mail = Outgoing(rule, "Ganga:5", to_user=True, fate=fate, left=left)
        facts = thread(msg().in_inbox(WAITING), state=opened(WAITING), sent=[mail])
        return decided(facts, stamp(9, 7 * DAY))

    @pytest.mark.parametrize("fate", [Fate.WAITS, Fate.STUCK])
    def test_the_thread_is_not_closed(self, fate: Fate) -> None:
        """While the question to the user has not left, nobody waits for his answer."""
        decision = self.waiting(fate)
        assert decision.state.open
        assert decision.notes == (("a mail to the user has not left",) if fate is Fate.STUCK else ())

    def test_what_was_dropped_is_no_reason(self) -> None:
        """A mail that a person decided against keeps no thread open."""
        assert self.waiting(Fate.DROPPED).state.open is False

    def test_his_time_begins_when_it_left(self) -> None:
        """Seven days are counted from the mail that asks; a warning that the thread will be closed is no question."""
        decision = self.waiting(Fate.LEFT, START + HOUR)
        assert decision.state.open
        assert [p.due for p in decision.pending] == [START + 7 * DAY + HOUR]
        assert self.waiting(Fate.LEFT, START + HOUR, "auto_close").state.open is False


def test_a_touch_of_the_place_is_work_too() -> None:
    """A thread that somebody is archiving is not in a reminder."""
    copy = msg().in_archive(ESCALATED, GGUS, touches={PLACE: stamp(5, DAY)})
    facts = replace(escalated(), copies=thread(copy).copies)
    assert due_nags(facts, POLICY, START + 2 * DAY) == ()


EVENTS = st.sampled_from([*WORDS, Nature.RECEIPT, "remind", "wait"])


@given(st.lists(st.tuples(EVENTS, st.integers(1, 80)), max_size=25))
def test_whatever_is_said_and_whenever(events: list[tuple[Nature | str, int]]) -> None:
    """Three reminders at most between two words, none while it is solved, and never one within a day of anything that was said."""
    facts, since, reminders, solved = escalated(), START, 0, False
    clock = START
    for number, (event, hours) in enumerate(events, 2):
        now = Stamp(number + 5, clock + hours * HOUR)
        clock = now.at
        found = due_nags(facts, POLICY, now.at)
        assert bool(found) == (not solved and reminders < 3 and now.at - since >= DAY)
        if event == "remind" and found:
            facts = replace(facts, state=reminded(facts.state, GGUS, now))
            since, reminders = now.at, reminders + 1
        elif isinstance(event, Nature):
            more = thread(msg(), msg().word_of(GGUS).by(event).after(now.at - START, now.cycle).in_inbox())
            word = replace(more.messages[1], key=number)
            state = decided(replace(facts, messages=(*facts.messages, word)), now).state
            facts = replace(facts, messages=(*facts.messages, word), state=state)
            if event is not Nature.RECEIPT:
                since, reminders = now.at, 0
                solved = event is Nature.SOLVED or (solved and event is not Nature.UNSOLVED)
        assert facts.state.talks.get(GGUS, Talk()).nags <= 3
