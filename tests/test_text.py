"""Text from strangers: what may never come through, and what must."""

import time
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.text import ELLIPSIS, is_forward, normal_subject, safe_block, safe_text

NASTY = st.sampled_from(
    [
        "\x1b[31m",
        "\x1b]0;title\x07",
        "\x9b2J",
        "\x1bP1;2\x1b\\",
        "\r\n",
        "\x85",
        "\u2028",
        "\u202e",
        "\u2066",
        "\u200b",
        "\u200c",
        "\u200d",
        "\ufeff",
        "\udc9b",
        "\ud83d",
        "\U000e0041",
        "\u3164",
        "\t",
        "\u00a0",
        " ",
        "\uffff",
        "a",
        "é",
        "👩",
        "[/foo]",
    ]
)
ANY_TEXT = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=())), st.lists(NASTY, max_size=30).map("".join)
)
FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}
HIDDEN = {"\u00ad", "\u061c", "\u200b", "\u200e", "\u200f", "\u2060", "\u3164", "\ufeff", "\uffff", "\ufe0f"}
BIDI = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}


def is_shown(character: str) -> bool:
    return (
        unicodedata.category(character) not in FORBIDDEN
        and character not in HIDDEN
        and unicodedata.bidirectional(character) not in BIDI
        and not 0xE0000 <= ord(character) < 0xE1000
    )


@given(ANY_TEXT, st.integers(1, 300))
def test_safe_text_is_one_visible_bounded_line(text: str, limit: int) -> None:
    """Whatever a stranger writes, one line of visible characters within the limit comes out."""
    line = safe_text(text, limit=limit)
    assert all(is_shown(character) for character in line)
    assert len(line) <= limit
    assert line == " ".join(line.split())


@given(ANY_TEXT, st.integers(1, 60))
def test_safe_text_is_idempotent(text: str, limit: int) -> None:
    """Text that went through once goes through again unchanged."""
    once = safe_text(text, limit=limit)
    assert safe_text(once, limit=limit) == once


@given(ANY_TEXT, st.integers(1, 60))
def test_safe_block_keeps_lines_and_nothing_else_that_is_invisible(text: str, limit: int) -> None:
    """A block has line ends, visible characters, the limit, and does not change the second time."""
    block = safe_block(text, limit=limit)
    assert all(character == "\n" or is_shown(character) for character in block)
    assert len(block) <= limit
    assert safe_block(block, limit=limit) == block


@given(st.text(st.characters(categories=["L", "N", "P"], exclude_characters="\u115f\u1160\u3164\uffa0")))
def test_plain_words_come_through(text: str) -> None:
    """Letters, digits and punctuation of every script are not touched."""
    assert safe_text(text, limit=len(text) + 1) == text


