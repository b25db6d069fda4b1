"""A ticket number stands whole in a subject, however long the rest is."""

import pytest

from helpdesk.letters.numbers import ROOM, beside, numbers


@pytest.mark.parametrize(
    ("tickets", "shown"),
    [
        ((), ""),
        (("[Ticket#1]",), "[Ticket#1]"),
        (("[Ticket#1]", "DDM-2"), "[Ticket#1] DDM-2"),
        (("x" * 200,), "x" * 200),
        (
            ("[Ticket#0000000001]", "[Ticket#0000000002]", "[Ticket#0000000003]", "DDM-4"),
            "[Ticket#0000000002] [Ticket#0000000003] DDM-4",
        ),
    ],
)
def test_the_newest_that_fit(tickets: tuple[str, ...], shown: str) -> None:
    """All numbers, or the newest of too many; one is never left out."""
    assert numbers(tickets) == shown
    assert len(shown) <= ROOM or len(tickets) == 1


def test_a_long_subject_makes_room() -> None:
    """What is cut is the subject and not the number; without a number the subject is left alone."""
    long = "All jobs fail " * 20
    cut = beside("[Ticket#48112]", long, "dast", "GGUS")
    written = f"[dast] 0123456789 waits for GGUS: {cut} [Ticket#48112]"
    assert len(written) <= 160
    assert cut.endswith("...")
    assert beside("", long, "dast", "GGUS") == long
    assert beside("[Ticket#48112]", "short", "dast", "GGUS") == "short"
    assert len(beside("x" * 200, long, "dast", "GGUS")) == 13  # ten characters and the dots
