"""What is decided of threads, found out without writing anything: by this process, or by a helper in a first cycle.

A first cycle decides every thread, and of nearly all there is nothing to do: only their row is written.  A helper looks at the
threads as the last observation left them, through a connection of its own.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine

from helpdesk.board import Board
from helpdesk.mailbox.dialects import Dialect
from helpdesk.model import Stamp
from helpdesk.rules.decide import Decision, decide
from helpdesk.rules.facts import Policy, ThreadFacts
from helpdesk.store import threads
from helpdesk.store.core import chunks
from helpdesk.store.db import onlooker, reading
from helpdesk.wishes import Wishes


class Asked(NamedTuple):
    """Some threads, and all that a decision about them depends on beside their facts."""

    keys: Sequence[int]
    stamp: Stamp
    policy: Policy
    wishes: Wishes
    held: AbstractSet[str]
    observes: bool


class Foretold(NamedTuple):
    """The rows of threads of which there is nothing else to do, and the decisions about the others."""

    rows: list[tuple[Any, ...]]
    decisions: list[Decision]


@dataclass(frozen=True, slots=True)
class Here:
    """Who decides in a transaction of his own."""

    conn: Connection
    dialect: Dialect


def asked(keys: Sequence[int], like: Asked) -> Iterator[Asked]:
    """Ask for many threads, a batch at a time."""
    for batch in chunks(keys, threads.BATCH):
        yield like._replace(keys=batch)


def decisions(conn: Connection, dialect: Dialect, wanted: Asked) -> list[Decision]:
    """What is decided of these threads; those that do not exist are left out."""
    found = threads.load(conn, wanted.keys, dialect)
    return [_decide(wanted, wanted.wishes.attach(facts)) for facts in found]


def foretell(about: Board | Here, wanted: Asked) -> Foretold:
    """The same, ready to be stored."""
    if isinstance(about, Here):
        found = decisions(about.conn, about.dialect, wanted)
    else:
        with reading(_onlooker(about.engine)) as conn:
            found = decisions(conn, about.dialect, wanted)
    told = Foretold([], [])
    for one in found:
        if one.plans or one.actions or one.told or one.notes:
            told.decisions.append(one)
        else:
            told.rows.append(threads.row(threads.decided(one, again=False)))
    return told


@lru_cache(maxsize=1)
def _onlooker(engine: Engine) -> Engine:
    return onlooker(engine)


def _decide(wanted: Asked, facts: ThreadFacts) -> Decision:
    """In observe mode an order changes nothing; what it would do is said."""
    decision = decide(facts, wanted.policy, wanted.stamp, wanted.held)
    if not facts.orders or not wanted.observes:
        return decision
    without = decide(replace(facts, orders=()), wanted.policy, wanted.stamp, wanted.held)
    return replace(without, told=decision.told)
