"""The threads of messages of which none was in one: pure, so that a helper can find them (`helpdesk.hands`).

The rows are those of a mailbox that has no thread yet: nothing is kept, joined or dropped.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from helpdesk.mailbox.threads import Group, Node, components, partition, thread_code
from helpdesk.store.groups import Alias, Member, NewThread


class Fresh(NamedTuple):
    """What is to be written."""

    threads: Sequence[NewThread]
    placed: Sequence[tuple[int, int]]  # (thread, message)
    aliases: Sequence[Alias]
    refused: Sequence[int]  # messages that named several present roots


def fresh(_about: object, members: Sequence[Member]) -> Fresh:
    """Group whole components; a thread has the lowest key of its messages, which no other thread can have."""
    nodes = [node(member) for member in members]
    times = {one.key: one.time for one in nodes}
    found = partition(nodes)
    component = component_of(found, nodes)
    keys = [min(one.members) for one in found]
    new = [
        NewThread(
            key,
            thread_code(one.root),
            component[one.root],
            None,
            False,
            times[one.members[0]],  # oldest first
            times[one.members[-1]],
        )
        for key, one in zip(keys, found, strict=True)
    ]
    placed = [(key, message) for key, one in zip(keys, found, strict=True) for message in one.members]
    home = home_of(found, keys)
    aliases = [Alias(one, thread_code(one), whole, home.get(one, 0)) for one, whole in component.items()]
    return Fresh(new, placed, aliases, [key for one in found for key in one.refused])


def node(member: Member) -> Node:
    """A row of the store, for threading."""
    key, own, refs, parents, link, time, _thread = member
    return Node(time, own, key, tuple(refs.split()), tuple(parents.split()), link or None)


def component_of(found: Sequence[Group], nodes: Iterable[Node]) -> dict[str, int]:
    """Every id -> its component, named by its first message; without refused bridges a thread is a component."""
    refused = any(one.refused for one in found)
    named: dict[str, int] = {}
    for part in components(nodes) if refused else found:
        named.update(dict.fromkeys(part.ids, min(part.members)))
    return named


def home_of(found: Sequence[Group], homes: Sequence[int]) -> Mapping[str, int]:
    """Every id that a thread has -> that thread."""
    named: dict[str, int] = {}
    for one, thread in zip(found, homes, strict=True):
        named.update(dict.fromkeys(one.ids, thread))
    return named
