"""FETCH responses (RFC 9051 section 7.5.2) as rows: one compiled expression where it fits, IMAPClient's parser else.

A FETCH without UID is thrown away: its sequence number says nothing that lasts, and it is the server telling of
somebody else's change.  What cannot be read is kept apart, so that one malformed row harms no other.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from imapclient.exceptions import IMAPClientError
from imapclient.response_parser import parse_fetch_response

from helpdesk.mailbox.conversation import Parts
from helpdesk.mailbox.stream import Stream
from helpdesk.ports import FlagRow, Identity, MailRow

UNKNOWN_DATE: Final = datetime(1970, 1, 1, tzinfo=UTC)

_MONTHS: Final = {
    month: number
    for number, month in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)
}
_MALFORMED: Final = (IMAPClientError, ValueError, AttributeError, TypeError, IndexError, RecursionError)
"""What IMAPClient's parser raises on rows that are none."""

_FLAG_ROW = re.compile(rb"\* \d+ FETCH \((?:UID (\d+)|FLAGS \(([^()]*)\)|MODSEQ \((\d+)\)| )+\)\r\n")
_MAIL_ROW = re.compile(
    rb"\* \d+ FETCH \((?:UID (\d+)|FLAGS \(([^()]*)\)|MODSEQ \((\d+)\)|INTERNALDATE \"([^\"]*)\""
    rb"|RFC822\.SIZE (\d+)|(?:X-GUID|X-GM-MSGID) ([^ ()\"{]+)|EMAILID \(([^ ()\"{]+)\)| )*"
    rb"BODY\[HEADER\.FIELDS \([^)]*\)\] \{(\d+)\}\r\n"
)
_FETCH = re.compile(rb"(\d+) FETCH (?=\()", re.IGNORECASE)
_FLAGS = re.compile(rb"(?<![^ (])FLAGS \(([^()]*)\)", re.IGNORECASE)
_DATE = re.compile(rb"(?<![^ (])INTERNALDATE \"([^\"]*)\"", re.IGNORECASE)
_UID = re.compile(rb"(?<![^ (])UID (\d+)", re.IGNORECASE)
_HEADER: Final = b"BODY[HEADER.FIELDS"


@lru_cache(maxsize=4096)
def flag_set(text: bytes) -> frozenset[str]:
    r"""Read flags separated by spaces, each as it is spelled; `\Recent` is about sessions, not about messages."""
    return frozenset(flag for flag in text.decode("latin-1").split() if flag.lower() != "\\recent")


def internal_date(text: bytes) -> datetime:
    """Read an INTERNALDATE such as `17-Jul-1996 02:44:25 -0700`; nonsense is 1970."""
    try:
        year, month, day = _day(text[:11])
        second = min(int(text[18:20]), 59)  # 60 in a leap second
        when = datetime(year, month, day, int(text[12:14]), int(text[15:17]), second, tzinfo=UTC)
        return when if text[21:] == b"+0000" else when - _offset(text[21:26])
    except (ValueError, KeyError, OverflowError):
        return UNKNOWN_DATE


@lru_cache(maxsize=1024)
def _day(text: bytes) -> tuple[int, int, int]:
    return int(text[7:11]), _MONTHS[text[3:6]], int(text[:2])


@lru_cache(maxsize=128)
def _offset(zone: bytes) -> timedelta:
    sign = -1 if zone[:1] == b"-" else 1
    return sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))


class FlagReader:
    """Collects flags by UID, and in `modseqs` the MODSEQs that a STORE of ours got.

    Those are rows without flags (a silent STORE's).  Cyrus sends the flags all the same: after a STORE with
    UNCHANGEDSINCE `above`, the first MODSEQ of a message above that is ours, or the message were in MODIFIED.
    """

    def __init__(self, above: int | None = None) -> None:
        self._above = above
        self.rows: dict[int, FlagRow] = {}
        self.modseqs: dict[int, int] = {}
        self.unreadable: list[int | None] = []

    def take(self, stream: Stream) -> bool:
        """Read complete rows; see `RowReader`."""
        buffer, at, rows, above = stream.buffer, stream.at, self.rows, self._above
        match = _FLAG_ROW.match
        while row := match(buffer, at):
            uid, flags, modseq = row.groups()
            if uid and flags is not None and above is None:
                number = int(uid)
                rows[number] = FlagRow(number, flag_set(flags), int(modseq) if modseq else None)
            else:
                self._add(uid, flags, modseq)
            at = row.end()
        stream.at = at
        return buffer.find(b"\n", at) < 0

    def odd(self, parts: Parts) -> bool:
        """Read one FETCH of another shape; see `RowReader`."""
        if not _FETCH.match(parts[0]):
            return False
        uid, flags = _named(parts)
        fields = parsed(parts)
        if fields is not None:
            modseq = _modseq(fields)
            self._add(uid, flags, b"%d" % modseq if modseq else None)
        elif uid is not None and flags is not None:
            self._add(uid, flags, None)
        else:
            self.unreadable.append(int(uid) if uid else None)
        return True

    def _add(self, uid: bytes | None, flags: bytes | None, modseq: bytes | None) -> None:
        if uid is None:
            return
        number = int(uid)
        if flags is not None:
            self.rows[number] = FlagRow(number, flag_set(flags), int(modseq) if modseq else None)
        if modseq is not None and (flags is None or (self._above is not None and int(modseq) > self._above)):
            self.modseqs[number] = min(int(modseq), self.modseqs.get(number, int(modseq)))


