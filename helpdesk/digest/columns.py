"""Lines of 72 columns, as a terminal counts them: wide characters take two, and nothing is ever wider.  Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.cells import cell_len, chop_cells

from helpdesk.digest.mail import DigestRow
from helpdesk.text import ELLIPSIS, safe_text

WIDTH: Final = 72
MARGIN: Final = "  "
MAX_WHO: Final = 12
MAX_NOTE: Final = 26


def cut(text: str, width: int) -> str:
    """One clean line of at most so many columns."""
    clean = safe_text(text, limit=400)
    if cell_len(clean) <= width:
        return clean
    if width < 1:
        return ""
    return _head(clean, width - 1).rstrip() + ELLIPSIS


def padded(text: str, width: int) -> str:
    """The text and as many spaces as fill the column."""
    return text + " " * max(0, width - cell_len(text))


def folded(text: str, first: str = "", then: str = MARGIN) -> list[str]:
    """A sentence in lines, the first with its own margin; a word that is longer than a line is cut."""
    words = [cut(word, WIDTH - max(len(first), len(then))) for word in safe_text(text, limit=2000).split()]
    lines, line = [], first
    for word in words:
        if line.strip() and cell_len(line) + 1 + cell_len(word) > WIDTH and line != first:
            lines.append(line)
            line = then
        line += word if line in {first, then} else f" {word}"
    return [*lines, line.rstrip()]


def quoted(lines: Iterable[str], most: int) -> list[str]:
    """Somebody's own lines behind the margin; long ones are folded, of too many the first stay."""
    clean = [safe_text(line, limit=2000) for line in lines]
    shown = [part for line in clean for part in (folded(line, MARGIN) if line else [""])]
    more = len(shown) - most
    return shown[:most] + ([f"{MARGIN}[... {more} more lines]"] if more > 0 else [])


def rows(found: Sequence[DigestRow], name: int) -> Iterator[str]:
    """The rows of one part; `name` is the width of its ids."""
    mark = max([4, *(cell_len(row.mark) for row in found)])
    who, note = (
        min(most, max((cell_len(cell) for cell in cells), default=0))
        for most, cells in ((MAX_WHO, [row.who for row in found]), (MAX_NOTE, [row.note for row in found]))
    )
    for row in found:
        head = f"{MARGIN}{padded(row.thread, name)} {' ' * (mark - cell_len(row.mark))}{row.mark}  "
        if who or note:
            head += f"{padded(cut(row.who, who), who)}  " if who else ""
            longest = max(cell_len(one.says) for one in found)
            yield _in_columns(row, head, longest, note)
        else:
            yield from _in_two_lines(row.says, head)
        margin = " " * (len(MARGIN) + name + 1)
        for one in row.below:
            yield from _in_two_lines(one, margin)


def _in_columns(row: DigestRow, head: str, longest: int, note: int) -> str:
    """What a row says, and its note where the notes of its part stand."""
    left = WIDTH - cell_len(head)
    if not row.note:
        return f"{head}{cut(row.says, left)}".rstrip()
    width = min(longest, left - note - 2)
    return f"{head}{padded(cut(row.says, width), width)}  {cut(row.note, note)}".rstrip()


def two_lines(text: str) -> list[str]:
    """A sentence behind the margin, on two lines at most."""
    first, *rest = folded(text, MARGIN, MARGIN * 2)
    return [first, *([MARGIN * 2 + cut(" ".join(rest), WIDTH - 2 * len(MARGIN))] if rest else [])]


def _in_two_lines(text: str, head: str) -> Iterator[str]:
    """A sentence; what does not fit into two lines is cut."""
    margin = " " * cell_len(head)
    first, *rest = folded(text, head, margin)
    yield first
    if rest:
        yield margin + cut(" ".join(rest), WIDTH - len(margin))


def _head(text: str, width: int) -> str:
    return chop_cells(text, width)[0] if width > 1 else ""
