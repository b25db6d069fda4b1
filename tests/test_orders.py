"""What a person of the team asks for by mail counts as a touch that settles at once (docs/mail.md section 4)."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from helpdesk.actions import Kind
from helpdesk.bits import STAR
from helpdesk.model import ESCALATED, FIXED, TAKEN, URGENT, WAITING, Nature, Place, Role, Stamp
from helpdesk.rules.facts import Ask
from tests.simulated import Crash, Simulated, troubles
from tests.situations import begun, finished, markers
from tests.threads import GGUS, MC08, MINUTE, SAVANNAH, SECOND, VIP


def asked(world: Simulated, ask: Ask, label: str = "", *, words: str = "", seen: Stamp | None = None) -> str:
    """What Sergey hears; the board is true afterwards, and silent."""
    world.say(ask, label, words=words, seen=seen)
    world.run()
    assert troubles(world) == []
    told = world.told[-1]
    return told.says if told.done else f"no: {told.says}"


def seen_now(world: Simulated) -> Stamp:
    """The cycle that is to come."""
    return Stamp(world.number + 1, world.now)


class TestClosing:
    """`close` and `reopen` are archiving and moving back by hand."""

    def test_close_is_archiving_by_hand(self) -> None:
        """The thread closes at once: state, where and temporary labels go, info labels stay."""
        world = begun(URGENT, VIP, MC08)
        assert asked(world, Ask.CLOSE) == "closed"
        assert world.open is False
        assert world.labels == {VIP}
        assert world.state.reason == "Sergey said so by mail"
        assert {a.rule for a in world.journal.values() if a.kind is Kind.MOVE} == {"close"}

    def test_close_of_a_closed_thread_changes_nothing(self) -> None:
        """Who asks for what is already so, hears that."""
        world = finished()
        before = world.state.since
        assert asked(world, Ask.CLOSE) == "it was closed already"
        assert world.state.since == before

    def test_close_is_refused_if_the_user_wrote_since(self) -> None:
        """The command acts as of the moment its mail was seen: a user who wrote after it keeps the thread open."""
        world = begun(WAITING)
        seen = seen_now(world)
        world.run()
        world.wait(MINUTE).mail()
        world.run()
        assert asked(world, Ask.CLOSE, seen=seen).startswith("no: the user wrote at ")
        assert world.open

    def test_of_one_cycle_the_later_mail_counts(self) -> None:
        """A user's mail that was seen together with the command counts if it came after it, or in the same second."""
        for delay, is_open in ((SECOND, True), (timedelta(), True), (-SECOND, False)):
            world = begun()
            world.say(Ask.CLOSE)
            world.wait(delay).mail()
            world.wait(-delay if delay < timedelta() else timedelta()).run()
            assert world.open is is_open

    def test_what_does_not_count_as_the_users_word(self) -> None:
        """A machine's mail after the command does not stop it."""
        world = begun()
        seen = seen_now(world)
        world.wait(MINUTE).mail(nature=Nature.AUTOMATIC)
        world.run()
        assert asked(world, Ask.CLOSE, seen=seen) == "closed"

    def test_close_is_refused_if_an_expert_wrote_since(self) -> None:
        """What a destination says opens a thread as a user's mail does, so it keeps one open, too."""
        world = begun(ESCALATED, GGUS)
        seen = seen_now(world)
        world.run()
        world.wait(MINUTE).mail(role=Role.EXPERT, nature=Nature.SOLVED)
        world.run()
        assert asked(world, Ask.CLOSE, seen=seen).startswith("no: help@ggus.example wrote at ")

    def test_close_is_refused_if_it_was_reopened_since(self) -> None:
        """Who brought the thread back after the command had a reason."""
        world = finished()
        seen = seen_now(world)
        world.run()
        world.wait(MINUTE).fetch_back(1)
        world.settle()
        assert asked(world, Ask.CLOSE, seen=seen).startswith("no: it was opened since, at ")

    def test_reopen_is_moving_back_by_hand(self) -> None:
        """The thread is open at once."""
        world = finished(VIP)
        assert asked(world, Ask.REOPEN) == "open again"
        assert (world.open, world.state.rule) == (True, "reopened_by_hand")
        assert asked(world, Ask.REOPEN) == "it was open already"

    def test_reopen_is_refused_if_it_was_closed_since(self) -> None:
        """Who closed the thread after the command had a reason, too."""
        world = begun()
        seen = seen_now(world)
        world.run()
        world.wait(MINUTE).archive(1)
        world.settle()
        assert asked(world, Ask.REOPEN, seen=seen).startswith("no: it was closed since, at ")

    @pytest.mark.parametrize("crash", list(Crash))
    def test_a_crash_on_the_way_changes_nothing(self, crash: Crash) -> None:
        """Wherever the cycle dies that carries a close out, the next ones finish it."""
        world = begun(WAITING)
        world.say(Ask.CLOSE)
        world.cycle(crash)
        world.run()
        assert (world.open, troubles(world)) == (False, [])