class MailReader:
    """Collects messages with their header fields."""

    def __init__(self) -> None:
        self.rows: dict[int, MailRow] = {}
        self.unreadable: list[int | None] = []

    def take(self, stream: Stream) -> bool:
        """Read complete rows; see `RowReader`."""
        buffer, at, rows = stream.buffer, stream.at, self.rows
        size, match, short = len(buffer), _MAIL_ROW.match, False
        while row := match(buffer, at):
            uid, flags, modseq, date, octets, guid, email, length = row.groups()
            start = row.end()
            end = start + int(length)
            short = end + 3 > size
            if short or buffer[end : end + 3] != b")\r\n" or not (uid and date and octets) or flags is None:
                break
            number = int(uid)
            rows[number] = MailRow(
                number,
                flag_set(flags),
                int(modseq) if modseq else None,
                internal_date(date),
                int(octets),
                (guid or email or b"").decode("latin-1"),
                buffer[start:end],
            )
            at = end + 3
        stream.at = at
        return short or buffer.find(b"\n", at) < 0

    def odd(self, parts: Parts) -> bool:
        """Read one FETCH of another shape; see `RowReader`."""
        if not _FETCH.match(parts[0]):
            return False
        uid, flags = _named(parts)
        fields = parsed(parts)
        if fields is None:
            self.unreadable.append(int(uid) if uid else None)
        elif uid is not None and any(key.startswith(_HEADER) for key in fields):
            self.rows[int(uid)] = _mail(int(uid), fields, flags or b"", _DATE.search(b" ".join(parts[::2])))
        return True


class IdentityReader:
    """Collects the servers' ids of a few messages."""

    def __init__(self) -> None:
        self.rows: dict[int, Identity] = {}

    def take(self, stream: Stream) -> bool:
        """Read complete rows; see `RowReader`."""
        return not stream.has_line

    def odd(self, parts: Parts) -> bool:
        """Read one FETCH of another shape; see `RowReader`."""
        if not _FETCH.match(parts[0]):
            return False
        fields = parsed(parts) or {}
        uid, size = fields.get(b"UID"), fields.get(b"RFC822.SIZE")
        guid = _guid(fields)
        if isinstance(uid, int) and isinstance(size, int) and guid:
            self.rows[uid] = Identity(uid, guid, size, b"")
        return True


class PartReader:
    """Collects the one literal that a command asks for (`BODY[]<0>`), by UID."""

    def __init__(self) -> None:
        self.found: dict[int, bytes] = {}

    def take(self, stream: Stream) -> bool:
        """Read complete rows; see `RowReader`."""
        return not stream.has_line

    def odd(self, parts: Parts) -> bool:
        """Read one FETCH of another shape; see `RowReader`."""
        if not _FETCH.match(parts[0]):
            return False
        fields = parsed(parts) or {}
        body = next((value for key, value in fields.items() if key.startswith(b"BODY[]")), None)
        if b"UID" in fields and isinstance(body, bytes):
            self.found[fields[b"UID"]] = body
        return True


def parsed(parts: Parts) -> dict[bytes, Any] | None:
    """Read one FETCH response with IMAPClient's parser; None when it is malformed.

    Flags are taken out before: to that parser the keyword `42` is a number, `NIL` is nothing, and `[` is an error.
    """
    text = [_FLAGS.sub(b"FLAGS ()", part) if index % 2 == 0 else part for index, part in enumerate(parts)]
    text[0] = _FETCH.sub(rb"\1 ", text[0], count=1)
    lines: list[Any] = [*zip(text[:-1:2], text[1::2], strict=True), text[-1]]
    try:
        messages = parse_fetch_response(lines, normalise_times=False, uid_is_key=False)
    except _MALFORMED:
        return None
    fields: dict[bytes, Any] = dict(next(iter(messages.values()), {}))
    return fields


def _named(parts: Parts) -> tuple[bytes | None, bytes | None]:
    """Find UID and flags in the text of a response, malformed or not."""
    text = b" ".join(parts[::2])
    uid, flags = _UID.search(text), _FLAGS.search(text)
    return (uid[1] if uid else None), (flags[1] if flags else None)


def _mail(uid: int, fields: dict[bytes, Any], flags: bytes, date: re.Match[bytes] | None) -> MailRow:
    header = next((value for key, value in fields.items() if key.startswith(_HEADER)), None)
    size = fields.get(b"RFC822.SIZE")
    return MailRow(
        uid=uid,
        flags=flag_set(flags),
        modseq=_modseq(fields),
        internaldate=internal_date(date[1]) if date else UNKNOWN_DATE,
        size=size if isinstance(size, int) else 0,
        guid=_guid(fields),
        header=header if isinstance(header, bytes) else b"",
    )


def _guid(fields: dict[bytes, Any]) -> str:
    return next(
        (_text(fields[name]) for name in (b"EMAILID", b"X-GM-MSGID", b"X-GUID") if name in fields), ""
    )


def _modseq(fields: dict[bytes, Any]) -> int | None:
    value = fields.get(b"MODSEQ")
    return value[0] if isinstance(value, tuple) and value and isinstance(value[0], int) else None


def _text(value: object) -> str:
    """Undo what the parser makes of an id: a number, nothing, or a list of one."""
    if isinstance(value, tuple):
        return _text(value[0]) if value else ""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return "" if value is None else str(value)
