"""The subject rule in the database: answers that lost every id, and the messages that they may belong to."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection

from helpdesk.mailbox.subjects import WINDOW, SubjectKey, subject_candidate
from helpdesk.store import messages
from helpdesk.store.messages import Subject
from helpdesk.text import normal_subject


def find_threads(conn: Connection, *, adopting: bool) -> set[int]:
    """Link lost answers by their subject; returns the threads in which a link changed.

    What an answer finds depends on the set of messages, not on their order: one that arrives late is found as well.
    Only answers from `first` on can find something new, and all that those may find is loaded.
    """
    fresh = list(messages.fresh_subjects(conn, lost_only=adopting))
    keys = {one.subject_key for one in fresh if not one.refs and _is_answer(one)}
    if not adopting:
        keys |= messages.with_lost_answers(conn, {one.subject_key for one in fresh})
    if not keys:
        return set()
    first, last = min(one.time for one in fresh), max(one.time for one in fresh)
    links: dict[int, str] = {}
    disturbed: set[int] = set()
    for group in _by_subject(messages.subjects(conn, sorted(keys), first - WINDOW, last + WINDOW)):
        for one, link in _links(group).items():
            if one.time >= first and link != one.link:
                links[one.key] = link
                disturbed.add(one.thread)
    messages.link(conn, links)
    return disturbed - {0}


def _by_subject(found: Iterable[Subject]) -> Iterator[list[Subject]]:
    groups: dict[str, list[Subject]] = defaultdict(list)
    for one in found:
        groups[one.subject_key].append(one)
    yield from groups.values()


def _links(group: list[Subject]) -> Mapping[Subject, str]:
    keys = {one: _key(one) for one in group}
    lost = [one for one in group if keys[one].lost]
    return {one: subject_candidate(keys[one], keys.values()) or "" for one in lost}


def _key(one: Subject) -> SubjectKey:
    lost = not one.refs and _is_answer(one)
    return SubjectKey(one.message_id, one.subject_key, one.people, one.time, lost=lost)


def _is_answer(one: Subject) -> bool:
    return normal_subject(one.subject)[1]
