"""The gallery: every mail that the board sent in the demo, as its readers got it, on one page that loads nothing.

The mails are those that the SMTP server handed over, octet by octet; pages of mails stand in frames that may do nothing.
"""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import unescape
from importlib.resources import files
from math import ceil
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from helpdesk.demo.post import Letter
from helpdesk.errors import UsageError
from helpdesk.text import safe_block, safe_text

PREFIX = "helpdesk-demo-mails-"
WIDE, NARROW = 56, 34  # letters that stand beside each other in a frame, and in one on a phone
LINE_PIXELS, BLOCK_PIXELS, FRAME_PIXELS = 27, 8, 70  # of a line, a paragraph, a page
OFTEN = 3  # mails of one kind that are open

_BLOCK = re.compile(r"<(?:p|h\d|tr|li|pre|blockquote)\b")
_LINE = re.compile(r"<br\b|\n(?=[^<])")
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Why:
    """Why the board sent a mail: read from its outbox and its report."""

    kind: str
    rule: str
    thread: str  # the short id, "" for a mail about the board itself
    reason: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One mail of the page."""

    at: datetime
    to: str
    subject: str
    why: Why | None
    text: str
    page: str  # HTML, "" if there is none
    wide: int  # pixels that the page is high
    narrow: int  # and on a phone


def place(wanted: Path | None) -> Path:
    """Where the page goes: where the visitor wants it, else a file of its own among the temporary ones.

    Raises UsageError if no file can be written there.
    """
    try:
        if wanted is not None:
            wanted.touch()
            return wanted.absolute()
        with tempfile.NamedTemporaryFile(prefix=PREFIX, suffix=".html", delete=False) as made:
            return Path(made.name)
    except OSError as error:
        raise UsageError(
            f"the gallery cannot be written to {wanted or tempfile.gettempdir()}: {error.strerror}"
        ) from error


def gallery(letters: Sequence[Letter], reasons: dict[str, Why]) -> str:
    """The page, as HTML."""
    environment = Environment(
        undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    template = files("helpdesk.demo").joinpath("gallery.html.j2").read_text(encoding="utf-8")
    return environment.from_string(template).render(mails=[*_shown(letters, reasons)], often=OFTEN)


def _shown(letters: Sequence[Letter], reasons: dict[str, Why]) -> Sequence[Shown]:
    """Each mail once, whoever got it."""
    readers: dict[str, list[str]] = {}
    for letter in letters:
        readers.setdefault(letter.message_id, []).append(letter.recipient)
    first = {letter.message_id: letter for letter in reversed(letters)}
    return [_mail(first[one], to, reasons.get(one)) for one, to in readers.items()]


def _mail(letter: Letter, to: Sequence[str], why: Why | None) -> Shown:
    message = message_from_bytes(letter.content, _class=EmailMessage, policy=default)
    page = _part(message, "html")
    return Shown(
        at=letter.at,
        to=", ".join(safe_text(one) for one in to),
        subject=safe_text(str(message["Subject"])),
        why=why,
        text=safe_block(_part(message, "plain")),
        page=page,
        wide=height(page, WIDE),
        narrow=height(page, NARROW),
    )


def height(page: str, columns: int) -> int:
    """About how many pixels a page of ours needs, and rather too many: a frame that may do nothing cannot tell."""
    blocks = _BLOCK.split(page.partition("<body")[2])
    lines = [unescape(_TAG.sub("", f"<{line}")).strip() for block in blocks for line in _LINE.split(block)]
    rows = sum(ceil(len(line) / columns) for line in lines)
    return FRAME_PIXELS + LINE_PIXELS * rows + BLOCK_PIXELS * len(blocks)


def _part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    return "" if found is None else str(found.get_content())
