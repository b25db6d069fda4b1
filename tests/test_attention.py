"""What a shifter looks at (design section 1): every reason, and everything that is no reason."""

from dataclasses import replace
from datetime import timedelta

import pytest

from helpdesk.bits import STAR
from helpdesk.model import ESCALATED, FIXED, STATE_LABELS, TAKEN, URGENT, WAITING, Nature
from helpdesk.rules.attention import labels, reasons, state_name
from helpdesk.rules.facts import ThreadFacts
from helpdesk.rules.state import ThreadState
from tests.threads import (
    GGUS,
    MC08,
    POLICY,
    SECOND,
    VIP,
    Mail,
    closed,
    msg,
    on,
    opened,
    stamp,
    thread,
)

QUIET = opened(VIP)  # a label of a human, and nothing else to say


def why(*mails: Mail, state: ThreadState = QUIET) -> tuple[str, ...]:
    """The reasons of a thread of these mails."""
    return reasons(thread(*mails, state=state), POLICY)


class TestUnlabelled:
    """No label that a human set."""

    def test_a_thread_without_labels(self) -> None:
        """A new question calls for attention."""
        assert why(msg().in_inbox(), state=opened()) == ("unlabelled",)

    @pytest.mark.parametrize("label", [*STATE_LABELS, GGUS, MC08, VIP])
    def test_any_label_of_a_human_ends_it(self, label: str) -> None:
        """Whatever a human put on the thread says that somebody looked."""
        assert why(msg().in_inbox(label), state=opened(label)) == ()

    def test_a_label_of_a_rule_does_not(self) -> None:
        """A team rule's label says nothing about whether somebody looked."""
        state = opened(registers=on(MC08, human=False, by="mc08"))
        assert why(msg().in_inbox(MC08), state=state) == ("unlabelled",)

    def test_a_claim_does_not(self) -> None:
        """`taken` says who will look, not that somebody has, settled or not."""
        assert why(msg().in_inbox(TAKEN), state=opened(TAKEN)) == ("unlabelled",)
        fresh = msg().in_inbox(TAKEN, touches={TAKEN: stamp(2)})
        assert why(fresh, state=opened()) == ("unlabelled",)

    def test_a_label_that_was_removed_does_not(self) -> None:
        """A register that is off is no label."""
        state = opened(registers={VIP: replace(on(VIP)[VIP], present=False)})
        assert why(msg().in_inbox(), state=state) == ("unlabelled",)

    def test_a_fresh_label_does_at_once(self) -> None:
        """A label ends it when it is seen, not only when it is settled; a removal or a star is no label."""
        assert why(msg().in_inbox(VIP, touches={VIP: stamp(2)}), state=opened()) == ()
        assert why(msg().in_inbox(touches={VIP: stamp(2)}), state=opened()) == ("unlabelled",)
        starred = msg().in_inbox(STAR, touches={STAR: stamp(2)})
        assert why(starred, state=opened()) == ("unlabelled", "starred")

    def test_an_unknown_word_does(self) -> None:
        """A keyword that nobody configured was set by a human all the same."""
        assert why(msg().in_inbox(unknown=frozenset({"bobs"})), state=opened()) == ()


class TestUnreadReply:
    """An unread human mail from outside the team, newer than the team's last."""

    ANSWER = msg().by_shifter().after(timedelta()).in_inbox(VIP)

    def question(self, after: timedelta = SECOND) -> Mail:
        return msg().after(after).in_inbox(VIP, read=False)

    @pytest.mark.parametrize(("after", "calls"), [(-SECOND, False), (SECOND, True)])
    def test_newer_than_the_teams_last(self, after: timedelta, calls: bool) -> None:
        """A mail that came before the team's last answer is answered, read or not."""
        assert why(self.ANSWER, self.question(after)) == (("unread_reply",) if calls else ())

    def test_of_one_second(self) -> None:
        """Mails of one time, those of a mail server whose clock is ahead among them, came in the order in which they lie there."""
        assert why(self.ANSWER, self.question(timedelta())) == ("unread_reply",)
        assert why(self.question(timedelta()), self.ANSWER) == ()

    def test_a_clock_that_went_back(self) -> None:
        """A reply that was seen after the answer counts as newer, though the mail server's clock says that it is older."""
        reply = msg().after(-9 * SECOND, cycle=2).in_inbox(VIP, read=False)
        assert why(self.ANSWER, reply) == ("unread_reply",)

    def test_an_answer_that_was_filed_late(self) -> None:
        """An old answer that somebody adds to the thread answers no mail that came after it was written."""
        late = msg().by_shifter().after(timedelta(), cycle=2).in_inbox(VIP)
        assert why(self.question(), late) == ("unread_reply",)

    def test_without_any_answer(self) -> None:
        """The first question of a thread is an unread reply, too."""
        assert why(self.question()) == ("unread_reply",)

    def test_read_is_read(self) -> None:
        """A mail that was read, in any of its copies, is not unread."""
        assert why(msg().in_inbox(VIP)) == ()
        assert why(msg().in_inbox(VIP, read=False).in_inbox(VIP)) == ()
        assert why(msg().in_inbox(VIP, read=False).in_archive(VIP)) == ()

    @pytest.mark.parametrize(
        "mail",
        [
            pytest.param(msg().by_shifter(), id="the team"),
            pytest.param(msg().by_expert(), id="a destination"),
            pytest.param(msg().by(Nature.AUTOMATIC), id="a machine"),
            pytest.param(msg().by(Nature.OWN), id="the board"),
        ],
    )
    def test_only_users_count(self, mail: Mail) -> None:
        """Unread mail of the team, of destinations and of machines is no reply."""
        assert why(self.ANSWER, mail.after(SECOND).in_inbox(VIP, read=False)) == ()

    def test_in_doubt_it_is_human(self) -> None:
        """A mail that may be a machine's counts as a human's."""
        assert why(self.ANSWER, self.question().by(Nature.UNSURE)) == ("unread_reply",)

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(msg().by_shifter().untrusted(), id="not authentic"),
            pytest.param(msg().by_shifter().by(Nature.AUTOMATIC), id="out of office"),
            pytest.param(msg().by(Nature.OWN), id="the board"),
        ],
    )
    def test_what_is_no_answer(self, answer: Mail) -> None:
        """The bot's mail, an out-of-office and a team mail without a pass leave the question unanswered."""
        assert why(self.question(), answer.after(2 * SECOND).in_inbox(VIP)) == ("unread_reply",)

    def test_only_in_the_inbox(self) -> None:
        """An unread mail that lies in the archive part of a thread in two places is history."""
        state = replace(QUIET, lies=True)
        assert why(msg().in_archive(VIP, read=False), msg().in_inbox(VIP), state=state) == ()

    def test_where_reading_says_nothing(self) -> None:
        """With `unread = "ignore"` no mail counts as unread."""
        facts = thread(self.question(), state=QUIET)
        assert reasons(facts, replace(POLICY, ignore_unread=True)) == ()


