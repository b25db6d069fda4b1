"""Where somebody else's mail begins that goes to the end of the text: quoted without `>`, or forwarded."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from helpdesk.excerpts import headers, intros
from helpdesk.excerpts.kinds import Kind, Lines, has_words
from helpdesk.excerpts.library import Library

_FORWARD = re.compile(
    r"[-\s>*_=]{0,40}(?:begin |anfang der |début du |inizio (?:del )?|inicio del |início da )?"
    r"(?:forward(?:ed|ing) (?:e-?mail )?(?:messages?|mail)|weitergeleitete[rn]? (?:e-?mail|nachricht)|message (?:transféré|réexpédié)"
    r"|messaggio inoltrato|mensaje reenviado|mensagem encaminhada|doorgestuurd bericht"
    r"|(?:пересылаемое|пересланное) сообщение|vidarebefordrat meddelande|videresendt (?:meddelelse|melding|besked)"
    r"|wiadomość przekazana|przekazana wiadomość|přeposlaná zpráva|välitetty viesti|továbbított üzenet|iletilen ileti"
    r"|προωθημένο μήνυμα|mesaj redirecționat|転送(?:された)?メッセージ|转发(?:的)?邮件|轉寄(?:的)?郵件|전달된 메시지)"
    r"(?: from .{1,80}|: .{1,80})?[-\s:*_=]{0,40}",
    re.IGNORECASE,
)


class Border(NamedTuple):
    """The line with which the other mail begins."""

    first: int
    forwarded: bool = False


def find(lines: Lines, kinds: list[Kind], library: Library) -> Border | None:
    """Mark what introduces `>` lines, and find the first mail that is there without."""
    answered = _last_answered(lines, kinds)
    for number, line in _candidates(lines, kinds):
        if _FORWARD.fullmatch(line):
            return Border(number, forwarded=True)
        header = headers.find(lines, kinds, number, library)
        if header is not None:
            return Border(header[0])
        first = intros.find(lines, kinds, number, library) if line.endswith(intros.ENDS) else None
        if first is None:
            continue
        if number > answered and not intros.is_marked(lines, kinds, number):
            return Border(first)
        kinds[first : number + 1] = [Kind.INTRO] * (number + 1 - first)
    return None


def _candidates(lines: Lines, kinds: list[Kind]) -> Iterator[tuple[int, str]]:
    """Go through the author's lines, and the first of each quoted block that nothing introduces: it may say "Forwarded"."""
    begins = True
    for number, line in enumerate(lines):
        if kinds[number] is Kind.QUOTED:
            if begins and _FORWARD.fullmatch(line):
                yield number, line
            begins = False
        elif line.strip():
            if len(line) <= intros.LONG:
                yield number, line
            begins = kinds[number] is not Kind.INTRO


def _last_answered(lines: Lines, kinds: list[Kind]) -> int:
    """Find the last `>` line that has words of the author below it, -1 if there is none.

    Above it, "Ann wrote:" without `>` introduces a mail that the author answers piece by piece.
    """
    said = next(
        (one for one in range(len(lines) - 1, -1, -1) if kinds[one] is Kind.OWN and has_words(lines[one])), -1
    )
    return next((one for one in range(said, -1, -1) if kinds[one] is Kind.QUOTED), -1)
