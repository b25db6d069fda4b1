"""The threads of an archive, one after the other, as `helpdesk.mailbox.threads` finds them.

What is connected by any id is a component, and what the board makes of a component depends on nothing outside it: so
components are found here on numbers, for all mails at once, and taken apart by the board's code one by one.
"""

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from helpdesk.mailbox.subjects import SubjectKey, subject_candidate
from helpdesk.mailbox.threads import Group, Node, partition
from helpdesk.replay.book import EPOCH, LOST, Book

SHARED = 0.05  # an address on more mails than this is no person's: a list, a box, or somebody of the team
SHARED_AT_LEAST = 20
NEAREST = 8  # of the mails with the same subject and person only the newest before an answer can be the one

Links = dict[int, str]


def shared_by_use(book: Book) -> frozenset[str]:
    """The addresses that are in so many threads that they tell nothing about a thread."""
    uses: Counter[int] = Counter(book.author)
    for row in range(len(book)):
        uses.update(book.recipients[row])
    most = max(SHARED_AT_LEAST, SHARED * len(book))
    texts = book.people.texts()
    return frozenset(texts[person] for person, count in uses.items() if count > most)


def subject_links(book: Book, times: Sequence[int], shared: frozenset[str]) -> Links:
    """What the subject rule finds for the answers that lost every id: row -> Message-ID."""
    wanted = {book.subject[row] for row in range(len(book)) if book.marks[row] & LOST}
    if not wanted:
        return {}
    ids, people, subjects = book.ids.texts(), book.people.texts(), book.subjects.texts()
    unshared = [text not in shared and "@" in text for text in people]
    keys: dict[int, SubjectKey] = {}
    for row, subject in enumerate(book.subject):
        if subject in wanted:
            who = {one for one in (book.author[row], *book.recipients[row]) if unshared[one]}
            keys[row] = SubjectKey(
                ids[book.id[row]],
                subjects[subject],
                frozenset(people[one] for one in who),
                EPOCH + timedelta(seconds=times[row]),
                lost=bool(book.marks[row] & LOST),
            )
    return _links(keys)


def _links(keys: dict[int, SubjectKey]) -> Links:
    by_person: dict[tuple[str, str], list[SubjectKey]] = defaultdict(list)
    for key in sorted(keys.values(), key=_order):
        for person in key.people:
            by_person[key.subject, person].append(key)
    found: Links = {}
    for row, key in keys.items():
        if key.lost:
            near = [one for person in key.people for one in _before(by_person[key.subject, person], key)]
            link = subject_candidate(key, near)
            if link is not None:
                found[row] = link
    return found


def _before(ordered: Sequence[SubjectKey], key: SubjectKey) -> Sequence[SubjectKey]:
    place = bisect_left(ordered, _order(key), key=_order)
    return ordered[max(0, place - NEAREST) : place]


def _order(key: SubjectKey) -> tuple[object, bool, str]:
    """As `subject_candidate` orders them."""
    return key.time, key.lost, key.message_id


def groups(book: Book, times: Sequence[int], links: Links) -> Iterator[Group]:
    """Every thread; the keys of its members are rows."""
    ids = book.ids.texts()
    for rows in _components(book, links):
        yield from partition(
            [
                Node(
                    EPOCH + timedelta(seconds=times[row]),
                    ids[book.id[row]],
                    row,
                    tuple([ids[one] for one in book.references[row]]),
                    tuple([ids[one] for one in book.parents[row]]),
                    links.get(row),
                )
                for row in rows
            ]
        )


def _components(book: Book, links: Links) -> Iterator[list[int]]:
    """The rows of each component, in the order of the archive; the one with the first mail first."""
    home = array("I", range(len(book.ids)))
    for row, own in enumerate(book.id):
        named = book.references[row]
        for one in named if row not in links else (*named, book.ids.number(links[row])):
            _unite(home, own, one)
    following = array("q", [-1]) * len(book)  # row -> the next of its component
    last: dict[int, int] = {}
    firsts = array("Q")
    for row, own in enumerate(book.id):
        root = _root(home, own)
        before = last.get(root)
        if before is None:
            firsts.append(row)
        else:
            following[before] = row
        last[root] = row
    last.clear()
    for first in firsts:
        rows, row = [], first
        while row >= 0:
            rows.append(row)
            row = following[row]
        yield rows


def _root(home: "array[int]", one: int) -> int:
    """Follow to the end, and halve the way for the next."""
    while home[one] != one:
        home[one] = home[home[one]]
        one = home[one]
    return one


def _unite(home: "array[int]", one: int, other: int) -> None:
    """The smaller number is the root: what came first."""
    first, second = sorted((_root(home, one), _root(home, other)))
    home[second] = first