class TestOthers:
    """The remaining reasons, and the threads that have none."""

    def test_starred(self) -> None:
        """A star on any message calls for attention; one on a superseded copy does not."""
        assert why(msg().in_inbox(VIP), msg().in_inbox(VIP, STAR)) == ("starred",)
        assert why(msg().in_inbox(VIP, STAR, left=True).in_archive(VIP)) == ()

    @pytest.mark.parametrize("marker", ["reopened", "expert_comment", "bounce"])
    def test_markers(self, marker: str) -> None:
        """A reopening, a destination's comment and a bounce call until somebody comes."""
        state = {
            "reopened": replace(QUIET, reopened=stamp(2)),
            "expert_comment": replace(QUIET, expert_comment=stamp(2)),
            "bounce": replace(QUIET, bounce=stamp(2)),
        }[marker]
        assert why(msg().in_inbox(VIP), state=state) == (marker,)

    def test_all_at_once(self) -> None:
        """Reasons come in the order of the design."""
        state = replace(opened(), reopened=stamp(), expert_comment=stamp(), bounce=stamp())
        assert why(msg().in_inbox(STAR, read=False), state=state) == (
            "unlabelled",
            "starred",
            "unread_reply",
            "reopened",
            "expert_comment",
            "bounce",
        )

    @pytest.mark.parametrize("state", [closed(), ThreadState()])
    def test_only_open_threads(self, state: ThreadState) -> None:
        """A closed thread, and one that is only in Sent, never call."""
        assert why(msg().in_archive(STAR, read=False), state=state) == ()

    @pytest.mark.parametrize("nature", [Nature.AUTOMATIC, Nature.BOUNCE, Nature.OWN, Nature.RECEIPT])
    def test_not_wholly_automatic_ones(self, nature: Nature) -> None:
        """A thread in which no human wrote does not call; one human mail is enough."""
        machine = msg().by(nature).in_inbox()
        assert why(machine, machine, state=opened()) == ()
        assert why(machine, msg().in_inbox(), state=opened()) == ("unlabelled",)


class TestNames:
    """The state that `threads --json` names."""

    @pytest.mark.parametrize(
        ("state", "name"),
        [
            (opened(), "open"),
            (opened(VIP, MC08, GGUS), "open"),
            (opened(FIXED), "fixed_in_next_release"),
            (opened(FIXED, WAITING), "waiting"),
            (opened(FIXED, WAITING, ESCALATED), "escalated"),
            (opened(FIXED, WAITING, ESCALATED, URGENT), "urgent"),
            (closed(VIP), "closed"),
            (ThreadState(), "closed"),
        ],
    )
    def test_the_first_of_the_list(self, state: ThreadState, name: str) -> None:
        """A thread is closed, else the first of urgent, escalated, waiting, fixed, else open."""
        assert state_name(thread(msg(), state=state)) == name

    def test_labels_are_those_that_are_on(self) -> None:
        """The labels of a thread are its present registers, in a fixed order."""
        off = {MC08: replace(on(MC08)[MC08], present=False)}
        facts: ThreadFacts = thread(msg(), state=opened(registers={**on(VIP, GGUS), **off}))
        assert labels(facts) == (GGUS, VIP)
