"""Bodies: what a person reads, what a bounce returns, and never an exception."""

import base64
import logging
import time

import mailparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.mailbox.body import MAX_RAW, reported_ids, text_of
from helpdesk.mailbox.html import text_of_html

HEAD = b"From: a@x.example\nMIME-Version: 1.0\n"


def multipart(kind: str, *parts: str) -> bytes:
    body = "".join(f"--B\n{part}\n" for part in parts)
    return HEAD + f'Content-Type: multipart/{kind}; boundary="B"\n\npreamble\n{body}--B--\n'.encode()


PLAIN = "Content-Type: text/plain; charset=utf-8\n\nplain text"
HTML = "Content-Type: text/html\n\n<p>html &amp; text</p>"
ATTACHED = "Content-Type: text/plain\nContent-Disposition: attachment; filename=log.txt\n\nlog"
FORWARDED = "Content-Type: message/rfc822\n\nMessage-ID: <inner@x>\nSubject: s\n\ninner text"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (HEAD + b"\nhello\r\nworld\n", "hello\nworld\n"),
        (HEAD + b"Content-Type: text/plain; charset=iso-8859-1\n\ngr\xfcn", "grün"),
        (HEAD + b"Content-Type: text/plain; charset=x-unknown\n\ngr\xc3\xbcn\xff", "grün\ufffd"),
        (HEAD + b"Content-Transfer-Encoding: base64\n\n" + base64.b64encode("grün".encode()), "grün"),
        (HEAD + b"Content-Transfer-Encoding: quoted-printable\n\ngr=C3=BCn", "grün"),
        (multipart("alternative", PLAIN, HTML), "plain text"),
        (multipart("alternative", HTML), "html & text"),
        (multipart("mixed", PLAIN, ATTACHED), "plain text"),
        (multipart("mixed", PLAIN, FORWARDED), "plain text"),
        (multipart("mixed", FORWARDED, HTML, ATTACHED), "html & text"),
        (multipart("mixed", FORWARDED), ""),
        (multipart("mixed", FORWARDED, "Content-Type: text/plain; charset=utf-8\n\nno such text @").replace(b"@", b"\xfc"), "no such text \ufffd"),
        (HEAD + b"Content-Type: multipart/mixed; boundary=B\n\nno parts at all", "no parts at all"),
        (HEAD, ""),
        (b"", ""),
    ],
)  # fmt: skip
def test_the_text_is_what_a_person_reads(raw: bytes, expected: str) -> None:
    """Plain text wins over HTML; attachments and attached mails are not the mail's text; damage costs characters only."""
    assert text_of(raw, 1000) == expected


def test_a_label_that_is_wrong_does_not_spoil_the_text() -> None:
    """A part that says us-ascii and is UTF-8 is read as UTF-8."""
    raw = multipart("mixed", "Content-Type: text/plain; charset=iso-2022-jp\n\ngrün", FORWARDED)
    assert text_of(raw, 1000) == "grün"


def test_the_text_is_bounded() -> None:
    """At most `limit` characters come back, whatever the size of the mail."""
    assert text_of(HEAD + b"\n" + b"x" * (MAX_RAW + 10), 100) == "x" * 100


def test_a_mail_of_boundaries_is_shown_as_it_is() -> None:
    """Hundreds of nested parts are not parsed, and cost no time."""
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(2000))
    begun = time.process_time()
    text_of(HEAD + nested, 1000)
    reported_ids(HEAD + nested)
    assert time.process_time() - begun < 5


def test_deep_nesting_is_not_followed() -> None:
    """Parts nested deeper than a person would are left out, without an error."""
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(60))
    assert text_of(HEAD + nested + FORWARDED.encode(), 1000) == ""


def test_mails_in_mails_without_end_are_shown_as_they_are() -> None:
    """What the standard library cannot parse for its depth is text."""
    nested = HEAD + b"Content-Type: message/rfc822\n\n" * 3000 + b"Message-ID: <deep@x>\n\nx"
    assert text_of(nested, 1000).startswith("Content-Type: message/rfc822")
    assert reported_ids(nested) == ("<deep@x>",)


def test_what_breaks_mail_parser_is_read_all_the_same() -> None:
    """Where mail-parser raises, the standard library reads the text, or leaves it out."""
    raw = HEAD + b'Content-Type: text/plain; charset="a\0b"\nContent-Transfer-Encoding: base64\n\ndGV4dA=='
    with pytest.raises(ValueError, match="null"):
        mailparser.parse_from_bytes(raw)
    assert text_of(raw, 1000) == "text"


