"""Observing copies that move: by hand, by us, by COPY, by rename, half-way (docs/decisions.md section 2)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.actions import CopyPlan
from helpdesk.bits import PLACE
from helpdesk.model import WAITING, Place
from helpdesk.ports import Tier
from helpdesk.store import copies
from helpdesk.uidset import UidSet
from tests.bench import AIDEN, Bench, only

NONE: frozenset[str] = frozenset()


@pytest.fixture(params=Tier)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, request.param)
    made.server.create("Archive/2026")
    yield made
    made.close()


def test_a_move_by_hand_keeps_the_copy(bench: Bench) -> None:
    """A UID that vanishes here and the same mail under a new one there are one copy, with a touch on its place."""
    bench.settled(flags=["waiting"])
    before = bench.copy("<a@x>")
    bench.server.move("INBOX", [1], "Archive")
    observed = bench.look()
    copy = bench.copy("<a@x>")
    assert (observed.new, observed.gone, copy.key) == (0, 0, before.key)
    assert (copy.folder_name, copy.known.place, copy.known.base_place) == (
        "Archive",
        Place.ARCHIVE,
        Place.INBOX,
    )
    assert copy.known.touches == {PLACE: bench.stamp}
    assert copy.arrived == bench.stamp


def test_our_own_move_is_no_touch(bench: Bench) -> None:
    """A planned move that arrived becomes the base place, whatever became of the answer."""
    bench.settled()
    bench.plan("<a@x>", place=Place.ARCHIVE)
    bench.mailbox.move(bench.mailbox.select("INBOX"), UidSet.of([1]), "Archive")
    bench.look()
    known = bench.copy("<a@x>").known
    assert (known.place, known.base_place, known.planned_place, known.touches) == (
        Place.ARCHIVE,
        Place.ARCHIVE,
        None,
        {},
    )


def test_which_of_two_copies_we_moved(bench: Bench) -> None:
    """Of two copies that vanished at once, the one that arrives in the archive is the one that we moved there."""
    bench.settled()
    bench.server.copy("INBOX", [1], "INBOX")
    bench.look()
    second = bench.held("<a@x>")[1].key
    with bench.engine.begin() as conn:
        copies.apply_plan(conn, bench.board.dialect, [CopyPlan(second, place=Place.ARCHIVE)])
    bench.server.move("INBOX", [2], "Archive")
    bench.server.delete("INBOX", [1])
    bench.look()
    gone, moved = bench.held("<a@x>")
    assert (gone.limbo, moved.key, moved.known.place, moved.known.touches) == (
        bench.cycle,
        second,
        Place.ARCHIVE,
        {},
    )


def test_our_own_move_that_takes_its_time(bench: Bench) -> None:
    """A mail that we moved and that is nowhere for a cycle is still on its way: found in the next, it was us."""
    bench.settled()
    bench.plan("<a@x>", place=Place.ARCHIVE)
    octets = bench.server.folder("INBOX").mails[1].content
    bench.server.delete("INBOX", [1])
    bench.look()
    assert bench.copy("<a@x>").known.planned_place is Place.ARCHIVE
    bench.server.folder("Archive").add(octets, [])
    bench.look()
    known = bench.copy("<a@x>").known
    assert (known.base_place, known.planned_place, known.touches) == (Place.ARCHIVE, None, {})


def test_moved_back_before_we_looked(bench: Bench) -> None:
    """A mail that we moved and that is back under a new UID was moved back by a human."""
    bench.settled()
    bench.plan("<a@x>", place=Place.ARCHIVE)
    bench.mailbox.move(bench.mailbox.select("INBOX"), UidSet.of([1]), "Archive")
    bench.server.move("Archive", [1], "INBOX")
    bench.look()
    known = bench.copy("<a@x>").known
    assert (known.place, known.base_place, known.touches) == (Place.INBOX, Place.INBOX, {PLACE: bench.stamp})


def test_archives_are_one_place(bench: Bench) -> None:
    """Moving a mail between two folders of the archive is no touch."""
    bench.settled(folder="Archive")
    bench.server.move("Archive", [1], "Archive/2026")
    bench.look()
    copy = bench.copy("<a@x>")
    assert (copy.folder_name, copy.known.touches) == ("Archive/2026", {})


def test_a_late_arrival_is_still_a_move(bench: Bench) -> None:
    """A mail that vanished in one cycle and is found in the next was moved in the first of them."""
    bench.settled()
    octets = bench.server.folder("INBOX").mails[1].content
    bench.server.delete("INBOX", [1])
    bench.look()
    vanished = bench.stamp
    bench.server.folder("Archive").add(octets, [])
    bench.look()
    copy = bench.copy("<a@x>")
    assert (copy.folder_name, copy.known.touches) == ("Archive", {PLACE: vanished})


def test_archiving_by_copy(bench: Bench) -> None:
    """A COPY in the archive is a move by hand, its source is left behind, and labels that came along are no touch."""
    bench.settled(flags=["waiting"])
    bench.server.copy("INBOX", [1], "Archive")
    bench.look()
    source, copy = bench.held("<a@x>")
    assert (source.left, source.known.touches) == (True, {})
    assert (copy.left, copy.known.base, copy.known.touches) == (False, only(WAITING), {PLACE: bench.stamp})
    assert copy.known.base_place is Place.INBOX


def test_a_copy_left_behind_that_moves(bench: Bench) -> None:
    """A copy that was left behind is an ordinary one again as soon as somebody moves it."""
    bench.settled()
    bench.server.copy("INBOX", [1], "Archive")
    bench.look()
    bench.server.move("INBOX", [1], "Archive/2026")
    bench.look()
    first, second = bench.held("<a@x>")
    assert (first.left, first.folder_name, second.left) == (False, "Archive/2026", False)


def test_a_second_delivery_is_no_move(bench: Bench) -> None:
    """A twin (the list's copy of a mail that lies in the archive) lies where it lies and follows its thread."""
    bench.settled(folder="Archive")
    bench.deliver("<a@x>", headers={"List-Id": "<dast.lists.example.org>"})
    assert bench.look().new == 0
    first, twin = bench.held("<a@x>")
    assert first.message == twin.message
    assert (first.left, twin.known.place, twin.known.touches) == (False, Place.INBOX, {})


def test_another_client_moves_in_two_steps(bench: Bench) -> None:
    r"""COPY and \Deleted, seen half-way, are a move of the same copy."""
    bench.settled()
    key = bench.copy("<a@x>").key
    bench.server.copy("INBOX", [1], "Archive")
    bench.server.mark_deleted("INBOX", [1])
    bench.look()
    copy = bench.copy("<a@x>")
    assert (copy.key, copy.folder_name, copy.left, copy.known.touches) == (
        key,
        "Archive",
        False,
        {PLACE: bench.stamp},
    )


def test_a_copy_of_ones_own_answer(bench: Bench) -> None:
    """A COPY from Sent into the archive is no archive touch, and what is in Sent is not left behind."""
    bench.settled(sender=AIDEN, folder="Sent")
    bench.server.copy("Sent", [1], "Archive")
    bench.look()
    sent, copy = bench.held("<a@x>")
    assert (sent.left, copy.known.base_place, copy.known.touches) == (False, Place.ARCHIVE, {})


def test_filing_ones_own_answer(bench: Bench) -> None:
    """From Sent to the archive is no archive touch, and from Sent to the inbox brings a mail back."""
    bench.settled(sender=AIDEN, folder="Sent")
    bench.settled("<b@x>", sender=AIDEN, folder="Sent")
    bench.server.move("Sent", [1], "Archive")
    bench.server.move("Sent", [2], "INBOX")
    bench.look()
    filed, back = bench.copy("<a@x>").known, bench.copy("<b@x>").known
    assert (filed.base_place, filed.touches) == (Place.ARCHIVE, {})
    assert (back.base_place, back.touches) == (Place.ARCHIVE, {PLACE: bench.stamp})
