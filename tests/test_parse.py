"""The header reader: equal to the standard library where that one is right, and never in the way."""

import email
import email.utils
import encodings.aliases
import re
import time
from datetime import UTC, datetime
from email.header import decode_header, make_header

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpdesk.mailbox.address import Mailbox, addresses
from helpdesk.mailbox.encoded import charset_of, decoded
from helpdesk.mailbox.parse import (
    FIELDS,
    MAX_FIELD,
    MAX_FIELDS,
    MAX_HEADER,
    UnparseableError,
    identity,
    parse_date,
    parse_header,
)
from helpdesk.model import Header

PLAIN = b"""\
Return-Path: <dast-bounces@lists.example.org>
From: "Ann, of ATLAS" <Ann@Physics.Example.ORG>
Reply-To: ann@home.example, Lab <lab@example.org>
To: DAST <dast@lists.example.org>,
 bob@example.org
Cc: undisclosed-recipients:;
Subject: Re: [dast] all jobs
\tfail
Date: Tue, 9 Jun 2009 08:15:00 +0200 (CEST)
Message-ID: <a2@physics.example.org>
References: <a0@x.example>
 <a1@x.example>
In-Reply-To: <a1@x.example>
List-Id: Analysis <DAST.lists.example.org>
X-Original-From: Ann <ann@home.example>

From: mallory@example.org
"""


def mail(**fields: str) -> Header:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return parse_header("\n".join(lines).encode())


def test_a_plain_mail_is_read_field_by_field() -> None:
    """A well-formed header gives each of its parts, and nothing of the body."""
    header = parse_header(PLAIN)
    assert header.sender_name == "Ann, of ATLAS"
    assert header.sender == "ann@physics.example.org"
    assert header.reply_to == ("ann@home.example", "lab@example.org")
    assert header.recipients == ("dast@lists.example.org", "bob@example.org")
    assert header.subject == "Re: [dast] all jobs\tfail"
    assert header.date == datetime(2009, 6, 9, 6, 15, tzinfo=UTC)
    assert header.message_id == "<a2@physics.example.org>"
    assert header.references == ("<a0@x.example>", "<a1@x.example>")
    assert header.in_reply_to == ("<a1@x.example>",)
    assert header.list_id == "dast.lists.example.org"
    assert header.original_from == "ann@home.example"
    assert header.fields["return-path"] == ("<dast-bounces@lists.example.org>",)


def test_line_ends_do_not_matter() -> None:
    """The same header with LF, CRLF or CR reads the same."""
    assert (
        parse_header(PLAIN)
        == parse_header(PLAIN.replace(b"\n", b"\r\n"))
        == parse_header(PLAIN.replace(b"\n", b"\r"))
    )


def test_every_field_is_kept_under_its_lower_case_name() -> None:
    """A field that occurs twice keeps both values in order."""
    header = parse_header(b"X-A: 1\nx-a: =?utf-8?q?=C3=A4?=\nSubject : obsolete space\n")
    assert header.fields == {"x-a": ("1", "ä"), "subject": ("obsolete space",)}
    assert header.subject == "obsolete space"


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b"\n\nFrom: a@b.example\n", b"no field here\nnor here\n", b": x\n", b"a b: x\n"]
)
def test_what_has_no_field_is_for_quarantine(raw: bytes) -> None:
    """Bytes without a single header field raise the error that quarantines them."""
    with pytest.raises(UnparseableError):
        parse_header(raw)


def test_a_line_that_is_no_field_is_skipped() -> None:
    """An mbox postmark or garbage between the fields costs that line only."""
    header = parse_header(
        b"From x@y Thu Jan  1 00:00:00 2026\nFrom: a@b.example\n>From q\ngarbage\nSubject: s\n"
    )
    assert (header.sender, header.subject) == ("a@b.example", "s")


# --- ids -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<a@b>", "<a@b>"),
        ("  <a@b> (comment)", "<a@b>"),
        ("<a b@c> <d@e>", "<d@e>"),
        ("<<a@b>>", "<a@b>"),
        ("a@b", ""),
        ("<>", ""),
        ("", ""),
        ("=?utf-8?q?=3Cvery-long=40id=3E?=", "<very-long@id>"),
        ("=?utf-8?q?no_id?=", ""),
        (f"<{'x' * 2000}@y>", ""),
    ],
)
def test_a_message_id_is_the_first_usable_one(value: str, expected: str) -> None:
    """Only `<...>` without spaces and brackets inside is an id."""
    assert mail(Message_ID=value).message_id == expected


