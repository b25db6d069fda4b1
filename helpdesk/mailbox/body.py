"""The body of a mail: its text, and what a bounce returns.  Never an exception, bounded in size and nesting.

This is the one door to mail-parser.  It is guarded: what it cannot read is read again with the standard library's compat32 policy,
and what that cannot read is shown as it is.  Mails with attached mails go to compat32 at once, because mail-parser takes the
attached text for the body's.
"""

import email
import logging
import re
from collections.abc import Iterator
from email.message import Message

from helpdesk.mailbox.encoded import charset_of
from helpdesk.mailbox.html import text_of_html
from helpdesk.mailbox.parse import UnparseableError, parse_header

MAX_RAW = 512 * 1024  # more than is ever fetched of a body
MAX_PARTS = 100  # more boundaries than this are an attack, not a mail
MAX_DEPTH = 20
MAX_REPORTED = 20

UNREADABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What the libraries raise on the mails of strangers; the guarded functions below are the boundary."""

_ATTACHED = re.compile(rb"^content-type:\s*message/", re.IGNORECASE | re.MULTILINE)
_RETURNED_ID = re.compile(
    r"^[ \t>|]{0,40}(?:x-)?(?:original-)?message-id:\s*(<[^<>\s]{1,996}>)", re.IGNORECASE | re.MULTILINE
)

logging.getLogger("mailparser").setLevel(logging.CRITICAL + 1)  # it logs what stands in mails


def text_of(raw: bytes, limit: int) -> str:
    """Show what a person reads: the plain text, else the HTML as text, at most `limit` characters."""
    raw = raw[:MAX_RAW]
    text = "" if _ATTACHED.search(raw) or _too_many_parts(raw) else _by_mailparser(raw)
    return (text or _by_compat32(raw))[:limit]


def reported_ids(raw: bytes) -> tuple[str, ...]:
    """Find the Message-IDs of the mails that a bounce returns, in its parts or quoted in its text."""
    raw = raw[:MAX_RAW]
    found = dict.fromkeys(_returned(raw)) or dict.fromkeys(_RETURNED_ID.findall(_as_it_is(raw)))
    return tuple(found)[:MAX_REPORTED]


def _too_many_parts(raw: bytes) -> bool:
    return raw.lower().count(b"boundary=") > MAX_PARTS


def _by_mailparser(raw: bytes) -> str:
    import mailparser  # noqa: PLC0415 -- most runs read no body
    from mailparser.exceptions import MailParserError  # noqa: PLC0415 -- as above

    try:
        mail = mailparser.parse_from_bytes(raw)
        plain, markup = "\n".join(mail.text_plain), "\n".join(mail.text_html)
    except (*UNREADABLE, MailParserError):
        return ""
    return _clean(plain if plain.strip() else text_of_html(markup))


def _by_compat32(raw: bytes) -> str:
    parts = [(kind_of(part), part) for part in parts_of(raw)]
    if not parts:
        return _as_it_is(raw)
    for kind, show in (("text/plain", str), ("text/html", text_of_html)):
        text = "\n".join(decoded_part(part) for found, part in parts if found == kind)
        if text.strip():
            return _clean(show(text))
    return ""


def kind_of(part: Message) -> str:
    """Say what a part is to a reader: a multipart that has no parts is the text that stands there."""
    kind = part.get_content_type()
    if kind.startswith("multipart/"):
        return kind if part.is_multipart() else "text/plain"
    return "file" if part.get_content_disposition() == "attachment" else kind


def _as_it_is(raw: bytes) -> str:
    text = _clean(raw.decode("utf-8", "replace"))
    return text.partition("\n\n")[2]


def _clean(text: str) -> str:
    storable = text.encode("utf-8", "replace").decode("utf-8")  # some codecs make lone surrogates
    return storable.replace("\r\n", "\n").replace("\r", "\n")


def parts_of(raw: bytes) -> Iterator[Message]:
    """Walk the parts of a mail, not those of mails inside it; nothing if there is no telling them apart."""
    if _too_many_parts(raw):
        return
    try:
        waiting = [(0, email.message_from_bytes(raw))]
    except UNREADABLE:
        return
    seen = 0
    while waiting and seen < MAX_PARTS:
        depth, part = waiting.pop()
        seen += 1
        yield part
        if part.get_content_maintype() == "multipart" and depth < MAX_DEPTH:
            waiting += [(depth + 1, one) for one in reversed(_inside(part))]


def _inside(part: Message) -> list[Message]:
    inner = part.get_payload()
    return [one for one in inner if isinstance(one, Message)] if isinstance(inner, list) else []


def decoded_part(part: Message) -> str:
    """Read the text of a part: in the charset that it names, if that can be."""
    try:
        payload = part.get_payload(decode=True)
        codec = charset_of(str(part.get_content_charset("utf-8")))
    except UNREADABLE:
        return ""
    data = payload if isinstance(payload, bytes) else b""
    for honest in (codec, "utf-8"):  # a wrong label is more common than a broken text
        try:
            return data.decode(honest)
        except UnicodeDecodeError:
            continue
    return data.decode(codec, "replace")


def _returned(raw: bytes) -> Iterator[str]:
    for part in parts_of(raw):
        kind = part.get_content_type()
        if kind.startswith("message/"):
            for one in _inside(part):
                yield from _id_in(f"Message-ID: {one.get('message-id', '')}".encode("utf-8", "replace"))
        elif kind == "text/rfc822-headers":
            yield from _id_in(decoded_part(part).encode("utf-8", "replace"))
        elif kind.startswith("text/"):
            yield from _RETURNED_ID.findall(_clean(decoded_part(part)))


def _id_in(header: bytes) -> Iterator[str]:
    try:
        found = parse_header(header).message_id
    except UnparseableError:
        return
    if found:
        yield found
