"""Which mails are one issue: a pure function of the set of messages, never of their order.

The union of all ids that mails carry or name, ghosts (named, never seen) included.  One exception: a mail that names two or more
*present roots* (mails here without ids of their own) joins its parent's thread only, or one crafted header could merge the
whole board.  A root stays a root when the subject rule linked it elsewhere: otherwise two such mails would make a bridge.

The store need not load everything for this: a *component* is what the union would be without the exception, and the partition
of a component depends on nothing outside it.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_SHIFTS = (40, 30, 20, 10, 0)  # ten characters, two at a time


Chain = tuple[str, ...]
"""The ids by which a message joins others: those that it names, else the one that the subject rule found."""

Home = tuple[set[str], list[int]]
"""What is connected: ids, and messages by their places in the order of time."""


class Node(NamedTuple):
    """What threading needs to know about one message; a tuple, because a first sync makes one for every mail.

    The order of its fields is the order of messages: time, then id, then key.
    """

    time: datetime
    message_id: str  # never empty: the caller makes one up where the mail has none
    key: int  # the caller's name for it
    references: tuple[str, ...]  # References, then In-Reply-To
    in_reply_to: tuple[str, ...]
    subject_link: str | None  # the Message-ID that the subject rule found


@dataclass(frozen=True, slots=True)
class Component:
    """Messages connected by any shared id: what has to be loaded to partition any of them."""

    members: tuple[int, ...]  # keys, oldest first
    ids: frozenset[str]


class Group(NamedTuple):
    """One thread."""

    root: str
    members: tuple[int, ...]  # keys, oldest first
    ids: frozenset[str]  # carried or named; an id that only a refused bridge names belongs to no thread
    parents: Mapping[int, str]  # key -> the id under which it is shown, "" at the top
    refused: tuple[int, ...]  # keys of members that named several present roots


def thread_code(message_id: str) -> str:
    """The 10 characters that people say: 50 bits of SHA-256 in lower-case Crockford base32."""
    digest = hashlib.sha256(message_id.encode("utf-8", "replace")).digest()
    number = int.from_bytes(digest[:7]) >> 6
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def linked_ids(nodes: Iterable[Node]) -> frozenset[str]:
    """Every id that the messages carry or name: any other message with one of them is connected."""
    return frozenset(one for node in nodes for one in (node.message_id, *_names(node)))


def component(seeds: Iterable[Node], lookup: Callable[[frozenset[str]], Iterable[Node]]) -> tuple[Node, ...]:
    """Load everything that is connected with the seeds; `lookup` finds the messages that carry or name an id."""
    found = {node.key: node for node in seeds}
    asked: frozenset[str] = frozenset()
    while ask := linked_ids(found.values()) - asked:
        asked |= ask
        found |= {node.key: node for node in lookup(ask)}
    return tuple(found.values())


def components(nodes: Iterable[Node]) -> list[Component]:
    """Split messages into components, the one with the oldest message first."""
    ordered = sorted(nodes)
    return [
        Component(tuple([ordered[place].key for place in places]), frozenset(ids))
        for ids, places in _homes(ordered, _chains(ordered))
    ]


def partition(nodes: Iterable[Node]) -> list[Group]:
    """Split messages into threads, the one with the oldest message first."""
    ordered = sorted(nodes)
    chains = _chains(ordered)
    bridges = _bridges(ordered, chains)
    for place in bridges:
        chains[place] = (_parent(ordered[place], chains[place]),)
    return [
        _group(
            ids,
            [ordered[place] for place in places],
            [chains[place] for place in places],
            tuple([ordered[place].key for place in places if place in bridges]) if bridges else (),
        )
        for ids, places in _homes(ordered, chains)
    ]


def _group(
    ids: Iterable[str], members: Sequence[Node], chains: Sequence[Chain], refused: tuple[int, ...]
) -> Group:
    parents = _parents(members, chains)
    return Group(
        _root(members, chains),
        tuple([node.key for node in members]),
        frozenset(ids),
        {node.key: parents[node.message_id] for node in members},
        refused,
    )


def _chains(ordered: Iterable[Node]) -> list[Chain]:
    """The chain of each message; by far the most are the references as they are."""
    return [
        names if names and own not in names else _names(node)
        for node in ordered
        for own, names in ((node.message_id, node.references),)
    ]


def _names(node: Node) -> Chain:
    names = _references(node)
    if names or node.subject_link is None or node.subject_link == node.message_id:
        return names
    return (node.subject_link,)


def _references(node: Node) -> Chain:
    return tuple([one for one in node.references if one != node.message_id])


def _bridges(ordered: Sequence[Node], chains: Sequence[Chain]) -> frozenset[int]:
    """The places of messages that name two or more present roots."""
    roots = {
        ordered[place].message_id
        for place, names in enumerate(chains)
        if not names or (ordered[place].subject_link is not None and not _references(ordered[place]))
    }
    return frozenset(
        [
            place
            for place, names in enumerate(chains)
            if not roots.isdisjoint(names[1:]) and len(roots.intersection(names)) > 1
        ]
    )


def _parent(node: Node, names: Chain) -> str:
    """The id to hang a message under: a clean single In-Reply-To, else the last Reference, else the first In-Reply-To.

    Of several In-Reply-To ids the first may stand for the last Reference, the others (often no ids at all) may not.
    """
    answered = node.in_reply_to
    if not names:
        return ""
    if len(answered) == 1 and (answered[0] == names[-1] or answered[0] in names):
        return answered[0]
    doubtful = answered[1:]
    return next((one for one in reversed(names) if one not in doubtful), names[-1])


def _homes(ordered: Iterable[Node], chains: Iterable[Chain]) -> list[Home]:
    """The union of every message's id and chain, the one with the oldest message first."""
    homes: dict[str, Home] = {}
    made: list[Home] = []
    moved = False
    known = homes.get
    for place, (node, names) in enumerate(zip(ordered, chains, strict=True)):
        own = node.message_id
        mine = known(own)
        if mine is None:
            mine = known(names[0]) if names else None
            if mine is None:
                mine = (set(), [])
                made.append(mine)
            homes[own] = mine
            mine[0].add(own)
        mine[1].append(place)
        for name in () if mine[0].issuperset(names) else names:
            theirs = known(name)
            if theirs is None:
                homes[name] = mine
                mine[0].add(name)
            elif theirs is not mine:
                mine = _unite(mine, theirs, homes)
                moved = True
    return _in_order(made) if moved else made


