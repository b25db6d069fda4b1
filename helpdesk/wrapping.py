"""Texts in lines of 72 columns, and times for people: the filters of the templates for text."""

import re
import textwrap
from collections.abc import Iterable
from datetime import UTC, datetime

from helpdesk.text import safe_block

WIDTH = 72
MAX_LINE = 600
MAX_LINES = 40


class Block(str):
    """Text of several lines that a filter of ours has cleaned."""

    __slots__ = ()


def wrapped(text: str, indent: int = 0) -> str:
    """Paragraphs in lines of 72 columns, the last line ended: for blocks and for whole texts."""
    margin = " " * indent
    filled = (_folded(paragraph, WIDTH - indent) for paragraph in paragraphs_of(text))
    return Block("\n\n".join("\n".join(f"{margin}{line}" for line in lines) for lines in filled) + "\n")


def quoted(lines: Iterable[str], prefix: str = "> ") -> str:
    """Somebody's own lines, each behind a prefix; long ones are wrapped, too many are cut."""
    clean, cut = clean_lines(lines)
    shown = [part for line in clean for part in _folded(line, WIDTH - len(prefix))]
    if cut:
        shown.append(more(cut))
    return Block("\n".join(f"{prefix}{line}".rstrip() for line in shown))


def aligned(lines: Iterable[str]) -> str:
    """Lines that are laid out already, as they are: cleaned, and neither wrapped nor cut."""
    return Block("\n".join(safe_block(line, limit=MAX_LINE) for line in lines))


def when(moment: datetime) -> str:
    """Write a time for people, in UTC."""
    utc = moment.astimezone(UTC)
    return f"{utc:%a} {utc.day} {utc:%b %Y %H:%M} UTC"


def paragraphs_of(text: str) -> list[str]:
    """Clean a text, and put each of its paragraphs on one line."""
    return [" ".join(one.split()) for one in re.split(r"\n[ \t]*\n", safe_block(text).strip())]


def clean_lines(lines: Iterable[str]) -> tuple[list[str], int]:
    """Clean somebody's lines; of too many the first stay, and how many went is said."""
    clean = [part for line in lines for part in safe_block(line, limit=MAX_LINE).split("\n")]
    return clean[:MAX_LINES], max(0, len(clean) - MAX_LINES)


def more(cut: int) -> str:
    """Say that lines were left out."""
    return f"[... {cut} more lines]"


def _folded(line: str, width: int) -> list[str]:
    """One line in several, all with its margin; words and names that are longer stay whole."""
    margin = line[: min(len(line) - len(line.lstrip()), width // 2)]
    return textwrap.wrap(
        line.strip(),
        width,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]
