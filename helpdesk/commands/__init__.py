"""Commands by mail, as text: which lines of a mail are commands, and what they ask for (docs/commands.md).

    splitting   a mail's text ─► the leading run of `helpdesk: ...` lines, with the words that belong to them
    grammar     one such line ─► what it asks for, or what is wrong with it
    naming      labels by any spelling that means one only
    dates       until when, as people write it

Nothing here knows who wrote the mail, or whether it may be obeyed: that is `helpdesk.obeying`.  Everything is pure and total: a
text that makes no sense is a `Mistake`, a value like any other, and no text takes more than linear time.
"""

from dataclasses import dataclass
from enum import StrEnum


class Verb(StrEnum):
    """What can be asked for."""

    CLOSE = "close"
    REOPEN = "reopen"
    LABEL = "label"
    UNLABEL = "unlabel"
    ESCALATE = "escalate"
    TELL = "tell user"
    NOTE = "note"
    UNDO = "undo"
    WRONG = "wrong"
    CONFIRM = "confirm"
    STATUS = "status"
    HELP = "help"
    RETEST = "retest"
    OUT = "out"
    PAUSE = "pause"
    RESUME = "resume"
    LOADTEST = "loadtest"


READING = frozenset({Verb.STATUS, Verb.HELP})
"""Answered, and nothing is changed."""

ABOUT_SITES = frozenset({Verb.RETEST, Verb.OUT, Verb.PAUSE, Verb.RESUME, Verb.LOADTEST})
"""What the contacts of a site may ask for, too."""


@dataclass(frozen=True, slots=True)
class Item:
    """One command as it was written: its line without `helpdesk:`, and the words that belong to it, line by line.

    Words without a line stand below the commands, and are none.
    """

    line: str
    words: tuple[str, ...] = ()

    @property
    def quoted(self) -> tuple[str, ...]:
        """The command as an answer quotes it."""
        if self.words and not self.line:
            return self.words
        return (f"helpdesk: {self.line}".strip(), *self.words)


@dataclass(frozen=True, slots=True)
class Command:
    """What one line asks for; no thread named: the one that the mail is about."""

    verb: Verb
    threads: tuple[str, ...] = ()  # as they were written
    label: str = ""  # its configured name; of `escalate`: the destination's
    ticket: str = ""
    what: str = ""  # of undo: an action or a thread; of wrong: a number; of confirm: the token; of out and pause: a date; of loadtest: its options, or stop
    site: str = ""  # "": the one that the mail is about
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that asks for nothing that can be done, and why, in a sentence."""

    problem: str


def changes(asked: Command | Mistake) -> bool:
    """Whether carrying it out would change anything, so that it needs proof."""
    return isinstance(asked, Command) and asked.verb not in READING