def test_a_doubled_message_id_gives_the_first_usable() -> None:
    """Of two Message-ID fields the first with an id counts."""
    assert parse_header(b"Message-ID: broken\nMessage-ID: <a@b>\nMessage-ID: <c@d>\n").message_id == "<a@b>"


def test_ids_that_name_no_mail_are_dropped() -> None:
    """Its own id, y and n, and bracketed addresses of the mail are no references."""
    header = mail(
        From="Ann <ann@x.example>",
        To="bob@x.example",
        Cc="cy@x.example",
        Message_ID="<own@x>",
        In_Reply_To="<y> <Bob@X.example> <p@x>",
        References="<own@x> <N> <ann@x.example> <cy@x.example> <r@x> <r@x>",
    )
    assert header.references == ("<r@x>", "<p@x>")
    assert header.in_reply_to == ("<p@x>",)


@pytest.mark.parametrize(
    "value",
    [
        'Message from Ann <ann@b.example> of "Mon, 1 Jan 2001 10:00:00 +0100" <1@x>',
        "Message from Ann Archer <ann42@b.example> of Mon, 1 Jan 2001 10:00:00 +0100 <1@x>",
        'Your message of "Mon, 1 Jan 2001 10:00:00 +0100." <1@x>',
        "Message from ann@b.example of Mon <1@x>",
        'Ann <ann@b.example>\'s message of "Mon" <1@x>',
        '"Ann Archer" <ann42@b.example> wrote <1@x>',
        "<1@x> (message from Ann <ann42@b.example> on Mon, 1 Jan 2001)",
        '<1@x>; from "Ann" at Jan 1, 97 10:00 am',
        "Nachricht von Ann <ann3@b.example> vom 1. Januar <1@x>",
        "Su mensaje del 5 de enero de 2001 <1@x>",
        "=?utf-8?q?=3C1=40x=3E?=",
        '"unbalanced <1@x>',
    ],
)
def test_words_in_in_reply_to_are_no_ids(value: str) -> None:
    """Among the words that old mailers wrote into In-Reply-To the id is found, and an address is none."""
    header = mail(From="Bob <bob@x.example>", To="list@x.example", In_Reply_To=value)
    assert header.in_reply_to == header.references == ("<1@x>",)


@pytest.mark.parametrize("value", ["Message from Ann <ann7@b.example>", "Ann Archer <ann@b.example>"])
def test_an_address_alone_is_no_id(value: str) -> None:
    """Who names nothing but a person answers no mail that we could find by it."""
    assert mail(In_Reply_To=value).references == ()


