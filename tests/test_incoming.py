"""What mail does to a thread, at once (docs/decisions.md section 3)."""

from dataclasses import replace

import pytest

from helpdesk.bits import STAR
from helpdesk.model import ESCALATED, FIXED, TAKEN, URGENT, WAITING, Nature, Place, Role
from helpdesk.rules.facts import Hit
from tests.simulated import Simulated, troubles
from tests.test_merge import begun
from tests.threads import DAY, GGUS, HOUR, MC08, SECOND, VIP, labels_of

MACHINES = [Nature.AUTOMATIC, Nature.RECEIPT, Nature.OWN]


def finished(*labels: str) -> Simulated:
    """A thread that a human archived a day ago."""
    world = begun(*labels)
    world.archive(1)
    world.settle()
    assert world.open is False
    assert troubles(world) == []
    world.wait(DAY)
    return world


def markers(world: Simulated) -> set[str]:
    """What calls for attention."""
    state = world.state
    found = {"reopened": state.reopened, "expert_comment": state.expert_comment, "bounce": state.bounce}
    return {name for name, marker in found.items() if marker is not None}


class TestUsers:
    """A human mail from outside the team."""

    @pytest.mark.parametrize("nature", [Nature.HUMAN, Nature.UNSURE])
    def test_a_reply_lifts_waiting(self, nature: Nature) -> None:
        """A user's reply removes WAITING from the whole thread at once, in doubt about the machine too."""
        world = begun(WAITING, VIP)
        new = world.mail(nature=nature)
        world.run()
        assert world.labels == {VIP}
        assert world.on(1) == world.on(new) == {VIP}
        assert world.state.registers[WAITING].rule == "user_replied"

    def test_a_reply_overrides_an_older_touch(self) -> None:
        """WAITING that was set before the reply came, and is not settled yet, goes with the reply."""
        world = begun()
        world.label(1, WAITING)
        world.run()
        world.wait(SECOND).mail()
        world.run()
        assert world.on(1) == set()
        assert world.rows[1].known.touches == {}

    def test_a_reply_does_not_override_a_newer_touch(self) -> None:
        """WAITING that was set after the reply was seen stays."""
        world = begun(WAITING)
        world.mail()
        world.run()
        world.label(1, WAITING)
        world.settle()
        assert world.labels == {WAITING}

    def test_a_reply_reopens(self) -> None:
        """A user's mail brings the whole closed thread back, with its info labels and nothing else."""
        world = finished(WAITING, MC08, VIP)
        new = world.mail()
        world.run()
        assert world.open
        assert {world.place(copy) for copy in (1, 2, new)} == {Place.INBOX}
        assert world.labels == world.on(1) == world.on(new) == {VIP}
        assert markers(world) == {"reopened"}
        assert world.state.rule == "reopen"

    def test_a_reply_overrides_an_archive_move_that_is_not_newer(self) -> None:
        """Who archived the thread before the reply came did not see it."""
        world = begun()
        world.archive(1)
        world.run()
        world.wait(SECOND).mail()
        world.run()
        assert world.open
        assert world.place(1) is Place.INBOX
        assert markers(world) == set()

    def test_an_archive_move_after_the_reply_closes(self) -> None:
        """Who archives the thread after the reply was seen closes it, once nobody can have missed the reply."""
        world = begun(WAITING)
        new = world.mail()
        world.run()
        world.wait(HOUR).archive(1)
        world.settle()
        assert world.open is False
        assert world.place(new) is Place.ARCHIVE

    def test_a_mail_first_seen_in_the_archive_reopens_when_it_is_younger(self) -> None:
        """A mail that a filter put into the archive reopens the thread if it came after the close."""
        world = finished()
        world.mail(place=Place.ARCHIVE)
        world.run()
        assert world.open
        assert troubles(world) == []

    def test_a_mail_first_seen_in_the_archive_is_history_when_it_is_older(self) -> None:
        """An old mail that somebody drags into the archive of a closed thread changes nothing."""
        world = finished()
        world.mail(place=Place.ARCHIVE)
        world.messages[-1] = replace(world.messages[-1], time=world.now - 2 * DAY)
        world.run()
        assert world.open is False
        assert markers(world) == set()

    def test_a_new_thread_in_the_archive_is_closed(self) -> None:
        """A thread whose first mail lies in the archive is closed."""
        world = Simulated()
        world.mail(place=Place.ARCHIVE)
        world.run()
        assert world.open is False

    def test_a_new_thread_is_open(self) -> None:
        """A new thread stays in the inbox, unlabelled, and nothing is written."""
        world = Simulated()
        world.mail()
        assert not world.cycle()
        assert world.open
        assert world.state.rule == "new"

    def test_a_thread_that_is_only_in_sent_is_neither(self) -> None:
        """A thread with nothing but a sent mail has no place, until an answer lies in the inbox."""
        world = Simulated()
        world.mail(role=Role.SHIFTER, place=Place.SENT)
        world.run()
        assert world.open is None
        world.mail()
        world.run()
        assert world.open is True