class TestLabels:
    """`label`, `unlabel` and their short forms are the label by hand."""

    @pytest.mark.parametrize("label", [WAITING, URGENT, FIXED, MC08, VIP])
    def test_a_label_is_set_at_once(self, label: str) -> None:
        """The label covers the thread, as a human's: it ends "unlabelled"."""
        world = begun()
        assert asked(world, Ask.ADD, label) == f"{label} is set"
        assert world.on(1) == world.on(2) == {label}
        assert world.state.registers[label].human
        assert asked(world, Ask.ADD, label) == f"it was {label} already"

    def test_taken_says_by_whom(self) -> None:
        """A claim by mail has a name; somebody else's later claim takes its place."""
        world = begun()
        assert asked(world, Ask.ADD, TAKEN) == "taken by Sergey"
        assert world.state.registers[TAKEN].reason == "taken by Sergey"
        assert asked(world, Ask.ADD, TAKEN) == "taken by Sergey"

    def test_a_label_goes_from_the_whole_thread(self) -> None:
        """`unlabel` removes it everywhere; what is not there cannot go."""
        world = begun(MC08, VIP)
        assert asked(world, Ask.REMOVE, MC08) == f"{MC08} is removed"
        assert world.on(1) == world.on(2) == {VIP}
        assert asked(world, Ask.REMOVE, MC08) == f"it was not {MC08}"

    def test_escalated_takes_its_wheres_along(self) -> None:
        """What belongs together goes together, as by hand."""
        world = begun(ESCALATED, GGUS)
        asked(world, Ask.REMOVE, ESCALATED)
        assert world.labels == set()

    def test_a_state_opens_a_closed_thread(self) -> None:
        """A state label on a closed thread opens it, as by hand."""
        world = finished(VIP)
        assert asked(world, Ask.ADD, WAITING) == "WAITING is set"
        assert (world.open, world.state.rule) == (True, "reopened_by_hand")

    @pytest.mark.parametrize("label", [MC08, TAKEN])
    def test_other_labels_are_for_open_threads(self, label: str) -> None:
        """A closed thread is not labelled by mail: nobody would see it."""
        world = finished()
        assert asked(world, Ask.ADD, label) == "no: it is closed: reopen it first"
        assert world.open is False
        assert world.labels == set()

    def test_waiting_is_refused_if_the_user_wrote_since(self) -> None:
        """Nobody waits for a user who has answered."""
        world = begun()
        seen = seen_now(world)
        world.run()
        world.wait(MINUTE).mail()
        world.run()
        assert asked(world, Ask.ADD, WAITING, seen=seen).startswith("no: the user wrote at ")
        assert world.labels == set()

    def test_what_changed_since_stays(self) -> None:
        """A label that a human set or removed after the command was seen is left as he wants it."""
        world = begun(VIP)
        seen = seen_now(world)
        world.run()
        world.wait(MINUTE).label(1, MC08)
        world.settle()
        world.unlabel(1, VIP)
        world.settle()
        assert asked(world, Ask.REMOVE, MC08, seen=seen).startswith(f"no: {MC08} was set since, at ")
        assert asked(world, Ask.ADD, VIP, seen=seen).startswith(f"no: {VIP} was removed since, at ")
        assert world.labels == {MC08}

    def test_touches_before_the_command_are_settled_with_it(self) -> None:
        """What humans did before the command counts before it; what they do after it, after it."""
        world = begun()
        world.label(1, VIP)
        world.run()
        assert asked(world, Ask.CLOSE) == "closed"
        assert world.open is False
        assert world.labels == {VIP}
        world = begun(WAITING)
        world.star(1)
        world.archive(2)
        world.run()
        assert asked(world, Ask.REOPEN) == "it was open already"
        assert world.open
        assert STAR in world.real[1].bits

    def test_a_command_is_a_touch(self) -> None:
        """It ends what calls for attention, and no auto-close happens within a quarter of an hour of it."""
        world = finished()
        world.mail(role=Role.EXPERT)
        world.run()
        assert markers(world) == {"reopened", "expert_comment"}
        world.wait(MINUTE)
        asked(world, Ask.ADD, WAITING)
        assert markers(world) == set()
        assert world.state.touched == Stamp(world.state.registers[WAITING].stamp.cycle, world.now)

    def test_an_old_command_does_not_make_a_later_touch_older(self) -> None:
        """A command that was proven late leaves the last touch where it is."""
        world = begun()
        seen = seen_now(world)
        world.run()
        world.wait(MINUTE).label(1, VIP)
        world.settle()
        touched = world.state.touched
        assert asked(world, Ask.ADD, MC08, seen=seen) == f"{MC08} is set"
        assert world.state.touched == touched


