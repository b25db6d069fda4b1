"""Observing copies: whose change is it, what is a move, what has gone (docs/decisions.md sections 1 and 2)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.actions import CopyPlan
from helpdesk.bits import PLACE, STAR
from helpdesk.model import URGENT, WAITING, Place
from helpdesk.ports import Tier
from helpdesk.store import copies, folders
from helpdesk.uidset import UidSet
from tests.bench import AIDEN, Bench, only

NONE: frozenset[str] = frozenset()


@pytest.fixture(params=Tier)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, request.param)
    made.server.create("Archive/2026")
    yield made
    made.close()


def plan(bench: Bench, message_id: str, **what: object) -> None:
    """Commit a plan for the only copy of a message."""
    one = CopyPlan(bench.copy(message_id).key, **what)  # type: ignore[arg-type]  # the fields of a plan
    with bench.engine.begin() as conn:
        copies.apply_plan(conn, bench.board.dialect, [one])


def settled(bench: Bench, message_id: str = "<a@x>", **more: object) -> None:
    """A mail that was there before the board."""
    bench.deliver(message_id, **more)  # type: ignore[arg-type]
    bench.look()


def test_what_was_there_before_is_nobodys_touch(bench: Bench) -> None:
    """Adoption takes labels, stars and places as they are."""
    settled(bench, flags=["waiting", "\\Flagged"], folder="Archive")
    known = bench.copy("<a@x>").known
    assert known.base == known.bits == {WAITING, STAR}
    assert known.base_place is Place.ARCHIVE
    assert known.touches == {}


def test_a_label_that_a_human_sets_is_a_touch(bench: Bench) -> None:
    """A new label is a touch with the stamp of the cycle that first saw it, until somebody accepts it."""
    settled(bench)
    bench.server.add_flags("INBOX", [1], ["urgent"])
    assert bench.look().changed == 1
    first = bench.stamp
    bench.look()
    known = bench.copy("<a@x>").known
    assert (known.bits, known.base, known.touches) == (only(URGENT), NONE, {URGENT: first})
    plan(bench, "<a@x>", accept=frozenset({URGENT}))
    known = bench.copy("<a@x>").known
    assert (known.base, known.touches) == (only(URGENT), {})


def test_a_touch_that_is_taken_back_stays_a_touch(bench: Bench) -> None:
    """A label that a human sets and removes again is a touch with the stamp of the removal."""
    settled(bench)
    bench.server.add_flags("INBOX", [1], ["urgent"])
    bench.look()
    bench.server.remove_flags("INBOX", [1], ["urgent"])
    bench.look()
    assert bench.copy("<a@x>").known.touches == {URGENT: bench.stamp}


def test_reading_is_no_touch(bench: Bench) -> None:
    r"""Marks like \Seen and unknown keywords change the copy, are no touch, and make its thread dirty."""
    settled(bench)
    bench.dirty()
    bench.server.add_flags("INBOX", [1], ["\\Seen", "mystery", "$label1"])
    bench.look()
    facts = bench.facts("<a@x>")
    assert (facts.known.touches, facts.seen, facts.unknown) == ({}, True, only("mystery"))
    assert bench.dirty()


def test_our_own_write_is_no_touch(bench: Bench) -> None:
    """A planned change that arrived becomes the base after the observation that followed it."""
    settled(bench, flags=["waiting"])
    plan(bench, "<a@x>", add=frozenset({URGENT}), remove=frozenset({WAITING}))
    folder = bench.mailbox.select("INBOX")
    bench.mailbox.store(folder, UidSet.of([1]), "+", ["urgent"], None)
    bench.mailbox.store(folder, UidSet.of([1]), "-", ["waiting"], None)
    bench.look()
    known = bench.copy("<a@x>").known
    assert (known.bits, known.base, known.planned, known.touches) == (only(URGENT), only(URGENT), None, {})


def test_a_write_that_never_happened_leaves_no_trace(bench: Bench) -> None:
    """A plan whose commands were never sent is forgotten after one observation, and nobody touched anything."""
    settled(bench, flags=["waiting"])
    plan(bench, "<a@x>", remove=frozenset({WAITING}), place=Place.ARCHIVE)
    bench.look()
    known = bench.copy("<a@x>").known
    assert (known.base, known.planned, known.planned_place, known.touches) == (only(WAITING), None, None, {})


def test_a_human_against_a_plan_is_a_touch(bench: Bench) -> None:
    """While a label is being removed, another one that appears is a human's, and the removal stays ours."""
    settled(bench, flags=["waiting"])
    plan(bench, "<a@x>", remove=frozenset({WAITING}))
    bench.server.set_flags("INBOX", [1], ["urgent"])
    bench.look()
    known = bench.copy("<a@x>").known
    assert (known.base, known.touches) == (NONE, {URGENT: bench.stamp})