def _unite(one: Home, other: Home, homes: dict[str, Home]) -> Home:
    """The smaller home moves into the larger, and is empty."""
    small, large = (one, other) if len(one[0]) < len(other[0]) else (other, one)
    homes.update(dict.fromkeys(small[0], large))
    large[0].update(small[0])
    large[1].extend(small[1])
    small[1].clear()
    return large


def _in_order(made: Iterable[Home]) -> list[Home]:
    """Undo what the moves of homes left out of order."""
    for _, places in made:
        places.sort()
    return sorted([home for home in made if home[1]], key=lambda home: home[1][0])


def _root(members: Sequence[Node], chains: Sequence[tuple[str, ...]]) -> str:
    """Find the root of a thread: the candidate with the earliest message time, then the smallest id.

    A mail that names nothing is a candidate, and so is a ghost that nobody names after another id: the order of References
    tells that a ghost in the middle of a chain has a parent.  The time of an id is that of the first message which is it
    or names it, so a root that arrives after its replies changes nothing.
    """
    first = members[0]
    if not chains[0] and (len(members) == 1 or first.time < members[1].time):
        return first.message_id  # nearly always
    lower = {one for names in chains for one in names[1:]}
    lower.update(node.message_id for node, names in zip(members, chains, strict=True) if names)
    lower.difference_update(node.message_id for node, names in zip(members, chains, strict=True) if not names)
    candidates = (
        (node.time, names[0] if names else node.message_id)
        for node, names in zip(members, chains, strict=True)
    )
    return min([one for one in candidates if one[1] not in lower], default=(None, first.message_id))[1]


def _parents(members: Sequence[Node], chains: Iterable[Chain]) -> dict[str, str]:
    """The parent of each id; a reused id hangs beside the first that had it, a ring is cut at its oldest message."""
    parents: dict[str, str] = {}
    suspects: list[str] = []  # a ring has a message that is older than its parent
    for node, names in zip(members, chains, strict=True):
        own = node.message_id
        if own not in parents:
            parent = parents[own] = _parent(node, names)
            if parent and parent not in parents:
                suspects.append(own)
    suspects = [own for own in suspects if parents[own] in parents]
    if suspects:
        rank = {own: number for number, own in enumerate(parents)}
        settled: set[str] = set()
        for own in suspects:
            _cut_ring(own, parents, rank, settled)
    return parents


def _cut_ring(start: str, parents: dict[str, str], rank: Mapping[str, int], settled: set[str]) -> None:
    """Climb from one message; if the way comes back to itself, the oldest message on the ring goes to the top."""
    path: dict[str, None] = {}
    climber = start
    while climber in rank and climber not in settled and climber not in path:
        path[climber] = None
        climber = parents[climber]
    if climber in path:
        way = list(path)
        oldest = min(way[way.index(climber) :], key=rank.__getitem__)
        parents[oldest] = ""
    settled.update(path)
