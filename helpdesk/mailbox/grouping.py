"""The stage `thread`: new messages find their thread, late parents join two, a refused bridge splits one.

What is loaded are the components (see `helpdesk.mailbox.threads`) that the new messages touch, nothing else; written is
only what differs.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from helpdesk.mailbox.threads import Group, Node, components, linked_ids, partition, thread_code
from helpdesk.rules.join import JoinPart
from helpdesk.rules.state import ThreadState
from helpdesk.store import groups, threads
from helpdesk.store.groups import Alias, Member, NewThread, OldThread

Join = Callable[[Sequence[JoinPart]], ThreadState]


@dataclass(frozen=True, slots=True)
class Grouped:
    """What grouping did."""

    threads: frozenset[int]  # every thread that is not as it was
    joined: tuple[tuple[int, ...], ...]  # the old threads that became one
    refused: tuple[int, ...]  # messages that named several present roots


def group(conn: Connection, join: Join, disturbed: Collection[int] = ()) -> Grouped:
    """Put every message that is in no thread into one; `disturbed` components lost a message or got a link."""
    fresh = groups.ungrouped(conn)
    if not fresh and not disturbed:
        return Grouped(frozenset(), (), ())
    seeds = [*fresh, *groups.in_components(conn, disturbed)]
    touched = groups.components_with(conn, linked_ids(map(_node, seeds))) | set(disturbed)
    members = {member.key: member for member in (*groups.in_components(conn, touched), *fresh)}
    old = _Old(groups.threads_in(conn, touched), groups.aliases(conn, touched))
    return _Regrouping(conn, join, members, old).run()


@dataclass(frozen=True, slots=True)
class _Old:
    """The touched components as they are in the database."""

    threads: Mapping[int, OldThread]
    aliases: Mapping[str, Alias]


class _Regrouping:
    """One pass over the touched components."""

    def __init__(self, conn: Connection, join: Join, members: Mapping[int, Member], old: _Old) -> None:
        self._conn = conn
        self._join = join
        self._members = members
        self._old = old
        self._sizes = Counter(member.thread for member in members.values())
        self._next = threads.next_key(conn)
        self._new: list[NewThread] = []
        self._changed: list[NewThread] = []
        self._joined: list[tuple[int, ...]] = []
        self._codes: dict[str, str] = {one: alias.code for one, alias in old.aliases.items()}

    def run(self) -> Grouped:
        """Partition, give each group its row, write the differences."""
        nodes = [_node(member) for member in self._members.values()]
        component_of: dict[str, int] = {}
        for part in components(nodes):
            component_of.update(dict.fromkeys(part.ids, min(part.members)))
        found = partition(nodes)
        kept = self._keepers(found)
        keys = [
            self._settle(one, component_of[one.root], kept.get(index, [])) for index, one in enumerate(found)
        ]
        self._write(found, keys, component_of)
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
        for member in self._members.values():
            if member.thread:
                votes.setdefault(member.thread, Counter())[index_of[member.key]] += 1
        kept: dict[int, list[int]] = {}
        for key in sorted(votes):
            root = holder.get(by_code.get(self._old.threads[key].code, ""), -1)
            most = max(votes[key].values())
            keeper = root if root in votes[key] else min(i for i, count in votes[key].items() if count == most)
            kept.setdefault(keeper, []).append(key)
        return kept

    def _settle(self, one: Group, component: int, kept: Sequence[int]) -> int:
        """The key of a group's row, which is new, unchanged, or to be written."""
        members = [self._members[key] for key in one.members]
        code = self._code(one.root)
        origins = sorted({m.thread for m in members if m.thread})
        same_code = [key for key in kept if self._old.threads[key].code == code]
        key = min(same_code or kept or (self._next,))
        state = self._state(origins, kept, members)
        times = [m.time for m in members]
        row = NewThread(
            key,
            code,
            component,
            None if state is None else threads.pack_state(state),
            state is not None and state.open is True,
            min(times),
            max(times),
        )
        if key == self._next:
            self._next += 1
            self._new.append(row)
        elif self._differs(row, members):
            self._changed.append(row)
        return key

    def _differs(self, row: NewThread, members: Sequence[Member]) -> bool:
        had = self._sizes[row.key]
        same = all(m.thread == row.key and m.component == row.component for m in members)
        return not same or had != len(members) or self._old.threads[row.key].code != row.code

    def _state(
        self, origins: Sequence[int], kept: Sequence[int], members: Sequence[Member]
    ) -> ThreadState | None:
        """None: as it is.  A part that was split off takes a copy along, threads that meet are joined."""
        if not origins or (len(origins) == 1 and list(kept) == list(origins)):
            return None
        if len(origins) == 1:
            return self._old.threads[origins[0]].state
        self._joined.append(tuple(origins))
        return self._join([self._part(key, [m for m in members if m.thread == key]) for key in origins])

    def _part(self, key: int, members: Sequence[Member]) -> JoinPart:
        keys = [member.key for member in members]
        newest = max(members, key=lambda m: (m.time, m.key))
        return JoinPart(self._old.threads[key].state, groups.archived(self._conn, keys), newest.key)

    def _write(self, found: Sequence[Group], keys: Sequence[int], component_of: Mapping[str, int]) -> None:
        thread_of = {member: key for one, key in zip(found, keys, strict=True) for member in one.members}
        home_of = {one: key for single, key in zip(found, keys, strict=True) for one in single.ids}
        self._write_threads(thread_of)
        moved = [
            (m.key, component, thread)
            for m in self._members.values()
            if (component := component_of[m.message_id], thread := thread_of[m.key])
            != (m.component, m.thread)
        ]
        groups.place_messages(self._conn, moved)
        old = self._old.aliases
        new = [
            Alias(one, self._code(one), component, home_of.get(one, 0))
            for one, component in component_of.items()
        ]
        different = [alias for alias in new if old.get(alias.id) != alias]
        gone = [one for one in old if one not in component_of] + [a.id for a in different if a.id in old]
        groups.replace_aliases(self._conn, gone, different)

    def _write_threads(self, thread_of: Mapping[int, int]) -> None:
        groups.add_threads(self._conn, self._new)
        groups.change_threads(self._conn, self._changed)
        used = set(thread_of.values())
        dropped = [key for key in self._old.threads if key not in used]
        heirs = {m.thread: thread_of[m.key] for m in self._members.values() if m.thread in dropped}
        groups.drop_threads(self._conn, [(key, heirs.get(key, 0)) for key in dropped])

    def _code(self, one: str) -> str:
        code = self._codes.get(one)
        if code is None:
            code = self._codes[one] = thread_code(one)
        return code


def _node(member: Member) -> Node:
    return Node(member.key, member.message_id, member.refs, member.parents, member.link, member.time)
