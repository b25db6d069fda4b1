"""What nobody says: signatures, footers of lists, disclaimers, "Sent from my phone".

Only what is certain goes.  A signature needs its delimiter: a name below a greeting stays.  A delimiter with a long text or an
error below it is a rule that the author drew.
"""
# ruff: noqa: RUF001  dashes, and other alphabets

import re
from itertools import takewhile

from helpdesk.excerpts.kinds import Kind, Lines, has_words, last_paragraph

MAX_SIGNATURE = 15  # lines with words below a delimiter
MAX_TAGLINE = 10  # words
MIN_DISCLAIMER = 15  # words
MAX_LINE = 2000  # characters that are looked at

_DELIMITER = re.compile(r"(?:- )?(?:--|—)")  # PGP puts "- " before it
_EVIDENCE = re.compile(
    r"\b(?:error|exception|traceback|failed|fatal|warning|commit [0-9a-f]{7,40})\b", re.IGNORECASE
)
_RULE = re.compile(r"[ \t]*[-_=#*~+]{2,}[ \t]*")
_FOOTER = re.compile(  # whole lines, because people write about lists, too
    r"(?:to |how to )?(?:un)?subscribe\b.{0,150}(?:@|https?:|mail\b).{0,150}|you (?:received|are receiving|'re receiving) this .{1,150} because .{1,200}"
    r"|to (?:view|post|manage|reply|change|leave)\b.{0,60}\b(?:list|group|discussion|subscription)s?\b.{0,150}(?:@|https?:).{0,150}"
    r"|<?https?://\S{0,150}(?:listinfo|mailman|sympa|unsubscribe|subscription|groups\.google)\S{0,150}"
    r"|(?:zum abbestellen|um sich abzumelden|pour (?:se |vous )?d(?:é|e)s(?:abonner|inscrire)|per cancellarsi|para cancelar|чтобы отписаться)\b.{1,200}",
    re.IGNORECASE,
)
_LONG_RULE = re.compile(r"[ \t]*[-_=*]{5,}[ \t]*")
_REACHED = re.compile(
    r"\b(?:tel|phone|mobile|mob|fax|cell|telefon|tél|e-?mail)\b\.?[^\S\n]*[:.]|\+\d[\d ()/.-]{6,}|^[^\s@]+@[^\s@]+\.\w+\W{0,2}$",
    re.IGNORECASE,
)  # fmt: skip
MAX_CARD, WIDE_CARD = 7, 80  # lines, characters
# Believed below a rule only.
_NAME = re.compile(r"(?:\S{1,40} ){1,4}mailing[- ]?list(?: ?(?:--|:|,) ?\S{1,100})?", re.IGNORECASE)
_NEXT_PART = re.compile(r"-{5,40} next part -{5,40}")  # pipermail
_MINE = r"(?:my|mein\w{0,2}|mon|ma|mi|il mio|meu|minha|mijn|min|můj|mojego|мо(?:его|й|ему)|моєго)"
_DEVICE = (
    r"(?:i?phone|ipad|ipod|android|mobil\w{0,30}|blackberry|galaxy|samsung|huawei|nokia|htc|tablet|handy|telefon\w{0,3}|téléphone|teléfono"
    r"|telefone|smartphone|cell|device|outlook|(?:e-?|air|gmx |web\.de |yahoo |proton ?)?mail(?:box)?|windows|spark|thunderbird)"
)
_WITH = r"(?:from|via|with|by|von|vom|mit|über|depuis|de|à partir de|avec|da|dal|con|desde|do|com|vanaf|met|van|från|fra|laitteesta|z|ze|с|со|из|з)"
_TAGLINE = re.compile(
    r"[<(\[\s]{0,4}(?:"
    r"(?:sent|gesendet|envoyé|inviato|enviado|verzonden|verstuurd|skickat|sendt|lähetetty|wysłan[eo]|odesláno|отправлено|надіслано)\b"
    rf" {_WITH} (?:\S{{1,20}} ){{0,2}}?\[?(?:{_MINE}\b|{_DEVICE}\b)(?! (?:to|and|but|an|und|à|et)\b).{{0,150}}"
    rf"|(?:diese nachricht wurde )?von mein\w{{0,3}} (?:\S{{1,30}} ){{1,4}}(?:gesendet|geschickt|versendet)\b.{{0,60}}"
    rf"|from my {_DEVICE}\b.{{0,60}}|\S{{1,40}} (?:from|via) mobile|get \[?outlook for .{{1,150}}"
    r"|.{0,20}(?:から送信|发自我的|發自我的|傳送自我的).{0,40}|从我的 ?.{1,20}发送|從我的 ?.{1,20}傳送|(?:나의|내) .{1,20}에서 보냄"
    r")[>)\]\s]{0,4}",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"confidential|vertraulich|confidentiel|confidencial|riservat|конфиденциальн|機密|intended (?:solely|only|exclusively|recipient|addressee)"
    r"|privileged|disclaimer|unbefugt|strictly prohibited",
    re.IGNORECASE,
)
_LEGAL = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        r"intended|adressat|empfänger|addressee|destinataire|destinatari",
        r"if you (?:are not|have received|received)|in error|by mistake|irrtümlich|par erreur|por error|per errore",
        r"legally|unauthori[sz]ed|prohibited|unbefugt|interdit|protected by law|autorisation|autorizad",
        r"notify (?:the sender|us|me)|delete (?:it|this|the)|destroy|informieren sie|löschen|supprimer|détruire|eliminar",
        r"(?:this|diese|cet?|este|questo) (?:e-?mail|message|communication|nachricht|courriel|mensaje|messaggio)",
    )
)
_CERTAIN = 2  # of these, beside the strong words
_WRAPPED = 50  # characters: so long are the lines of a sentence that goes on in the next