@pytest.mark.parametrize("one", ["(", '"', "from ", '"a" ', "from <1@x> ", "<", "from a b c d "])
def test_words_in_in_reply_to_cost_little(one: str) -> None:
    """A hostile In-Reply-To of 64 KB is read in a blink."""
    begun = time.process_time()
    mail(In_Reply_To=one * (60_000 // len(one)) + "<1@x>")
    assert time.process_time() - begun < 1


def test_references_are_capped_at_both_ends() -> None:
    """Of more than 500 ids the first 50 and the last 450 stay, In-Reply-To at the end."""
    header = mail(References=" ".join(f"<{n}@x>" for n in range(1200)), In_Reply_To="<parent@x>")
    assert len(header.references) == 500
    assert header.references[:51] == (*(f"<{n}@x>" for n in range(50)), "<751@x>")
    assert header.references[-2:] == ("<1199@x>", "<parent@x>")


def test_a_huge_references_field_keeps_its_root_and_its_parent() -> None:
    """A field that is cut loses its middle, not its ends."""
    header = mail(
        References=" ".join(f"<{n}{'x' * 200}@x>" for n in range(600)), Subject="s" * (MAX_FIELD + 9)
    )
    assert header.references[0].startswith("<0x")
    assert header.references[-1].startswith("<599x")
    assert sum(map(len, header.references)) < MAX_FIELD
    assert len(header.subject) == MAX_FIELD


# --- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Bob@X.example", [("", "bob@x.example")]),
        ("<bob@x.example>", [("", "bob@x.example")]),
        ("Bob Ross <bob@x.example>", [("Bob Ross", "bob@x.example")]),
        ('"Ross, \\"Bob\\"" <bob@x.example>', [('Ross, "Bob"', "bob@x.example")]),
        ("bob@x.example (Bob (the) Ross)", [("Bob (the) Ross", "bob@x.example")]),
        ("Bob (who) <bob@x.example>", [("Bob", "bob@x.example")]),
        ("a@x.example, , b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
        ("a@x.example; b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
        ("Team: a@x.example, B <b@x.example>;", [("", "a@x.example"), ("B", "b@x.example")]),
        ("unlisted-recipients:; (no To-header on input)", []),
        ("=?utf-8?q?=C3=84nne?= <a@x.example>", [("Änne", "a@x.example")]),
        ("=?utf-8?q?eve=2C_root=40x=2Eexample?= <eve@x.example>", [("eve, root@x.example", "eve@x.example")]),
        ("admin@a.example <eve@b.example>", [("admin@a.example", "eve@b.example")]),
        ("<a@x.example> <b@x.example>", [("", "a@x.example")]),
        ("<@relay.example,@b.example:bob@x.example>", [("", "bob@x.example")]),
        ("<mailto:bob@x.example>", [("", "bob@x.example")]),
        ("< bob @ x.example >", [("", "bob@x.example")]),
        ('<"b b"@x.example>', [("", '"b b"@x.example')]),
        ('"b b"@x.example', [("", '"b b"@x.example')]),
        ("bob @ x.example", [("", "bob@x.example")]),
        ("Bob bob@x.example", [("Bob", "bob@x.example")]),
        ("Bob <bob@x.example", [("Bob", "bob@x.example")]),
        ('"Bob <bob@x.example>', [('"Bob', "bob@x.example")]),
        ("bob@[IPv6:::1]", [("", "bob@[ipv6:::1]")]),
        ("MAILER-DAEMON", [("", "mailer-daemon")]),
        ("Bob Ross", [("Bob Ross", "")]),
        ("", []),
        ("<>", []),
        ("a\\", [("", "a\\")]),
    ],
)
def test_addresses_are_read_as_people_write_them(value: str, expected: list[tuple[str, str]]) -> None:
    """Lists, groups, quotes, comments and common damage give the address that a reply would go to."""
    assert addresses(value) == tuple(Mailbox(*one) for one in expected)


def test_two_to_fields_are_one_list() -> None:
    """Recipients of repeated fields are joined in order."""
    assert parse_header(b"To: a@x.example\nTo: b@x.example\nCc: c@x.example\n").recipients == (
        "a@x.example",
        "b@x.example",
        "c@x.example",
    )


def test_long_address_lists_are_not_remembered() -> None:
    """A list of a thousand recipients is read as well as a short one."""
    header = mail(To=", ".join(f"p{n}@x.example" for n in range(1000)))
    assert header.recipients[-1] == "p999@x.example"


# --- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("no words", "no words"),
        ("=?utf-8?q?a_b?= c", "a b c"),
        ("=?utf-8?b?w6Q=?=", "ä"),
        ("=?utf-8?b?w6Q?=", "ä"),
        ("=?utf-8?b?w6Qx?= =?utf-8?q?_y?=", "ä1 y"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä"),
        ("=?utf-8?q?=C3?= =?iso-8859-1?q?=E4?=", "\ufffdä"),
        ("=?utf-8*en?q?x?=", "x"),
        ("=?x-unknown?q?=C3=A4=FF?=", "ä\ufffd"),
        ("=?hex?q?61?=", "61"),
        ("=?utf-7?q?+2D0-?=", "+2D0-"),
        ("=?iso-8859-1?q?=93x=94?=", "“x”"),
        ("=?iso-2022-jp?b?GyRCJWEhPCVrGyhC?=", "メール"),
        ("=?utf-8?b?a?=", "a"),
        ("=?broken", "=?broken"),
        ("(=?utf-8?q?a?=)", "(a)"),
    ],
)
def test_encoded_words_are_decoded_or_left(value: str, expected: str) -> None:
    """RFC 2047 words become text; an unknown charset costs characters, damage stays as written."""
    assert decoded(value) == expected


def test_eight_bit_headers_are_read() -> None:
    """Raw UTF-8 is UTF-8, and any other raw byte is Windows-1252, line by line."""
    header = parse_header("Subject: grün\n".encode() + "X-Site: Zürich\n".encode("latin-1"))
    assert header.subject == "grün"
    assert header.fields["x-site"] == ("Zürich",)


def test_no_codec_makes_text_that_cannot_be_stored() -> None:
    """Whatever charset a mail names, what we decode with it can be written as UTF-8 again."""
    for name in {
        *encodings.aliases.aliases,
        *encodings.aliases.aliases.values(),
        "punycode",
        "undefined",
        "idna",
    }:
        text = bytes(range(256)).decode(charset_of(name), "replace")
        text.encode("utf-8")


# --- dates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Tue, 9 Jun 2009 08:15:00 +0200", datetime(2009, 6, 9, 6, 15, tzinfo=UTC)),
        ("Tue, 09 Jun 2009 08:15:00 -0430 (VET)", datetime(2009, 6, 9, 12, 45, tzinfo=UTC)),
        ("Tue, 09 Jun 2009 08:15:00 -0000", datetime(2009, 6, 9, 8, 15, tzinfo=UTC)),
        ("9 Jun 2009 08:15 GMT", datetime(2009, 6, 9, 8, 15, tzinfo=UTC)),
        ("9 Jun 09 08:15:00 EST", datetime(2009, 6, 9, 13, 15, tzinfo=UTC)),
        ("Tue, 9 Jun 2009 08:15:00", datetime(2009, 6, 9, 8, 15, tzinfo=UTC)),
        ("Tue, 9 Foo 2009 08:15:00 +0000", None),
        ("Tue, 31 Feb 2009 08:15:00 +0000", None),
        ("Tue, 9 Jun 2009 08:15:00 +9999", None),
        ("Tue, 9 Jun 0000 08:15:00 +0000", None),
        ("Mon, 1 Jan 0001 00:00:00 +0200", None),
        ("Fri, 31 Dec 9999 23:59:59 -0200", None),
        ("Tue, 9 Jun 20090909090909090909 08:15:00 +0000", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_become_utc_or_nothing(value: str, expected: datetime | None) -> None:
    """A Date is an aware time in UTC, and nonsense is None instead of an error."""
    assert parse_date(value) == expected


# --- identity --------------------------------------------------------------------------------------------------------


def test_identity_is_that_of_the_copy() -> None:
    """Copies share it whatever their line ends; a reused Message-ID does not."""
    one = identity(PLAIN, "<a@b>", 100)
    assert one == identity(PLAIN.replace(b"\n", b"\r\n"), "<a@b>", 100)
    assert (
        len(
            {
                one,
                identity(PLAIN, "<a@b>", 101),
                identity(PLAIN, "<c@d>", 100),
                identity(b"X: y", "<a@b>", 100),
            }
        )
        == 4
    )


# --- never an exception, never a long wait ----------------------------------------------------------------------------


def _reads(raw: bytes) -> Header | None:
    try:
        header = parse_header(raw)
    except UnparseableError:
        return None
    assert len(header.references) <= 500
    for text in (header.subject, header.sender, header.sender_name, *header.references, *header.recipients):
        text.encode("utf-8")
    assert header.date is None or header.date.utcoffset() is not None
    return header


@settings(deadline=None)
@given(st.binary(max_size=400))
@example(b"From:(\nTo:<\nSubject:=?utf-8?q?")
def test_no_bytes_raise(raw: bytes) -> None:
    """Random bytes are read or refused, nothing else."""
    _reads(raw)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(FIELDS), st.binary(max_size=80)), max_size=8))
