"""Close and reopen are durable (docs/decisions.md section 5): crashes, races and second thoughts."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from helpdesk.model import ESCALATED, URGENT, WAITING, Nature, Place, Role
from tests.simulated import Crash, Simulated, troubles
from tests.situations import begun, closing_by_hand, closing_by_the_bot, finished, reopening
from tests.threads import DAY, GGUS, MC08, SECOND, VIP

Act = Callable[[Simulated], object]


def done_by(world: Simulated) -> list[tuple[str, str, str]]:
    """What the journal holds, each action once."""
    return sorted((a.kind.value, a.what, a.rule) for a in world.journal.values())


class TestCrashes:
    """Wherever a cycle ends, the next one goes on."""

    @pytest.mark.parametrize("crash", [None, *Crash])
    @pytest.mark.parametrize("begin", [closing_by_hand, closing_by_the_bot])
    def test_a_close_is_finished(
        self, begin: Callable[[Crash | None], Simulated], crash: Crash | None
    ) -> None:
        """A close ends in the archive without its labels, and no crash is taken for a human."""
        world = begin(crash)
        world.run()
        assert world.open is False
        assert {world.place(1), world.place(2)} == {Place.ARCHIVE}
        assert world.on(1) == world.on(2) == {VIP}
        assert troubles(world) == []

    @pytest.mark.parametrize("crash", [None, *Crash])
    def test_a_reopening_is_finished(self, crash: Crash | None) -> None:
        """A reopening ends in the inbox, and no crash is taken for a human."""
        world = reopening(crash)
        world.run()
        assert world.open
        assert {world.place(copy) for copy in (1, 2, 3)} == {Place.INBOX}
        assert troubles(world) == []

    @pytest.mark.parametrize("begin", [closing_by_hand, closing_by_the_bot, reopening])
    def test_the_journal_does_not_change_its_mind(self, begin: Callable[[Crash | None], Simulated]) -> None:
        """An action that is planned again after a crash is the same action, by the same rule."""
        smooth = begin(None)
        smooth.run()
        for crash in (Crash.COMMITTED, Crash.LABELLED, Crash.HALF_MOVED):
            world = begin(crash)
            world.run()
            assert done_by(world) == done_by(smooth)

    def test_a_crash_before_the_commit_is_decided_anew(self) -> None:
        """What was not committed did not happen, and the touch is still there."""
        world = begun(WAITING)
        world.archive(1)
        world.run()
        world.wait(world.policy.settle).cycle(Crash.OBSERVED)
        assert world.open
        assert world.rows[1].known.touches

    def test_two_crashes_in_a_row(self) -> None:
        """A close survives a crash after each of its steps."""
        world = closing_by_the_bot(Crash.COMMITTED)
        for crash in (Crash.LABELLED, Crash.LABELLED, Crash.HALF_MOVED, Crash.COMMITTED):
            world.cycle(crash)
        world.run()
        assert troubles(world) == []
        assert world.open is False

    def test_labels_first_and_no_move_when_somebody_was_faster(self) -> None:
        """A thread of which one message was touched meanwhile is not moved in this cycle."""
        world = begun(WAITING, VIP)
        world.wait(8 * DAY).cycle(meanwhile=lambda: world.label(2, URGENT))
        assert {world.place(1), world.place(2)} == {Place.INBOX}
        world.settle()
        assert world.open
        assert world.labels == {WAITING, URGENT, VIP}
        assert troubles(world) == []

    def test_a_message_that_has_gone_stops_the_move(self) -> None:
        """A thread of which one message is missing is not moved in this cycle, and in a later one it is."""
        world = begun(WAITING)
        world.wait(8 * DAY).cycle(meanwhile=lambda: world.remove(2))
        assert world.place(1) is Place.INBOX
        world.run()
        world.run()
        assert world.place(1) is Place.ARCHIVE
        assert troubles(world) == []

    def test_a_thread_in_transit_is_not_finished(self) -> None:
        """A close waits for a copy that is between two folders."""
        world = closing_by_hand()
        world.archive(2, away=True)
        world.cycle()
        assert world.state.moving is not None
        world.run()
        assert world.state.moving is None
        assert troubles(world) == []

    def test_a_server_without_unchangedsince(self) -> None:
        """Below CONDSTORE the next look finds what a human did meanwhile, and the close is cancelled all the same."""
        world = begun(WAITING)
        world.conditional = False
        world.wait(8 * DAY).cycle(meanwhile=lambda: world.label(2, URGENT))
        assert world.place(1) is Place.ARCHIVE
        world.settle()
        assert world.labels == {WAITING, URGENT}
        assert troubles(world) == []


def _label(*labels: str) -> Act:
    return lambda world: world.label(2, *labels)


def _archive(world: Simulated) -> None:
    world.archive(2)


CANCEL_ANY: dict[str, Act] = {
    "a user wrote": lambda world: world.mail(),
    "an expert wrote": lambda world: world.mail(role=Role.EXPERT),
    "a mail of ours bounced": lambda world: world.mail(nature=Nature.BOUNCE),
    "a message was moved back": lambda world: world.fetch_back(1),
    "a star was set": lambda world: world.star(2),
    "URGENT was set": _label(URGENT),
    "a where was set": _label(GGUS),
}
CANCEL_THE_BOTS: dict[str, Act] = {
    "an info label was set": _label("taken"),
    "a temporary label was set": _label(MC08),
    "an info label was removed": lambda world: world.unlabel(2, VIP),
}
CANCEL_NOTHING: dict[str, Act] = {
    "an automatic mail": lambda world: world.machine(),
    "the list copy of the closing answer": lambda world: world.answer(date=world.now - 30 * DAY),
    "the rest was archived by hand": _archive,
    "the label was removed by hand": lambda world: world.unlabel(2, WAITING),
}


class TestSecondThoughts:
    """A human was there meanwhile: move back."""

    @pytest.mark.parametrize("act", CANCEL_ANY.values(), ids=CANCEL_ANY)
    @pytest.mark.parametrize("begin", [closing_by_hand, closing_by_the_bot])
    @pytest.mark.parametrize("crash", [Crash.COMMITTED, Crash.LABELLED, Crash.HALF_MOVED, None])
    def test_it_cancels_every_close(
        self, begin: Callable[[Crash | None], Simulated], act: Act, crash: Crash | None
    ) -> None:
        """An opening mail, a message moved back, a star, a state or a where cancels a close at once."""
        world = begin(crash)
        act(world)
        world.cycle()
        assert world.open
        world.settle()
        assert world.open
        assert VIP in world.labels
        assert {world.place(copy) for copy in world.real} == {Place.INBOX}
        assert troubles(world) == []

    @pytest.mark.parametrize("act", CANCEL_THE_BOTS.values(), ids=CANCEL_THE_BOTS)
    @pytest.mark.parametrize(("begin", "is_open"), [(closing_by_hand, False), (closing_by_the_bot, True)])
    def test_it_cancels_what_the_bot_began(
        self, begin: Callable[[Crash | None], Simulated], act: Act, is_open: bool
    ) -> None:
        """A harmless label set or removed cancels the bot's close, and not a human's."""
        world = begin(Crash.COMMITTED)
        act(world)
        world.settle()
        assert world.open is is_open
        assert troubles(world) == []

    @pytest.mark.parametrize("act", CANCEL_NOTHING.values(), ids=CANCEL_NOTHING)
    @pytest.mark.parametrize("begin", [closing_by_hand, closing_by_the_bot])
    def test_it_cancels_nothing(self, begin: Callable[[Crash | None], Simulated], act: Act) -> None:
        """What goes the way of the close, or says nothing, does not cancel it."""
        world = begin(Crash.COMMITTED)
        act(world)
        world.settle()
        assert world.open is False
        assert troubles(world) == []

    def test_the_cleared_labels_return_with_their_stamps_and_counts(self) -> None:
        """A cancelled close leaves clocks as they were, and mails nothing a second time."""
        world = begun(WAITING, VIP)
        world.label(1, ESCALATED, GGUS)
        world.settle()
        world.wait(DAY).run()
        registers, episodes = world.state.registers, world.state.episodes
        assert [mail.rule for mail in world.mails] == ["escalate"]
        world.archive(1)
        world.run()
        world.wait(world.policy.settle).cycle(Crash.HALF_MOVED)
        world.star(2)
        world.settle()
        world.wait(DAY).run()
        assert world.state.registers == registers
        assert world.state.episodes == episodes
        assert len(world.mails) == 1

    def test_who_brings_a_thread_back_is_not_overridden_an_hour_later(self) -> None:
        """A close that the bot began and a human cancelled is not due again at once: the thread waits anew."""
        world = closing_by_the_bot(Crash.HALF_MOVED)
        world.fetch_back(1)
        world.settle()
        world.wait(6 * DAY).run()
        assert world.open
        assert world.labels == {WAITING, VIP}
        world.wait(DAY).run()
        assert world.open is False

    def test_an_opening_mail_lifts_the_waiting_that_returns(self) -> None:
        """A user who writes while the thread is being closed is no longer waited for."""
        world = closing_by_the_bot(Crash.HALF_MOVED)
        world.mail()
        world.settle()
        assert world.labels == {VIP}
        assert world.state.registers[WAITING].rule == "user_replied"

    def test_a_removed_label_does_not_return(self) -> None:
        """A label that a human was seen to remove while the thread was being closed stays away."""
        world = begun(WAITING, MC08)
        world.acting = False
        world.wait(8 * DAY).cycle()
        assert world.open is False
        world.unlabel(1, MC08)
        world.cycle()
        assert world.open
        assert world.labels == {WAITING}

    def test_a_star_that_was_there_does_not_cancel(self) -> None:
        """A star that is taken off and set again while the thread is being closed is no new star."""
        world = begun()
        world.star(2)
        world.settle()
        world.wait(DAY).archive(1)
        world.run()
        world.wait(world.policy.settle).cycle(Crash.COMMITTED)
        world.unstar(2)
        world.cycle(Crash.COMMITTED)
        world.star(2)
        world.settle()
        assert world.open is False

    def test_what_began_before_the_close_does_not_cancel_it(self) -> None:
        """Only a touch of a later cycle is a second thought."""
        world = begun(VIP)
        world.policy = replace(world.policy, settle=world.policy.settle * 0)
        world.archive(1)
        world.label(2, MC08)
        world.run()
        assert world.open is False
        assert world.on(2) == {VIP}

    def test_an_archive_move_closes_what_is_being_reopened(self) -> None:
        """Who archives a thread that is just coming back closes it, once the move is settled."""
        world = reopening()
        world.wait(world.policy.settle + SECOND).archive(3)
        world.cycle()
        assert world.open
        world.settle()
        assert world.open is False
        assert troubles(world) == []

    def test_a_finished_close_is_not_cancelled(self) -> None:
        """After a close is finished, its labels do not come back with the thread."""
        world = finished(WAITING, MC08, VIP)
        world.fetch_back(1)
        world.settle()
        assert world.labels == {VIP}