def mark(lines: Lines, kinds: list[Kind], first: int, last: int) -> None:
    """Mark the signature at the end of the author's words in `lines[first:last]`, and what stands below it."""
    mark_footer(lines, kinds, first, last)
    while last > first and kinds[last - 1] is Kind.SIGNATURE:
        last -= 1
    start = _delimiter(lines, first, last)
    if start is not None:
        start = _without_endings(lines, first, start)
        kinds[start:last] = [Kind.SIGNATURE] * (last - start)


def mark_footer(lines: Lines, kinds: list[Kind], first: int, last: int) -> None:
    """Mark what lists, lawyers and phones put at the end of `lines[first:last]`."""
    start = _without_endings(lines, first, _without_footer(lines, first, last))
    kinds[start:last] = [Kind.SIGNATURE] * (last - start)


def _delimiter(lines: Lines, first: int, last: int) -> int | None:
    """Find the last delimiter with no more below it than a signature has; a short one may stand above that of a list."""
    below, found = 0, None
    for number in range(last - 1, first - 1, -1):
        if _DELIMITER.fullmatch(lines[number].strip()) and not _among_dashes(lines, number, first, last):
            below, found = 0, number
        below += has_words(lines[number])
        too_long = below > (MAX_SIGNATURE if found is None else MAX_SIGNATURE // 2)
        if too_long or _EVIDENCE.search(lines[number][:MAX_LINE]):
            break
    return found


def _among_dashes(lines: Lines, number: int, first: int, last: int) -> bool:
    """Whether a line around begins with dashes, too: the log of a build, or a list."""
    around = (*lines[max(first, number - 1) : number], *lines[number + 1 : min(number + 2, last)])
    return any(line.startswith("--") for line in around)


def _without_footer(lines: Lines, first: int, last: int) -> int:
    """Say where the footer of a list begins: at a rule, not the author's own, with words about the list right below it."""
    for number in range(max(first, last - 3 * MAX_SIGNATURE), last):
        if _NEXT_PART.match(lines[number]):
            return number
        if _RULE.fullmatch(lines[number]) and _is_about_a_list(lines[number + 1 : min(number + 5, last)]):
            return number if sum(map(has_words, lines[number:last])) <= MAX_SIGNATURE else last
    return last


def _is_about_a_list(below: Lines) -> bool:
    said = [
        line.strip()[:MAX_LINE]
        for line in takewhile(lambda line: not _RULE.fullmatch(line), below)
        if line.strip()
    ]
    return any(_FOOTER.fullmatch(line) or _NAME.fullmatch(line) for line in said[:3])


def _without_endings(lines: Lines, first: int, last: int) -> int:
    """Say where the footers, disclaimers, taglines and mere rules begin with which the lines end."""
    while last > first:
        line = lines[last - 1].strip()
        if not line or _RULE.fullmatch(line) or _is_tagline(line):
            last -= 1
            continue
        card = _card(lines, first, last)
        if card is not None:
            last = card
            continue
        start, _ = last_paragraph(lines, max(first, last - MAX_SIGNATURE - 1), last)
        start = last if last - start > MAX_SIGNATURE else _ending(lines, start, last)
        if start == last:
            break
        last = start
    return last


def _card(lines: Lines, first: int, last: int) -> int | None:
    """Find the rule above a few short lines, one of them a number or an address, with which the lines end: who somebody is."""
    for number in range(last - 1, max(first, last - MAX_CARD - 2) - 1, -1):
        if _LONG_RULE.fullmatch(lines[number]):
            below = [line for line in lines[number + 1 : last] if line.strip()]
            found = 2 <= len(below) <= MAX_CARD and any(_REACHED.search(line.strip()) for line in below)
            return number if found and all(map(_on_a_card, below)) else None
    return None


def _on_a_card(line: str) -> bool:
    said = line.strip()
    begins = said[0].isupper() or said[0] == "+" or ("@" in said and " " not in said)
    return (
        begins
        and len(said) <= WIDE_CARD
        and not said.endswith(("?", "!", ":", ";"))
        and not _EVIDENCE.search(said)
    )


def _is_tagline(line: str) -> bool:
    return len(line) <= 200 and len(line.split()) <= MAX_TAGLINE and _TAGLINE.fullmatch(line) is not None


def _ending(lines: Lines, first: int, last: int) -> int:
    """Say where the footer or the disclaimer begins in a last paragraph, `last` if there is none."""
    top = [line.strip()[:MAX_LINE] for line in lines[first : min(first + 4, last)]]
    if _FOOTER.fullmatch(top[0]) and all(_FOOTER.fullmatch(line) or "://" in line for line in top):
        return first
    begins = next((line for line in range(first, last) if _STRONG.search(lines[line][:MAX_LINE])), last)
    if first < begins < last and len(lines[begins - 1]) >= _WRAPPED and _legal(lines[begins - 1]):
        begins -= 1
    text = " ".join(line.strip()[:MAX_LINE] for line in lines[begins:last])
    return begins if len(text.split()) >= MIN_DISCLAIMER and _legal(text) >= _CERTAIN else last


def _legal(text: str) -> int:
    return sum(words.search(text[: 3 * MAX_LINE]) is not None for words in _LEGAL)
