"""Excerpts of hostile mail: never an exception, never a word that is not in the mail, and never more steps than lines."""

from collections.abc import Iterator
from typing import SupportsIndex, overload

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.excerpts import excerpt, kinds_of
from helpdesk.excerpts.library import MAX_QUESTIONS, MAX_WINDOW, Library

HOSTILE = [
    "> quoted",
    ">" * 200,
    "On Mon, Jun 9, 2009 at 8:30 AM Ann <ann@example.org> wrote:",
    "On Mon, Jun 9, 2009 at 8:30 AM Ann wrote:\n\nx\n> y",
    "On",
    "",
    " ",
    "--",
    "-- \nx",
    "_____",
    "_____\nmailing list",
    "From: ann@example.org\nSent: 2009 10:30\nTo: bob@example.org",
    "From: a",
    "a: b",
    "confidential, if you received this in error, notify us and delete it, this e-mail is privileged " * 3,
    "Sent from my phone",
    "-----BEGIN PGP SIGNATURE-----",
    "---------- Forwarded message ----------",
    "> ---------- Forwarded message ----------",
    "<\n> wrote:",
    ">>> x",
    "--- x ---",
]
PIECES = st.sampled_from(
    (
        *(
            "On ",
            "\n",
            "\n\n",
            " ",
            "wrote:",
            "From: ",
            "Sent: 2009 10:30",
            "ann@example.org",
            "<",
            ">",
            "> ",
            "--\n",
            "-- \n",
        ),
        *(
            "___\n",
            "x",
            ":",
            "mailing list",
            "Forwarded message\n",
            "-----BEGIN PGP SIGNATURE-----\n",
            "\r\n",
            "\x00",
            "\ud800",
        ),
        *("é", "2009-06-09", "Sent from my phone\n"),
    )
)


class Counted(list[str]):
    """Lines that count how often one is looked at."""

    looks = 0

    def __iter__(self) -> Iterator[str]:
        self.looks += len(self)
        return super().__iter__()

    @overload
    def __getitem__(self, place: SupportsIndex, /) -> str: ...
    @overload
    def __getitem__(self, place: slice, /) -> list[str]: ...
    def __getitem__(self, place: SupportsIndex | slice, /) -> str | list[str]:
        found = super().__getitem__(place)
        self.looks += len(found) if isinstance(place, slice) else 1
        return found


def looks(piece: str, times: int) -> tuple[int, int]:
    lines = Counted(f"{piece}\n".split("\n")[:-1] * times)
    kinds_of(lines)
    return lines.looks, len(lines)


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("around", ["{}", "Hello.\n{}", "{}\nBye."])
def test_the_steps_grow_with_the_lines(piece: str, around: str) -> None:
    """Each line is looked at a bounded number of times, however many there are and whatever is in them."""
    for times in (40, 400):
        seen, lines = looks(around.format(piece), times)
        assert seen <= 40 * lines


def test_the_library_is_asked_little() -> None:
    """It gets short windows only, and a bounded number of them in a mail; what it was not asked is no header."""
    library = Library()
    assert library.header(["On 9 June 2009, Ann wrote:"]) == (0, 1)
    assert library.header(["x" * MAX_WINDOW, "On 9 June 2009, Ann wrote:"]) is None
    assert library.asked == 1
    answers = [library.header(["words", "On 9 June 2009, Ann wrote:"]) for _ in range(MAX_QUESTIONS + 5)]
    assert library.asked == MAX_QUESTIONS
    assert answers == [(1, 2)] * (MAX_QUESTIONS - 1) + [None] * 6


def test_many_questions_cost_no_words() -> None:
    """Where the library is asked no more, the words stay."""
    text = "I tried this:\n" * 100 + "and it fails."
    assert excerpt(text).words == text


@settings(deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_an_excerpt_adds_nothing(text: str) -> None:
    """Its lines are lines of the mail in their order, without an exception; if the mail says something, so does the excerpt."""
    found = excerpt(text)
    lines = iter([line.rstrip() for line in text.replace("\r\n", "\n").split("\n")])
    assert all(line in lines for line in found.words.split("\n"))
    assert len(found.words) <= len(text)
    assert bool(found.words.strip("\n")) == any(line.rstrip() for line in text.split("\n"))


@settings(deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_nothing_is_lost_uncounted(text: str) -> None:
    """Each line with something on it is in the excerpt or in its counts."""
    found = excerpt(text)
    said = sum(bool(line.rstrip()) for line in text.replace("\r\n", "\n").split("\n"))
    assert found.words.count("\n") + 1 + found.quoted_dropped + found.signature_dropped >= said
