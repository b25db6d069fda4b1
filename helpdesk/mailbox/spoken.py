"""What the author of a mail says to the board: the text that commands and hand-overs are read from.

The first text of the mail counts, as it is: what is quoted or forwarded never comes first in it.  In `format=flowed` lines that a
client has wrapped are one again (RFC 3676).  A mail with HTML alone is read without its quotes; if any stood above the author's own
words, the reader cannot be sure whose words come first.
"""

import re
from dataclasses import dataclass
from email.message import Message

from helpdesk.commands.splitting import command_of
from helpdesk.mailbox.body import MAX_RAW, UNREADABLE, decoded_part, kind_of, parts_of
from helpdesk.mailbox.html import own_text_of_html

MAX_TEXT = 64 * 1024
_QUOTES = re.compile(r">*")


@dataclass(frozen=True, slots=True)
class Spoken:
    """The text, and whether something quoted stood above it."""

    text: str
    below_a_quote: bool = False


def spoken(raw: bytes) -> Spoken:
    """Read the beginning of a whole mail."""
    parts = [(kind_of(part), part) for part in parts_of(raw[:MAX_RAW])]
    plain = next((part for kind, part in parts if kind == "text/plain"), None)
    text = "" if plain is None else _plain(plain)
    if text.strip():
        return Spoken(text)
    markup = next((part for kind, part in parts if kind == "text/html"), None)
    if markup is None:
        return Spoken("")
    text, above = own_text_of_html(_storable(markup))
    return Spoken(text[:MAX_TEXT].replace("\0", ""), above)  # `&#0;`


def _plain(part: Message) -> str:
    text = _storable(part)[:MAX_TEXT].replace("\r\n", "\n").replace("\r", "\n")
    if _parameter(part, "format") != "flowed":
        return text
    return unflowed(text, delsp=_parameter(part, "delsp") == "yes")


def _storable(part: Message) -> str:
    """The text as every database takes it: no lone surrogates, which some codecs make, and no NUL."""
    return decoded_part(part).replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _parameter(part: Message, name: str) -> str:
    try:
        return str(part.get_param(name, "")).lower()
    except UNREADABLE:
        return ""


def unflowed(text: str, *, delsp: bool) -> str:
    """Join what a client wrapped; never over a change of quoting, a signature mark, or a command of its own."""
    lines: list[list[str]] = []
    open_depth = -1  # of the paragraph that the last line leaves open
    for line in text.split("\n"):
        marks = _QUOTES.match(line)
        depth = len(marks[0]) if marks else 0
        said = line[depth:].removeprefix(" ")
        flows = said.endswith(" ") and said != "-- "
        shown = said[:-1] if flows and delsp else said
        if depth == open_depth and said != "-- " and command_of(said) is None:
            lines[-1].append(shown)
        else:
            lines.append([f"{'>' * depth} ", shown] if depth else [shown])
        open_depth = depth if flows else -1
    return "\n".join("".join(pieces) for pieces in lines)