class TestExperts:
    """A destination writes."""

    @pytest.mark.parametrize(
        ("role", "nature"),
        [
            pytest.param(Role.EXPERT, Nature.HUMAN, id="an expert"),
            pytest.param(Role.EXPERT, Nature.COMMENT, id="a tracker: comment"),
            pytest.param(Role.EXPERT, Nature.SOLVED, id="a tracker: solved"),
        ],
    )
    def test_a_comment_reopens_and_asks_for_attention(self, role: Role, nature: Nature) -> None:
        """A destination's comment reopens a closed thread and calls for attention; WAITING is none of its business."""
        world = finished()
        world.mail(role=role, nature=nature)
        world.run()
        assert world.open
        assert markers(world) == {"reopened", "expert_comment"}
        waiting = begun(WAITING)
        waiting.mail(role=role, nature=nature)
        waiting.run()
        assert waiting.labels == {WAITING}
        assert markers(waiting) == {"expert_comment"}

    def test_a_comment_overrides_an_archive_move_that_is_not_newer(self) -> None:
        """Who archived the thread before the comment came did not see it."""
        world = begun()
        world.archive(1)
        world.run()
        world.mail(role=Role.EXPERT)
        world.run()
        assert world.open
        assert troubles(world) == []


class TestTeam:
    """A human of the team writes."""

    def test_a_mail_dated_after_the_close_reopens(self) -> None:
        """A shifter's mail whose Date is later than the close reopens, and needs no attention."""
        world = finished()
        world.answer(date=world.state.since.at + SECOND if world.state.since else None)
        world.run()
        assert world.open
        assert markers(world) == set()

    def test_a_mail_dated_before_the_close_follows(self) -> None:
        """The shifter's own list copy of the closing answer goes into the archive."""
        world = finished()
        new = world.answer(date=world.state.since.at if world.state.since else None)
        world.run()
        assert world.open is False
        assert world.place(new) is Place.ARCHIVE

    def test_a_mail_without_a_date_follows(self) -> None:
        """A shifter's mail that does not say when it was written reopens nothing."""
        world = finished()
        world.answer()
        world.messages[-1] = replace(world.messages[-1], date=None)
        world.run()
        assert world.open is False

    def test_a_second_copy_of_a_known_mail_is_no_new_mail(self) -> None:
        """The list copy of an answer that is known reopens nothing."""
        world = finished()
        twin = world.twin(2)
        world.run()
        assert world.open is False
        assert world.place(twin) is Place.ARCHIVE

    @pytest.mark.parametrize("trusted", [True, False])
    def test_an_answer_ends_the_calls_for_attention_if_it_is_authentic(self, trusted: bool) -> None:
        """An authentic answer clears the markers and ends `taken`; one without a pass clears nothing."""
        world = finished()
        world.mail()
        world.mail(role=Role.EXPERT)
        world.mail(nature=Nature.BOUNCE)
        world.run()
        world.label(1, TAKEN)
        world.settle()
        world.mail(role=Role.EXPERT)
        world.mail(nature=Nature.BOUNCE)
        world.run()
        assert markers(world) == {"expert_comment", "bounce"}
        world.mail(role=Role.SHIFTER, trusted=trusted)
        world.run()
        assert markers(world) == (set() if trusted else {"expert_comment", "bounce"})
        assert world.labels == (set() if trusted else {TAKEN})

    def test_an_unauthentic_mail_may_add_attention(self) -> None:
        """A team mail without a pass that reopens calls for attention."""
        world = finished()
        world.mail(role=Role.SHIFTER, trusted=False)
        world.run()
        assert world.open
        assert markers(world) == {"reopened"}

    def test_a_better_copy_shows_that_the_author_was_a_user(self) -> None:
        """A mail is an event once more when a better copy shows that another kind of author wrote it."""
        world = begun(WAITING)
        new = world.answer()
        world.run()
        assert world.labels == {WAITING}
        world.better_copy(new, Role.USER)
        world.run()
        assert world.labels == set()


class TestMachines:
    """Automatic mail never changes a state and never reopens."""

    @pytest.mark.parametrize("nature", MACHINES)
    def test_it_follows_the_thread(self, nature: Nature) -> None:
        """Automatic mail goes where its thread is, and nothing else happens."""
        world = finished()
        new = world.machine(nature=nature)
        world.run()
        assert world.open is False
        assert world.place(new) is Place.ARCHIVE
        waiting = begun(WAITING)
        waiting.machine(nature=nature)
        waiting.run()
        assert waiting.labels == {WAITING}
        assert markers(waiting) == set()

    def test_it_does_not_save_a_thread_that_is_being_archived(self) -> None:
        """An out-of-office reply does not override an archive move."""
        world = begun()
        world.archive(1)
        world.machine()
        world.settle()
        assert world.open is False
        assert troubles(world) == []

    def test_a_bounce_of_ours_reopens(self) -> None:
        """A mail of ours that bounces brings a closed thread back, and calls for attention."""
        world = finished()
        world.mail(nature=Nature.BOUNCE)
        world.run()
        assert world.open
        assert "bounce" in markers(world)
        assert world.state.rule == "bounce"

    def test_another_bounce_follows(self) -> None:
        """A bounce of somebody else's mail reopens nothing."""
        world = finished()
        world.mail(nature=Nature.BOUNCE)
        world.messages[-1] = replace(world.messages[-1], of_ours=False)
        world.run()
        assert world.open is False
        assert markers(world) == set()


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
