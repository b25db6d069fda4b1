"""Labels: their names, the IMAP keywords that stand for them, and what other clients make of both.

A label's keyword is its name in lower case with every character outside `[a-z0-9_-]` as `_`.  Clients spell in their
own ways: case varies, Thunderbird of today writes `=20` for a space, older ones and Evolution write modified UTF-7.
Every spelling of one name is the same label.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from helpdesk.model import ESCALATED, FIXED, SITE_TROUBLE, TAKEN, URGENT, WAITING, LabelKind

MAX_KEYWORD = 64  # Dovecot refuses much longer ones, and a client's column shows a word

CLIENT_MARKS = frozenset(
    {
        "junk",  # Thunderbird, Apple Mail, Roundcube
        "nonjunk",
        "notjunk",
        "junkrecorded",  # Apple Mail
        "messagejunkmaillevel",
        "messagehasbeenviewed",
        "receipt-handled",  # Evolution
        "forwarded",
        "redirected",
        "mdnsent",
        "submitted",
        "submitpending",
        "phishing",
        "unsubscribed",  # Fastmail
        "old",  # mutt, neomutt
        "answered",  # system flags and Maildir's letters, written out as keywords by some tools
        "deleted",
        "draft",
        "flagged",
        "passed",
        "recent",
        "replied",
        "seen",
        "trashed",
        "xaol-read",  # AOL and Yahoo
        "xaol-good-check-done",  # Dovecot's unknown-7 (a name that its index lost) is below
    }
)
"""What clients and servers set for themselves, in lower case; everything with a `$` comes on top (RFC 5788)."""


def keyword_of(name: str) -> str:
    """Make the IMAP keyword that stands for a label's name; a keyword is its own."""
    return re.sub(r"[^a-z0-9_-]", "_", name.lower())


def is_system_flag(flag: str) -> bool:
    r"""Tell `\Seen` and its like from keywords (RFC 9051 section 2.3.2)."""
    return flag.startswith("\\")


def is_client_mark(keyword: str) -> bool:
    """Tell whether a client or a filter set this for itself, so that it is no label, explained or not."""
    folded = keyword.lower()
    return (
        folded.startswith("$") or folded in CLIENT_MARKS or re.fullmatch(r"unknown-\d+", folded) is not None
    )


def name_problem(name: str) -> str | None:
    """Say why a name cannot be a label's, or None when it can."""
    keyword = keyword_of(name)
    problems = (
        (not name.strip(), "is empty"),
        (name != name.strip(), "begins or ends with a space"),
        (len(keyword) > MAX_KEYWORD, f"is longer than {MAX_KEYWORD} characters"),
        (is_system_flag(name), "begins with a backslash, as system flags do"),
        (is_client_mark(name) or is_client_mark(keyword), "is a mark that mail clients set for themselves"),
        (not keyword.strip("_-"), "has no letter a-z and no digit, which a keyword needs"),
        (
            keyword.isdigit() or keyword == "nil",
            "is a number or NIL, which IMAP libraries take for something else",
        ),
    )
    return next((sentence for wrong, sentence in problems if wrong), None)


@dataclass(frozen=True, slots=True)
class Label:
    """One configured label; `colour` is `#rrggbb`."""

    name: str
    kind: LabelKind
    keyword: str
    meaning: str = ""
    colour: str = ""
    builtin: bool = False


def _builtin(name: str, kind: LabelKind, meaning: str, colour: str) -> Label:
    return Label(name, kind, keyword_of(name), meaning, colour, builtin=True)


BUILTIN = (
    _builtin(URGENT, LabelKind.STATE, "the shifter on duty must look now", "#d0021b"),
    _builtin(ESCALATED, LabelKind.STATE, "others solve it: a second label says who", "#8b57c6"),
    _builtin(WAITING, LabelKind.STATE, "the user has to answer", "#c77c02"),
    _builtin(FIXED, LabelKind.STATE, "solved, and the user is asked to verify after the release", "#2f7d32"),
    _builtin(TAKEN, LabelKind.INFO, "somebody of the team is writing the answer", "#1f6fb2"),
)

