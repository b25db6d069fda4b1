"""What the author of a mail names himself: sites, data sets, error lines; and the first sentence of an answer."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from helpdesk.blame.errors import error_line, says_what_broke
from helpdesk.blame.facts import About, Mention
from helpdesk.blame.names import MAX_FOUND, MAX_TEXT, Names, without_addresses
from helpdesk.blame.placing import Use, use
from helpdesk.clues import MAX_LINE, Sort, clues
from helpdesk.excerpts import borders, kinds_of, quotes
from helpdesk.excerpts.kinds import Kind
from helpdesk.excerpts.library import Library

MAX_LINES = 3000
MAX_ERRORS, MAX_DATASETS = 5, 5
MAX_PLACES = 100  # where names stand, that are looked at
MAX_NAME = 200
MAX_ANSWER = 120
SHORT = 60  # characters of a line that begins with the author's name and is no sentence
CARD_LINES = 4
A_SENTENCE = 20  # characters
SIGNATURE_LINES = 8  # as many lines with something on them may follow a farewell

_FAREWELL = re.compile(
    r"\s*(?:(?:sent|gesendet|envoyé|inviato|enviado|verzonden) (?:from|von|depuis|de|da|desde|met|mit|via) .{1,60}"
    r"|(?:many |best |kind |warm(?:est)? |with |in |thanks |and |& |my )*"
    r"(?:thanks|thank you|thx|cheers|regards|wishes|yours|sincerely|best|advance|greetings|bye|ciao|salut|cordialement|saluti|saludos"
    r"|(?:mit )?(?:freundlichen|besten|vielen|viele|liebe|beste|schöne)n? (?:grüßen|grüße|gruß|gruss|dank))"
    r"(?: (?:a lot|again|in advance|you|for (?:your|any|the) help))*)[\s,.!]*(?:\S{1,30}){0,1}[\s,.!]*",
    re.IGNORECASE,
)
_RULE = re.compile(r"[-_=*~]{3,80}")
_GREETING = re.compile(
    r"\s*(?:hi|hello|dear|hey|hallo|lieber?|bonjour|salut|ciao|good (?:morning|afternoon|evening))\b.{0,40}[,:!]?\s*", re.IGNORECASE
)  # fmt: skip
_SENTENCE = re.compile(r"(.{12,}?[.!?])(?:\s|$)")
_COMMAND = re.compile(r"\s{0,8}helpdesk:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mail:
    """As much of a mail as is read for names."""

    text: str
    author: str = ""  # the display name
    subject: str = ""
    begins: bool = True  # it answers and forwards nothing, so its subject is the author's own


def mentions(mail: Mail, sites: Names, datasets: Names) -> tuple[Mention, ...]:
    """What it names, each thing once, bounded; in the order sites, data sets, errors."""
    lines = own_lines(mail.text, mail.author)
    body = "\n".join(lines[: _card(lines)])
    said = f"{mail.subject}\n{body}" if mail.begins else body
    found = list(_sites(said, sites))
    found += _datasets(said, datasets)
    found += _errors(lines)
    return tuple(found)


def own_lines(text: str, author: str = "") -> list[str]:
    """The author's own lines: nothing quoted, nothing below another mail's header, no signature, at most 64 KB."""
    lines = [
        line.rstrip()[: 2 * MAX_LINE]
        for line in text[:MAX_TEXT].replace("\r\n", "\n").split("\n")[:MAX_LINES]
    ]
    kinds = kinds_of(lines)
    marked = [Kind.OWN] * len(lines)
    quotes.mark(lines, marked)
    border = borders.find(lines, marked, Library())
    end = len(lines) if border is None else border.first
    own = [
        line if kind is Kind.OWN and not _is_quoted(line) else ""
        for line, kind in zip(lines[:end], kinds, strict=False)
    ]
    return own[: _signature(own, author)]


def first_sentence(text: str, author: str = "") -> str:
    """What an answer begins with, without the greeting and without what is said to the board; "" if there is nothing."""
    for line in own_lines(text, author):
        if line.strip() and not _GREETING.fullmatch(line) and not _COMMAND.match(line):
            said = " ".join(line.split())
            sentence = _SENTENCE.match(said)
            return (sentence[1] if sentence else said)[:MAX_ANSWER]
    return ""


def _is_quoted(line: str) -> bool:
    """Behind `>`, or behind a bar that is no table's."""
    said = line.strip()
    return said.startswith(">") or (said.startswith("|") and not said.endswith("|"))


