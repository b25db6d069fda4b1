"""The filters of the templates for HTML: somebody's lines, and the only links that there are, all of them built here.

The one door to css-inline: clients that drop `<style>` see what is in `style` attributes; what is kept of `<style>` is for those
that know dark colours.  Nothing is loaded, neither here nor by who reads the mail.
"""

import base64
import re
from collections.abc import Iterable
from functools import cache
from typing import Protocol
from urllib.parse import quote

from css_inline import CSSInliner
from markupsafe import Markup, escape

from helpdesk.references import usable_ids
from helpdesk.text import safe_text
from helpdesk.wrapping import clean_lines, more, paragraphs_of

NO_BREAK = "\N{NO-BREAK SPACE}"
_NAME = re.compile(r"[^a-z0-9-]")
_LONGEST = 40
_BLANKS = re.compile(" (?= )")


def spoken(lines: Iterable[str], *, columns: bool = False) -> Markup:
    """Somebody's own lines, indented as he indented them; with `columns` no blank is lost (Outlook joins them)."""
    clean, cut = clean_lines(lines)
    shown = [_kept(line, columns) for line in (*clean, *([more(cut)] if cut else []))]
    return Markup("<br>\n").join(shown)


def paragraphs(text: str) -> Markup:
    """A text of ours, paragraph by paragraph."""
    return Markup("\n").join(Markup("<p>{}</p>").format(one) for one in paragraphs_of(text))


def mid(message_id: str) -> str:
    """Link to a mail that the reader has (RFC 2392), or nothing if the id can stand in no link."""
    return f"mid:{quote(message_id[1:-1], safe='@')}" if usable_ids([message_id]) else ""


def archived(message_id: str, *, template: str) -> str:
    """Link to a mail in the list's web archive, or nothing if there is none."""
    if not template or not usable_ids([message_id]):
        return ""
    return template.replace("{message_id}", quote(message_id[1:-1], safe=""))


def mailto(address: str, subject: str, text: str) -> str:
    """Begin a mail (RFC 6068)."""
    about, words = (quote(safe_text(one), safe="") for one in (subject, text))
    return f"mailto:{quote(address, safe='@')}?subject={about}&body={words}"


class Shown(Protocol):
    """A picture that comes with the mail."""

    @property
    def name(self) -> str:
        """What its part is called."""


class Drawn(Shown, Protocol):
    """With its octets."""

    @property
    def png(self) -> bytes:
        """The octets."""


def inline(picture: Shown) -> str:
    """Where a page finds a picture: in its own mail (RFC 2392), by a name of ours."""
    return f"cid:{part_name(picture)}@helpdesk"


def part_name(picture: Shown) -> str:
    """What its part is called: letters, digits and hyphens."""
    return _NAME.sub("", picture.name)[:_LONGEST] or "picture"


def standing_alone(page: str, pictures: Iterable[Drawn]) -> str:
    """The page with its pictures in it, for a browser."""
    for one in pictures:
        page = page.replace(inline(one), f"data:image/png;base64,{base64.b64encode(one.png).decode()}")
    return page


def inlined(page: str) -> str:
    """Write the styles of a page into its elements; @media rules stay in its head."""
    return _inliner().inline(page)


@cache
def _inliner() -> CSSInliner:
    return CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def _kept(line: str, columns: bool) -> Markup:
    said = line.lstrip(" ")
    margin = NO_BREAK * (len(line) - len(said))
    return escape(margin + (_BLANKS.sub(NO_BREAK, said) if columns else said))
