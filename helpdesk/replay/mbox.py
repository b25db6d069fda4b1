r"""An mbox file as a stream of mails, in one pass and in constant memory, whatever the file holds.

Read are mboxrd and mboxo (in both a text's `From ` is written `>From `), with LF or CRLF.  The standard library's
`mailbox.mbox` reads a table of contents of the whole file first, takes every line that begins with `From ` for a new
mail, and leaves the quoting in; Content-Length (mboxcl) is wrong too often and is not looked at.

A line is a postmark, so that a mail begins after it, if it begins with `From ` and

- ends with a date as `asctime` writes it, and comes after an empty line or before what looks like a header field; or
- goes on with an address, `-` or MAILER-DAEMON, and comes after an empty line *and* before what looks like a field.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Read = Callable[[int], bytes]
"""Up to so many octets more of a stream; b"" only at its end."""

BLOCK = 1024 * 1024
MAX_LINE = 64 * 1024  # a longer line is no postmark
MAX_BEFORE = 64 * 1024 * 1024  # octets without a postmark after which nothing more is read: this is no mbox

_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_DATED = re.compile(
    rb" (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) +(\d\d?)"
    rb" +(\d\d?):(\d\d)(?::(\d\d))?"
    rb"(?: +[A-Z]{1,5})?(?: +([+-]\d{4}))?(?: +[A-Z]{1,5})? +(\d{4})(?: +([+-]\d{4}))?[ \t\r]*$"
)
_NAMED = re.compile(rb"From (?:\S+@\S+|-|MAILER-DAEMON)(?:\s|$)", re.IGNORECASE)
_FIELD = re.compile(rb"[!-9;-~]{1,76}[ \t]*:|>From ")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_SOUGHT = b"\nFrom "
_BEHIND = 3  # octets before a line that tell whether an empty line comes before it: \n\r\n


@dataclass(frozen=True, slots=True)
class Piece:
    """One mail of an mbox."""

    position: int  # octets from the beginning of the file to its postmark
    postmark: bytes | None  # None for what stands before the first one
    octets: bytes  # the mail, or its beginning, with the quoting taken away
    size: int  # octets of the whole mail, as it is in the file
    cut: bool = False  # the file ends before this mail's last line does


def split(read: Read, limit: int) -> Iterator[Piece]:
    """Take a stream apart; of each mail at most the first `limit` octets are kept.

    What stands before the first postmark comes as a piece without one, but for empty lines: they are nothing.
    """
    return _Splitter(read, limit).run()


def postmark_time(line: bytes) -> datetime | None:
    """Read the date of a postmark, which is UTC where it names no offset; None where there is none."""
    found = _DATED.search(line)
    if found is None:
        return None
    month, day, hour, minute, second, zone, year, after = found.groups(b"0")
    east = (zone if zone != b"0" else after).decode()
    try:
        moment = datetime(
            int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC
        )
        return (
            moment
            if east == "0"
            else moment - timedelta(hours=int(east[:3]), minutes=int(east[0] + east[3:]))
        )
    except (ValueError, OverflowError):
        return None


def unquoted(octets: bytes) -> bytes:
    """Take one `>` away from every `>From `, `>>From `, ... at the beginning of a line."""
    return _QUOTED.sub(rb"\1", octets) if b">From " in octets else octets


class _Splitter:
    """A window on the stream, and the mail that it is in the middle of.

    Places (`_taken`, `_next`) count from the beginning of the window, which is at `_base` in the stream.
    """

    def __init__(self, read: Read, limit: int) -> None:
        self._read = read
        self._limit = limit
        self._window = b""
        self._base = 0
        self._taken = 0  # up to here all belongs to mails that were given out, to this one, or to postmarks
        self._next = 0  # from here on the next postmark is sought
        self._ended = False
        self._position = 0
        self._postmark: bytes | None = None
        self._head: list[bytes] = []
        self._kept = 0
        self._size = 0

    def run(self) -> Iterator[Piece]:
        """Give out every mail."""
        self._skip_empty_lines()
        self._position = self._base
        if not self._window:
            return
        if self._window.startswith(b"From ") and self._is_postmark(0):
            self._open(0)
        while self._postmark is not None or self._size < MAX_BEFORE:
            found = self._window.find(_SOUGHT, self._next)
            if found >= 0 and self._complete(found + 1):
                self._next = found + 1
                if self._is_postmark(found + 1):
                    yield self._closed(found)
                    self._open(found + 1)
            elif self._ended:
                break
            else:
                self._slide(found)
        yield self._last()

    def _skip_empty_lines(self) -> None:
        while not self._ended and len(self._window) < 2 * MAX_LINE:
            self._more()
            rest = self._window.removeprefix(b"\xef\xbb\xbf" if self._base == 0 else b"").lstrip(b"\r\n")
            self._base += len(self._window) - len(rest)
            self._window = rest

    def _more(self) -> None:
        block = self._read(BLOCK)
        self._window += block
        self._ended = not block

    def _complete(self, line: int) -> bool:
        """Whether this line and the beginning of the next are in the window, as far as they ever will be."""
        if self._ended or len(self._window) - line > 2 * MAX_LINE:
            return True
        end = self._window.find(b"\n", line)
        return end >= 0 and self._window.find(b"\n", end + 1) >= 0

    def _is_postmark(self, line: int) -> bool:
        """Whether this line, which begins with `From `, begins a mail."""
        end = self._end_of(line)
        if end - line > MAX_LINE:
            return False
        text = self._window[line:end]
        alone = line == 0 or self._after_empty_line(line)
        field = _FIELD.match(self._window, end + 1) is not None
        if _DATED.search(text):
            return alone or field
        return alone and field and _NAMED.match(text) is not None

    def _end_of(self, line: int) -> int:
        end = self._window.find(b"\n", line)
        return len(self._window) if end < 0 else end

    def _after_empty_line(self, line: int) -> bool:
        return self._window.endswith((b"\n\n", b"\n\r\n"), max(0, line - _BEHIND), line)

    def _open(self, line: int) -> None:
        """A mail begins after the postmark at `line`."""
        end = self._end_of(line)
        self._position = self._base + line
        self._postmark = self._window[line:end]
        self._taken = min(end + 1, len(self._window))
        self._next = end
        self._head, self._kept, self._size = [], 0, 0

    def _closed(self, found: int) -> Piece:
        """The mail that ends with the line end at `found`; an empty line before a postmark is no part of it."""
        end = found + 1
        if found >= self._taken and self._after_empty_line(end):
            end = found - 1 if self._window[found - 1 : found] == b"\r" else found
        self._take(end)
        return self._piece()

    def _slide(self, found: int) -> None:
        """Take what cannot be part of a postmark or of the empty line before it, and read on."""
        sought = found if found >= 0 else max(self._next, len(self._window) - len(_SOUGHT))
        self._take(sought - _BEHIND)
        start = max(0, min(self._taken, sought) - _BEHIND)
        self._window = self._window[start:]
        self._base += start
        self._taken -= start
        self._next = sought - start
        self._more()

    def _take(self, end: int) -> None:
        """The window up to `end` belongs to this mail."""
        length = end - self._taken
        if length <= 0:
            return
        wanted = min(length, self._limit - self._kept)
        if wanted > 0:
            self._head.append(self._window[self._taken : self._taken + wanted])
            self._kept += wanted
        self._size += length
        self._taken = end

    def _last(self) -> Piece:
        """The mail that the stream ends with; the empty line after it is no part of it."""
        end = len(self._window)
        for line_end in (b"\n\r\n", b"\n\n"):
            if end - self._taken >= len(line_end) - 1 and self._window.endswith(line_end):
                end -= len(line_end) - 1
                break
        self._take(end)
        return self._piece(cut=not self._window.endswith(b"\n"))

    def _piece(self, *, cut: bool = False) -> Piece:
        octets = unquoted(b"".join(self._head))
        return Piece(self._position, self._postmark, octets, self._size, cut)