def test_no_field_value_raises(fields: list[tuple[str, bytes]]) -> None:
    """Random bytes in the fields that we read are read."""
    _reads(b"".join(name.encode() + b": " + value + b"\n" for name, value in fields))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(PLAIN) - 1), st.binary(max_size=4)), max_size=12))
def test_no_mutation_raises(changes: list[tuple[int, bytes]]) -> None:
    """A good mail with bytes overwritten, inserted or cut is read or refused."""
    raw = PLAIN
    for place, new in changes:
        raw = raw[:place] + new + raw[place + len(new) // 2 + (not new) :]
    _reads(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"From: " + b"(" * MAX_HEADER,
        b"From: " + b'"\\' * MAX_FIELD,
        b"To: " + b"a@b:" * MAX_FIELD,
        b"To: " + b"<" * MAX_HEADER,
        b"Subject: " + b"=?a?q?" * MAX_FIELD,
        b"Subject: " + b"=?utf-8?q?=C3?= " * MAX_FIELD,
        b"References: " + b"<" * MAX_HEADER,
        b"a:\n" * MAX_HEADER,
        b"a" * MAX_HEADER + b":",
        b"Date: " + b"9" * MAX_HEADER,
        b"Subject: " + b"\n " * MAX_HEADER,
    ],
)
def test_no_header_takes_long(raw: bytes) -> None:
    """The worst header that is read is read within a second."""
    begun = time.process_time()
    header = _reads(raw)
    assert time.process_time() - begun < 1
    assert header is None or sum(len(values) for values in header.fields.values()) <= MAX_FIELDS


