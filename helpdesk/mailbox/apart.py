"""Messages apart that no id connects: what is threaded at once need not be all.

A first sync threads the whole mailbox.  Held at once, its ids, nodes and threads would be most of what the process needs;
so the messages are first only counted together, as numbers, and then loaded a few components at a time.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

Linked = tuple[int, str, str, str]
"""A message: its key, its Message-ID, what it refers to (space-joined), and the id that the subject rule found."""


def slices(linked: Iterable[Linked], size: int) -> Iterator[Sequence[int]]:
    """The keys of the messages, in whole components and about `size` at once."""
    current: list[int] = []
    for keys in _components(linked):
        current += keys
        if len(current) >= size:
            yield current
            current = []
    if current:
        yield current


def _components(linked: Iterable[Linked]) -> Iterable[Sequence[int]]:
    keys, home = array("q"), array("q")
    first: dict[str, int] = {}  # id -> the number of the first message that carries or names it
    for number, (key, own, refs, link) in enumerate(linked):
        keys.append(key)
        home.append(number)
        for one in (own, *refs.split(), *((link,) if link else ())):
            other = first.setdefault(one, number)
            if home[other] != home[number]:
                _unite(home, number, other)
    first.clear()
    found: dict[int, list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        found[_root(home, number)].append(key)
    return found.values()


def _unite(home: "array[int]", one: int, other: int) -> None:
    """The lower number is the root: numbers are given in the order in which messages lie."""
    one, other = _root(home, one), _root(home, other)
    home[max(one, other)] = min(one, other)


def _root(home: "array[int]", one: int) -> int:
    """Follow to the end, and halve the way for the next."""
    while home[one] != one:
        home[one] = home[home[one]]
        one = home[one]
    return one
