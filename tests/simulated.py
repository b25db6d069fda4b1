"""A mini world for one thread: a mailbox, what the board holds of it, people, mail, cycles and crashes.

What a cycle does to a copy is docs/decisions.md section 2, on plain values: observe (`touched`, `confirmed`), decide,
commit, write the labels where nobody was faster, move.  Every cycle checks on the way that `decide` gives the same
answer twice, that the state survives JSON, and that a thread that is not due has nothing to do.
"""

from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum

from pydantic import TypeAdapter

from helpdesk.actions import Action, CopyPlan, Kind
from helpdesk.bits import STAR, Known, confirmed, touched
from helpdesk.model import Place, Stamp
from helpdesk.rules.decide import Decision, decide
from helpdesk.rules.facts import (
    LIVING,
    Ask,
    CopyFacts,
    Fault,
    Order,
    Policy,
    Release,
    ThreadFacts,
    Told,
    Undo,
)
from helpdesk.rules.state import ThreadState
from tests.rows import Row, elsewhere, intended, looked_at
from tests.threads import POLICY, labels_of
from tests.whiteboard import Real, Whiteboard

STATE = TypeAdapter(ThreadState)
ENOUGH = 10


class Crash(Enum):
    """How far a cycle came."""

    OBSERVED = "nothing was committed"
    COMMITTED = "the plan was committed and nothing written"
    LABELLED = "the labels were written"
    HALF_MOVED = "half of the copies were moved"


