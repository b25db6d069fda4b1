"""One thread on a board that nobody disturbs: mail comes, people label, time passes, and `decide` is obeyed.

What a cycle does to a copy is docs/decisions.md section 2; as nobody races and nothing crashes here, what was set out to be
written is there in the next cycle.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from helpdesk.actions import CopyPlan, Kind
from helpdesk.bits import Known, confirmed, touched
from helpdesk.mailbox.changes import adopted, arrived
from helpdesk.model import HUMAN_NATURES, TEAM, WAITING, Place, Role, Stamp
from helpdesk.rules.attention import state_name
from helpdesk.rules.decide import Decision, decide
from helpdesk.rules.facts import LIVING, CopyFacts, MessageFacts, Policy, ThreadFacts
from helpdesk.rules.state import ThreadState
from helpdesk.store.copies import planned
from helpdesk.store.flags import Seen

ENOUGH = 10  # cycles at one moment; two or three are usual
ROOM = 1000  # cycles between two mails: time brings a handful
REMEMBERED = 8  # mails of a thread; of more than that only those are kept that can still matter

_WAITING = Seen(frozenset({WAITING}), frozenset(), seen=True, deleted=False)
_BARE: Mapping[Place, Known] = {place: adopted(frozenset(), place) for place in Place}
"""A new copy without a label is nobody's touch, whenever it comes."""


class Act(NamedTuple):
    """Something that the board did."""

    at: datetime
    rule: str
    kind: Kind
    recipients: tuple[str, ...]


class Turn(NamedTuple):
    """A thread was closed, or came back; `by` wrote the mail that did it, if one did."""

    at: datetime
    is_open: bool
    rule: str
    by: Role | None


@dataclass(slots=True)
class Desk:
    """A thread, what the board holds of it, and what happened to it so far."""

    policy: Policy
    code: str
    remembered: int = REMEMBERED
    acts: list[Act] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    _state: ThreadState = field(default_factory=ThreadState)
    _messages: list[MessageFacts] = field(default_factory=list)
    _copies: dict[int, CopyFacts] = field(default_factory=dict)
    _cycle: int = 0
    _due: datetime | None = None

    def receive(self, message: MessageFacts, place: Place, *, waiting: bool) -> None:
        """A mail comes at its time; with `waiting` a shifter sets WAITING as it goes out.

        The cycles of a mail begin with its own: the caller leaves room for those that time brings before the next.
        """
        self.pass_until(message.time, still=False)
        stamp = Stamp(message.cycle, message.time)
        self._cycle = message.cycle - 1
        self._messages.append(message)
        own = waiting and place in LIVING
        known = arrived(_WAITING, place, stamp) if own else _BARE[place]
        self._copies[message.key] = CopyFacts(message.key, message.key, known, stamp, seen=True)
        if waiting and not own:
            self._label_newest(stamp)
        self._run(message.time, message.role)
        self._forget()

    def pass_until(self, end: datetime, *, still: bool = True) -> None:
        """Time passes: what is due is done.  `still`: also what is due at `end` itself."""
        before: datetime | None = None
        while (due := self._due) is not None and (due < end or (still and due == end)):
            if before is not None and due <= before:
                return  # nothing that time alone would bring
            self._run(due, None)
            before = due

    @property
    def state(self) -> str:
        """`open`, `closed`, `waiting`, ..., as `threads` says it."""
        return state_name(self._facts())

    def _label_newest(self, stamp: Stamp) -> None:
        """The answer lies in Sent, where no labels are: the shifter sets it on the mail that was answered."""
        for copy in reversed(self._copies.values()):
            if copy.known.place in LIVING:
                bits = copy.known.bits | {WAITING}
                touches = touched(copy.known, bits, copy.known.place, stamp)
                known = replace(copy.known, bits=bits, touches=touches)
                self._copies[copy.key] = replace(copy, known=known)
                return

    def _run(self, now: datetime, by: Role | None) -> None:
        """Cycles at one `now` until nothing is left to write."""
        for _ in range(ENOUGH):
            self._cycle += 1
            decision = decide(self._facts(), self.policy, Stamp(self._cycle, now))
            self._note(decision, now, by)
            self._state, self._due = decision.state, decision.due
            if not self._write(decision.plans, now) or decision.state.moving is None:
                return  # labels are where they belong; a move is looked at again

    def _facts(self) -> ThreadFacts:
        return ThreadFacts(1, self.code, self._state, tuple(self._messages), tuple(self._copies.values()))

    def _note(self, decision: Decision, now: datetime, by: Role | None) -> None:
        was, becomes = self._state.open, decision.state.open
        if was is not None and becomes is not None and was is not becomes:
            self.turns.append(Turn(now, becomes, decision.state.rule, by))
        self.acts += [Act(now, one.rule, one.kind, one.recipients) for one in decision.actions]

    def _write(self, plans: Sequence[CopyPlan], now: datetime) -> bool:
        wrote = False
        for plan in plans:
            copy = self._copies[plan.key]
            known = planned(copy.known, plan)
            if plan.add or plan.remove or plan.place is not None:
                wrote = True
                known = confirmed(_written(known))
            moved = known.place is not copy.known.place
            when = Stamp(self._cycle + 1, now) if moved else copy.arrived
            self._copies[plan.key] = replace(copy, known=known, arrived=when)
        return wrote

    def _forget(self) -> None:
        """What cannot matter any more goes, so that a thread of ten thousand mails costs no more for each than one of ten.

        Copies of decided mails are alike; of mails the clocks look at the last of each kind.
        """
        star = self._state.bot_star
        newest = next((c.key for c in reversed(self._copies.values()) if c.known.place in LIVING), None)
        self._copies = {key: copy for key, copy in self._copies.items() if key in {star, newest}}
        if len(self._messages) > self.remembered:
            kept = {message.key for message in self._matter()} | {star}
            self._messages = [one for one in self._messages if one.key in kept]

    def _matter(self) -> Iterator[MessageFacts]:
        human = [one for one in self._messages if one.nature in HUMAN_NATURES]
        yield from (one[-1] for one in (self._messages, human) if one)
        yield from [one for one in human if one.role in TEAM and one.trusted][-1:]
        yield from [one for one in self._messages if one.of_ours][-1:]


def _written(known: Known) -> Known:
    """What lies there once a plan is carried out."""
    wanted = known.base if known.planned is None else known.planned
    bits = (known.bits | (wanted - known.base)) - (known.base - wanted)
    return replace(known, bits=bits, place=known.planned_place or known.place)
