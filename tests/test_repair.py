"""The repair table is total (docs/decisions.md section 7): every combination is consistent, or a human is told."""

from collections.abc import Callable, Iterator
from itertools import chain, combinations, product

import pytest

from helpdesk.model import ESCALATED, FIXED, URGENT, WAITING, Place, Role
from helpdesk.rules.repair import conflicts
from tests.simulated import Simulated, troubles
from tests.situations import begun, finished
from tests.threads import DAY, GGUS, MC08, SAVANNAH, VIP, decided, msg, opened, stamp, thread

STATES = (WAITING, URGENT, ESCALATED, FIXED)
OPEN_LABELS = {*STATES, GGUS, SAVANNAH}
SUBSETS = list(chain.from_iterable(combinations(STATES, n) for n in range(5)))

Begin = Callable[[frozenset[str]], Simulated]


def combinations_with(states: tuple[str, ...]) -> Iterator[frozenset[str]]:
    """Every combination of wheres, temporary and info labels with these states."""
    wheres, temporary, info = [(), (GGUS,), (GGUS, SAVANNAH)], [(), (MC08,)], [(), (VIP,)]
    for parts in product(wheres, temporary, info):
        yield frozenset(states).union(*parts)


def only_a_human(labels: frozenset[str]) -> set[str]:
    """What must be listed, in the words of the table."""
    found = set()
    if ESCALATED in labels and not labels & {GGUS, SAVANNAH}:
        found.add("ESCALATED, but to where?")
    if {WAITING, FIXED} <= labels:
        found.add("WAITING and FIXED both set")
    if {WAITING, URGENT} <= labels:
        found.add("WAITING and URGENT both set")
    if {ESCALATED, FIXED} <= labels:
        found.add("ESCALATED and FIXED both set")
    return found


def mended(labels: frozenset[str]) -> frozenset[str]:
    """The one repair that the board makes by itself: a where means ESCALATED."""
    return labels | {ESCALATED} if labels & {GGUS, SAVANNAH} else labels


def set_by_hand(labels: frozenset[str]) -> Simulated:
    """An open thread on one of whose mails a human sets the labels."""
    world = begun()
    world.label(2, *labels)
    return world


def found_open(labels: frozenset[str]) -> Simulated:
    """A thread that was open before the board."""
    world = Simulated()
    world.mail(*labels, adopted=True)
    world.mail(adopted=True)
    return world


def found_closed(labels: frozenset[str]) -> Simulated:
    """A thread that lay in the archive before the board, labels and all."""
    world = Simulated()
    world.mail(*labels, adopted=True, place=Place.ARCHIVE)
    world.mail(adopted=True, place=Place.ARCHIVE)
    return world


def found_in_two_places(labels: frozenset[str]) -> Simulated:
    """A thread that lay in two places before the board."""
    world = Simulated()
    world.mail(*labels, adopted=True)
    world.mail(*labels, adopted=True, place=Place.ARCHIVE)
    return world


def in_two_places(labels: frozenset[str]) -> Simulated:
    """An open thread of which another mail turns up in the archive."""
    world = set_by_hand(labels)
    world.settle()
    world.mail(role=Role.SHIFTER, place=Place.ARCHIVE)
    return world


def twins(labels: frozenset[str]) -> Simulated:
    """An open thread with two copies of one mail, the labels on the second."""
    world = begun()
    world.label(world.twin(2), *labels)
    return world


def check(world: Simulated, labels: frozenset[str], listed: set[str]) -> None:
    """Consistent, listed, silent."""
    assert troubles(world) == []
    assert world.labels == labels
    assert world.decision is not None
    passing = ("before the board", "no ticket number")  # what the label brings, not the combination
    notes = {note for note in world.decision.notes if not any(word in note for word in passing)}
    assert notes == listed
    assert not world.cycle()
    assert world.decision.actions == ()


@pytest.mark.parametrize("states", SUBSETS, ids="+".join)
@pytest.mark.parametrize("begin", [set_by_hand, found_open, in_two_places, twins])
def test_every_open_combination(begin: Begin, states: tuple[str, ...]) -> None:
    """An open thread converges on all its labels, a where implies ESCALATED, and contradictions are listed."""
    for labels in combinations_with(states):
        world = begin(labels)
        world.settle()
        assert world.open
        check(world, mended(labels), only_a_human(mended(labels)))


