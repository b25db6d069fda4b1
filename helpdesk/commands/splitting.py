"""Which lines of a mail are commands: the leading run of `helpdesk: ...` lines, and nothing after it.

What is quoted or forwarded never comes first, so it is never a command; nothing has to be taken away for that.  A command that takes
words ends with a colon, and its words run to the next command, to `helpdesk: end`, or to the end of what the author wrote.
"""

import re
from dataclasses import dataclass

from helpdesk.commands import Item
from helpdesk.excerpts.ending import own_end
from helpdesk.text import safe_text

MAX_TEXT = 64 * 1024
MAX_LINES = 2000
MAX_LINE = 500
MAX_COMMANDS = 50
"""One more is kept, so that who asks for more hears of it."""
MAX_WORDS = 200  # lines of one command

_COMMAND = re.compile(r"[ \t\xa0]{0,40}helpdesk[ \t\xa0]{0,4}[:\uff1a](.*)", re.IGNORECASE)
_CONFIRM = re.compile(r"[ \t\xa0]{0,40}(confirm[ \t\xa0]{1,4}[a-z0-9]{8,80})[ \t\xa0.]{0,40}", re.IGNORECASE)
_WITH_WORDS = re.compile(r"((?:note|tell user|tell|wrong)\b[^:\uff1a]{0,100})[:\uff1a](.*)", re.IGNORECASE)
_END = "end"


@dataclass(frozen=True, slots=True)
class Said:
    """The commands of a mail, in order, and the text that follows them."""

    items: tuple[Item, ...] = ()
    rest: str = ""


def split(text: str) -> Said:
    """Find the commands of a mail; `text` is its plain text as it is.  No commands: all of it is the rest."""
    lines = text[:MAX_TEXT].replace("\r\n", "\n").replace("\r", "\n").split("\n")[:MAX_LINES]
    items: list[Item] = []
    end: int | None = None  # of the author's words, looked for when it matters
    number = _next(lines, 0)
    while number < len(lines) and len(items) <= MAX_COMMANDS:
        line = command_of(lines[number])
        if line is None or (end is not None and number >= end):
            break
        number += 1
        spoken = _WITH_WORDS.fullmatch(line)
        if spoken is None:
            items += [Item(line)] if line.lower() != _END else []
        else:
            end = own_end(lines) if end is None else end
            last = _last_word(lines, number, end)
            items.append(Item(f"{spoken[1].strip()}:", _trimmed([spoken[2].strip(), *lines[number:last]])))
            number = last
        number = _next(lines, number)
    return Said(tuple(items), "\n".join(lines[number:]).strip("\n") if items else text)


def command_of(line: str) -> str | None:
    """What stands behind `helpdesk:`, on one clean line; None for a line that is no command."""
    found = _CONFIRM.fullmatch(line) or _COMMAND.fullmatch(line)
    return None if found is None else safe_text(found[1], limit=MAX_LINE)


def _next(lines: list[str], number: int) -> int:
    """Find the next line that is not blank."""
    while number < len(lines) and not lines[number].strip():
        number += 1
    return number


def _last_word(lines: list[str], first: int, end: int) -> int:
    """Where the words end that begin in line `first`."""
    return next((one for one in range(first, end) if command_of(lines[one]) is not None), max(first, end))


def _trimmed(lines: list[str]) -> tuple[str, ...]:
    """The lines without the blank ones around them."""
    kept = "\n".join(line.rstrip()[:MAX_LINE] for line in lines).strip("\n").split("\n")[:MAX_WORDS]
    return tuple(kept) if any(kept) else ()
