"""What the author of a mail says himself, for people who read many mails.  The stored mail is never altered.

    lines ─► quotes (`>`) ─► borders (mails quoted without `>`) ─► signatures ─► words

A line that goes costs its reader more than a line that stays.  So what is in doubt stays; what was forwarded stays, because it is the
question; a log that its author marked with `>` stays; and where nothing would remain, everything does.  Lines are dropped whole:
none is changed, none is added.  Each part is a pass over the lines, and the library that knows the words of clients gets a
bounded number of short questions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from helpdesk.excerpts import armour, borders, quotes, signatures
from helpdesk.excerpts.kinds import Kind, Lines, says_something, stretches
from helpdesk.excerpts.library import Library

FEW = 60  # words: who writes more says it himself
BRIEF = 12  # words: what may be no more than a pointer

_POINTS_BELOW = re.compile(
    r"\b(?:in-?line|below|fyi|forward(?:ed|ing)?|unten|s\.u\.|weitergeleitet|ci-dessous|plus bas|pour info"
    r"|qui sotto|di seguito|(?:más )?abajo|abaixo|hieronder)\b",
    re.IGNORECASE,
)


_SENDS_DOWN = re.compile(
    r"\bfyi\b(?=[ \t]*(?:[.,:;!)-]|$))"
    r"|\b(?:see|as|everything|all|mentioned|attached|shown|quoted|described|mail|message|thread|log|output|question) (?:\w+ )?below\b|\bbelow(?= (?:is|are|you)\b|[ \t]*(?:[.,:;!)]|$))"
    r"|\b(?:comments?|answers?|repl(?:y|ies)|respon\w+|see|questions?|thoughts)\b.{0,20}\bin-?line\b|\bin-?line(?=[ \t]*(?:[.,:;!)]|$))"
    r"|\b(?:am|are|i|we|just|been|'m|\u2019m) forward(?:ed|ing)\b|\bforwarded (?:mail|message|by|for)\b|\b(?:i|we|please|to) forward (?:this|it|the|his|her|their|my)\b"
    r"|\b(?:unten|s\.u\.|weitergeleitet|ci-dessous|plus bas|pour info|qui sotto|di seguito|(?:más )?abajo|abaixo|hieronder)\b",
    re.IGNORECASE,
)
"""The same in a mail of more words, which may use them for something else: "below 1 GHz", "an inline amplifier", "moving forward"."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The author's words, and how many lines were left out that had something on them."""

    words: str
    quoted_dropped: int
    signature_dropped: int


def excerpt(text: str, *, forwarded: bool = False) -> Excerpt:
    """Leave what the author says: no earlier mails (unless this one forwards them), no signatures, no footers."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    kinds = kinds_of(lines, forwarded=forwarded)
    if not says_something(lines, kinds, 0, len(lines)):
        return Excerpt("\n".join(lines).strip("\n"), 0, 0)
    words = "\n".join(_own(lines, kinds)).strip("\n")
    dropped = [kind for line, kind in zip(lines, kinds, strict=True) if line]
    signed = dropped.count(Kind.SIGNATURE)
    return Excerpt(words, len(dropped) - dropped.count(Kind.OWN) - signed, signed)


def own_words(text: str) -> str:
    """Leave what the author says, as `excerpt` does; nothing where he only quotes or signs."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    kinds = kinds_of(lines)
    if not says_something(lines, kinds, 0, len(lines)):
        return ""
    own = list(_own(lines, kinds))
    return "\n".join(own).strip("\n") if any(line and not line.startswith(">") for line in own) else ""


def _own(lines: Lines, kinds: list[Kind]) -> Iterator[str]:
    """Go through what stays; of the blank lines around what goes, one stays."""
    blank = gap = True
    for line, kind in zip(lines, kinds, strict=True):
        if line and kind is not Kind.OWN:
            gap = True
        elif line or not blank or (kind is Kind.OWN and not gap):
            yield line
            blank, gap = not line, gap and not line


def kinds_of(lines: Lines, *, forwarded: bool = False) -> list[Kind]:
    """Say who speaks in each line."""
    kinds = [Kind.OWN] * len(lines)
    if not forwarded:
        quotes.mark(lines, kinds)
    for first, last in stretches(lines, kinds, Kind.OWN, 0, len(lines))[-1:]:
        signatures.mark_footer(lines, kinds, first, last)
    border = None if forwarded else borders.find(lines, kinds, Library())
    armour.mark(lines, kinds)
    end = len(lines) if border is None else border.first
    quotes.keep_evidence(lines, kinds, end)
    _mark_signatures(lines, kinds, 0, end)
    if border is not None:
        if border.forwarded:
            kinds[end:] = [Kind.OWN] * (len(lines) - end)
        elif says_something(lines, kinds, 0, end) and not _points_below(lines, kinds, end):
            kinds[end:] = [Kind.QUOTED] * (len(lines) - end)
        _mark_signatures(lines, kinds, end, len(lines))
    quotes.keep_questions(lines, kinds)
    return kinds


def _mark_signatures(lines: Lines, kinds: list[Kind], first: int, last: int) -> None:
    for begin, end in stretches(lines, kinds, Kind.OWN, first, last):
        signatures.mark(lines, kinds, begin, end)


def _points_below(lines: Lines, kinds: list[Kind], end: int) -> bool:
    """Whether the author says little, and points to what follows: "see below", "my answers inline", "FYI"."""
    own = " ".join(line for line, kind in zip(lines[:end], kinds, strict=False) if kind is Kind.OWN)
    words = len(own.split())
    points = _POINTS_BELOW if words <= BRIEF else _SENDS_DOWN
    return words <= FEW and points.search(own) is not None
