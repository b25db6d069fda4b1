"""Encoded words in header fields (RFC 2047): a charset that nobody knows costs characters, never the mail."""

import base64
import binascii
import codecs
import quopri
import re
from functools import lru_cache

_WORD = re.compile(r"=\?([\w.:+()*-]{1,60})\?([bBqQ])\?([^?\n]*)\?=", re.ASCII)
_GAP = re.compile(r"(?<=\?=)[ \t\n]+(?==\?[\w.:+()*-]{1,60}\?[bBqQ]\?)", re.ASCII)
_NOT_FOR_MAIL = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7"})
"""Python's own: slow, failing, or able to make text that no database stores."""
_WIDER = {"iso8859-1": "cp1252", "ascii": "utf-8", "gb2312": "gb18030"}
"""What mailers mean when they name the smaller one."""


def decoded(value: str) -> str:
    """Decode the encoded words of an unfolded field; anything that is none stays as it is."""
    if "=?" not in value:
        return value
    parts = _WORD.split(_GAP.sub("", value))
    pieces = [parts[0]]
    charset, pending = "", b""
    for number in range(1, len(parts), 4):
        codec, data = charset_of(parts[number]), _bytes(parts[number + 1], parts[number + 2])
        if codec != charset:  # words of one charset may share a character between them
            pieces.append(pending.decode(charset or "utf-8", "replace"))
            charset, pending = codec, b""
        pending += data
        if parts[number + 3]:
            pieces += (pending.decode(charset, "replace"), parts[number + 3])
            charset, pending = "", b""
    pieces.append(pending.decode(charset or "utf-8", "replace"))
    return "".join(pieces).replace("\0", "")  # which not every database stores


def charset_of(name: str) -> str:
    """Find the codec for a charset's name, UTF-8 for an unknown one."""
    return _codec(name[:60].partition("*")[0].strip("'\" ").lower())


@lru_cache(maxsize=256)
def _codec(name: str) -> str:
    try:
        codec = codecs.lookup(name).name
        b"a".decode(codec, "replace")  # "not a text encoding" shows here
    except (LookupError, ValueError):
        return "utf-8"
    return "utf-8" if codec in _NOT_FOR_MAIL else _WIDER.get(codec, codec)


def _bytes(encoding: str, payload: str) -> bytes:
    plain = payload.encode("utf-8")
    if encoding in "qQ":
        return quopri.decodestring(plain, header=True)
    try:
        return base64.b64decode(plain.rstrip(b"=") + b"===")
    except binascii.Error:
        return plain