class TestEscalating:
    """`escalate` sets both labels; the story goes after the grace period, as by hand."""

    def test_the_story_goes_after_the_grace_period(self) -> None:
        """A slip by mail leaks as little as one by hand."""
        world = begun()
        assert asked(world, Ask.ESCALATE, GGUS).startswith("it goes to GGUS at ")
        assert world.labels == {ESCALATED, GGUS}
        assert world.mails == []
        world.wait(10 * MINUTE).run()
        assert [m.rule for m in world.mails] == ["escalate"]
        assert asked(world, Ask.ESCALATE, GGUS) == "it is with GGUS already"

    def test_where_nothing_is_mailed_the_answer_says_so(self) -> None:
        """A destination that is only tracked gets nothing."""
        world = begun()
        assert asked(world, Ask.ESCALATE, SAVANNAH) == f"it is with {SAVANNAH}: the board mails nothing there"

    def test_a_ticket_number_is_kept(self) -> None:
        """The number that a person names stands in the talk with the destination, once however it is spelled."""
        world = begun()
        world.say(Ask.ESCALATE, SAVANNAH, ticket="48112")
        world.run()
        assert world.told[-1].says == f"it is with {SAVANNAH} as #48112: the board mails nothing there"
        world.say(Ask.ESCALATE, SAVANNAH, ticket="#48112")
        world.say(Ask.ESCALATE, SAVANNAH, ticket="PROJ-7")
        world.run()
        assert world.told[-1].says == f"it is with {SAVANNAH} already as PROJ-7"
        assert world.state.talks[SAVANNAH].tickets == ("#48112", "PROJ-7")

    def test_a_where_without_a_destination_is_a_label(self) -> None:
        """A where label that no destination stands behind is set all the same."""
        world = begun()
        world.policy = world.policy.__class__(kinds=world.policy.kinds)
        assert "mails nothing there" in asked(world, Ask.ESCALATE, GGUS)


class TestTelling:
    """`tell user` passes on the words, else the destination's last answer, else that it was passed on."""

    def note(self, world: Simulated) -> tuple[tuple[str, ...], dict[str, object]]:
        assert [m.rule for m in world.mails][-1:] == ["tell_user"]
        return world.mails[-1].recipients, json.loads(world.mails[-1].context)

    def test_words_go_to_who_asked(self) -> None:
        """The shifter's words go to the first user of the thread, closed or not."""
        world = finished()
        assert asked(world, Ask.TELL, words="Try again.") == "this goes to ann@user.example"
        to, context = self.note(world)
        assert to == ("ann@user.example",)
        assert context == {"by": "Sergey", "where": "", "words": ["Try again."], "answer": ""}
        assert world.open is False

    def test_the_destinations_answer_is_bound(self) -> None:
        """Without words the last answer goes that was there when the command was given, and no later one."""
        world = begun(ESCALATED, GGUS)
        world.wait(MINUTE).mail(role=Role.EXPERT)
        world.messages[-1] = replace(world.messages[-1], of=(GGUS,))
        world.mail(role=Role.EXPERT)  # an expert of the team is nobody's word
        world.run()
        answer = world.messages[-2].message_id
        seen = seen_now(world)
        world.wait(MINUTE).run()
        world.mail(role=Role.EXPERT)
        world.messages[-1] = replace(world.messages[-1], of=(GGUS,))
        world.run()
        assert asked(world, Ask.TELL, seen=seen).startswith("the answer of ")
        assert self.note(world)[1] == {"by": "Sergey", "where": GGUS, "words": [], "answer": answer}

    def test_else_that_it_was_passed_on(self) -> None:
        """Nobody has answered yet: the user hears who has it."""
        world = begun(ESCALATED, GGUS)
        assert asked(world, Ask.TELL) == "ann@user.example hears that it was passed to GGUS"

    def test_nothing_to_tell(self) -> None:
        """Without words, an answer or a destination there is nothing to say."""
        assert asked(begun(), Ask.TELL).startswith("no: there is nothing to tell")

    def test_nobody_to_tell(self) -> None:
        """A thread that no user wrote in has nobody to tell."""
        world = Simulated()
        world.mail(role=Role.SHIFTER)
        world.settle()
        assert asked(world, Ask.TELL, words="Hello.") == "no: there is no user to tell"

    def test_a_user_who_wrote_since_is_not_told(self) -> None:
        """The words may be an answer to what he has just taken back."""
        world = begun()
        seen = seen_now(world)
        world.run()
        world.wait(MINUTE).mail()
        world.run()
        assert asked(world, Ask.TELL, words="x", seen=seen).startswith("no: the user wrote at ")
        assert world.mails == []


def test_a_thread_in_two_places_is_opened() -> None:
    """A command about a thread that was adopted in two places is a human's touch: it is open, in one place."""
    world = Simulated()
    world.mail(adopted=True)
    world.mail(adopted=True, place=Place.ARCHIVE)
    world.run()
    assert world.state.lies
    assert asked(world, Ask.ADD, VIP) == f"{VIP} is set"
    assert {real.place for real in world.real.values()} == {Place.INBOX}
