"""What a line of a mail is, and the few questions that all parts of an excerpt ask of lines."""

import re
from collections.abc import Sequence
from enum import Enum

Lines = Sequence[str]


class Kind(Enum):
    """Who speaks in a line."""

    OWN = "own"  # the author; what is in doubt, and blank lines, are his
    QUOTED = "quoted"  # somebody else, in an earlier mail
    INTRO = "intro"  # "On Tuesday Ann wrote:", above what is quoted
    SIGNATURE = "signature"  # nobody: signatures, footers of lists, disclaimers, the armour of PGP


_WORD = re.compile(r"\w")


def has_words(line: str) -> bool:
    """Whether anything is said in the line; rules and blank lines say nothing."""
    return _WORD.search(line) is not None


def says_something(lines: Lines, kinds: Sequence[Kind], first: int, last: int) -> bool:
    """Whether the author says anything in `lines[first:last]`."""
    return any(kinds[number] is Kind.OWN and has_words(lines[number]) for number in range(first, last))


def stretches(
    lines: Lines, kinds: Sequence[Kind], kind: Kind, first: int, last: int
) -> list[tuple[int, int]]:
    """Find where lines of one kind stand together in `lines[first:last]`, from where to where.

    Blank lines of the author's between quoted ones belong to what is quoted.
    """
    found: list[tuple[int, int]] = []
    for number in range(first, last):
        if kinds[number] is not kind:
            continue
        if found and not any(lines[between].strip() for between in range(found[-1][1], number)):
            found[-1] = (found[-1][0], number + 1)
        else:
            found.append((number, number + 1))
    return found


def last_paragraph(lines: Lines, first: int, last: int) -> tuple[int, int]:
    """Find the last paragraph of `lines[first:last]`, an empty one if all is blank."""
    while last > first and not lines[last - 1].strip():
        last -= 1
    start = last
    while start > first and lines[start - 1].strip():
        start -= 1
    return start, last


def next_said(lines: Lines, number: int, reach: int = 3) -> int | None:
    """Find the next line that is not blank, from `number` on, `reach` lines far."""
    return next((one for one in range(number, min(number + reach, len(lines))) if lines[one].strip()), None)


def previous_said(lines: Lines, number: int, reach: int = 3) -> int | None:
    """Find the line above `number` that is not blank, `reach` lines far."""
    return next(
        (one for one in range(number - 1, max(number - 1 - reach, -1), -1) if lines[one].strip()), None
    )
