"""Text that strangers wrote, made fit for a header, a terminal or a page; and subjects made comparable.

Kept: ZERO WIDTH JOINER and NON-JOINER between two characters beyond ASCII, because Persian, Indic scripts and emoji are
misspelt without them.  Everywhere else they are invisible and can only deceive, as all other invisible characters do.
HTML and rich markup are not this module's: Jinja2 escapes the one, and the other must never be parsed (`rich.text.Text`).
"""

import re
import unicodedata

HEADER_LIMIT = 200
BLOCK_LIMIT = 20_000
ELLIPSIS = "…"

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor (ECMA-48 5.4)
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS: titles, links
    r"|\x1b[ -/]*[0-~]"  # every other escape
)
_LINE_ENDS = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_SPACES = re.compile(r"[\t\x1f\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
_INVISIBLE = re.compile(
    "["
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"  # zero width, bidi marks, embeddings, overrides, isolates
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U00013430-\U00013455\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"  # tags and variation selectors: whole hidden texts fit in here
    "]"
)
_BROKEN = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17))
    + "]"
)
_JOINERS = re.compile(r"[\u200c\u200d]{2,}")
_STRAY_JOINER = re.compile(r"(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")


def safe_text(text: str, *, limit: int = HEADER_LIMIT) -> str:
    """Make one line of at most `limit` characters that can stand in a header, a terminal or HTML."""
    if not text.isprintable():
        text = _LINE_ENDS.sub(" ", text)
    return _bounded(" ".join(_visible(text, tab=1).split()), limit)


def safe_block(text: str, *, limit: int = BLOCK_LIMIT) -> str:
    """Make a text of at most `limit` characters that keeps its lines and its indentation."""
    lines = _visible(_LINE_ENDS.sub("\n", text), tab=8).split("\n")
    return _bounded("\n".join(line.rstrip() for line in lines).strip("\n"), limit)


def _visible(text: str, *, tab: int) -> str:
    r"""Leave what can be seen and `\n`; a tab becomes spaces up to the next multiple of `tab` columns."""
    if text.isascii() and text.isprintable():
        return text
    plain = _CONTROLS.sub("", _ESCAPES.sub("", text)).expandtabs(tab)
    shown = _BROKEN.sub("\ufffd", _INVISIBLE.sub("", _SPACES.sub(" ", plain)))
    return _STRAY_JOINER.sub("", _JOINERS.sub("\u200d", shown))


def _bounded(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + ELLIPSIS


_REPLY = (
    "re|ré|r|ref|réf|rép|réponse|reply|rif|res|resp|respuesta|resposta|risposta|rispondi|aw|antw|antwort|antwoord|sv|svar|vs|vast|vá|odp|odpowiedź|ynt|atb|bls|balas|odg|"
    "отв|ответ|на|απ|σχετ|השב|תגובה|رد|trả lời|ตอบ|ตอบกลับ|回复|答复|回覆|答覆|返信|회신|답장"
)
_FORWARD = (
    "fw|fwd|wg|tr|doorst|vl|vb|rv|enc|i|pd|ilt|i̇lt|trs|továbbítás|переслано|πρθ|"
    "הועבר|إعادة توجيه|转发|轉寄|轉發|転送|전달"
)
_PREFIX = re.compile(
    rf"(?:(?P<reply>{_REPLY})|{_FORWARD})"
    r"(?:(?<=\bre)-\d{1,3}| ?(?:\[\d{1,3}\]|\(\d{1,3}\)|[\^*]\d{1,3}))?"  # Re-2: (VS-3 is a ticket) Re[2]: Re(2): Re^2: Re*2:
    r" ?[:\uff1a\ufe30] ?"
)
_TAG = re.compile(  # a list's tag, a ticket's number, what a mail server puts before mail from outside
    r"\[[^\[\]]{1,60}\] ?|\((?:ggus-ticket-id: )?#[^()# ]{1,40}\) ?|\*{1,6} ?(?:ext|external|spam) ?\*{1,6} ?|(?:ext|external)[:\uff1a] ?"
)
_TAG_BEGINS, _TAG_ENDS = ("[", "(", "*", "ext"), ("]", ")")
_END_TAG = re.compile(
    r"(?: ?(?:\(#[^()# ]{1,40}\)|\[[^\[\]]{1,60}#[^\[\]]{1,40}\]|[(\[](?:fwd|solved|resolved)[)\]]))+$"
)


def normal_subject(subject: str) -> tuple[str, bool]:
    """Fold a subject for comparison, and tell whether it began as a reply (in any common language).

    Prefixes of replies and forwards, list tags and ticket numbers go, in any order and number.  A forward alone is no
    reply: it starts something new.
    """
    text = _folded(subject)
    start, replied = 0, False
    while found := _begins(text, start):
        start = found.end()
        replied = replied or found.lastgroup == "reply"
    rest = text[start:]
    return (_END_TAG.sub("", rest) if rest.endswith(_TAG_ENDS) else rest).strip(), replied


def is_forward(subject: str) -> bool:
    """Tell whether a subject begins as that of a forwarded mail (in any common language), after the tags of lists."""
    text = _folded(subject)
    start = 0
    while found := _TAG.match(text, start):
        start = found.end()
    prefix = _PREFIX.match(text, start)
    return prefix is not None and prefix["reply"] is None


def _begins(text: str, start: int) -> re.Match[str] | None:
    """A prefix or a tag at `start`; most subjects have neither, and one look tells."""
    prefix = _PREFIX.match(text, start) if ":" in text or "\uff1a" in text or "\ufe30" in text else None
    return prefix or (_TAG.match(text, start) if text.startswith(_TAG_BEGINS, start) else None)


def _folded(subject: str) -> str:
    text = safe_text(subject, limit=1000).casefold()
    return text if text.isascii() else unicodedata.normalize("NFC", re.sub("[\u200c\u200d]", "", text))
