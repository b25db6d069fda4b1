"""Messages archived, and what else happened in the same window (docs/decisions.md section 4)."""

from datetime import timedelta

import pytest

from helpdesk.model import ESCALATED, FIXED, URGENT, WAITING, Place
from tests.simulated import Simulated, troubles
from tests.situations import begun
from tests.threads import GGUS, MC08, SECOND, VIP

CLOSING = {
    "labels were removed before": ("unlabel", WAITING, -1),
    "labels were removed in the same cycle": ("unlabel", WAITING, 0),
    "labels were removed after": ("unlabel", WAITING, 1),
    "an info label was added after": ("label", VIP, 1),
    "a temporary label was added after": ("label", MC08, 1),
    "a star was removed after": ("unstar", "", 1),
    "WAITING was added before": ("label", WAITING, -1),
    "WAITING was added in the same cycle": ("label", WAITING, 0),
    "URGENT was added before": ("label", URGENT, -1),
    "a star was set before": ("star", "", -1),
}
OPENING = {
    "WAITING was added later": ("label", WAITING, 1),
    "URGENT was added in the same cycle": ("label", URGENT, 0),
    "URGENT was added later": ("label", URGENT, 1),
    "ESCALATED was added in the same cycle": ("label", ESCALATED, 0),
    "FIXED was added later": ("label", FIXED, 1),
    "a where was added in the same cycle": ("label", GGUS, 0),
    "a star was set in the same cycle": ("star", "", 0),
    "a star was set later": ("star", "", 1),
}


class TestArchiving:
    """Messages archived, and what else happened in the same window."""

    def told(self, how: str, label: str, when: int) -> Simulated:
        """Somebody archives the first message, somebody does something else to the second."""
        adds = how == "label"
        world = begun(*([] if adds or how == "star" else [WAITING]))
        if how == "unstar":
            world.star(2)
            world.settle()

        def act() -> None:
            {
                "label": lambda: world.label(2, label),
                "unlabel": lambda: world.unlabel(2, label),
                "star": lambda: world.star(2),
                "unstar": lambda: world.unstar(2),
            }[how]()

        if when < 0:
            act()
            world.cycle()
        world.wait(SECOND).archive(1)
        if when == 0:
            act()
        world.cycle()
        if when > 0:
            act()
        world.settle()
        assert troubles(world) == []
        return world

    @pytest.mark.parametrize(("how", "label", "when"), CLOSING.values(), ids=CLOSING)
    def test_it_closes(self, how: str, label: str, when: int) -> None:
        """An archived message takes its thread along, whatever harmless things happened beside it."""
        world = self.told(how, label, when)
        assert world.open is False
        assert world.labels == {VIP} & {label}
        assert world.state.rule == "close"

    @pytest.mark.parametrize(("how", "label", "when"), OPENING.values(), ids=OPENING)
    def test_it_stays_open(self, how: str, label: str, when: int) -> None:
        """What makes people see more wins over an archive move."""
        world = self.told(how, label, when)
        assert world.open
        assert label in world.labels | {""}
        assert world.place(1) is Place.INBOX

    def test_info_labels_stay(self) -> None:
        """Closing takes state, where and temporary labels, and leaves the info labels."""
        world = begun(WAITING, ESCALATED, GGUS, MC08, VIP)
        world.archive(1)
        world.settle()
        assert world.labels == world.on(1) == world.on(2) == {VIP}

    def test_moved_back_wins(self) -> None:
        """Messages archived and messages moved back, in any cycle: open."""
        world = begun()
        world.archive(1, 2)
        world.cycle()
        world.fetch_back(1)
        world.settle()
        assert world.open
        assert {world.place(1), world.place(2)} == {Place.INBOX}

    def test_archived_and_fetched_back_is_nothing(self) -> None:
        """Who archives a message and fetches it back leaves the thread as it was."""
        world = begun(WAITING)
        world.archive(1)
        world.cycle()
        world.fetch_back(1)
        world.settle()
        assert world.open
        assert world.labels == {WAITING}
        assert troubles(world) == []

    @pytest.mark.parametrize(("after", "is_open"), [(59, True), (60, False)])
    def test_a_mail_that_comes_into_a_gesture(self, after: int, is_open: bool) -> None:
        """Messages that are archived within the window after a mail came into the archiving do not close its thread."""
        world = begun()
        world.archive(1)
        world.cycle()
        new = world.mail()
        world.cycle()
        world.wait(timedelta(seconds=after)).archive(1, 2)
        world.settle()
        assert world.open is is_open
        assert (world.place(new) is Place.INBOX) is is_open

    def test_a_fresh_mail_does_not_keep_a_thread_open(self) -> None:
        """Who archives one message after the user's fresh mail arrived closes the thread, however fresh that mail is."""
        world = begun()
        world.mail()
        world.cycle()
        world.wait(SECOND).archive(1)
        world.settle()
        assert world.open is False

    def test_a_mail_that_was_archived_itself_was_seen(self) -> None:
        """Who archives the user's fresh mail itself has seen it."""
        world = begun()
        new = world.mail()
        world.cycle()
        world.wait(SECOND).archive(new)
        world.settle()
        assert world.open is False

    def test_closed_while_escalated_is_remembered(self) -> None:
        """A thread that a human closes while ESCALATED is closed, and somebody is to be told about it."""
        world = begun(ESCALATED, GGUS)
        world.archive(1)
        world.settle()
        assert world.open is False
        assert world.state.closed_escalated
        world.fetch_back(1)
        world.settle()
        assert not world.state.closed_escalated

    def test_a_thread_that_left_the_board_is_closed(self) -> None:
        """A thread whose last mail goes to an unwatched folder is closed and carries no label."""
        world = begun(URGENT)
        world.remove(1)
        world.settle()
        assert world.open
        world.remove(2)
        world.cycle()
        assert world.open
        world.cycle()
        assert world.open is False
        assert world.state.reason == "gone"
        assert world.labels == set()
