"""What mail does to a thread, at once (docs/decisions.md section 3)."""

from dataclasses import replace

import pytest

from helpdesk.model import TAKEN, URGENT, WAITING, Nature, Place, Role
from tests.simulated import Simulated, troubles
from tests.situations import begun, finished, markers
from tests.threads import DAY, HOUR, MC08, SECOND, VIP

MACHINES = [Nature.AUTOMATIC, Nature.RECEIPT, Nature.OWN]


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

    def test_a_reply_overrides_waiting_alone(self) -> None:
        """Another label that is not settled when the reply comes is settled in its own time."""
        world = begun()
        world.label(1, URGENT)
        world.run()
        world.mail()
        world.run()
        assert world.state.registers == {}
        world.settle()
        assert world.state.registers[URGENT].rule == "labels_cover_the_thread"

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

    def test_a_reply_after_second_thoughts_changes_no_place(self) -> None:
        """Who archived a message and fetched it back has left nothing for the reply to override."""
        world = begun()
        world.archive(1)
        world.cycle()
        world.fetch_back(1)
        world.cycle()
        world.mail()
        world.cycle()
        assert world.state.rule == "new"

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
        old = world.now - 2 * DAY
        world.messages[-1] = replace(world.messages[-1], time=old, date=old)
        world.run()
        assert world.open is False
        assert markers(world) == set()

    def test_a_mail_that_a_slow_mail_server_filed_reopens(self) -> None:
        """Where the mail server's clock is slow, a mail that a filter put into the archive is younger than the close by its Date."""
        world = finished()
        world.mail(place=Place.ARCHIVE)
        slow = world.now - 2 * DAY
        world.messages[-1] = replace(world.messages[-1], time=slow, date=world.now)
        world.run()
        assert world.open

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
        """A shifter's mail whose Date is later than the close reopens, and somebody is to look at it."""
        world = finished()
        world.answer(date=world.state.since.at + SECOND if world.state.since else None)
        world.run()
        assert world.open
        assert markers(world) == {"reopened"}

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
