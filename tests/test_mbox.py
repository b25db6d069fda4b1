"""Taking an mbox apart: what was written comes back, and nothing that lies in a file stops the reading."""

import io
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.replay import mbox as module
from helpdesk.replay.mbox import Piece, postmark_time, split, unquoted
from tests.archives import mbox, postmark, quoted

HUGE = 10**9
MARK = postmark()
LINES = st.sampled_from(
    [
        b"From ",
        b">From me",
        b">>From me",
        b"From a@b Thu Jan  1 00:00:00 2026",
        b"From x@y\r",
        b"Subject: x",
        b"",
        b">",
        b"\r",
        b"a: b",
        b"\xff\xfe",
        b"\0",
        b" folded",
        b"\x0c",
    ]
)
MAILS = st.lists(
    st.lists(st.one_of(LINES, st.binary(max_size=20).map(lambda octets: octets.replace(b"\n", b""))), max_size=8)
    .map(lambda lines: b"".join(line + b"\n" for line in lines)),
    max_size=6,
)  # fmt: skip


def trickle(octets: bytes, step: int) -> module.Read:
    """A stream that gives a few octets at a time, as a pipe may."""
    stream = io.BytesIO(octets)
    return lambda count: stream.read(min(count, step))


def pieces(octets: bytes, step: int = 4096, limit: int = HUGE) -> list[Piece]:
    return list(split(trickle(octets, step), limit))


def contents(octets: bytes) -> list[bytes]:
    return [piece.octets for piece in pieces(octets)]


@given(MAILS, st.sampled_from([1, 2, 3, 5, 7, 11, 64, 4096]))
def test_what_is_written_as_mboxrd_reads_back_the_same(mails: list[bytes], step: int) -> None:
    """Any mails, octet for octet and in their order, however few octets the stream gives at a time."""
    octets = mbox(mails)
    found = pieces(octets, step)
    assert [piece.octets for piece in found] == mails
    assert [octets[piece.position :].startswith(MARK) for piece in found] == [True] * len(mails)
    assert [piece.size for piece in found] == [len(quoted(mail)) for mail in mails]


@given(st.binary(max_size=400), st.integers(1, 9))
def test_no_octets_stop_the_reading(octets: bytes, step: int) -> None:
    """Whatever a file holds, it is taken apart without an exception and no mail is larger than the file."""
    assert all(piece.size <= len(octets) for piece in pieces(octets, step))


@given(MAILS, st.integers(0, 40))
def test_of_a_mail_no_more_is_kept_than_asked_for(mails: list[bytes], limit: int) -> None:
    """At most so many octets of a mail are kept, its beginning, and its size is still that of the whole."""
    whole, cut = pieces(mbox(mails)), pieces(mbox(mails), limit=limit)
    assert [piece.size for piece in cut] == [piece.size for piece in whole]
    assert all(len(piece.octets) <= limit for piece in cut)
    assert [piece.octets for piece in cut] == [unquoted(quoted(mail)[:limit]) for mail in mails]


@given(MAILS)
def test_crlf_files_are_the_same_mails(mails: list[bytes]) -> None:
    """A file whose every line ends with CR LF has the same mails, with CR LF."""
    mails = [mail.replace(b"\r", b"") for mail in mails]
    octets = mbox(mails).replace(b"\n", b"\r\n")
    assert contents(octets) == [mail.replace(b"\n", b"\r\n") for mail in mails]


@pytest.mark.parametrize(
    "line",
    [
        b"From ann@example.org Tue Jun  9 08:00:00 2026",
        b"From ann@example.org  Tue Jun 9 08:00 2026",
        b"From - Tue Jun  9 08:00:00 2026",
        b"From MAILER-DAEMON Tue Jun  9 08:00:00 2026",
        b"From 1789@xxx Tue Jun 09 08:00:00 +0000 2026",
        b"From ann at example.org  Tue Jun  9 10:00:00 2026 +0200",
        b"From ann Tue Jun  9 08:00:00 UTC 2026",
        b"From ann@example.org Tue Jun  9 08:00:00 2026\r",
    ],
)
def test_postmarks_of_many_programs(line: bytes) -> None:
    """The From lines of mutt, Thunderbird, exim, Gmail's export and Mailman's archives begin a mail, and tell its time."""
    assert contents(line + b"\nSubject: x\n\nbody\n\n" + line + b"\n\nno header\n") == [
        b"Subject: x\n\nbody\n",
        b"\nno header\n",
    ]
    assert postmark_time(line) == datetime(2026, 6, 9, 8, tzinfo=UTC)


