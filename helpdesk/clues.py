"""The lines of a mail that an expert wants first: what broke, in which job, where, on which data, with which release.

Pure, and linear in the text: each line is searched once for each sort of clue, a long line and a long text are cut, and few clues
come back, the most telling first.  A clue is the author's own characters, with the line that it stands in.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

from helpdesk.cluewords import WORDS, Sort
from helpdesk.settings.patterns import Pattern, compile_pattern

__all__ = ["Clue", "Sort", "clues"]

MAX_LINES = 5000
MAX_LINE = 500  # characters of a line that are searched and shown
MAX_IN_LINE = 4  # clues of one expression in a line
LIMITS = {Sort.ERROR: 5, Sort.JOB: 3, Sort.SITE: 3, Sort.DATASET: 3, Sort.RELEASE: 3}
TRACEBACK = 95  # how telling the last line of a traceback is
TRACEBACK_LINES = 80

_MARKUP = " \t*`"
_PUNCTUATION = ".,;:'\")"
_QUOTE = re.compile(r"[ \t>]*")
# "IOError: ..." or "DQException"; no part of a "File ..." that a client has wrapped.
_LAST_WORD = re.compile(r"[A-Za-z_][\w.]{0,120}:|(?:\w{1,60}\.){0,6}[A-Z]\w{1,60}$")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Clue:
    """One clue: what it is, word for word, and where it stands."""

    sort: Sort
    text: str
    line: str
    number: int  # of the line, from 0


@dataclass(frozen=True, slots=True)
class _Found:
    clue: Clue
    telling: int
    at: int  # where in the line


def clues(text: str, *, sites: Collection[str] = ()) -> tuple[Clue, ...]:
    """Find the clues of a text, sort by sort, the most telling first; `sites` are names that are known to be sites."""
    lines = [line[:MAX_LINE] for line in text.split("\n", MAX_LINES)[:MAX_LINES]]
    chosen: list[Clue] = []
    for sort in Sort:
        found = [*_found(lines, sort), *(_known_sites(lines, frozenset(sites)) if sort is Sort.SITE else ())]
        if sort is Sort.ERROR:
            found += _tracebacks(lines)
        chosen += islice(_distinct(found), LIMITS[sort])
    return tuple(chosen)


def _found(lines: list[str], sort: Sort) -> Iterator[_Found]:
    any_of_them = _any(sort)
    fringe = _MARKUP if sort is Sort.ERROR else _MARKUP + _PUNCTUATION
    for number, line in enumerate(lines):
        if any_of_them.search(line):
            for telling, pattern in _patterns(sort):
                for at, text in _matches(pattern, line):
                    yield _Found(Clue(sort, text.strip(fringe), line.strip(), number), telling, at)


def _known_sites(lines: list[str], sites: frozenset[str]) -> Iterator[_Found]:
    """Find names from the configuration, more telling than what only looks like a site."""
    if not sites:
        return
    pattern = _names(sites)
    for number, line in enumerate(lines):
        for at, text in _matches(pattern, line):
            yield _Found(Clue(Sort.SITE, text, line.strip(), number), 1, at)


def _matches(pattern: Pattern, line: str) -> Iterator[tuple[int, str]]:
    start = 0
    for _ in range(MAX_IN_LINE):
        match = pattern.search(line[start:])
        if match is None or not match.group(1):
            return
        yield start + match.start(1), match.group(1)
        start += match.start(1) + len(match.group(1))


def _distinct(found: list[_Found]) -> Iterator[Clue]:
    """Put the most telling first, else in the order of the text: of errors one a line, and one of those that differ in numbers only."""
    seen: set[object] = set()
    for one in sorted(found, key=lambda one: (-one.telling, one.clue.number, one.at)):
        clue = one.clue
        keys: set[object] = {clue.text.casefold()}
        if clue.sort is Sort.ERROR:
            keys = {clue.number, _DIGITS.sub("0", _QUOTE.sub("", clue.line, count=1))}
        if clue.text and not keys & seen:
            seen |= keys
            yield clue


def _tracebacks(lines: list[str]) -> Iterator[_Found]:
    """Find the line with which each traceback ends: the first that is not indented further, and names an exception."""
    margin, until = -1, -1
    for number, line in enumerate(lines):
        quote = _QUOTE.match(line)
        indent = quote.end() if quote else 0
        said = line[indent:]
        if said.startswith("Traceback (most recent call last)"):
            margin, until = indent, number + TRACEBACK_LINES
        elif number <= until and indent <= margin and _LAST_WORD.match(said):
            until = -1
            yield _Found(Clue(Sort.ERROR, said.strip(), line.strip(), number), TRACEBACK, indent)


@cache
def _patterns(sort: Sort) -> tuple[tuple[int, Pattern], ...]:
    return tuple((telling, compile_pattern(expression)) for telling, expression in WORDS[sort])


@cache
def _any(sort: Sort) -> Pattern:
    """One expression for all of a sort: most lines hold no clue, and are searched once."""
    return compile_pattern("|".join(f"(?:{expression})" for _, expression in WORDS[sort]))


@cache
def _names(sites: frozenset[str]) -> Pattern:
    """One expression for all names: longer ones first, and never a part of a longer word."""
    names = "|".join(re.escape(name) for name in sorted(sites, key=lambda name: (-len(name), name)))
    return compile_pattern(rf"(?:^|[^\w-])({names})(?:[^\w-]|$)")
