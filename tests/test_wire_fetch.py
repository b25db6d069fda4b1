"""FETCH rows: the fast path and IMAPClient's parser read the same, however the octets arrive (trap B14)."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from helpdesk.mailbox.stream import Stream
from helpdesk.mailbox.wire_fetch import FlagReader, MailReader
from helpdesk.ports import FlagRow, MailRow

END = b"h1 OK done\r\n"
keywords = st.sampled_from(["waiting", "42", "NIL", "nil", "[", "0", "a[b", "$Label1", "=20", "ü", "{3}"])
flag_lists = st.lists(st.one_of(st.sampled_from(["\\Seen", "\\Recent", "\\*"]), keywords), max_size=4)
headers = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [b"\r\n", b")\r\n* 9 FETCH (UID 9 FLAGS ())\r\n", b"Subject: {5}\r\n", b"h1 OK done\r\n"]
    ),
)
guids = st.sampled_from(
    [
        b"X-GUID 9c9b96134650046b",
        b"X-GUID 123",
        b"X-GM-MSGID 12784553442",
        b"EMAILID (M1)",
        b"EMAILID (12)",
        b"",
    ]
)
dates = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(lambda when: when.replace(microsecond=0))  # noqa: DTZ001


class Segments:
    """A connection whose octets arrive in given segments."""

    def __init__(self, segments: list[bytes]) -> None:
        self._segments = [segment for segment in segments if segment]

    def recv(self, most: int, /) -> bytes:
        if not self._segments:
            return b""
        segment = self._segments.pop(0)
        if len(segment) > most:
            self._segments.insert(0, segment[most:])
        return segment[:most]


def written_flags(flags: list[str]) -> bytes:
    return b"FLAGS (" + " ".join(flags).encode("latin-1") + b")"


@st.composite
def flag_rows(draw: st.DrawFn) -> bytes:
    items = [b"UID %d" % draw(st.integers(1, 2**32 - 1)), written_flags(draw(flag_lists))]
    if draw(st.booleans()):
        items.append(b"MODSEQ (%d)" % draw(st.integers(1, 2**63 - 1)))
    return b"* %d FETCH (%b)\r\n" % (draw(st.integers(1, 999)), b" ".join(draw(st.permutations(items))))


@st.composite
def mail_rows(draw: st.DrawFn) -> bytes:
    when: datetime = draw(dates)
    items = [
        b"UID %d" % draw(st.integers(1, 2**32 - 1)),
        written_flags(draw(flag_lists)),
        b"RFC822.SIZE %d" % draw(st.integers(0, 10**9)),
        f'INTERNALDATE "{when:%d-%b-%Y %H:%M:%S} {draw(st.sampled_from(["+0000", "-0730", "+1400"]))}"'.encode(),
    ]
    items += [item for item in [draw(guids), draw(st.sampled_from([b"", b"MODSEQ (5)"]))] if item]
    header = draw(headers)
    body = b"BODY[HEADER.FIELDS (SUBJECT FROM)] {%d}\r\n%b" % (len(header), header)
    items = draw(st.permutations(items))
    items.insert(draw(st.integers(0, len(items))), body) if draw(st.booleans()) else items.append(body)
    return b"* %d FETCH (%b)\r\n" % (draw(st.integers(1, 999)), b" ".join(items))


def read(octets: list[bytes], reader: FlagReader | MailReader, *, fast: bool) -> dict[int, FlagRow | MailRow]:
    """Read up to the tagged answer, with the fast path or without."""
    stream = Stream(Segments([*octets, END]))
    while True:
        if fast and reader.take(stream):
            stream.fill()
            continue
        parts = stream.response()
        if parts[0].startswith(b"h1 "):
            return dict(reader.rows)
        parts[0] = parts[0].removeprefix(b"* ")
        reader.odd(parts)


def torn(octets: bytes, data: st.DataObject) -> list[bytes]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=6)))
    return [octets[start:end] for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True)]


@given(st.lists(flag_rows(), max_size=5))
def test_flags_are_read_the_same_both_ways(rows: list[bytes]) -> None:
    """The regular expression and IMAPClient's parser agree on every row of flags."""
    assert read(rows, FlagReader(), fast=True) == read(rows, FlagReader(), fast=False)


@given(st.lists(mail_rows(), max_size=4))
def test_mails_are_read_the_same_both_ways(rows: list[bytes]) -> None:
    """The regular expression and IMAPClient's parser agree on every row with a header literal."""
    fast, slow = MailReader(), MailReader()
    assert read(rows, fast, fast=True) == read(rows, slow, fast=False)
    assert fast.unreadable == slow.unreadable == []


@given(st.lists(mail_rows(), max_size=4), st.data())
def test_it_does_not_matter_how_octets_arrive(rows: list[bytes], data: st.DataObject) -> None:
    """Lines and literals split anywhere between segments make the same rows."""
    octets = b"".join(rows)
    assert read(torn(octets, data), MailReader(), fast=True) == read([octets], MailReader(), fast=True)


def test_a_row_says_all_that_was_asked() -> None:
    """One row of Dovecot's, word for word, in all its fields."""
    said = (
        b'* 1 FETCH (UID 2 FLAGS (\\Seen urgent) MODSEQ (11) INTERNALDATE "23-Nov-2026 14:40:06 +0000" RFC822.SIZE 37 '
        b"X-GUID 9c9b96134650046b2d2c000083ecc375 BODY[HEADER.FIELDS (SUBJECT MESSAGE-ID)] {33}\r\n"
        b"Message-ID: <a@b>\r\nSubject: x\r\n\r\n)\r\n"
    )
    when = datetime(2026, 11, 23, 14, 40, 6, tzinfo=UTC)
    header = b"Message-ID: <a@b>\r\nSubject: x\r\n\r\n"
    flags = frozenset({"\\Seen", "urgent"})
    expected = MailRow(2, flags, 11, when, 37, "9c9b96134650046b2d2c000083ecc375", header)
    assert read([said], MailReader(), fast=True) == {2: expected}
