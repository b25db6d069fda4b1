"""Lines like "On Tuesday, Ann wrote:", in any language, and wrapped as clients wrap them.

Two judges.  The library knows the words of a dozen languages.  Without words: an address in brackets, a year and a time of day in
what ends with a colon.  And right above `>`, less is enough.
"""
# ruff: noqa: RUF001  fullwidth colons, and other alphabets

import re

from helpdesk.excerpts.dates import ADDRESS, dated, timed
from helpdesk.excerpts.kinds import Kind, Lines, next_said
from helpdesk.excerpts.library import Library

ENDS = (":", "：", ":*", "--", ">")
MAX_LINES = 3
LONG = 240  # characters: no client writes longer ones

_COLONS = ENDS[:3]
_FRINGE = " \t*_=-"
_VERBS = (
    r"(?:wrote|writes|said|schrieb|schreibt|a écrit|escribió|ha scritto|escreveu|schreef|skrev|kirjoitti|írta|a scris|yazdı"
    r"|napsal(?:\(a\))?|napisał(?:\(a\))?|pisze|написал(?:\(а\))?|пишет|пише|έγραψε|写道|寫道|작성)"
)
_WROTE = re.compile(rf"\b{_VERBS}$")
_SOMEBODY = re.compile(rf"(?:\S+ ){{1,5}}<[^\s<>@]{{1,120}}@[^\s<>@]{{1,120}}> ?{_VERBS}")
_OLD_STYLE = re.compile(r"\d{4}[/-]\d{1,2}[/-]\d{1,2} [^<>]{1,80}<[^\s<>@]{1,120}@[^\s<>@]{1,120}>")


def find(lines: Lines, kinds: list[Kind], last: int, library: Library) -> int | None:
    """Say where the introduction begins that ends in this line; None if it is none."""
    start = last
    while start > max(0, last - MAX_LINES + 1) and lines[start - 1].strip() and kinds[start - 1] is Kind.OWN:
        start -= 1
    first = _without_words(lines, start, last)
    if first is not None:
        return first
    first = _by_library(lines, start, last, library)
    if is_marked(lines, kinds, last):
        return _above_marked(lines, start, last) if first is None else first
    if first is not None and dated(_joined(lines, first, last)):
        return first
    return None  # "On the other hand, Bob wrote:" may be followed by the author's own words


def is_marked(lines: Lines, kinds: list[Kind], last: int) -> bool:
    """Whether `>` follows this line."""
    below = next_said(lines, last + 1)
    return below is not None and kinds[below] is Kind.QUOTED


def is_one(line: str) -> bool:
    """Whether the line alone is an introduction: by its verb, or by an address and a time."""
    return line.endswith(_COLONS) and (
        _says_wrote(line) or (ADDRESS.search(line) is not None and timed(line))
    )


def _says_wrote(text: str) -> bool:
    return _WROTE.search(text.rstrip(":：* ")) is not None


def _without_words(lines: Lines, start: int, last: int) -> int | None:
    """Find the shortest tail of these lines that is an introduction in any language."""
    tails = [(first, _joined(lines, first, last)) for first in range(last, start - 1, -1)]
    for first, text in tails:
        if text.endswith(_COLONS) and ADDRESS.search(text) and timed(text):
            return first
    for first, text in tails:
        plain = text.rstrip(":：* ")
        if _OLD_STYLE.fullmatch(plain) or (text != plain and _SOMEBODY.fullmatch(plain)):
            return first
    return None


def _by_library(lines: Lines, start: int, last: int, library: Library) -> int | None:
    """Ask the library, which wants no ornaments and a colon."""
    window = [line.strip(_FRINGE) for line in lines[start : last + 1]]
    found = library.header([*window[:-1], f"{window[-1].rstrip(':： ')}:"])
    return start + found[0] if found is not None and found[0] <= last - start else None


def _above_marked(lines: Lines, start: int, last: int) -> int | None:
    """Judge the last line above `>`, or the short paragraph that it ends."""
    begins = start if start == 0 or not lines[start - 1].strip() else last
    text = _joined(lines, begins, last)
    if not text.endswith(_COLONS) or len(text) > LONG:
        return None
    return begins if timed(text) or _says_wrote(text) else None


def _joined(lines: Lines, first: int, last: int) -> str:
    """Join what was wrapped, also inside of brackets."""
    return " ".join(line.strip() for line in lines[first : last + 1]).replace("< ", "<").replace(" >", ">")