def test_a_move_by_hand_keeps_the_copy(bench: Bench) -> None:
    """A UID that vanishes here and the same mail under a new one there are one copy, with a touch on its place."""
    settled(bench, flags=["waiting"])
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
    settled(bench)
    plan(bench, "<a@x>", place=Place.ARCHIVE)
    bench.mailbox.move(bench.mailbox.select("INBOX"), UidSet.of([1]), "Archive")
    bench.look()
    known = bench.copy("<a@x>").known
    assert (known.place, known.base_place, known.planned_place, known.touches) == (
        Place.ARCHIVE,
        Place.ARCHIVE,
        None,
        {},
    )


def test_our_own_move_that_takes_its_time(bench: Bench) -> None:
    """A mail that we moved and that is nowhere for a cycle is still on its way: found in the next, it was us."""
    settled(bench)
    plan(bench, "<a@x>", place=Place.ARCHIVE)
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
    settled(bench)
    plan(bench, "<a@x>", place=Place.ARCHIVE)
    bench.mailbox.move(bench.mailbox.select("INBOX"), UidSet.of([1]), "Archive")
    bench.server.move("Archive", [1], "INBOX")
    bench.look()
    known = bench.copy("<a@x>").known
    assert (known.place, known.base_place, known.touches) == (Place.INBOX, Place.INBOX, {PLACE: bench.stamp})


def test_archives_are_one_place(bench: Bench) -> None:
    """Moving a mail between two folders of the archive is no touch."""
    settled(bench, folder="Archive")
    bench.server.move("Archive", [1], "Archive/2026")
    bench.look()
    copy = bench.copy("<a@x>")
    assert (copy.folder_name, copy.known.touches) == ("Archive/2026", {})


def test_a_vanished_mail_gets_one_cycle_more(bench: Bench) -> None:
    """A mail that is nowhere counts as being where it was for one full cycle, and then it is gone."""
    settled(bench)
    bench.server.delete("INBOX", [1])
    observed = bench.look()
    assert (observed.gone, observed.more, bench.facts("<a@x>").limbo) == (0, True, True)
    assert bench.facts("<a@x>").known.place is Place.INBOX
    bench.dirty()
    observed = bench.look()
    assert (observed.gone, observed.more, bench.held()) == (1, False, [])
    assert bench.dirty()


def test_a_late_arrival_is_still_a_move(bench: Bench) -> None:
    """A mail that vanished in one cycle and is found in the next was moved in the first of them."""
    settled(bench)
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
    settled(bench, flags=["waiting"])
    bench.server.copy("INBOX", [1], "Archive")
    bench.look()
    source, copy = bench.held("<a@x>")
    assert (source.left, source.known.touches) == (True, {})
    assert (copy.left, copy.known.base, copy.known.touches) == (False, only(WAITING), {PLACE: bench.stamp})
    assert copy.known.base_place is Place.INBOX


