"""`UidSet` behaves as a set of numbers, whatever way it is made, written, read or cut."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from helpdesk.uidset import UidSet

uids = st.sets(st.integers(1, 60), max_size=40)
large = st.sets(st.integers(1, 2**32 - 1), max_size=200)


@given(uids)
def test_it_is_the_set_it_was_made_of(numbers: set[int]) -> None:
    """Iteration, length, truth and membership are those of the set, in ascending order."""
    made = UidSet.of(numbers)
    assert list(made) == sorted(numbers)
    assert len(made) == len(numbers)
    assert bool(made) == bool(numbers)
    assert {number for number in range(70) if number in made} == numbers


@given(large)
def test_text_and_back(numbers: set[int]) -> None:
    """What is written is read as the same set."""
    made = UidSet.of(numbers)
    assert UidSet.parse(str(made)) == made


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), max_size=8))
def test_any_spelling_is_read(ranges: list[tuple[int, int]]) -> None:
    """Ranges may be written backwards, out of order, overlapping, or touching."""
    text = ",".join(f"{first}:{last}" for first, last in ranges)
    expected = {n for first, last in ranges for n in range(min(first, last), max(first, last) + 1)}
    assert UidSet.parse(text) == UidSet.of(expected)


@given(uids)
def test_neighbours_are_one_range(numbers: set[int]) -> None:
    """Ranges are disjoint, ascending, and as few as possible."""
    ranges = UidSet.of(numbers).ranges
    assert all(first <= last for first, last in ranges)
    assert all(before[1] + 1 < after[0] for before, after in itertools.pairwise(ranges))


@given(large, st.integers(30, 200))
def test_slices_fit_and_lose_nothing(numbers: set[int], octets: int) -> None:
    """Slices stay under the limit, and together they are the whole set."""
    made = UidSet.of(numbers)
    slices = list(made.slices(octets))
    assert all(slices)
    assert all(len(str(part)) <= octets for part in slices)
    assert [uid for part in slices for uid in part] == list(made)


@given(uids, st.integers(1, 10))
def test_batches_are_full_and_lose_nothing(numbers: set[int], count: int) -> None:
    """Batches have the asked-for number of UIDs, except the last, and together they are the whole set."""
    made = UidSet.of(numbers)
    batches = list(made.batches(count))
    assert all(len(batch) == count for batch in batches[:-1])
    assert all(0 < len(batch) <= count for batch in batches)
    assert [uid for batch in batches for uid in batch] == list(made)


def test_a_million_neighbours_are_one_pair() -> None:
    """A span costs one pair, however long it is, and an inverted span is empty."""
    assert str(UidSet.span(1, 10**6)) == "1:1000000"
    assert len(UidSet.span(1, 10**6)) == 10**6
    assert UidSet.span(2, 1) == UidSet() == UidSet.parse("")
