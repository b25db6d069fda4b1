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
from operator import attrgetter
from typing import NamedTuple

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_SHIFTS = (40, 30, 20, 10, 0)  # ten characters, two at a time


class Node(NamedTuple):
    """What threading needs to know about one message; a tuple, because a first sync makes one for every mail."""

    key: int  # the caller's name for it
    message_id: str  # never empty: the caller makes one up where the mail has none
    references: tuple[str, ...]  # References, then In-Reply-To
    in_reply_to: tuple[str, ...]
    subject_link: str | None  # the Message-ID that the subject rule found
    time: datetime


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
    ordered = _ordered(nodes)
    homes = _union((node.message_id, _names(node)) for node in ordered)
    return [
        Component(tuple(node.key for node in members), frozenset(homes[members[0].message_id]))
        for members in _gathered(ordered, homes)
    ]


def partition(nodes: Iterable[Node]) -> list[Group]:
    """Split messages into threads, the one with the oldest message first."""
    ordered = _ordered(nodes)
    present_roots = {node.message_id for node in ordered if not _references(node)}
    chains: dict[int, tuple[str, ...]] = {}
    refused: set[int] = set()
    for node in ordered:
        names = _names(node)
        if not present_roots.isdisjoint(names[1:]) and len(present_roots.intersection(names)) > 1:
            refused.add(node.key)
            names = (_parent(node),)
        chains[node.key] = names
    homes = _union((node.message_id, chains[node.key]) for node in ordered)
    parents = _parents(ordered)
    roots = _Roots(chains, ordered)
    return [
        Group(
            root=roots.of(members),
            members=tuple([node.key for node in members]),
            ids=frozenset(homes[members[0].message_id]),
            parents={node.key: parents[node.message_id] for node in members},
            refused=tuple([node.key for node in members if node.key in refused]) if refused else (),
        )
        for members in _gathered(ordered, homes)
    ]


def _ordered(nodes: Iterable[Node]) -> list[Node]:
    """Oldest first, as they mostly come: then one sort by three values is the fastest."""
    return sorted(nodes, key=attrgetter("time", "message_id", "key"))


def _references(node: Node) -> tuple[str, ...]:
    own = node.message_id
    return (
        tuple([one for one in node.references if one != own]) if own in node.references else node.references
    )


def _names(node: Node) -> tuple[str, ...]:
    names = _references(node)
    if names or node.subject_link is None or node.subject_link == node.message_id:
        return names
    return (node.subject_link,)


def _parent(node: Node) -> str:
    """The id to hang a message under: a clean single In-Reply-To, else the last Reference, else the first In-Reply-To.

    Of several In-Reply-To ids the first may stand for the last Reference, the others (often no ids at all) may not.
    """
    answered = node.in_reply_to
    if len(answered) == 1 and answered[0] != node.message_id:
        return answered[0]
    names = _names(node)
    doubtful = answered[1:]
    return next((one for one in reversed(names) if one not in doubtful), names[-1] if names else "")


def _union(links: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, list[str]]:
    """Every id -> the list of all ids connected with it, one list for all of them; the smaller list moves."""
    homes: dict[str, list[str]] = {}
    for own, names in links:
        mine = homes.get(own)
        if mine is None:
            mine = homes[own] = [own]
        for name in names:
            theirs = homes.get(name)
            if theirs is mine:
                continue
            if theirs is None:
                homes[name] = mine
                mine.append(name)
                continue
            if len(theirs) > len(mine):
                mine, theirs = theirs, mine
            mine += theirs
            for one in theirs:
                homes[one] = mine
    return homes


def _gathered(ordered: Sequence[Node], homes: Mapping[str, list[str]]) -> Iterable[list[Node]]:
    gathered: dict[int, list[Node]] = {}
    for node in ordered:
        gathered.setdefault(id(homes[node.message_id]), []).append(node)
    return gathered.values()


class _Roots:
    """Finds the root of a thread: the candidate with the earliest message time, then the smallest id.

    A mail that names nothing is a candidate, and so is a ghost that nobody names after another id: the order of References
    tells that a ghost in the middle of a chain has a parent.  The time of an id is that of the first message which is it
    or names it, so a root that arrives after its replies changes nothing.
    """

    def __init__(self, chains: Mapping[int, tuple[str, ...]], ordered: Sequence[Node]) -> None:
        self._chains = chains
        self._tops: set[str] = set()
        self._inner: set[str] = set()
        for node in ordered:
            names = chains[node.key]
            if names:
                self._inner.add(node.message_id)
                self._inner.update(names[1:])
            else:
                self._tops.add(node.message_id)

    def of(self, members: Sequence[Node]) -> str:
        """Choose among the members of one thread, oldest first."""
        best: tuple[datetime, str] | None = None
        for node in members:
            if best is not None and node.time > best[0]:
                break
            names = self._chains[node.key]
            head = names[0] if names else node.message_id
            if head in self._tops or head not in self._inner:
                best = min(best or (node.time, head), (node.time, head))
        return best[1] if best else members[0].message_id  # a ring of replies has no root


def _parents(ordered: Sequence[Node]) -> dict[str, str]:
    """The parent of every id; a reused id hangs beside the first that had it, a ring is cut at its oldest message."""
    parents: dict[str, str] = {}
    suspects: list[str] = []  # a ring has a message that is older than its parent
    for node in ordered:
        if node.message_id not in parents:
            parent = parents[node.message_id] = _parent(node)
            if parent and parent not in parents:
                suspects.append(node.message_id)
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
