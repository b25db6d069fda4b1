"""The vocabulary of the digest's templates; `lines` is the whole text, laid out in columns."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class HandoverWords:
    """What the shifter before wants this one to know."""

    author: str
    when: str  # "05:52", with the day if it is another
    verified: bool
    words: tuple[str, ...]  # line by line


@dataclass(frozen=True, slots=True)
class DigestRow:
    """One thread; without an id it is about the board itself."""

    thread: str  # the short id
    mark: str  # "URGENT 1h10", "19h"
    who: str
    says: str  # its subject, or what there is to do
    note: str = ""  # "2nd mail", "taken: Jacob"
    below: tuple[str, ...] = ()  # clues, a line each
    link: str = ""  # Message-ID of the thread's newest mail


@dataclass(frozen=True, slots=True)
class DigestPart:
    """One numbered part; `more` threads did not fit."""

    number: int
    title: str
    rows: tuple[DigestRow, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class DigestMail:
    """To who is on duty, and to look at in the folder Board."""

    kind: ClassVar[str] = "digest"

    title: str  # "Tue 9 Jun 06-14 UTC"
    counts: str  # "4 to answer, 1 urgent"
    duty: str  # "You: Aiden. Before: Sergey. Next: Alden, 14:00."
    awake: str  # "Awake: Ganga till 16:00." or ""
    handovers: tuple[HandoverWords, ...]
    parts: tuple[DigestPart, ...]
    resting: tuple[str, ...]  # "waiting 23 (2 close at 14:00)", ...
    since: str  # "22:00"
    news: str  # "new 9, closed 12, reopened 2"
    sites: str  # "out DESY-HH; central none", "" without robots
    site_lines: tuple[str, ...]  # what is to be said of each
    hints: tuple[str, ...]  # commands to answer with
    lines: tuple[str, ...]