# --- the same as the standard library ---------------------------------------------------------------------------------

_WORDS = st.text(alphabet="abcXYZ019.-_", min_size=1, max_size=8)
_ADDRESSES = st.builds(
    "{}@{}.example".format, _WORDS.map(lambda word: word.strip(".") or "a"), st.sampled_from(["x", "y.z"])
)
_MAILBOXES = st.one_of(
    _ADDRESSES,
    st.builds("<{}>".format, _ADDRESSES),
    st.builds("{} {} <{}>".format, _WORDS, _WORDS, _ADDRESSES),
    st.builds('"{}, {}" <{}>'.format, _WORDS, _WORDS, _ADDRESSES),
    st.builds("{} ({})".format, _ADDRESSES, _WORDS),
)
_IDS = st.builds("<{}@{}>".format, _WORDS, _WORDS)
_SUBJECTS = st.one_of(
    st.text(alphabet="ab [:]", max_size=20),
    st.builds(
        "Re: =?{}?q?{}?= {}".format, st.sampled_from(["utf-8", "iso-8859-15", "us-ascii"]), _WORDS, _WORDS
    ),
)
_DATES = st.builds(
    "{}, {} {} {} {:02}:{:02}:{:02} {}".format,
    st.sampled_from(["Mon", "Sun"]),
    st.integers(1, 32),
    st.sampled_from(["Jan", "Feb", "Dec", "dec", "Foo"]),
    st.integers(1900, 2100),
    st.integers(0, 24),
    st.integers(0, 60),
    st.integers(0, 60),
    st.sampled_from(["+0000", "-0700", "+0530", "+2500", "GMT", "EST", "", "-0000 (x)"]),
)


def _fold(values: list[str], comma: str) -> str:
    return f"{comma}\n ".join(values)


@settings(deadline=None)
@given(
    st.lists(_MAILBOXES, min_size=1, max_size=3),
    st.lists(_MAILBOXES, max_size=4),
    st.lists(_IDS, max_size=5),
    _SUBJECTS,
    _DATES,
)
def test_we_read_what_the_standard_library_reads(
    senders: list[str], recipients: list[str], ids: list[str], subject: str, date: str
) -> None:
    """On well-formed fields we agree with compat32 about ids, addresses, subject and date."""
    raw = (
        f"From: {_fold(senders, ',')}\nTo: {_fold(recipients, ',')}\nSubject: {subject}\nDate: {date}\n"
        f"Message-ID: <own@own.example>\nReferences: {_fold(ids, '')}\n\nbody\n"
    )
    ours = parse_header(raw.encode())
    theirs = email.message_from_string(raw)
    assert ours.sender == email.utils.getaddresses([theirs["from"]])[0][1].lower()
    assert ours.recipients == tuple(a.lower() for _, a in email.utils.getaddresses([theirs["to"]]) if a)
    assert ours.subject.split() == str(make_header(decode_header(theirs["subject"]))).split()
    assert ours.references == tuple(dict.fromkeys(re.findall(r"<[^<>\s]+>", theirs["references"])))
    try:
        moment = email.utils.parsedate_to_datetime(theirs["date"])
        expected = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except ValueError:
        expected = None
    assert ours.date == expected


def test_every_field_we_read_is_fetched() -> None:
    """FIELDS has no duplicates and holds the ones that the reader itself looks at."""
    lower = [name.lower() for name in FIELDS]
    assert len(set(lower)) == len(lower)
    read = {"from", "to", "cc", "reply-to", "x-original-from", "subject", "date", "message-id", "references"}
    assert read | {"in-reply-to", "list-id"} <= set(lower)