OF_SITES = (
    _builtin(
        SITE_TROUBLE, LabelKind.INFO, "test jobs fail as the user's do: look at the site first", "#b8860b"
    ),
)
"""Of a board that has sites."""


_REMEMBERED = 4096  # keywords; a mailbox has a few dozen


@dataclass(frozen=True)
class Vocabulary:
    """Every label of a board, found by name or by any client's spelling of its keyword."""

    labels: tuple[Label, ...]
    _by_name: dict[str, Label] = field(init=False, repr=False, compare=False)
    _by_keyword: dict[str, Label] = field(init=False, repr=False, compare=False)
    _by_utf7: dict[str, Label] = field(init=False, repr=False, compare=False)
    _spelled: dict[str, Label | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {label.name: label for label in self.labels})
        object.__setattr__(self, "_by_keyword", {label.keyword: label for label in self.labels})
        object.__setattr__(self, "_by_utf7", {_utf7_key(label.name): label for label in self.labels})

        object.__setattr__(self, "_spelled", {})

    def __iter__(self) -> Iterator[Label]:
        return iter(self.labels)

    def named(self, name: str) -> Label | None:
        """Find a label by exactly its configured name."""
        return self._by_name.get(name)

    def of_kind(self, *kinds: LabelKind) -> frozenset[str]:
        """Names of all labels of these kinds."""
        return frozenset(label.name for label in self.labels if label.kind in kinds)

    def label_of(self, keyword: str) -> Label | None:
        """Find the label that a keyword spells, in whatever client's way."""
        if keyword not in self._spelled:
            if len(self._spelled) >= _REMEMBERED:
                self._spelled.clear()
            self._spelled[keyword] = self._label_of(keyword)
        return self._spelled[keyword]

    def _label_of(self, keyword: str) -> Label | None:
        if is_system_flag(keyword) or is_client_mark(keyword):
            return None
        exact, decoded = _folded(keyword)
        return (
            self._by_keyword.get(exact) or self._by_keyword.get(decoded) or self._by_utf7.get(keyword.lower())
        )

    def names(self, flags: Iterable[str]) -> frozenset[str]:
        """Names of the labels that are present: one spelling of each is enough."""
        found = (self.label_of(flag) for flag in flags)
        return frozenset(label.name for label in found if label is not None)

    def spellings(self, name: str, flags: Iterable[str]) -> frozenset[str]:
        """Those of the flags that spell this label: to remove it is to remove them all."""
        return frozenset(
            flag for flag in flags if (label := self.label_of(flag)) is not None and label.name == name
        )

    def unknown(self, flags: Iterable[str]) -> frozenset[str]:
        """Keywords that are no label of ours, no client's mark and no system flag: somebody's new label."""
        return frozenset(
            flag
            for flag in flags
            if not is_system_flag(flag) and not is_client_mark(flag) and self.label_of(flag) is None
        )


@lru_cache(maxsize=4096)
def _folded(keyword: str) -> tuple[str, str]:
    """Spell a keyword our way, as it stands and with Thunderbird's `=HH` undone."""
    return keyword_of(keyword), keyword_of(_without_hex(keyword))


def _without_hex(keyword: str) -> str:
    """Undo Thunderbird's `=20`: each `=HH` is one octet of UTF-8."""
    raw = re.sub(
        rb"=([0-9a-fA-F]{2})",
        lambda octet: bytes.fromhex(octet[1].decode("ascii")),
        keyword.encode("utf-8", "surrogatepass"),
    )
    return raw.decode("utf-8", "replace")


def _utf7_key(name: str) -> str:
    """Make the key that older Thunderbirds and Evolution make of a name: modified UTF-7, lower case."""
    plain = re.sub(r"[ ()/{%*<>\\\"]", "_", name)
    return re.sub(r"[^\x20-\x7e]+|&", _utf7_run, plain).lower()


def _utf7_run(run: re.Match[str]) -> str:
    """RFC 3501 section 5.1.3: base64 of UTF-16 between & and -, with a comma for the slash."""
    if run[0] == "&":
        return "&-"
    coded = b64encode(run[0].encode("utf-16-be", "surrogatepass")).decode("ascii")
    return f"&{coded.rstrip('=').replace('/', ',')}-"
