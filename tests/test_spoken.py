"""The text that commands are read from: the author's first text, as it is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.commands.splitting import split
from helpdesk.mailbox.html import own_text_of_html, text_of_html
from helpdesk.mailbox.spoken import Spoken, spoken, unflowed


def plain(body: str, kind: str = "text/plain; charset=utf-8") -> bytes:
    return f"From: a@x\r\nContent-Type: {kind}\r\n\r\n".encode() + body.encode()


def parts(kind: str, *bodies: tuple[str, str]) -> bytes:
    inside = "".join(f"--b\r\nContent-Type: {one}\r\n\r\n{body}\r\n" for one, body in bodies)
    return f'From: a@x\r\nContent-Type: multipart/{kind}; boundary="b"\r\n\r\n{inside}--b--\r\n'.encode()


def lines(raw: bytes) -> list[str]:
    return [item.line for item in split(spoken(raw).text).items]


@pytest.mark.parametrize(
    "raw",
    [
        plain("helpdesk: close x7m2q\r\n\r\n> quoted\r\n"),
        b"From: a@x\n\nhelpdesk: close x7m2q\n",
        parts("alternative", ("text/plain", "helpdesk: close x7m2q"), ("text/html", "<p>Hello</p>")),
        parts("mixed", ("text/plain", "helpdesk: close x7m2q"), ("text/plain", "helpdesk: close k2v7c")),
        parts("alternative", ("text/plain", "\r\n "), ("text/html", "<p>helpdesk: close x7m2q</p>")),
        plain("aGVscGRlc2s6IGNsb3NlIHg3bTJx", "text/plain\r\nContent-Transfer-Encoding: base64"),
        plain("helpdesk: =\r\nclose x7m2q", "text/plain\r\nContent-Transfer-Encoding: quoted-printable"),
        plain("<html><head><title>helpdesk: undo</title></head><body><div>helpdesk:&nbsp;close <b>x7m2q</b></div>", "text/html"),
        plain("<div>helpdesk: close x7m2q</div><br><blockquote>helpdesk: close k2v7c</blockquote>", "text/html"),
        plain('<div>helpdesk: close x7m2q</div><div id="divRplyFwdMsg">From: dast</div>helpdesk: undo', "text/html"),
    ],
)  # fmt: skip
def test_the_first_text_is_what_was_said(raw: bytes) -> None:
    """Of several parts the first text counts, HTML only where there is no plain text, nothing attached, nothing quoted."""
    assert lines(raw) == ["close x7m2q"]
    assert not spoken(raw).below_a_quote


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        plain(""),
        parts("mixed", ("message/rfc822", "From: a@x\r\n\r\nhelpdesk: close x7m2q")),
        parts("mixed", ("text/plain\r\nContent-Disposition: attachment", "helpdesk: close x7m2q")),
        parts("mixed", ("text/plain", "FYI"), ("text/plain", "helpdesk: close x7m2q")),
        plain("<p>FYI</p><p>helpdesk: close x7m2q</p>", "text/html"),
        plain("<blockquote>helpdesk: close x7m2q</blockquote>", "text/html"),
        plain("<blockquote>helpdesk: close x7m2q", "text/html"),
        plain('<div class="gmail_quote"><div>x</div>helpdesk: close x7m2q</div>', "text/html"),
        plain('<div id="divRplyFwdMsg">From: x</div><div>From: y</div><div>helpdesk: close x7m2q</div>', "text/html"),
        plain("<style>helpdesk: close x7m2q</style><p>hi</p>", "text/html"),
    ],
)  # fmt: skip
def test_nothing_else_was_said(raw: bytes) -> None:
    """Attached mails, attachments, later parts and quotes are not what the author says first."""
    assert lines(raw) == []


def test_a_quote_above_the_authors_words_leaves_a_doubt() -> None:
    """In HTML alone a command below a quote is found, and marked."""
    said = spoken(plain("<blockquote>Which thread?</blockquote><p>helpdesk: close x7m2q</p>", "text/html"))
    assert said == Spoken("helpdesk: close x7m2q", below_a_quote=True)


def test_quotes_inside_quotes_end_together() -> None:
    """An element that quotes ends where it ends, not where one inside it does."""
    markup = (
        "<blockquote>a<blockquote>b</blockquote>c</blockquote>d<div class='gmail_quote'>e<div>f</div>g</div>h"
    )
    assert own_text_of_html(markup) == ("d\nh", True)


def test_what_a_client_wrapped_is_one_line_again() -> None:
    """format=flowed: soft ends are joined, stuffing goes, quotes stay quotes, signature marks stay alone (RFC 3676)."""
    text = "helpdesk: note: a \nlong line\n From here\n> quoted \n> text\n>> deeper \n> flat\n-- \nAnn \nX"
    assert unflowed(text, delsp=False).split("\n") == [
        "helpdesk: note: a long line",
        "From here",
        "> quoted text",
        ">> deeper ",
        "> flat",
        "-- ",
        "Ann X",
    ]
    raw = plain("helpdesk: close \r\nx7m2q\r\n", "text/plain; format=flowed; delsp=no")
    assert lines(raw) == ["close x7m2q"]
    raw = plain("helpdesk: close x7 \r\nm2q\r\n", "text/plain; format=Flowed; DelSp=Yes")
    assert lines(raw) == ["close x7m2q"]


def test_a_space_at_the_end_joins_no_two_commands() -> None:
    """A command line is never the rest of the line above it."""
    raw = plain("helpdesk: close x7m2q \r\nhelpdesk: close k2v7c \r\n", "text/plain; format=flowed")
    assert lines(raw) == ["close x7m2q", "close k2v7c"]


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "utf-8", "unicode_escape"])
def test_every_database_takes_the_text(kind: str, charset: str) -> None:
    """No charset smuggles a lone surrogate or a NUL into what is stored."""
    for body in (b"helpdesk: note: a\0b +2AA- &#0; &#xd800;", b"helpdesk: note: \\ud800\\x00", b"h\0\xd8h\0"):
        text = spoken(f"Content-Type: {kind}; charset={charset}\n\n".encode() + body).text
        assert "\0" not in text
        assert text.encode("utf-8").decode() == text


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_no_octets_raise(raw: bytes) -> None:
    """Whatever a mail is made of, something or nothing was said."""
    spoken(raw)
    spoken(b"Content-Type: text/plain; format=flowed\n\n" + raw)
    spoken(b"Content-Type: text/html\n\n" + raw)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_without_quotes_all_of_the_text_is_own(markup: str) -> None:
    """Where no element quotes, the author's text is the whole text."""
    if "quot" not in markup.lower():
        assert own_text_of_html(markup) == (text_of_html(markup), False)