@dataclass(slots=True)
class Simulated(Whiteboard):
    """One thread, its mailbox, and the board that keeps it true."""

    policy: Policy = POLICY
    acting: bool = True
    conditional: bool = True  # the server has UNCHANGEDSINCE
    rows: dict[int, Row] = field(default_factory=dict)
    state: ThreadState = field(default_factory=ThreadState)
    mails: list[Action] = field(default_factory=list)
    journal: dict[str, Action] = field(default_factory=dict)
    decision: Decision | None = None
    undo: list[Undo] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    dirty: bool = True

    # Commands

    def say(
        self, ask: Ask, label: str = "", *, words: str = "", seen: Stamp | None = None, ticket: str = ""
    ) -> None:
        """Sergey asks for something by mail, which the next cycle sees, or was `seen` before it was proven."""
        stamp = seen or Stamp(self.number + 1, self.now)
        said = (words,) if words else ()
        number = f"key:{len(self.orders)}"
        self.orders.append(Order(number, ask, "Sergey", stamp, stamp.at, label, ticket, said))
        self.dirty = True

    def take_back(self, action: Action) -> None:
        """A person says `undo`."""
        self.undo.append(Undo(action.id, action.kind, action.what))
        self.dirty = True

    def blame(self, what: str = "DESY-HH") -> None:
        """The next cycle finds strong evidence."""
        self.faults.append(Fault(what, f"{what} is out", Stamp(self.number + 1, self.now)))
        self.dirty = True

    def release(self, name: str, version: str) -> None:
        """A person says that it is out."""
        self.releases.append(Release(name, version, Stamp(self.number + 1, self.now)))
        self.dirty = True

    # Time

    def wait(self, delay: timedelta) -> "Simulated":
        self.now += delay
        return self

    def settle(self) -> None:
        """Nobody touches anything until the thread is settled, and all is done."""
        self.run()
        while any(row.limbo for row in self.rows.values()):
            self.run()
        self.wait(self.policy.settle).run()

    def run(self) -> None:
        """Cycles at one `now` until nothing is left to write."""
        for _ in range(ENOUGH):
            if not self.cycle():
                return
        raise AssertionError(f"still writing after {ENOUGH} cycles: {self.decision}")

    def cycle(
        self,
        crash: Crash | None = None,
        meanwhile: Callable[[], None] | None = None,
        held: Collection[str] = (),
    ) -> bool:
        """One cycle; tells whether anything was written.  `meanwhile` happens after the look and before the write."""
        self.number += 1
        stamp = Stamp(self.number, self.now)
        self._observe(stamp)
        facts = self.facts()
        decision = decide(facts, self.policy, stamp, frozenset(held))
        if decide(facts, self.policy, stamp, frozenset(held)) != decision:
            raise AssertionError("decide gave two answers to one question")
        if STATE.validate_json(STATE.dump_json(decision.state, exclude_defaults=True)) != decision.state:
            raise AssertionError("the state does not survive JSON")
        if any((plan.add | plan.remove) - {*self.policy.kinds, STAR} for plan in decision.plans):
            raise AssertionError("a word that nobody configured would be written")
        if not self._is_due():
            self._must_be_silent(decision)
        if meanwhile is not None:
            meanwhile()
        if crash is Crash.OBSERVED:
            return True
        self._commit(decision)
        return self.acting and self._write(decision, crash)

    # What holds

    def facts(self) -> ThreadFacts:
        """The thread as the board knows it now."""
        copies = tuple(
            CopyFacts(
                key,
                row.message,
                row.known,
                row.arrived,
                seen=key in self.real and self.real[key].seen,
                left=row.left,
                limbo=row.limbo is not None,
            )
            for key, row in self.rows.items()
        )
        return ThreadFacts(
            1,
            "7kq2m",
            self.state,
            tuple(self.messages),
            copies,
            tuple(self.undo),
            tuple(self.releases),
            tuple(self.orders),
            faults=tuple(self.faults),
        )

    @property
    def open(self) -> bool | None:
        return self.state.open

    @property
    def labels(self) -> frozenset[str]:
        """The labels of the thread."""
        return labels_of(self.state)

    # The machinery

    def _observe(self, stamp: Stamp) -> None:
        before = dict(self.rows)
        self.rows = {
            k: replace(r, known=replace(r.known, bits=self._bits(r.flags))) for k, r in self.rows.items()
        }
        for key in list(self.rows.keys() - self.real.keys()):
            self._vanish(key, stamp)
        for key, real in self.real.items():
            if real.away and key in self.rows:
                self._vanish(key, stamp)
            elif key in self.rows:
                self.rows[key] = looked_at(self.rows[key], real, self._bits(real.bits), stamp)
            else:
                self._arrive(key, real, stamp)
            real.raced = real.away = False
        self.dirty = self.dirty or self.rows != before
        self.rows = {
            k: replace(r, known=confirmed(r.known)) if r.limbo is None else r for k, r in self.rows.items()
        }

    def _vanish(self, key: int, stamp: Stamp) -> None:
        """Gone for one full cycle more it counts as being where it was; then it is gone."""
        if self.rows[key].limbo is None:
            self.rows[key] = replace(self.rows[key], limbo=stamp)
        else:
            del self.rows[key]

    def _arrive(self, key: int, real: Real, stamp: Stamp) -> None:
        """The table of new copies."""
        bits, source = self._bits(real.bits), self.rows.get(real.copied_from or 0)
        fresh = self.messages[real.message - 1].cycle == stamp.cycle
        copied = source is not None and {source.known.place, real.place} <= LIVING
        base, place = frozenset[str](), real.place
        if fresh and self.messages[real.message - 1].adopted:
            base = bits
        elif source is not None and copied:
            base, place = source.known.base, source.known.place
            if place is not real.place:
                self.rows[real.copied_from or 0] = replace(source, left=True)
        known = Known(base, base, None, place, place, None, {})
        known = replace(known, bits=bits, place=real.place, touches=touched(known, bits, real.place, stamp))
        if not fresh and not copied and not self._present(real.message):
            known = elsewhere(known, stamp)
        self.rows[key] = Row(real.message, frozenset(real.bits), known, stamp, real.uid)

    def _bits(self, flags: AbstractSet[str]) -> frozenset[str]:
        """A word that nobody configured is no bit."""
        return frozenset(flags & {*self.policy.kinds, STAR})

    def _present(self, message: int) -> bool:
        return any(key in self.rows for key, real in self.real.items() if real.message == message)

    def _is_due(self) -> bool:
        due = None if self.decision is None else self.decision.due
        news = any(m.cycle > self.state.decided for m in self.messages)
        return self.dirty or news or (due is not None and due <= self.now)

    def _must_be_silent(self, decision: Decision) -> None:
        loud = [plan for plan in decision.plans if self.acting or plan.accept or plan.unleave]
        if loud or replace(decision.state, decided=0) != replace(self.state, decided=0):
            raise AssertionError(f"not due, and yet: {loud} {decision.actions} {decision.state}")

    def _commit(self, decision: Decision) -> None:
        self.state, self.decision = decision.state, decision
        self.undo.clear()
        self.orders.clear()
        self.told += decision.told
        for plan in decision.plans:
            row = self.rows[plan.key]
            known = intended(row.known, plan if self.acting else CopyPlan(plan.key, accept=plan.accept))
            self.rows[plan.key] = replace(row, known=known, left=row.left and not plan.unleave)
        self.dirty = self.acting and any(p.add or p.remove or p.place for p in decision.plans)
        self.journal.update({action.id: action for action in decision.actions})
        self.mails += [action for action in decision.actions if action.kind is Kind.SEND_MAIL]

    def _write(self, decision: Decision, crash: Crash | None) -> bool:
        """Labels, then the moves of a thread whose every copy passed."""
        plans = [plan for plan in decision.plans if plan.add or plan.remove or plan.place]
        if crash is Crash.COMMITTED:
            return bool(plans)
        beaten = False
        for plan in plans:
            real = self.real.get(plan.key)
            if real is None or (self.conditional and real.raced):
                beaten = True
                continue
            known = self.rows[plan.key].known
            if known.planned is not None:
                real.bits |= known.planned - known.base
                real.bits -= known.base - known.planned
        moves = [
            plan for plan in plans if plan.place is not None and not beaten and crash is not Crash.LABELLED
        ]
        for plan in moves[: len(moves) // 2] if crash is Crash.HALF_MOVED else moves:
            real = self.real[plan.key]
            if plan.place is not None and real.place is self.rows[plan.key].known.place:
                real.place, real.uid = plan.place, real.uid + 1
        return bool(plans)


def troubles(world: Simulated) -> list[str]:
    """What is not consistent about a thread that has converged; empty when all is well."""
    found = []
    home = Place.INBOX if world.open else Place.ARCHIVE
    if world.state.moving is not None:
        found.append("a move is not finished")
    for key, row in world.rows.items():
        known = row.known
        if known.place not in LIVING:
            continue
        if known.touches or known.planned is not None or known.planned_place is not None or row.limbo:
            found.append(f"copy {key} is not settled: {row}")
        if known.bits != known.base or known.place is not known.base_place:
            found.append(f"copy {key}: what is there is not what we left")
        if row.left or (world.state.lies and known.place is Place.ARCHIVE):
            continue
        if known.place is not home:
            found.append(f"copy {key} lies in the wrong place")
        labels = known.bits & world.policy.kinds.keys()
        if world.open and labels != world.labels:
            found.append(f"copy {key} has {set(labels)}, its thread {set(world.labels)}")
        gone = {label for label, register in world.state.registers.items() if not register.present}
        if labels & gone or (not world.open and any(_opens(world, label) for label in labels | world.labels)):
            found.append(f"copy {key} has {set(labels)} in the archive")
    return found


def _opens(world: Simulated, label: str) -> bool:
    return world.policy.kinds[label].value in {"state", "where"}
