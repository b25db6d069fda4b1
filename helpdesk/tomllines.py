"""Where each key of a TOML document stands: `tomllib` says what a document means, not on which line.

The scanner trusts that `tomllib` has read the document: it finds the ends of things and checks nothing.
"""

import re
import tomllib
from bisect import bisect_right

Loc = tuple[str | int, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_KEY = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|[A-Za-z0-9_-]+')
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\]|\\.)*"|\'[^\']*\'',
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def lines_of(text: str) -> dict[Loc, int]:
    """Map the path of each table, key and array element to its line, counted from 1."""
    return _Scanner(text).lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.lines: dict[Loc, int] = {}
        self._pos = 0
        self._starts = [0, *(end.end() for end in re.finditer("\n", text))]
        self._counts: dict[Loc, int] = {}  # of each array of tables: the index of its last element
        self._document()

    def _document(self) -> None:
        table: Loc = ()
        while self._peek():
            table = self._header() if self._peek() == "[" else self._pair(table)

    def _peek(self) -> str:
        """Skip spaces, line ends and comments, and look at what comes."""
        self._skip(_SPACE)
        return self.text[self._pos : self._pos + 1]

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self._pos)
        assert found is not None, "tomllib has read this document"
        self._pos = found.end()
        return found[0]

    def _mark(self, loc: Loc) -> None:
        self.lines.setdefault(loc, bisect_right(self._starts, self._pos))

    def _header(self) -> Loc:
        start = self._pos
        repeated = self.text.startswith("[[", start)
        self._pos += 2 if repeated else 1
        self._skip(_SPACE)
        names = self._names()
        self._pos = self.text.index("]", self._pos) + (2 if repeated else 1)
        end, self._pos = self._pos, start
        loc: Loc = ()
        for position, name in enumerate(names, start=1):
            loc = (*loc, name)
            self._mark(loc)
            if repeated and position == len(names):
                self._counts[loc] = self._counts.get(loc, -1) + 1
            if loc in self._counts:
                loc = (*loc, self._counts[loc])
                self._mark(loc)
        self._pos = end
        return loc

    def _names(self) -> Loc:
        """Read a dotted key."""
        names = [self._name()]
        while _DOT.match(self.text, self._pos):
            self._skip(_DOT)
            names.append(self._name())
        return tuple(names)

    def _name(self) -> str:
        written = self._skip(_KEY)
        return str(tomllib.loads(f"k = {written}")["k"]) if written[0] in "\"'" else written

    def _pair(self, table: Loc) -> Loc:
        start = self._pos
        names = self._names()
        end, self._pos = self._pos, start
        for position in range(len(names)):
            self._mark((*table, *names[: position + 1]))
        self._pos = end
        self._skip(_EQUALS)
        self._value((*table, *names))
        return table

    def _value(self, loc: Loc) -> None:
        opening = self._peek()
        if opening in {'"', "'"}:
            self._skip(_STRING)
        elif opening == "[":
            self._elements(loc)
        elif opening == "{":
            self._members(loc)
        else:
            self._skip(_SCALAR)

    def _elements(self, loc: Loc) -> None:
        self._pos += 1
        index = 0
        while self._peek() != "]":
            self._mark((*loc, index))
            self._value((*loc, index))
            index += 1
            self._comma()
        self._pos += 1

    def _members(self, loc: Loc) -> None:
        self._pos += 1
        while self._peek() != "}":
            self._pair(loc)
            self._comma()
        self._pos += 1

    def _comma(self) -> None:
        if self._peek() == ",":
            self._pos += 1
