"""The stage `thread`: new messages find their thread, late parents join two, a refused bridge splits one.

What is loaded are the components (see `helpdesk.mailbox.threads`) that the new messages touch, nothing else; written is
only what differs.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from helpdesk.hands import Hands
from helpdesk.mailbox.apart import slices
from helpdesk.mailbox.fresh import component_of, fresh, home_of, node
from helpdesk.mailbox.threads import Group, Node, linked_ids, partition, thread_code
from helpdesk.rules.join import JoinPart
from helpdesk.rules.state import ThreadState
from helpdesk.store import groups, messages, threads
from helpdesk.store.groups import Alias, Member, NewThread, OldThread

AT_ONCE = 1000
"""Messages that a first sync groups at once, or as many as are connected."""

ALONE: Final = Hands()

Join = Callable[[Sequence[JoinPart]], ThreadState]


@dataclass(frozen=True, slots=True)
class Grouped:
    """What grouping did."""

    threads: frozenset[int]  # every thread that is not as it was
    joined: tuple[tuple[int, ...], ...]  # the old threads that became one
    refused: tuple[int, ...]  # messages that named several present roots


def group(conn: Connection, join: Join, disturbed: Collection[int] = (), hands: Hands = ALONE) -> Grouped:
    """Put every message that is in no thread into one; `disturbed` threads lost a message or got a link.

    With `hands` a first sync has help: nothing else is as much.
    """
    if not groups.exist(conn):
        return _first(conn, hands)
    gathered = _Gathered()
    gathered.take(groups.ungrouped(conn))
    touched: set[int] = set()
    if gathered.nodes or disturbed:
        touched = groups.components_of(conn, disturbed)
        gathered.take(groups.in_components(conn, touched))
        touched |= groups.components_with(conn, linked_ids(gathered.nodes.values()))
        gathered.take(groups.in_components(conn, touched))
    if not gathered.nodes and not touched:
        return Grouped(frozenset(), (), ())
    old = _Old(groups.threads_in(conn, touched), groups.aliases(conn, touched))
    return _Regrouping(conn, join, gathered, old).run()


def _first(conn: Connection, hands: Hands) -> Grouped:
    """There is no thread yet: a few components at a time, because there may be many."""
    home = array("q", [0]) * messages.next_key(conn)  # the thread of each message, by its key
    new: set[int] = set()
    refused: list[int] = []
    asked = (list(groups.with_keys(conn, keys)) for keys in slices(groups.ungrouped_ids(conn), AT_ONCE))
    for _, found in hands.answers(fresh, None, asked):
        groups.add_threads(conn, found.threads)
        groups.replace_aliases(conn, (), found.aliases)
        new.update(one.key for one in found.threads)
        refused += found.refused
        for thread, key in found.placed:
            home[key] = thread
    groups.place_messages(conn, ((thread, key) for key, thread in enumerate(home) if thread))
    return Grouped(frozenset(new), (), tuple(refused))


@dataclass(frozen=True, slots=True)
class _Old:
    """The touched components as they are in the database."""

    threads: Mapping[int, OldThread]
    aliases: Mapping[str, Alias]


@dataclass(frozen=True, slots=True)
class _Gathered:
    """Messages for threading, and the threads of those that are in one."""

    nodes: dict[int, Node] = field(default_factory=dict)
    was: dict[int, int] = field(default_factory=dict)

    def take(self, members: Iterable[Member]) -> None:
        """Take in rows of the store."""
        for member in members:
            one = node(member)
            self.nodes[one.key] = one
            if member[-1]:
                self.was[one.key] = member[-1]


class _Regrouping:
    """One pass over the touched components."""

    def __init__(self, conn: Connection, join: Join, gathered: _Gathered, old: _Old) -> None:
        self._conn = conn
        self._join = join
        self._old = old
        self._nodes = gathered.nodes
        self._was = gathered.was
        self._sizes = Counter(self._was.values())
        self._next = threads.next_key(conn)
        self._new: list[NewThread] = []
        self._changed: list[NewThread] = []
        self._joined: list[tuple[int, ...]] = []

    def run(self) -> Grouped:
        """Partition, give each group its row, write the differences."""
        found = partition(self._nodes.values())
        components = component_of(found, self._nodes.values())
        kept = self._keepers(found)
        homes = [
            self._settle(one, components[one.root], kept.get(index, ())) for index, one in enumerate(found)
        ]
        self._write_threads(found, homes)
        self._write(found, homes, components)
        return Grouped(
            frozenset(t.key for t in (*self._new, *self._changed)),
            tuple(self._joined),
            tuple(key for one in found for key in one.refused),
        )

    def _keepers(self, found: Sequence[Group]) -> dict[int, list[int]]:
        """Which group keeps the rows of which old threads: the one that holds the old root, else most of its mail."""
        if not self._old.threads:
            return {}
        index_of = {key: index for index, one in enumerate(found) for key in one.members}
        holder = {one: index for index, single in enumerate(found) for one in single.ids}
        by_code = {alias.code: alias.id for alias in self._old.aliases.values()}
        votes: dict[int, Counter[int]] = {}
        for message, thread in self._was.items():
            votes.setdefault(thread, Counter())[index_of[message]] += 1
        kept: dict[int, list[int]] = {}
        for key in sorted(votes):
            root = holder.get(by_code.get(self._old.threads[key].code, ""), -1)
            most = max(votes[key].values())
            keeper = (
                root if root in votes[key] else min(i for i, count in votes[key].items() if count == most)
            )
            kept.setdefault(keeper, []).append(key)
        return kept

    def _settle(self, one: Group, component: int, kept: Sequence[int]) -> int:
        """The key of a group's row, which is new, unchanged, or to be written."""
        code = thread_code(one.root)
        origins = sorted({self._was[key] for key in one.members if key in self._was}) if self._was else []
        same_code = [key for key in kept if self._old.threads[key].code == code]
        key = min(same_code or kept or (self._next,))
        state = self._state(origins, kept, one.members)
        first, last = self._nodes[one.members[0]].time, self._nodes[one.members[-1]].time  # oldest first
        row = NewThread(
            key,
            code,
            component,
            None if state is None else threads.pack_state(state),
            state is not None and state.open is True,
            first,
            last,
        )
        if key == self._next:
            self._next += 1
            self._new.append(row)
        elif self._differs(row, one.members):
            self._changed.append(row)
        return key

    def _differs(self, row: NewThread, members: Sequence[int]) -> bool:
        old = self._old.threads[row.key]
        same = all(self._was.get(key) == row.key for key in members) and self._sizes[row.key] == len(members)
        return not same or (old.code, old.component) != (row.code, row.component)

    def _state(
        self, origins: Sequence[int], kept: Sequence[int], members: Sequence[int]
    ) -> ThreadState | None:
        """None: as it is.  A part that was split off takes a copy along, threads that meet are joined."""
        if not origins or (len(origins) == 1 and list(kept) == list(origins)):
            return None
        if len(origins) == 1:
            return self._old.threads[origins[0]].state
        self._joined.append(tuple(origins))
        was = {key: self._was[key] for key in members if key in self._was}
        return self._join([self._part(one, [key for key in was if was[key] == one]) for one in origins])

    def _part(self, thread: int, members: Sequence[int]) -> JoinPart:
        newest = max(members, key=lambda key: (self._nodes[key].time, key))
        archived, cycles = groups.archived(self._conn, members), groups.cycles(self._conn, members)
        return JoinPart(self._old.threads[thread].state, archived, newest, cycles)

    def _write(self, found: Sequence[Group], homes: Sequence[int], components: dict[str, int]) -> None:
        was, old = self._was, self._old.aliases
        placed = (
            (thread, key)
            for one, thread in zip(found, homes, strict=True)
            for key in one.members
            if was.get(key) != thread
        )
        groups.place_messages(self._conn, placed)
        home = home_of(found, homes)
        again = [
            one
            for one, alias in old.items()
            if (alias.component, alias.thread) != (components.get(one), home.get(one, 0))
        ]
        moved = set(again)
        codes = {one: alias.code for one, alias in old.items()}
        new = (
            Alias(one, codes.get(one) or thread_code(one), component, home.get(one, 0))
            for one, component in components.items()
            if one not in old or one in moved
        )
        groups.replace_aliases(self._conn, again, new)

    def _write_threads(self, found: Sequence[Group], homes: Sequence[int]) -> None:
        groups.add_threads(self._conn, self._new)
        groups.change_threads(self._conn, self._changed)
        dropped = self._old.threads.keys() - set(homes)
        heirs = {
            self._was[key]: thread
            for one, thread in zip(found, homes, strict=True)
            for key in one.members
            if dropped and self._was.get(key) in dropped
        }
        groups.drop_threads(self._conn, [(key, heirs.get(key, 0)) for key in sorted(dropped)])
