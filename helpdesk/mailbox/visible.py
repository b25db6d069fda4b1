"""Which text of an HTML mail its reader does not see: what a style, or the attribute `hidden`, hides.

Preheaders, tracking words and what somebody hides on purpose are not what an author says.  Nesting is followed as browsers do it
(the HTML standard, section 13.2.6), as far as mail needs that; what a reader may see counts as seen.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

MAX_DEPTH = 100  # what is deeper looks like what is around it
MAX_STYLE = 2000  # characters of the attributes of an element
MAX_SHEET = 16 * 1024
BLOCKS = frozenset(
    {"address", "article", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "footer", "form", "h1", "h2"}
    | {"h3", "h4", "h5", "h6", "header", "html", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "td"}
    | {"tfoot", "th", "thead", "tr", "ul"}
)  # fmt: skip
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)  # without an end
_ENDED_BY = {  # what ends, without an end tag of its own, where another begins: how far up to look, and what for
    "li": (frozenset({"ul", "ol"}), frozenset({"li"})),
    "dd": (frozenset({"dl"}), frozenset({"dd", "dt"})),
    "dt": (frozenset({"dl"}), frozenset({"dd", "dt"})),
    "td": (frozenset({"table"}), frozenset({"td", "th"})),
    "th": (frozenset({"table"}), frozenset({"td", "th"})),
    "tr": (frozenset({"table"}), frozenset({"tr"})),
}
_STYLE = re.compile(r"""(?<![^\s"'])style\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_NAMES = re.compile(r"""(?<![^\s"'])(class|id)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_VALUES = re.compile(r"""=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+)""")
_HIDDEN = re.compile(r"(?<![^\s\"'/])hidden(?![^\s=/])", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?(?:\*/|$)", re.DOTALL)
_AT = re.compile(r"@[^@{};]*(?:;|\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}?)")
_SELECTOR = re.compile(r"(?:[a-z][a-z0-9]*)?([.#][a-z_-][\w-]*)", re.IGNORECASE)
_NOTHING = re.compile(r"[+-]?(?:0+\.?0*|\.0+)(?:[a-z]+|%)?")
_WHITE = {"#fff": "white", "#ffffff": "white", "#000": "black", "#000000": "black"}

Sheet = Mapping[str, Mapping[str, str]]
"""`.class` or `#id` -> property -> value: the plain rules of a mail's own style sheet."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the text in an element looks; only `gone` cannot be taken back further in."""

    gone: bool = False
    small: bool = False
    invisible: bool = False
    blank: bool = False  # in the colour of what is below it

    @property
    def seen(self) -> bool:
        """Whether a reader sees it."""
        return not (self.gone or self.small or self.invisible or self.blank)


class Nest:
    """The elements that are open, and how the text in them looks."""

    def __init__(self) -> None:
        self._sheet: Sheet = {}
        self._open: list[tuple[str, Look]] = []
        self._deeper = 0

    @property
    def seen(self) -> bool:
        """Whether a reader sees the text that stands here."""
        return not self._open or self._open[-1][1].seen

    def learn(self, element: str) -> None:
        """Heed a style sheet of the mail's own."""
        if element[:6].lower() == "<style":
            self._sheet = {**self._sheet, **sheet_of(element.partition(">")[2])}

    def meet(self, tag: str, attributes: str) -> None:
        """An element begins or (`/name`) ends."""
        if tag.startswith("/"):
            self._end(tag[1:])
        else:
            self._begin(tag, attributes)

    def _begin(self, name: str, attributes: str) -> None:
        if name in BLOCKS:
            self._end_what_it_ends(name)
        if name in _VOID:
            return
        if len(self._open) >= MAX_DEPTH:
            self._deeper += 1
            return
        above = self._open[-1][1] if self._open else Look()
        self._open.append((name, _look(above, attributes[:MAX_STYLE], self._sheet) if attributes else above))

    def _end(self, name: str) -> None:
        """An element ends: what is open in a block ends with it, and no block ends with what is not one."""
        if self._deeper:
            self._deeper -= 1
            return
        for place in range(len(self._open) - 1, -1, -1):
            found = self._open[place][0]
            if found == name:
                del self._open[place : None if name in BLOCKS else place + 1]
                return
            if found in BLOCKS and name not in BLOCKS:
                return

    def _end_what_it_ends(self, name: str) -> None:
        stops, wanted = _ENDED_BY.get(name, (BLOCKS - {"p"}, frozenset({"p"})))
        for place in range(len(self._open) - 1, -1, -1):
            found = self._open[place][0]
            if found in wanted:
                del self._open[place:]
                return
            if found in stops:
                return


def sheet_of(text: str) -> Sheet:
    """Read the plain rules of style sheets; what holds for some screens only (`@media`) says nothing."""
    sheet: dict[str, dict[str, str]] = {}
    for rule in _AT.sub(" ", _COMMENT.sub(" ", text[:MAX_SHEET])).split("}"):
        selectors, _, body = rule.partition("{")
        said = _declared(body)
        for selector in selectors.split(","):
            if match := _SELECTOR.fullmatch(selector.strip()):
                sheet.setdefault(match[1], {}).update(said)
    return sheet


def _look(above: Look, attributes: str, sheet: Sheet) -> Look:
    said: dict[str, str] = {}
    for kind, *values in _NAMES.findall(attributes) if sheet else ():
        for name in "".join(values).split():
            said |= sheet.get(("." if kind.lower() == "class" else "#") + name, {})
    for values in _STYLE.findall(attributes):
        said |= _declared(html.unescape("".join(values)))
    if _HIDDEN.search(_VALUES.sub("=", attributes)):
        said.setdefault("display", "none")
    return _styled(above, said) if said else above


def _styled(above: Look, said: Mapping[str, str]) -> Look:
    get = said.get
    flat = "hidden" in (get("overflow"), get("overflow-y")) and any(
        _NOTHING.fullmatch(said[one]) for one in ("height", "max-height") if one in said
    )
    gone = get("display") == "none" or flat or _is_nothing(get("opacity"))
    look = replace(above, gone=above.gone or gone)
    if "font-size" in said:
        look = replace(look, small=_is_nothing(get("font-size")))
    if "visibility" in said:
        look = replace(look, invisible=get("visibility") in {"hidden", "collapse"})
    if "color" in said:
        below = get("background-color", get("background", "?"))
        look = replace(look, blank=_colour(said["color"]) in {_colour(below), "transparent"})
    return look


@lru_cache(maxsize=512)
def _declared(style: str) -> Mapping[str, str]:
    found = {}
    for declaration in _COMMENT.sub(" ", style).lower().split(";"):
        name, _, value = declaration.partition(":")
        found[name.strip()] = value.replace("!important", "").strip()
    return found


def _is_nothing(value: str | None) -> bool:
    return bool(value) and _NOTHING.fullmatch(value or "") is not None


def _colour(value: str) -> str:
    return _WHITE.get(value, value)
