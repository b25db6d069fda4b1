"""Messages that no id connects are grouped apart; those that one connects, never."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from helpdesk.mailbox.apart import Linked, slices
from helpdesk.mailbox.threads import Node, components

IDS = st.sampled_from("abcdefghijkl")
MESSAGES = st.lists(st.tuples(IDS, st.lists(IDS, max_size=4), st.one_of(st.just(""), IDS)), max_size=15)


def linked(*messages: tuple[str, str, str]) -> list[Linked]:
    """Messages with keys from 1."""
    return [(key, *message) for key, message in enumerate(messages, 1)]


def test_a_slice_ends_where_a_component_does() -> None:
    """Three threads in slices of two: an answer is never cut off from its thread, a lone mail may be."""
    found = slices(linked(("a", "", ""), ("b", "a", ""), ("c", "", ""), ("d", "b", ""), ("e", "", "")), 2)
    assert [list(keys) for keys in found] == [[1, 2, 4], [3, 5]]


def test_ghosts_and_subjects_connect() -> None:
    """Two answers to a mail that is not here belong together, and so does what the subject rule found."""
    found = slices(linked(("a", "ghost", ""), ("b", "", ""), ("c", "ghost", ""), ("d", "", "b")), 1)
    assert [list(keys) for keys in found] == [[1, 3], [2, 4]]


def test_no_messages_no_slices() -> None:
    """Of nothing there are no slices."""
    assert list(slices([], 10)) == []


@given(messages=MESSAGES, size=st.integers(min_value=1, max_value=5))
def test_slices_are_unions_of_components(messages: Sequence[tuple[str, list[str], str]], size: int) -> None:
    """Whatever is connected lies in one slice, every message in exactly one."""
    found = [
        set(keys)
        for keys in slices(linked(*((own, " ".join(refs), link) for own, refs, link in messages)), size)
    ]
    assert sorted(key for keys in found for key in keys) == list(range(1, len(messages) + 1))
    nodes = [
        Node(0, own, key, tuple(refs), (), link or None)  # type: ignore[arg-type]  # times only sort
        for key, (own, refs, link) in enumerate(messages, 1)
    ]
    for component in components(nodes):
        assert sum(not keys.isdisjoint(component.members) for keys in found) == 1