CASES = [
    ("a\r\nBcc: x@example.org", "a Bcc: x@example.org", "a header cannot be forged"),
    ("\x1b[1;31mred\x1b[0m", "red", "colours go with their parameters"),
    ("\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "link", "a terminal's links go"),
    ("\x1b]0;never ended", "0;never ended", "an unfinished sequence hides nothing"),
    ("invoice\u202egpj.exe", "invoicegpj.exe", "bidi overrides go"),
    ("pa\u200bss\u00adword", "password", "what cannot be seen goes"),
    ("pass\u200dword", "password", "joiners mean nothing in Latin text"),
    (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "Persian needs its non-joiner",
    ),
    ("👩\u200d💻", "👩\u200d💻", "an emoji of two stays one"),
    ("a\udc9bb", "a\ufffdb", "a broken octet shows as broken"),
    ("  a \t\u00a0 b\u3000", "a b", "spaces of every kind collapse"),
    ("line\u2028para\u2029end\x85", "line para end", "every line end is a space"),
    ("[/foo] <b>", "[/foo] <b>", "markup is text here: who prints it must not parse it"),
]


@pytest.mark.parametrize(("text", "expected", "why"), CASES, ids=[case[2] for case in CASES])
def test_safe_text_by_example(text: str, expected: str, why: str) -> None:
    """Each trap of a hostile subject has one known outcome."""
    assert safe_text(text) == expected, why


def test_long_text_ends_with_an_ellipsis() -> None:
    """A cut is visible, and the limit includes its mark."""
    assert safe_text("x" * 50, limit=10) == "x" * 9 + ELLIPSIS
    assert safe_text("x" * 10, limit=10) == "x" * 10


def test_safe_block_keeps_the_shape_of_a_log() -> None:
    """Indentation and columns stay, whatever kind of line end and tab the mail had."""
    assert safe_block("\r\nrun\tjob\r\n  a\tb  \r\rend\n\n") == "run     job\n  a     b\n\nend"


HOSTILE = {
    "spaces before a word": " " * 1_000_000 + "x",
    "tabs": "\t" * 1_000_000,
    "escapes that open": "\x1b[" * 500_000,
    "titles that open": "\x1b]" * 500_000,
    "8-bit titles that open": "\x9d" * 1_000_000,
    "parameters without end": "\x1b[" + "0" * 1_000_000,
    "replies": "Re: " * 250_000,
    "brackets": "[" * 1_000_000,
    "half tokens": "(#" * 500_000,
    "joiners": "é\u200d" * 500_000,
    "lines of spaces": "\n \n" * 330_000,
}


@pytest.mark.parametrize("function", [safe_text, safe_block, normal_subject])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_megabyte_takes_linear_time(function: Callable[[str], object], text: str) -> None:
    """A megabyte made to be slow takes no longer than a few seconds of this machine."""
    started = time.process_time()
    function(text)
    assert time.process_time() - started < 5  # quadratic: hours


SUBJECTS = [
    ("Re: Job fails", "job fails", True),
    ("RE: AW: Antw: Job fails", "job fails", True),
    ("SV: VS: Ref: RIF: R: Odp: YNT: ATB: x", "x", True),
    ("回复\uff1a数据", "数据", True),
    ("答复: 数据", "数据", True),
    ("Re[2]: x", "x", True),
    ("Re^2: x", "x", True),
    ("Re (3): x", "x", True),
    ("RE : x", "x", True),
    ("Fwd: x", "x", False),
    ("FW: WG: TR: Doorst: VL: İLT: x", "x", False),
    ("Fwd: Re: x", "x", True),
    ("[dast] Re: [atlas-users] x", "x", True),
    ("Re: x (#123)", "x", True),
    ("(#123) x", "x", False),
    ("x [GGUS-ID: #48112]", "x", False),
    ("x [update 2]", "x [update 2]", False),
    ("Regarding: x", "regarding: x", False),
    ("Result re: x", "result re: x", False),
    ("STRASSE Straße", "strasse strasse", False),
    ("Re: cafe\u0301", "café", True),
    ("Re:\r\n x", "x", True),
    ("Re: EXTERNAL: Re: x", "x", True),
    ("[EXT] Re: *EXT* x", "x", True),
    ("***SPAM*** Re: x", "x", True),
    ("Réf : Rép : Réponse : x", "x", True),
    ("Svar: Vast: Respuesta: Reply: Balas: x", "x", True),
    ("Trả lời: ตอบกลับ: 答覆: x", "x", True),
    ("Re-2: x", "x", True),
    ("VS-3: x", "vs-3: x", False),  # a ticket, as a tracker writes it
    ("RE\ufe30x", "x", True),
    ("Re: x [Solved]", "x", True),
    ("Re: x (fwd)", "x", True),
    ("RE: (GGUS-Ticket-ID: #12345) x", "x", True),
    ("Re: x (was: y)", "x (was: y)", True),
    ("Extended: x", "extended: x", False),
    ("*important* x", "*important* x", False),
    ("Re:", "", True),
    ("", "", False),
]


@pytest.mark.parametrize(("subject", "expected", "replied"), SUBJECTS)
def test_normal_subject_by_example(subject: str, expected: str, *, replied: bool) -> None:
    """Replies, forwards, list tags and ticket numbers of the common clients are peeled off."""
    assert normal_subject(subject) == (expected, replied)


@given(
    ANY_TEXT.filter(lambda text: len(text) < 500),
    st.sampled_from(["Re: ", "AW: ", "[x] Re: ", "回复\uff1a", "Re[2]: "]),
)
def test_a_reply_has_the_subject_that_it_replies_to(subject: str, prefix: str) -> None:
    """Any subject and the reply to it are equal once normalised, and the reply says so."""
    assert normal_subject(prefix + subject) == (normal_subject(subject)[0], True)


@pytest.mark.parametrize(
    ("subject", "forwarded"),
    [
        ("Fwd: job fails", True),
        ("[dast] FW: job fails", True),
        ("WG: Re: job fails", True),
        ("EXT: job fails", False),
        ("EXTERNAL: FW: job fails", True),
        ("转发: job fails", True),
        ("Re: Fwd: job fails", False),
        ("job fails", False),
        ("Forward jets: a question", False),
        ("", False),
    ],
)
def test_is_forward(subject: str, *, forwarded: bool) -> None:
    """A forwarded mail says so first, in any language, after the tags of lists; an answer to one is an answer."""
    assert is_forward(subject) is forwarded