@pytest.mark.parametrize("states", SUBSETS, ids="+".join)
def test_every_closed_combination(states: tuple[str, ...]) -> None:
    """In the archive state and where labels that nobody touched go, temporary and info labels stay as they lie."""
    for labels in combinations_with(states):
        world = found_closed(labels)
        world.settle()
        assert world.open is False
        check(world, labels - OPEN_LABELS, set())
        assert world.on(1) == labels - OPEN_LABELS


@pytest.mark.parametrize("states", SUBSETS, ids="+".join)
def test_every_touched_closed_combination(states: tuple[str, ...]) -> None:
    """On a closed thread a state or where label that a human sets opens it with all its labels."""
    for labels in combinations_with(states):
        world = finished()
        world.label(1, *labels)
        world.settle()
        reopened = bool(labels & OPEN_LABELS)
        assert world.open is reopened
        check(world, mended(labels), only_a_human(mended(labels)) if reopened else set())


@pytest.mark.parametrize("states", SUBSETS, ids="+".join)
def test_every_combination_in_two_places(states: tuple[str, ...]) -> None:
    """Adopted in two places a thread is open and stays as it lies, until a human's mail makes it one again."""
    for labels in combinations_with(states):
        world = found_in_two_places(labels)
        world.settle()
        assert world.open
        assert world.state.lies
        assert world.place(2) is Place.ARCHIVE
        assert world.on(2) == labels
        check(world, mended(labels), only_a_human(mended(labels)))
        world.wait(DAY).mail()
        world.settle()
        assert not world.state.lies
        rest = mended(labels) - {WAITING}
        check(world, rest, only_a_human(rest))
        assert {world.place(copy) for copy in world.real} == {Place.INBOX}


class TestRows:
    """What the enumeration does not say."""

    def test_repair_waits_for_the_settled_thread(self) -> None:
        """A where without ESCALATED is left alone while somebody is still at it."""
        world = begun()
        world.label(1, GGUS)
        world.cycle()
        assert world.labels == set()
        world.settle()
        assert world.state.registers[ESCALATED].rule == "repair"
        assert world.state.registers[ESCALATED].reason == "escalated to GGUS without ESCALATED"

    def test_a_held_repair_does_nothing(self) -> None:
        """A brake on repair leaves the labels as they are."""
        facts = thread(msg().in_inbox(GGUS), state=opened(GGUS))
        assert decided(facts, stamp(2), held={"repair"}).actions == ()
        assert [a.what for a in decided(facts, stamp(2)).actions] == [ESCALATED]

    def test_twins_follow_into_the_archive(self) -> None:
        """Of two copies of one mail both follow the thread."""
        world = begun(WAITING)
        twin = world.twin(1)
        world.run()
        world.archive(2)
        world.settle()
        assert world.place(1) is world.place(twin) is Place.ARCHIVE
        assert troubles(world) == []

    def test_no_other_contradiction(self) -> None:
        """URGENT and ESCALATED, or URGENT and FIXED, are no contradiction."""
        assert conflicts(frozenset({URGENT, ESCALATED, GGUS}), frozenset({GGUS})) == ()
        assert conflicts(frozenset({URGENT, FIXED}), frozenset()) == ()

    @pytest.mark.parametrize("touch", ["label", "archive", "star"])
    def test_a_touch_ends_the_lie(self, touch: str) -> None:
        """A thread that lay in two places is made one by any touch: closed by an archive move, else open."""
        world = found_in_two_places(frozenset({WAITING}))
        world.settle()
        getattr(world, touch)(1, *([VIP] if touch == "label" else []))
        world.settle()
        home = Place.ARCHIVE if touch == "archive" else Place.INBOX
        assert {world.place(1), world.place(2)} == {home}
        assert not world.state.lies
        assert troubles(world) == []

    @pytest.mark.parametrize("role", [Role.SHIFTER, Role.EXPERT, Role.USER])
    def test_human_mail_ends_the_lie(self, role: Role) -> None:
        """Any human's mail makes a thread in two places one."""
        world = found_in_two_places(frozenset())
        world.settle()
        world.wait(DAY).mail(role=role)
        world.settle()
        assert not world.state.lies
        assert troubles(world) == []

    def test_a_machine_does_not_end_the_lie(self) -> None:
        """Automatic mail leaves a thread in two places as it lies."""
        world = found_in_two_places(frozenset())
        world.settle()
        world.machine()
        world.settle()
        assert world.state.lies
        assert world.place(2) is Place.ARCHIVE
