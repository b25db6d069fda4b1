"""A destination's mail that leads nowhere finds its thread by the ticket number that it names (docs/mail.md section 1).

After the token and the references, before the subject.  The thread is that of the oldest mail of that destination with the
number that found its own way, else the one open thread of which a person said the number.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from helpdesk.store import groups, messages, tickets
from helpdesk.store.tickets import Numbered

Home = Callable[[str], Sequence[str]]
"""The destinations in whose domain an address is."""


def find_threads(conn: Connection, home: Home) -> set[int]:
    """Give such mail a reference; returns the threads in which that changes something."""
    fresh = tickets.fresh(conn)
    if not fresh:
        return set()
    by_number: dict[str, list[Numbered]] = defaultdict(list)
    for one in tickets.with_numbers(conn, {one.ticket for one in fresh}):
        by_number[one.ticket].append(one)
    known = groups.known_ids(conn, {ref for one in fresh for ref in one.refs})
    links: dict[int, str] = {}
    disturbed: set[int] = set()
    for number, named in by_number.items():
        lost = [one for one in named if _is_lost(one, known)]
        for one in lost:
            anchor = _anchor(one, named, lost, home) or _said(conn, one, number, home)
            if anchor:
                links[one.key] = anchor
                disturbed.add(one.thread)
    messages.refer(conn, links)
    return disturbed - {0}


def _is_lost(one: Numbered, known: Mapping[str, int]) -> bool:
    """In a thread already: only what refers to nothing at all.  New: what refers to nothing that anybody knows."""
    if one.thread:
        return not one.refs
    return all(ref not in known for ref in one.refs)


def _anchor(one: Numbered, named: Sequence[Numbered], lost: Sequence[Numbered], home: Home) -> str:
    """The oldest mail of the same destination that did not get lost; of lost ones the oldest stays where it is."""
    mine = set(home(one.author)) | set(one.word_of)
    others = [other for other in named if not mine.isdisjoint(other.word_of)]
    found = [other for other in others if other not in lost] or others[:1]
    return next((other.message_id for other in found if other.key != one.key), "")


def _said(conn: Connection, one: Numbered, number: str, home: Home) -> str:
    mine = set(home(one.author)) | set(one.word_of)
    return tickets.said(conn, number, mine)
