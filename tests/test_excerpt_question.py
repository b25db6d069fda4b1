"""Questions: the sentence that an expert has to answer, in the author's words."""
# ruff: noqa: RUF001  question marks of other scripts

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.excerpts.questions import MAX_QUESTION, question


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (
            "Hello,\n\nmy jobs fail. Is DESY-HH in\ndowntime since Monday?\n\nAny ideas?",
            "Is DESY-HH in downtime since Monday?",
        ),
        ("It fails.\nAny ideas?\nThanks!", "Any ideas?"),
        ("1. Does it work with Athena 15.0.0 at all?", "Does it work with Athena 15.0.0 at all?"),
        ("> Which site was it, please tell us?\n\nDESY-HH.", ""),
        ("see https://panda.example.org/?job=117 for\nmore", ""),
        ('He asked "why does it fail at DESY-HH?"', 'He asked "why does it fail at DESY-HH?"'),
        ("失敗しました。どうすればいいですか？", "どうすればいいですか？"),
        ("It just fails.", ""),
        ("???", ""),
        (f"{'so long ' * 50}?", ""),
        ("", ""),
    ],
)
def test_the_question_is_the_sentence_that_asks(words: str, asked: str) -> None:
    """A whole sentence is found over the ends of lines; quoted questions, addresses and "Any ideas?" come last or not at all."""
    assert question(words) == asked


@settings(deadline=None)
@given(st.text(alphabet="ab .?？>\n:/1!*-", max_size=200))
def test_a_question_is_short_and_asks(words: str) -> None:
    """Whatever the words are, a question is one line of them, or nothing."""
    found = question(words)
    assert len(found) <= MAX_QUESTION
    assert "\n" not in found
    assert not found or "?" in found or "？" in found
