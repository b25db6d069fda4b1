"""The label site_trouble as a rule (docs/whose-fault.md): set on strong evidence, and a person's no is for good."""

from dataclasses import replace

import pytest

from helpdesk.actions import Kind
from helpdesk.model import SITE_TROUBLE, LabelKind, Place, Role
from helpdesk.rules.attention import reasons
from helpdesk.rules.facts import Ask, Hit
from helpdesk.rules.join import JoinPart, join
from helpdesk.rules.state import Register
from tests.simulated import Crash, Simulated, troubles
from tests.threads import DAY, HOUR, KINDS, POLICY, opened, stamp

WITH = replace(POLICY, kinds={**KINDS, SITE_TROUBLE: LabelKind.INFO})
ON, OFF = frozenset({SITE_TROUBLE}), frozenset[str]()


def blamed() -> Simulated:
    """A user's thread that got the label."""
    world = Simulated(policy=WITH)
    world.mail()
    world.blame()
    world.run()
    assert world.on(1) == ON
    return world


def test_evidence_sets_the_label_once() -> None:
    """The label comes with the evidence's own reason, in the name of the rule, and more evidence changes nothing."""
    world = blamed()
    register = world.state.registers[SITE_TROUBLE]
    assert (register.human, register.rule, register.reason) == (False, "site_trouble", "DESY-HH is out")
    assert "unlabelled" in reasons(world.facts(), WITH)
    world.wait(HOUR).blame("CERN")
    assert not world.cycle()
    assert world.state.registers[SITE_TROUBLE] == register
    assert troubles(world) == []


def test_a_board_without_the_label() -> None:
    """Where the label is not configured, evidence does nothing."""
    world = Simulated()
    world.mail()
    world.blame()
    world.run()
    assert world.labels == set()


def _by_hand(world: Simulated) -> None:
    world.unlabel(1, SITE_TROUBLE)
    world.settle()


def _by_command(world: Simulated) -> None:
    world.say(Ask.REMOVE, SITE_TROUBLE)
    world.run()


def _by_undo(world: Simulated) -> None:
    world.take_back(next(a for a in world.journal.values() if a.kind is Kind.ADD_LABEL))
    world.run()


@pytest.mark.parametrize("remove", [_by_hand, _by_command, _by_undo])
def test_a_persons_no_is_for_good(remove: object) -> None:
    """By hand, command or undo: no evidence, of whatever site, sets it again; not after a close and a reopening either."""
    world = blamed()
    assert callable(remove)
    remove(world)
    assert world.labels == world.on(1) == set()
    world.wait(HOUR).mail()
    world.blame()
    world.blame("CERN")
    world.settle()
    assert world.labels == set()
    world.archive(1)
    world.settle()
    world.wait(DAY).mail()
    world.blame()
    world.settle()
    assert world.open
    assert world.labels == set()
    assert troubles(world) == []


def test_who_sets_it_by_hand_has_said_so() -> None:
    """A label that a person set is his, and evidence adds nothing to it."""
    world = Simulated(policy=WITH)
    world.mail()
    world.settle()
    world.label(1, SITE_TROUBLE)
    world.settle()
    world.blame()
    world.run()
    assert world.state.registers[SITE_TROUBLE].human


def test_a_closed_thread_is_left_alone() -> None:
    """Evidence about a closed thread is remembered as none of today; new evidence with the mail that reopens it counts."""
    world = Simulated(policy=WITH)
    world.mail()
    world.archive(1)
    world.settle()
    world.blame()
    world.settle()
    assert (world.open, world.labels) == (False, OFF)
    world.wait(DAY).mail()
    world.settle()
    assert (world.open, world.labels) == (True, OFF)
    world.wait(HOUR).mail()
    world.blame()
    world.settle()
    assert world.labels == ON


def test_what_lies_nowhere_waits() -> None:
    """A thread that is only in Sent is neither open nor closed: nothing is decided."""
    world = Simulated(policy=WITH)
    world.mail(role=Role.SHIFTER, place=Place.SENT)
    world.blame()
    world.run()
    assert SITE_TROUBLE not in world.state.registers


def test_a_rule_that_takes_it_off() -> None:
    """A team rule may take it off; only newer evidence sets it again."""
    world = blamed()
    world.wait(HOUR).mail(hits=(Hit("over", remove=(SITE_TROUBLE,)),))
    world.run()
    assert world.labels == set()
    world.wait(HOUR).blame("CERN")
    world.run()
    assert world.labels == ON


@pytest.mark.parametrize("crash", list(Crash))
def test_a_crash_changes_nothing(crash: Crash) -> None:
    """Wherever the cycle that sets it crashes, the label is set once, with one line in the journal."""
    world = Simulated(policy=WITH)
    world.mail()
    world.blame()
    world.cycle(crash)
    world.settle()
    assert world.on(1) == ON
    assert len([a for a in world.journal.values() if a.kind is Kind.ADD_LABEL]) == 1
    assert troubles(world) == []


def test_adoption_takes_it_for_the_rules() -> None:
    """Of a database that was lost: the label that lies there is the rule's, so it ends no attention, and a person's no counts."""
    world = Simulated(policy=WITH)
    world.mail(SITE_TROUBLE, adopted=True)
    world.run()
    assert (world.labels, world.state.registers[SITE_TROUBLE].human) == (ON, False)
    assert "unlabelled" in reasons(world.facts(), WITH)
    world.unlabel(1, SITE_TROUBLE)
    world.settle()
    world.wait(HOUR).blame()
    world.run()
    assert world.labels == set()


def test_a_no_in_one_part_counts_for_the_whole() -> None:
    """Where a thread of which a person removed it joins one that never had it, evidence sets it on neither."""
    world = blamed()
    _by_hand(world)
    gone = Register(False, stamp(2), False, "close", "x")
    fresh = opened(registers={SITE_TROUBLE: gone}, since=stamp(9, DAY))
    world.state = join([JoinPart(world.state, 0, 1), JoinPart(fresh, 0, 2)], WITH)
    world.wait(DAY).blame()
    world.run()
    assert world.labels == set()
