"""A decision in the making: the facts, and the state as the stages change it.

The stages of `helpdesk.rules.decide` share this one object; it never leaves that function.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from helpdesk.actions import Action
from helpdesk.bits import PLACE, STAR
from helpdesk.model import ESCALATED, URGENT, LabelKind, Place, Stamp
from helpdesk.rules.facts import LIVING, CopyFacts, MessageFacts, Policy, ThreadFacts, Told
from helpdesk.rules.state import Moving, Register, Talk, ThreadState


@dataclass(frozen=True, slots=True)
class Touch:
    """One bit of one copy that a human changed: on or off (for `place`: on is the inbox), and since when."""

    copy: CopyFacts
    bit: str
    on: bool
    stamp: Stamp

    @property
    def real(self) -> bool:
        """The value differs from what we last left: the human did not take it back."""
        if self.bit == PLACE:
            return self.copy.known.place is not self.copy.known.base_place
        return self.on != (self.bit in self.copy.known.base)


@dataclass(frozen=True, slots=True)
class Pending:
    """What will be done later if nothing happens."""

    rule: str
    due: datetime


@dataclass(slots=True)
class Draft:
    """Facts, policy, `now`, and what the stages made of them so far."""

    facts: ThreadFacts
    policy: Policy
    now: Stamp
    held: frozenset[str]  # rules that a brake holds in this cycle
    state: ThreadState
    touches: tuple[Touch, ...] = ()  # the live ones: neither settled nor overridden
    accepted: dict[int, set[str]] = field(default_factory=dict)  # copy -> bits that become the base
    mails: list[Action] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    looks: list[datetime] = field(default_factory=list)  # when a note may be due: look again, nothing is done
    notes: list[str] = field(default_factory=list)  # what only a human can settle
    told: list[Told] = field(default_factory=list)  # what became of orders
    settled: bool = True

    def register(self, label: str) -> Register | None:
        """The register of a label, if it was ever decided."""
        return self.state.registers.get(label)

    def on(self, label: str) -> bool:
        """Whether the thread has the label."""
        register = self.state.registers.get(label)
        return register is not None and register.present

    def kind(self, label: str) -> LabelKind | None:
        """The kind of a configured label."""
        return self.policy.kinds.get(label)

    def is_new(self, message: MessageFacts) -> bool:
        """Whether no decision has seen this message yet."""
        return message.cycle > self.state.decided or message.key in self.state.undecided

    def wheres(self) -> list[str]:
        """The `where` labels that the thread has, in a fixed order."""
        return sorted(
            label for label in self.state.registers if self.on(label) and self.kind(label) is LabelKind.WHERE
        )

    def talk(self, where: str) -> Talk:
        """What was said with a destination so far."""
        return self.state.talks.get(where, Talk())

    def say(self, where: str, talk: Talk) -> None:
        """Keep what was said with a destination."""
        self.state = replace(self.state, talks={**self.state.talks, where: talk})

    def write(self, label: str, register: Register) -> None:
        """Set a register; an absent label that becomes present begins a new episode, and a new talk under the old number."""
        episodes = self.state.episodes
        counted = label == URGENT or self.kind(label) is LabelKind.WHERE
        if register.present and not self.on(label) and counted:
            episodes = {**episodes, label: episodes.get(label, 0) + 1}
            if label in self.state.talks:
                self.say(label, Talk(tickets=self.talk(label).tickets))
        registers = {**self.state.registers, label: register}
        self.state = replace(self.state, registers=registers, episodes=episodes)

    def drop(self, labels: Iterable[str], rule: str, reason: str, *, human: bool = False) -> None:
        """Take labels off the thread; those that are not on it stay as they are."""
        for label in labels:
            if self.on(label):
                self.write(label, Register(False, self.now, human, rule, reason))

    def pair(self, added: Collection[str], removed: Collection[str], rule: str, *, human: bool) -> None:
        """ESCALATED and its wheres go together, unless one of them was set at the same time."""
        new_where = any(self.kind(label) is LabelKind.WHERE for label in added)
        if ESCALATED in removed and not new_where:
            self.drop(self.wheres(), rule, "ESCALATED was removed", human=human)
        lost_where = any(self.kind(label) is LabelKind.WHERE for label in removed)
        if lost_where and not self.wheres() and ESCALATED not in added:
            self.drop([ESCALATED], rule, "the last 'to where' was removed", human=human)

    def accept(self, touches: Iterable[Touch]) -> None:
        """Make touches part of the board: their observed value becomes the base."""
        taken = list(touches)
        for touch in taken:
            self.accepted.setdefault(touch.copy.key, set()).add(touch.bit)
        gone = {(t.copy.key, t.bit) for t in taken}
        self.touches = tuple(t for t in self.touches if (t.copy.key, t.bit) not in gone)

    def open(self, rule: str, reason: str, stamp: Stamp | None = None, *, human: bool = False) -> None:
        """The whole thread is open; registers that a pending close had cleared come back."""
        stamp = stamp or self.now
        moving = self.state.moving
        registers = dict(self.state.registers)
        if moving is not None and not moving.to_open:
            registers.update(moving.registers)
        self.state = replace(
            self.state,
            open=True,
            since=stamp,
            rule=rule,
            reason=reason,
            registers=registers,
            lies=False,
            closed_escalated=False,
            moving=Moving(True, self.now, rule, human, reason),
        )

    def close(self, rule: str, reason: str, stamp: Stamp, *, human: bool) -> None:
        """Close by guideline 5: state, where and temporary labels go, info labels stay."""
        going = [
            name for name in self.state.registers if self.on(name) and self.kind(name) is not LabelKind.INFO
        ]
        saved = {name: self.state.registers[name] for name in going}
        escalated = self.on(ESCALATED)
        self.drop(going, rule, reason)
        self.state = replace(
            self.state,
            open=False,
            since=stamp,
            rule=rule,
            reason=reason,
            lies=False,
            closed_escalated=escalated,
            reopened=None,
            expert_comment=None,
            bounce=None,
            moving=Moving(False, self.now, rule, human, reason, saved),
        )


def living(facts: ThreadFacts) -> list[CopyFacts]:
    """The copies that the board moves and labels: in inbox or archive, not superseded by a COPY that is still there."""
    there = [c for c in facts.copies if c.known.place in LIVING]
    current = {c.message for c in there if not c.left}
    return [c for c in there if not c.left or c.message not in current]


def find_touches(facts: ThreadFacts, policy: Policy) -> tuple[Touch, ...]:
    """Every bit that a human changed and that is not settled yet (docs/decisions.md section 2)."""
    found: list[Touch] = []
    for copy in facts.copies:
        known = copy.known
        if known.place not in LIVING:
            continue
        for bit, stamp in sorted(known.touches.items()):
            if bit == PLACE:
                found.append(Touch(copy, bit, known.place is Place.INBOX, stamp))
            elif bit == STAR or bit in policy.kinds:
                found.append(Touch(copy, bit, bit in known.bits, stamp))
    return tuple(found)
