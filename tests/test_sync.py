"""Observing copies: whose change is it, and what has gone (docs/decisions.md sections 1 and 2)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.bits import PLACE, STAR
from helpdesk.model import URGENT, WAITING, Place
from helpdesk.ports import Tier
from helpdesk.store import folders
from helpdesk.uidset import UidSet
from tests.bench import Bench, only

NONE: frozenset[str] = frozenset()


@pytest.fixture(params=Tier)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, request.param)
    made.server.create("Archive/2026")
    yield made
    made.close()


def test_what_was_there_before_is_nobodys_touch(bench: Bench) -> None:
    """Adoption takes labels, stars and places as they are."""
    bench.settled(flags=["waiting", "\\Flagged"], folder="Archive")
    known = bench.copy("<a@x>").known
    assert known.base == known.bits == {WAITING, STAR}
    assert known.base_place is Place.ARCHIVE
    assert known.touches == {}


def test_a_label_that_a_human_sets_is_a_touch(bench: Bench) -> None:
    """A new label is a touch with the stamp of the cycle that first saw it, until somebody accepts it."""
    bench.settled()
    bench.server.add_flags("INBOX", [1], ["urgent"])
    assert bench.look().changed == 1
    first = bench.stamp
    bench.look()
    known = bench.copy("<a@x>").known
    assert (known.bits, known.base, known.touches) == (only(URGENT), NONE, {URGENT: first})
    bench.plan("<a@x>", accept=frozenset({URGENT}))
    known = bench.copy("<a@x>").known
    assert (known.base, known.touches) == (only(URGENT), {})


def test_a_touch_that_is_taken_back_stays_a_touch(bench: Bench) -> None:
    """A label that a human sets and removes again is a touch with the stamp of the removal."""
    bench.settled()
    bench.server.add_flags("INBOX", [1], ["urgent"])
    bench.look()
    bench.server.remove_flags("INBOX", [1], ["urgent"])
    bench.look()
    assert bench.copy("<a@x>").known.touches == {URGENT: bench.stamp}


def test_reading_is_no_touch(bench: Bench) -> None:
    r"""Marks like \Seen and unknown keywords change the copy, are no touch, and make its thread dirty."""
    bench.settled()
    bench.dirty()
    bench.server.add_flags("INBOX", [1], ["\\Seen", "mystery", "$label1"])
    bench.look()
    facts = bench.facts("<a@x>")
    assert (facts.known.touches, facts.seen, facts.unknown) == ({}, True, only("mystery"))
    assert bench.dirty()


def test_our_own_write_is_no_touch(bench: Bench) -> None:
    """A planned change that arrived becomes the base after the observation that followed it."""
    bench.settled(flags=["waiting"])
    bench.plan("<a@x>", add=frozenset({URGENT}), remove=frozenset({WAITING}))
    folder = bench.mailbox.select("INBOX")
    bench.mailbox.store(folder, UidSet.of([1]), "+", ["urgent"], None)
    bench.mailbox.store(folder, UidSet.of([1]), "-", ["waiting"], None)
    bench.look()
    known = bench.copy("<a@x>").known
    assert (known.bits, known.base, known.planned, known.touches) == (only(URGENT), only(URGENT), None, {})


def test_a_write_that_never_happened_leaves_no_trace(bench: Bench) -> None:
    """A plan whose commands were never sent is forgotten after one observation, and nobody touched anything."""
    bench.settled(flags=["waiting"])
    bench.plan("<a@x>", remove=frozenset({WAITING}), place=Place.ARCHIVE)
    bench.look()
    known = bench.copy("<a@x>").known
    assert (known.base, known.planned, known.planned_place, known.touches) == (only(WAITING), None, None, {})


def test_a_human_against_a_plan_is_a_touch(bench: Bench) -> None:
    """While a label is being removed, another one that appears is a human's, and the removal stays ours."""
    bench.settled(flags=["waiting"])
    bench.plan("<a@x>", remove=frozenset({WAITING}))
    bench.server.set_flags("INBOX", [1], ["urgent"])
    bench.look()
    known = bench.copy("<a@x>").known
    assert (known.base, known.touches) == (NONE, {URGENT: bench.stamp})


def test_a_vanished_mail_gets_one_cycle_more(bench: Bench) -> None:
    """A mail that is nowhere counts as being where it was for one full cycle, and then it is gone."""
    bench.settled()
    bench.server.delete("INBOX", [1])
    observed = bench.look()
    assert (observed.gone, observed.more, bench.facts("<a@x>").limbo) == (0, True, True)
    assert bench.facts("<a@x>").known.place is Place.INBOX
    bench.dirty()
    observed = bench.look()
    assert (observed.gone, observed.more, bench.held()) == (1, False, [])
    assert bench.dirty()


def test_brought_back(bench: Bench) -> None:
    """A mail that had gone and is in the inbox again was brought back by a human; in the archive it just lies."""
    bench.settled()
    bench.settled("<b@x>", folder="Archive")
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
    bench.settled()
    bench.server.mark_deleted("INBOX", [1])
    observed = bench.look()
    assert (observed.gone, observed.more, bench.held()) == (1, False, [])
    bench.server.remove_flags("INBOX", [1], ["\\Deleted"])
    observed = bench.look()
    assert (observed.new, bench.copy("<a@x>").uid) == (0, 1)


def test_junk_is_gone(bench: Bench) -> None:
    """A mail that is dragged into a folder that nobody watches has gone after a cycle."""
    bench.settled()
    bench.server.move("INBOX", [1], "Junk")
    bench.look()
    assert (bench.look().gone, bench.held()) == (1, [])


def test_the_configuration_gives_a_folder_another_meaning(bench: Bench) -> None:
    """What lies in a folder whose meaning changes was not moved by anybody."""
    bench.settled(folder="Archive/2026")
    with bench.engine.begin() as conn:
        folders.mean(conn, folders.load(conn)["Archive/2026"].key, Place.SENT)
    assert bench.copy("<a@x>").known.place is Place.SENT
    bench.look()
    known = bench.copy("<a@x>").known
    assert (known.place, known.base_place, known.touches) == (Place.ARCHIVE, Place.ARCHIVE, {})