@pytest.mark.parametrize("line", [b"From ann@example.org", b"From -", b"From MAILER-DAEMON \r"])
def test_postmarks_without_a_date(line: bytes) -> None:
    """An address alone begins a mail too, where an empty line comes before it and a header after it."""
    assert contents(line + b"\nSubject: x\n\nbody\n\n" + line + b"\nSubject: y\n\n") == [
        b"Subject: x\n\nbody\n",
        b"Subject: y\n",
    ]
    assert postmark_time(line) is None


@pytest.mark.parametrize(
    "text",
    [
        b"\nFrom now on it works.\n",
        b"\nFrom the log: Tue Jun\nERROR: all is lost\n",
        b"\nFrom ann@example.org I heard this\nand that.\n",
        b"as I said\nFrom ann@example.org\nSubject: quoted\n",
        b"as I said\nFrom ann@example.org Tue Jun  9 08:00:00 2026\nand so on\n",
    ],
)
def test_a_text_that_nobody_quoted_begins_no_mail(text: bytes) -> None:
    """A paragraph that begins with `From ` stays a paragraph."""
    mail = b"Subject: x\n\n" + text
    assert contents(MARK + mail + b"\n" + MARK + b"Subject: y\n\n") == [mail, b"Subject: y\n"]


def test_a_missing_empty_line_loses_nothing() -> None:
    """A writer that forgets the empty line between two mails is understood; their last lines stay."""
    assert contents(MARK + b"Subject: x\n\none\n" + MARK + b"Subject: y\n\ntwo\n") == [
        b"Subject: x\n\none\n",
        b"Subject: y\n\ntwo\n",
    ]


def test_a_million_empty_lines() -> None:
    """Empty lines before, in and after mails are read in no time and are nothing, or part of a mail."""
    many = b"\n" * 1_000_000
    found = pieces(
        b"\xef\xbb\xbf" + many + mbox([b"Subject: x\n\nbody\n" + many, b"Subject: y\n\n"]),
        step=HUGE,
        limit=20,
    )
    assert [(piece.octets, piece.size) for piece in found] == [
        (b"Subject: x\n\nbody\n\n\n\n", 1_000_017),
        (b"Subject: y\n\n", 12),
    ]
    assert found[0].position == 1_000_003
    assert pieces(many) == []


def test_what_stands_before_the_first_postmark() -> None:
    """It comes as a piece of its own, and the mails after it are read."""
    found = pieces(b"an end\nof a mail\n\n" + mbox([b"Subject: x\n\n"]))
    assert [(piece.postmark is None, piece.octets) for piece in found] == [
        (True, b"an end\nof a mail\n"),
        (False, b"Subject: x\n\n"),
    ]


def test_a_file_that_is_no_mbox_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """After enough octets without a postmark nobody reads on."""
    monkeypatch.setattr(module, "MAX_BEFORE", 10_000)
    blocks = 0

    def zeros(_count: int) -> bytes:
        nonlocal blocks
        blocks += 1
        return b"\0" * 4096

    (only,) = split(zeros, 100)
    assert only.postmark is None
    assert blocks < 50


@pytest.mark.parametrize(
    ("octets", "cut"), [(b"Subject: x\n\nthe en", True), (b"Subject: x\n\nthe end\n", False)]
)
def test_a_file_that_ends_in_a_mail(octets: bytes, cut: bool) -> None:
    """A last mail without its last line end is kept, and known to be cut."""
    (only,) = pieces(MARK + octets)
    assert (only.octets, only.cut) == (octets, cut)


def test_a_line_of_many_megabytes() -> None:
    """Neither a body nor a From line without an end holds up the reading, or is a postmark."""
    long = b"From ann@example.org " + b"x" * 3_000_000
    mail = b"Subject: x\n\n" + long + b"\n\n" + long + b"\n"
    found = pieces(MARK + mail + b"\n" + MARK + b"Subject: y\n\n\n", step=HUGE, limit=30)
    assert [piece.size for piece in found] == [len(mail), 12]


def test_memory_does_not_grow_with_the_file() -> None:
    """Reading holds a window of the file and the beginning of one mail, however much was read before."""

    def blocks() -> Iterator[bytes]:
        for _ in range(60):
            yield MARK + b"Subject: x\n\n" + b"x" * 200_000 + b"\n\n"

    stream = blocks()
    tracemalloc.start()
    kept = {len(piece.octets) for piece in split(lambda _count: next(stream, b""), 1000)}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept == {1000}
    assert peak < 3_000_000


@pytest.mark.parametrize(
    "line",
    [
        b"From x Tue Foo  9 08:00:00 2026",
        b"From x Tue Feb 31 08:00:00 2026",
        b"From x Tue Jan  1 08:00:00 0000",
        b"From x Tue Jan  1 99:00:00 2026",
        b"From x Tue Jan  1 00:00:00 0001 +1400",
        b"From x",
    ],
)
def test_a_date_that_is_none(line: bytes) -> None:
    """A postmark with an impossible date has no time."""
    assert postmark_time(line) is None
