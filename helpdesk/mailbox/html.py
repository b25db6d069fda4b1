"""The text of an HTML mail as its reader sees it: one pass over tags, linear whatever the markup, and never an exception.

The standard library's `html.parser` raises on some declarations and takes quadratic time on unclosed ones, and mail has both.
"""

import html
import re
from collections.abc import Iterable, Iterator

from helpdesk.mailbox.visible import Nest

MAX_MARKUP = 256 * 1024

_TOKEN = re.compile(
    r"<!--.*?(?:-->|$)"
    r"|<(?P<raw>script|style)\b.*?(?:</(?P=raw)[^>]*>|$)"  # what stands in these is no markup
    r"|<(?P<tag>/?[a-z][^\s/<>]*)(?P<attributes>(?:=\s*\"[^\"]*\"|=\s*'[^']*'|[^>])*+)>?"
    r"|<[!?][^>]*>?"
    r"|(?P<text>[^<]+|<)",
    re.DOTALL | re.IGNORECASE,
)
_HIDDEN = frozenset({"head", "title", "template", "object"})
_LINES = frozenset(
    {"address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "tr", "ul"}
)  # fmt: skip
_BLANK = re.compile(r"[ \t\r\f\v\xa0]+")
_GAPS = re.compile(r" ?\n(?: ?\n)+ ?")


_QUOTING = re.compile(
    r"gmail_(?:quote|extra)|yahoo_quoted|moz-(?:cite-prefix|forward)|protonmail_quote|AppleMailQuote|zmail_extra"
    r"|tutanota_quote",
    re.IGNORECASE,
)
"""How clients that use no blockquote mark the element that holds somebody else's mail."""

_FROM_HERE = re.compile(
    r"divRplyFwdMsg|appendonsend|OutlookMessageHeader|ms-outlook-mobile-reference", re.IGNORECASE
)
"""How Outlook marks the place below which everything is somebody else's mail."""
_END = "\n"  # no element has this name


def text_of_html(markup: str) -> str:
    """Show an HTML text as lines of plain text."""
    return _shown(piece for piece, _ in _pieces(markup))


def own_text_of_html(markup: str) -> tuple[str, bool]:
    """Show what the author did not quote, and tell whether anything quoted stands above it."""
    pieces, above, began = [], False, False
    for piece, quoted in _pieces(markup):
        if quoted:
            above = above or (not began and bool(piece.strip()))
        else:
            began = began or bool(piece.strip())
            pieces.append(piece)
    return _shown(pieces), above


def _pieces(markup: str) -> Iterator[tuple[str, bool]]:
    """Go through the text that is seen and its line ends; which of it is quoted.  What is quoted and never ends goes to the end."""
    hidden, inside, depth = "", "", 0
    nest = Nest()
    for match in _TOKEN.finditer(markup[:MAX_MARKUP]):
        tag = (match["tag"] or "").lower()
        name = tag.lstrip("/")
        inside, depth = _quoted(tag, match["attributes"], inside, depth)
        if tag:
            nest.meet(tag, match["attributes"])
        elif match["raw"]:
            nest.learn(match[0])
        if hidden:
            hidden = "" if tag in {f"/{hidden}", "body"} else hidden
        elif tag in _HIDDEN:
            hidden = tag
        elif name in _LINES:
            yield "\n", bool(depth)
        elif match["text"] and nest.seen:
            yield html.unescape(match["text"]).replace("\n", " "), bool(depth)


def _quoted(tag: str, attributes: str, inside: str, depth: int) -> tuple[str, int]:
    """Whose element quotes from here on, and how many of its name are open."""
    if depth and tag.lstrip("/") == inside:
        return inside, depth + (-1 if tag.startswith("/") else 1)
    return (inside, depth) if depth or not tag else _quoting(tag, attributes[:500])


def _quoting(tag: str, attributes: str) -> tuple[str, int]:
    """The element that begins to quote here, and 1; else nothing and 0."""
    if _FROM_HERE.search(attributes):
        return _END, 1
    return (tag, 1) if tag == "blockquote" or _QUOTING.search(attributes) else ("", 0)


def _shown(pieces: Iterable[str]) -> str:
    lines = _BLANK.sub(" ", "".join(pieces)).split("\n")
    return _GAPS.sub("\n\n", "\n".join(line.strip() for line in lines)).strip()
