"""Lines that `>` marks as quoted, and which of them the reader still needs.

An answer in the middle of a quoted mail says nothing without its question: the paragraph above each answer stays.
"""

import re
from collections.abc import Iterator

from helpdesk.excerpts import headers, intros
from helpdesk.excerpts.kinds import Kind, Lines, has_words, last_paragraph, previous_said, stretches

QUESTION = 6  # lines of a quoted paragraph that stay above an answer
SHORT = 3  # lines: who quotes no more than this has chosen them
GREETING = 4  # words: "Cheers, Ann" is what nobody answers

_MARKED = re.compile(r"[ \t]{0,3}>")
_DEPTH = re.compile(r"[ \t>]*")
_ESCAPED = re.compile(r">From ")  # mbox: the author's own word
_PROMPT = re.compile(r"[ \t]{0,3}>>>(?:[^>]|$)")  # Python's: nobody quotes three deep and nothing else
_END = re.compile(r"--|[-_]{5,}")  # in the quoted mail: its signature


def mark(lines: Lines, kinds: list[Kind]) -> None:
    """Mark what `>` marks as quoted."""
    marked = [number for number, line in enumerate(lines) if _MARKED.match(line)]
    quoted = [number for number in marked if not _escaped(lines, number) and not _closes(lines, number)]
    if all(_PROMPT.match(lines[number]) for number in quoted):
        return
    for number in quoted:
        kinds[number] = Kind.QUOTED


def keep_evidence(lines: Lines, kinds: list[Kind], last: int) -> None:
    """Give back to the author what he marked himself, in a mail that introduces nobody: a log, code, an error."""
    if Kind.INTRO in kinds:
        return
    for begin, end in stretches(lines, kinds, Kind.QUOTED, 0, last):
        if not _is_mail(lines[begin:end]):
            kinds[begin:end] = [Kind.OWN] * (end - begin)


def _is_mail(block: Lines) -> bool:
    """Whether the block itself says that it is a mail: it quotes another, it has an introduction inside, or a header."""
    said = [_DEPTH.sub("", line, count=1) for line in block]
    return any(_depth(line) > 1 for line in block) or any(map(intros.is_one, said)) or headers.begins(said)


def keep_questions(lines: Lines, kinds: list[Kind]) -> None:
    """Give back to the author what he answers: the last paragraph of each block above his own words.

    A single block that is longer than a question is a mail quoted as a whole: its reader has seen it.
    """
    answered = list(_answered(lines, kinds))
    for first, last in answered:
        question = _question(lines, first, last)
        said = sum(map(has_words, lines[first:last]))
        if len(answered) > 1 or not _introduced(lines, kinds, first) or len(question) == said <= SHORT:
            for number in question:
                kinds[number] = Kind.OWN


def _answered(lines: Lines, kinds: list[Kind]) -> Iterator[tuple[int, int]]:
    blocks = stretches(lines, kinds, Kind.QUOTED, 0, len(lines))
    for number, (first, last) in enumerate(blocks):
        end = blocks[number + 1][0] if number + 1 < len(blocks) else len(lines)
        follows = next((line for line in range(last, end) if has_words(lines[line])), None)
        if follows is not None and kinds[follows] is Kind.OWN:
            yield first, last


def _introduced(lines: Lines, kinds: list[Kind], first: int) -> bool:
    above = previous_said(lines, first)
    return above is not None and kinds[above] is Kind.INTRO


def _escaped(lines: Lines, number: int) -> bool:
    """Whether `>From` stands alone: in a quoted block it is quoted like its neighbours."""
    if not _ESCAPED.match(lines[number]):
        return False
    around = (*lines[max(0, number - 1) : number], *lines[number + 1 : number + 2])
    return not any(_MARKED.match(line) for line in around)


def _closes(lines: Lines, number: int) -> bool:
    """Whether this `>` closes the address that the line above opened: a client wrapped its "Ann <ann@x> wrote:"."""
    above = lines[number - 1] if number else ""
    return above.count("<") > above.count(">") and len(lines[number]) <= 40 and lines[number].endswith(":")


def _question(lines: Lines, first: int, last: int) -> range:
    """Find the last paragraph that somebody said in a quoted block, or the end of it if it is long."""
    said = [_DEPTH.sub("", line, count=1) for line in lines[first:last]]
    end = next((number for number, line in enumerate(said) if _END.fullmatch(line)), len(said))
    start, stop = last_paragraph(said, 0, end)
    before = last_paragraph(said, 0, start)
    deep = _depth(lines[first + stop - 1])
    if before[1] and _is_greeting(said[start:stop]) and _depth(lines[first + before[1] - 1]) == deep:
        start, stop = before
    asked = stop
    while asked > max(start, stop - QUESTION) and _depth(lines[first + asked - 1]) == deep:
        asked -= 1
    return range(first + asked, first + stop)


def _is_greeting(paragraph: Lines) -> bool:
    words = " ".join(paragraph)
    return len(words.split()) <= GREETING and "?" not in words


def _depth(line: str) -> int:
    found = _DEPTH.match(line)
    return found[0].count(">") if found else 0
