"""The text of an HTML mail: one pass over tags, linear whatever the markup, and never an exception.

The standard library's `html.parser` raises on some declarations and takes quadratic time on unclosed ones, and mail has both.
"""

import html
import re

MAX_MARKUP = 256 * 1024

_TOKEN = re.compile(
    r"<!--.*?(?:-->|$)"
    r"|<(?P<raw>script|style)\b.*?(?:</(?P=raw)[^>]*>|$)"  # what stands in these is no markup
    r"|<(?P<tag>/?[a-z][^\s/<>]*)[^>]*>?"
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


def text_of_html(markup: str) -> str:
    """Show an HTML text as lines of plain text."""
    pieces: list[str] = []
    hidden = ""
    for match in _TOKEN.finditer(markup[:MAX_MARKUP]):
        tag = (match["tag"] or "").lower()
        if hidden:
            hidden = "" if tag in {f"/{hidden}", "body"} else hidden
        elif tag in _HIDDEN:
            hidden = tag
        elif tag.lstrip("/") in _LINES:
            pieces.append("\n")
        elif match["text"]:
            pieces.append(html.unescape(match["text"]).replace("\n", " "))
    lines = _BLANK.sub(" ", "".join(pieces)).split("\n")
    return _GAPS.sub("\n\n", "\n".join(line.strip() for line in lines)).strip()