def test_a_copy_left_behind_that_moves(bench: Bench) -> None:
    """A copy that was left behind is an ordinary one again as soon as somebody moves it."""
    settled(bench)
    bench.server.copy("INBOX", [1], "Archive")
    bench.look()
    bench.server.move("INBOX", [1], "Archive/2026")
    bench.look()
    first, second = bench.held("<a@x>")
    assert (first.left, first.folder_name, second.left) == (False, "Archive/2026", False)


def test_a_second_delivery_is_no_move(bench: Bench) -> None:
    """A twin (the list's copy of a mail that lies in the archive) lies where it lies and follows its thread."""
    settled(bench, folder="Archive")
    bench.deliver("<a@x>", headers={"List-Id": "<dast.lists.example.org>"})
    assert bench.look().new == 0
    first, twin = bench.held("<a@x>")
    assert first.message == twin.message
    assert (first.left, twin.known.place, twin.known.touches) == (False, Place.INBOX, {})


def test_brought_back(bench: Bench) -> None:
    """A mail that had gone and is in the inbox again was brought back by a human; in the archive it just lies."""
    settled(bench)
    settled(bench, "<b@x>", folder="Archive")
    content = {name: bench.server.folder(name).mails[1].content for name in ("INBOX", "Archive")}
    for name in content:
        bench.server.delete(name, [1])
    bench.look()
    bench.look()
    for name, octets in content.items():
        bench.server.folder(name).add(octets, [])
    assert bench.look().new == 0
    back, lying = bench.copy("<a@x>").known, bench.copy("<b@x>").known
    assert (back.base_place, back.touches) == (Place.ARCHIVE, {PLACE: bench.stamp})
    assert (lying.base_place, lying.touches) == (Place.ARCHIVE, {})


def test_struck_out_is_gone_at_once(bench: Bench) -> None:
    r"""A mail that is marked \Deleted is invisible, and back as a known message when somebody undeletes it."""
    settled(bench)
    bench.server.mark_deleted("INBOX", [1])
    observed = bench.look()
    assert (observed.gone, observed.more, bench.held()) == (1, False, [])
    bench.server.remove_flags("INBOX", [1], ["\\Deleted"])
    observed = bench.look()
    assert (observed.new, bench.copy("<a@x>").uid) == (0, 1)


def test_another_client_moves_in_two_steps(bench: Bench) -> None:
    r"""COPY and \Deleted, seen half-way, are a move of the same copy."""
    settled(bench)
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


def test_filing_ones_own_answer(bench: Bench) -> None:
    """From Sent to the archive is no archive touch, and from Sent to the inbox brings a mail back."""
    settled(bench, sender=AIDEN, folder="Sent")
    settled(bench, "<b@x>", sender=AIDEN, folder="Sent")
    bench.server.move("Sent", [1], "Archive")
    bench.server.move("Sent", [2], "INBOX")
    bench.look()
    filed, back = bench.copy("<a@x>").known, bench.copy("<b@x>").known
    assert (filed.base_place, filed.touches) == (Place.ARCHIVE, {})
    assert (back.base_place, back.touches) == (Place.ARCHIVE, {PLACE: bench.stamp})


def test_junk_is_gone(bench: Bench) -> None:
    """A mail that is dragged into a folder that nobody watches has gone after a cycle."""
    settled(bench)
    bench.server.move("INBOX", [1], "Junk")
    bench.look()
    assert (bench.look().gone, bench.held()) == (1, [])


def test_the_configuration_gives_a_folder_another_meaning(bench: Bench) -> None:
    """What lies in a folder whose meaning changes was not moved by anybody."""
    settled(bench, folder="Archive/2026")
    with bench.engine.begin() as conn:
        folders.mean(conn, folders.load(conn)["Archive/2026"].key, Place.SENT)
    assert bench.copy("<a@x>").known.place is Place.SENT
    bench.look()
    known = bench.copy("<a@x>").known
    assert (known.place, known.base_place, known.touches) == (Place.ARCHIVE, Place.ARCHIVE, {})
