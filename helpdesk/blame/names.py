r"""Which configured names stand in a text: one pass over it, whatever the number of names.

A name counts where it stands as a word of its own, character by character: no part of a longer word, an address, a URL, a host's
name or a path; nothing is corrected or taken from another alphabet.  Spellings that only a name can have (with a digit, `-`, `_`
or `.`) are found in any case of ASCII letters; plain words as they are spelled; short words of small letters never, because
prose has them too.

The index goes by the first word (`\w+`) of a spelling: for each there are a few shapes (where the word stands in the name, and how
long that is), and a piece of text of that shape is looked up as a whole.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from unicodedata import category

MAX_TEXT = 64 * 1024  # characters that are looked at
MAX_FOUND = 20  # different names in one text
SHORTEST = 3
LONG = 9  # small letters that are a name all the same

_WORD = re.compile(r"\w+")
_CHUNK = re.compile(r"\S+")
_SMALL = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}  # as long as before, unlike lower()
_OF_A_NAME = frozenset("-_.")
_ALWAYS_JOINS = frozenset("_/\\~%$\u2010\u2011")
_JOINS_WORDS = frozenset("-.+&")
_MARKS = frozenset({"Mn", "Mc", "Me", "Cf"})


@dataclass(frozen=True, slots=True)
class Found:
    """A name in a text: what it means, and as it stands there."""

    target: str
    spelled: str


@dataclass(frozen=True, slots=True)
class Place:
    """A place where a name stands."""

    begin: int
    spelled: str
    targets: tuple[str, ...]
    distinctive: bool

    @property
    def end(self) -> int:
        """Behind its last character."""
        return self.begin + len(self.spelled)


def is_distinctive(spelling: str) -> bool:
    """Whether prose has no such word: a digit, or a sign that joins words."""
    return any(sign in _OF_A_NAME or sign.isdigit() for sign in spelling)


def is_a_name(spelling: str) -> bool:
    """Whether a spelling is looked for at all."""
    plain = spelling == spelling.lower() and not is_distinctive(spelling) and len(spelling) < LONG
    return len(spelling) >= SHORTEST and not plain and _WORD.search(spelling) is not None


class Names:
    """The index: spelling -> what it means (a storage element means all its sites)."""

    def __init__(self, spellings: Mapping[str, Iterable[str]]) -> None:
        self._exact: dict[str, tuple[str, ...]] = {}
        self._folded: dict[str, tuple[str, ...]] = {}
        shapes: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
        for spelling, targets in sorted(spellings.items()):
            if not is_a_name(spelling):
                continue
            small = spelling.translate(_SMALL)
            if is_distinctive(spelling):
                self._folded[small] = tuple(dict.fromkeys((*self._folded.get(small, ()), *targets)))
            else:
                self._exact[spelling] = tuple(targets)
            for word in _WORD.finditer(small):
                shapes[word.group()].add((word.start(), len(spelling)))
                break
        self._shapes = {word: sorted(found, key=lambda one: -one[1]) for word, found in shapes.items()}

    def __bool__(self) -> bool:
        return bool(self._shapes)

    def find(self, text: str) -> tuple[Found, ...]:
        """The names in the order in which they stand there first, each once."""
        found: dict[str, Found] = {}
        for one in self.places(without_addresses(text[:MAX_TEXT])):
            for target in one.targets:
                found.setdefault(target, Found(target, one.spelled))
            if len(found) >= MAX_FOUND:
                break
        return tuple(found.values())[:MAX_FOUND]

    def places(self, text: str) -> Iterator[Place]:
        """Where names stand in a text that is without addresses already, from its beginning."""
        if not self._shapes:
            return
        small = text.translate(_SMALL)
        for word in _WORD.finditer(small):
            for offset, length in self._shapes.get(word.group(), ()):
                begin = word.start() - offset
                end = begin + length
                if begin < 0 or end > len(text):
                    continue
                folded = self._folded.get(small[begin:end])
                targets = folded or self._exact.get(text[begin:end])
                if targets and not _joined(text, begin - 1, -1) and not _joined(text, end, 1):
                    yield Place(begin, text[begin:end], targets, folded is not None)
                    break


@dataclass(frozen=True, slots=True)
class Known:
    """The names of a board."""

    sites: Names
    datasets: Names


def without_addresses(text: str) -> str:
    """The text with a blank for each character of URLs and addresses: what stands in them names nothing."""
    if "://" not in text and "@" not in text and "www." not in text:
        return text
    return _CHUNK.sub(_blank, text)


def _blank(chunk: re.Match[str]) -> str:
    said = chunk.group()
    address = "://" in said or "@" in said or "www." in said
    return " " * len(said) if address else said


def _joined(text: str, at: int, step: int) -> bool:
    """Whether the character beside a name makes it part of something longer."""
    if not 0 <= at < len(text):
        return False
    sign = text[at]
    if sign in _JOINS_WORDS:
        beyond = at + step
        return 0 <= beyond < len(text) and _of_a_word(text[beyond])
    return sign in _ALWAYS_JOINS or _of_a_word(sign)


def _of_a_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_" or category(sign) in _MARKS