def test_a_charset_that_breaks_the_standard_library_costs_the_part() -> None:
    """A part whose charset cannot even be read is left out."""
    raw = multipart("mixed", "Content-Type: text/plain; charset*=a\0b'x'%FF\n\nlost", PLAIN, FORWARDED)
    assert text_of(raw, 1000).strip() == "plain text"


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """What stands in mails stays out of the log, whatever mail-parser thinks of it."""
    with caplog.at_level(logging.DEBUG):
        text_of(HEAD + b"Subject: =?utf-8?b?0JLQCy0LvQtdC90L4=?=\nContent-Type: text/x-odd\n\nx", 1000)
    assert not caplog.records


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (multipart("report", PLAIN, FORWARDED), ("<inner@x>",)),
        (
            multipart("report", PLAIN, "Content-Type: text/rfc822-headers\n\nMessage-Id: <h@x>\nSubject: s"),
            ("<h@x>",),
        ),
        (multipart("report", PLAIN, "Content-Type: text/rfc822-headers\n\n\n"), ()),
        (multipart("report", PLAIN, "Content-Type: text/rfc822-headers\n\nSubject: s"), ()),
        (HEAD + b"\nYour mail:\n\n> Message-ID: <quoted@x>\n> Subject: s\n", ("<quoted@x>",)),
        (HEAD + b"\nX-Original-Message-ID:\n <folded@x>\n", ("<folded@x>",)),
        (
            multipart(
                "report", PLAIN, "Content-Type: message/delivery-status\n\nOriginal-Message-ID: <d@x>\n"
            ),
            ("<d@x>",),
        ),
        (b"Message-ID: <own@x>\n" + HEAD + b"\nnothing returned\n", ()),
        (b"", ()),
    ],
)
def test_a_bounce_names_what_it_returns(raw: bytes, expected: tuple[str, ...]) -> None:
    """The returned message's id is found in an attached mail, attached headers, a delivery status, or the text."""
    assert reported_ids(raw) == expected


def test_a_bounce_that_lists_many_ids_is_cut() -> None:
    """No more than 20 ids come back."""
    assert len(reported_ids(HEAD + b"\n" + b"".join(b"Message-ID: <%d@x>\n" % n for n in range(99)))) == 20


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<html><head><title>t</title></head><body>a<br>b</body></html>", "a\nb"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<style>p {}</style><script>if (a<b) {}</script>x", "x"),
        ("<head><body>x", "x"),
        ("a&nbsp;&lt;b&gt;\n c", "a <b> c"),
        ("<!-- c > -->x<!DOCTYPE html><![if]>y", "xy"),
        ("1 < 2 and <b>bold", "1 < 2 and bold"),
        ("<a href='x", ""),
        ("<!-- never closed", ""),
        ("", ""),
    ],
)
def test_html_becomes_lines_of_text(markup: str, expected: str) -> None:
    """Blocks become lines, entities characters; styles, scripts and comments vanish."""
    assert text_of_html(markup) == expected


@pytest.mark.parametrize(
    "unit", [b"\n", b"> ", b"message-id: \n", b"<", b"content-type: message/\n", b"--B\n"]
)
def test_no_bounce_takes_long(unit: bytes) -> None:
    """A megabyte of what bounces are made of is searched within four seconds."""
    begun = time.process_time()
    reported_ids(HEAD + b"Content-Type: multipart/report; boundary=B\n\n" + unit * (1_000_000 // len(unit)))
    assert time.process_time() - begun < 4


@pytest.mark.parametrize("unit", ["<!--", "<", "<a ", "</", "<![", "&", "<style>", "\n ", "<p>"])
def test_no_markup_takes_long(unit: str) -> None:
    """A megabyte of broken markup is read within two seconds."""
    begun = time.process_time()
    text_of_html(unit * (1_000_000 // len(unit)))
    assert time.process_time() - begun < 2


_PIECES = st.sampled_from(
    [
        b"Content-Type: multipart/mixed; boundary=B\n", b"Content-Type: text/plain; charset=\n", b"Content-Type: message/rfc822\n",
        b"Content-Type: text/html; charset=utf-7\n", b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: x-uuencode\n",
        b"Content-Disposition: attachment; filename*0*=x''%FF\n", b"Content-Type: ;\n", b"Content-Type: text/plain; charset*=a'b'%\n",
        b"\n", b"--B\n", b"--B--\n", b"To: unlisted-recipients:; (no To-header on input)\n", b"Message-ID: <\n", b"\xff\xfe\0",
        b"begin 644 f\n", b"=?utf-8?b?", b"Date: Fri, 32 Foo 99999\n", b"Received: from\n", b"Content-Type: multipart/mixed\n",
    ]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(_PIECES | st.binary(max_size=20), max_size=20))
def test_no_body_raises(pieces: list[bytes]) -> None:
    """Any mixture of the pieces that mails break on gives storable text and ids."""
    raw = b"".join(pieces)
    text_of(raw, 1000).encode("utf-8")
    for one in reported_ids(raw):
        one.encode("utf-8")
