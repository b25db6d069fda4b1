"""Blocks like "From: ... Sent: ... To: ... Subject: ..." above a mail that no `>` marks, and the dividers above them.

A form, a log or YAML look alike.  So the block must have the shape (four filled labels with one margin, one of them dated), and then two
addresses in it or the library's word are asked for.
"""
# ruff: noqa: RUF001  fullwidth colons

import re

from helpdesk.excerpts.dates import MAILBOX, dated, timed
from helpdesk.excerpts.kinds import Kind, Lines, next_said, previous_said
from helpdesk.excerpts.library import Library

MAX_LINES = 12
KNOWN = 3  # labels in a row that the library must know

_LABEL = re.compile(r"[ \t*]{0,40}[^\W\d_](?:[^\W\d_]|[ \u3000.'’()-]){0,24}\xa0?\*?[:：](?!//)")
_FILLED = re.compile(r"[:：]\*?[ \t]*\S")
_PASTED = re.compile(
    r"(?:received|message-id|return-path|mime-version|content-[\w-]+|references|in-reply-to|x-[\w-]+)\b",
    re.IGNORECASE,
)
_RULE = re.compile(r"[ \t]*[-_=*]{5,}[ \t]*")
_DIVIDER = re.compile(r"[ \t*]*[-_=]{2,}[ \t]*[^\W\d_].{2,60}?[ \t]*[-_=]{2,}[ \t*]*")


def find(lines: Lines, kinds: list[Kind], number: int, library: Library) -> tuple[int, int] | None:
    """Say from which to which line the header goes that begins here, with the rule or the divider above it."""
    if _DIVIDER.fullmatch(lines[number]):
        return _divided(lines, kinds, number, library)
    if not _LABEL.match(lines[number]) or (number and _LABEL.match(lines[number - 1])):
        return None
    block = _block(lines, kinds, number)
    labels = [lines[line] for line in block]
    start = _first_label(labels, library) if _looks_right(labels) else None
    if start is None:
        return None
    first = _paragraph(lines, block[start])
    above = previous_said(lines, first)
    ruled = above is not None and _RULE.fullmatch(lines[above]) is not None
    return (above if above is not None and ruled else first), block[-1] + 1


def begins(lines: Lines) -> bool:
    """Whether a quoted text begins with a header: an address and a time in its labels."""
    labels = [line for line in lines[:MAX_LINES] if _LABEL.match(line)]
    return len(labels) >= 2 and any(map(MAILBOX.search, labels)) and any(map(timed, labels))


def _divided(lines: Lines, kinds: list[Kind], number: int, library: Library) -> tuple[int, int] | None:
    """Judge a divider, "--- Original Message ---": by two labels below it, else by its words."""
    below = next_said(lines, number + 1)
    block = _block(lines, kinds, below) if below is not None and _LABEL.match(lines[below]) else []
    labels = [lines[line] for line in block]
    sent = any(map(MAILBOX.search, labels)) or any(map(timed, labels))
    if len(labels) >= 2 and sent and not _pasted(labels):
        return number, block[-1] + 1
    return (number, number + 1) if library.header([lines[number].strip(" \t*")]) else None


def _block(lines: Lines, kinds: list[Kind], first: int) -> list[int]:
    """Collect the labels of a block: a long one may go on in the next line, a blank line may stand between two."""
    block = [first]
    for number in range(first + 1, min(first + MAX_LINES, len(lines))):
        above = lines[number - 1].strip()
        if kinds[number] is Kind.QUOTED:
            break
        if _LABEL.match(lines[number]):
            block.append(number)
        elif not above or (lines[number].strip() and block[-1] != number - 1):
            break
    return block


def _looks_right(labels: list[str]) -> bool:
    filled = sum(_FILLED.search(label) is not None for label in labels)
    addressed = sum(MAILBOX.search(label) is not None for label in labels)
    margins = {len(label) - len(label.lstrip()) for label in labels}
    right = filled >= 4 or (filled == 3 and addressed >= 2)
    return right and len(margins) == 1 and any(map(dated, labels)) and not _pasted(labels)


def _pasted(labels: list[str]) -> bool:
    """Whether somebody shows the header of a mail as it was sent."""
    return any(_PASTED.match(label.lstrip(" \t*")) for label in labels)


def _first_label(labels: list[str], library: Library) -> int | None:
    """Find the label with which the header of a mail begins: by two addresses and a time, else by its words."""
    if MAILBOX.search(labels[0]) and any(map(MAILBOX.search, labels[1:])) and any(map(timed, labels)):
        return 0
    found = library.header([*(label[:42] for label in labels[:6]), "-"])
    if found is None or found[1] - found[0] <= KNOWN:  # the library takes one line more than it knows
        return None
    return found[0]


def _paragraph(lines: Lines, number: int) -> int:
    """Go up to the first label of a paragraph of short ones: the library need not know all of them."""
    first = number
    while (
        first and number - first < 3 and _LABEL.match(lines[first - 1]) and len(lines[first - 1].split()) <= 6
    ):
        first -= 1
    return number if first and lines[first - 1].strip() else first
