"""What an error line is: a key by which two of them are the same, and what it means by the tables of codes."""

import re
from dataclasses import dataclass
from functools import cache

from helpdesk.blame.messages import MESSAGES
from helpdesk.robots.codes import TABLES, Meaning, table
from helpdesk.robots.record import Blame, Phase

MAX_LINE = 300
MAX_KEY = 200
FEW_WORDS = 3  # a line of fewer says too little to be the same as another
OWN_WORDS = 5  # words of a table that nobody else says

VAGUE = frozenset(
    {"", "unknown", "payload_crash", "killed", "cancelled", "report", "user", "robot", "wrong_answer"}
)
"""Classes that say too little to be the same failure."""
TELLING = frozenset(
    {Phase.SUBMIT, Phase.QUEUE, Phase.PILOT, Phase.ENVIRONMENT, Phase.AUTH, Phase.STAGE_IN, Phase.STAGE_OUT}
)
"""Phases in which only what runs the job is at work, and not the user's program."""

_EVERYBODYS = frozenset(
    {"no such file or directory", "a file could not be opened", "a file could not be read"}
)
_LAST_WORDS = re.compile(
    r"make(?:\[[^\]]{1,9}\])?: \*\*\*|collect2: error|ninja: build stopped|.{0,60}\(core dumped\)$"
)
"""How a build or a program ends, whatever broke it."""

_FRINGE = re.compile(r"^[\s>|*`\"']{0,40}")
_VOLATILE = (
    (re.compile(r"[a-z][a-z0-9+.-]{0,20}://\S{1,300}"), "<url>"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\b0x[0-9a-f]{2,16}\b"), "<id>"),
    (re.compile(r"(?:/[^\s/:;,'\"()<>\[\]]{1,120}){2,40}/?"), "<path>"),
    (re.compile(r"\b[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}(?:t| )?"), "<time>"),
    (re.compile(r"\b[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:[.,][0-9]{1,9})?(?:z\b)?"), "<time>"),
    (re.compile(r"\[[0-9]{1,12}\]"), "[<n>]"),
    (re.compile(r"\b[0-9]{6,40}\b"), "<n>"),
)
_TIMES = re.compile(r"(?:<time>[\s,]*)+")
_SPACES = re.compile(r"\s+")
_HOLE = re.compile(r"<(?:url|id|path|time|n)>")
_LETTERS = re.compile(r"[a-z]{2,}")
_WITH_TABLE = re.compile(
    rf"\b({'|'.join(TABLES)})(?::|[ _]?(?:exit|error)?[ _]?(?:code)?[\s:=]{{1,3}})([0-9]{{1,6}}|[A-Z_]{{4,30}})\b", re.IGNORECASE
)  # fmt: skip
_CODE = re.compile(
    r"\b(?:code|error|exit(?:ed)?|status|errorcode|exitcode)[\s\"':=#>,(]{1,6}(?:with )?(?:an? )?(?:exit |error )?(?:code )?([0-9]{4,6})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """One error line of a mail."""

    text: str
    key: str  # "": too common to be the same as another
    code: str  # `table:code` as the tables spell it, or ""
    meanings: tuple[Meaning, ...]  # what it may mean; none: nobody knows

    @property
    def may_be_the_users(self) -> bool:
        """Whether it may be the user's own: then it proves nothing about others."""
        return any(one.blame is Blame.USER for one in self.meanings)


def error_line(line: str) -> ErrorLine:
    """Read one line."""
    text = line.strip()[:MAX_LINE]
    code = code_in(text)
    return ErrorLine(text, key_of(text), code, _meanings(text, code))


def key_of(line: str) -> str:
    """What stays of a line when times, paths, URLs and long numbers go; "" if that is less than three words."""
    text = _FRINGE.sub("", line[:MAX_LINE].lower(), count=1)
    for pattern, hole in _VOLATILE:
        text = pattern.sub(hole, text)
    text = _SPACES.sub(" ", _TIMES.sub("<time> ", text)).strip(" .:*`\"'")
    words = _LETTERS.findall(_HOLE.sub(" ", text))
    return text[:MAX_KEY] if len(words) >= FEW_WORDS and not _LAST_WORDS.match(text) else ""


def code_in(text: str) -> str:
    """The code that a line says: with its table, or a long one that only one table has."""
    for found in _WITH_TABLE.finditer(text):
        name, code = found[1].lower(), found[2]
        if code in table(name):
            return f"{name}:{code}"
    for found in _CODE.finditer(text):
        tables = [name for name in TABLES if found[1] in table(name)]
        if len(tables) == 1:
            return f"{tables[0]}:{found[1]}"
    return ""


def says_what_broke(line: str) -> bool:
    """Whether a line says a code that a table has, or a message of a system, whatever it looks like."""
    small = line.lower()
    return any(words in small for words in MESSAGES) or bool(code_in(line))


def _meanings(text: str, code: str) -> tuple[Meaning, ...]:
    if code:
        name, _, number = code.partition(":")
        return (table(name)[number],)
    small = text.lower()
    return tuple(dict.fromkeys(meaning for words, meaning in _phrases() if words in small))


@cache
def _phrases() -> tuple[tuple[str, Meaning], ...]:
    """The words of tables that are long enough to be nobody else's, and the messages of systems."""
    texts = {
        meaning.words.lower(): meaning
        for name in TABLES
        for meaning in table(name).values()
        if len(meaning.words.split()) >= OWN_WORDS and meaning.words not in _EVERYBODYS
    }
    return tuple({**texts, **MESSAGES}.items())
