"""Staying away: longer each time, never in step, and as long as the server asks."""

from hypothesis import given
from hypothesis import strategies as st

from helpdesk.mailbox.backoff import Backoff

fractions = st.floats(0, 1)
failures = st.integers(0, 10_000)


def test_it_doubles_up_to_a_limit() -> None:
    """Without jitter the waits double from the first to the longest."""
    backoff = Backoff(first=1, longest=10)
    assert [backoff.delay(n, 0) for n in range(1, 7)] == [1, 2, 4, 8, 10, 10]


@given(failures, fractions)
def test_it_stays_within_bounds(count: int, jitter: float) -> None:
    """However many failures, the wait is at least half of the first and at most the longest."""
    backoff = Backoff(first=2, longest=60)
    assert 1 <= backoff.delay(count, jitter) <= 60


@given(failures, fractions, st.floats(0, 10_000))
def test_it_obeys_the_server(count: int, jitter: float, asked: float) -> None:
    """What the server asked for is never undercut."""
    assert Backoff().delay(count, jitter, asked) >= asked


def test_two_clients_come_back_apart() -> None:
    """Different random numbers make different waits, also when the server named one."""
    backoff = Backoff()
    assert backoff.delay(5, 0.1) != backoff.delay(5, 0.9)
    assert backoff.delay(1, 0.1, 100) != backoff.delay(1, 0.9, 100)