def _signature(lines: Sequence[str], author: str) -> int:
    """Where a signature without a mark begins: at a farewell, or at the author's own name, near the end."""
    said = [number for number, line in enumerate(lines) if line.strip()]
    names = _names_of(author)
    for number in said[-SIGNATURE_LINES - 1 :]:
        line = lines[number].strip()
        farewell = number != said[0] and (_FAREWELL.fullmatch(line) or _RULE.fullmatch(line))
        if farewell or _is_signed(line, names):
            return number
    return len(lines)


def _card(lines: Sequence[str]) -> int:
    """Where a last paragraph begins that is no sentence but who and where somebody is; it names nothing, and may be an error."""
    said = [number for number, line in enumerate(lines) if line.strip()]
    first = next((n for n in reversed(said) if n and not lines[n - 1].strip()), 0)
    block = [lines[number] for number in said if number >= first]
    above = sum(len(lines[number]) >= A_SENTENCE for number in said if number < first)
    return first if above and len(block) <= CARD_LINES and all(map(_on_a_card, block)) else len(lines)


def _on_a_card(line: str) -> bool:
    words = line.split()
    small = sum(word[0].islower() for word in words)
    return len(line) <= SHORT and line.strip()[-1] not in ".?!:;" and line.strip()[0].isalnum() and small <= 1


def _is_signed(line: str, names: frozenset[str]) -> bool:
    """Whether a line is the author's name, or begins with his full name and is short."""
    said = line.strip(" ,.-*").casefold()
    full = (name for name in names if " " in name)
    return said in names or (len(said) <= SHORT and any(said.startswith(name) for name in full))


def _names_of(author: str) -> frozenset[str]:
    words = author.replace('"', "").split()
    name = " ".join(words).casefold()
    return frozenset({name, words[0].casefold()} if words and "@" not in name else ())


def _sites(said: str, names: Names) -> Iterator[Mention]:
    """The sites, each as what it is used for where that tells most of trouble."""
    said = without_addresses(said[:MAX_TEXT])
    best: dict[str, tuple[Use, str]] = {}
    for place in islice(names.places(said), MAX_PLACES):
        used = use(said, place.begin, place.end, only_a_name=place.distinctive)
        for target in place.targets if used is not Use.NONE else ():
            if (target not in best and len(best) < MAX_FOUND) or (target in best and used is Use.SITE):
                best[target] = used, best.get(target, (used, place.spelled))[1]
    for target, (used, spelled) in best.items():
        yield Mention(About.SITE if used is Use.SITE else About.ASIDE, target, spelled)


def _datasets(said: str, names: Names) -> Iterator[Mention]:
    known = names.find(said)
    yield from (Mention(About.DATASET, one.target, one.spelled) for one in known)
    seen = {one.target for one in known}
    for clue in clues(without_addresses(said)):
        name = clue.text.rstrip("/")[:MAX_NAME]
        if clue.sort is Sort.DATASET and name and name not in seen and len(seen) < MAX_DATASETS:
            seen.add(name)
            yield Mention(About.DATASET, name, name)


def _errors(lines: Sequence[str]) -> Iterator[Mention]:
    """The error lines: what looks like one, and what says a code with its table."""
    looks = [clue.line for clue in clues("\n".join(lines)) if clue.sort is Sort.ERROR]
    coded = (line for line in lines if says_what_broke(line[:MAX_LINE]))
    for line in _distinct((*looks, *coded)):
        one = error_line(line)
        if one.key or one.meanings:
            yield Mention(About.ERROR, one.key, one.text)


def _distinct(lines: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for line in lines:
        if line.strip() not in seen and len(seen) < MAX_ERRORS:
            seen.add(line.strip())
            yield line.strip()
