"""Who is meant by the summary of an event: the team's names, however a calendar spells them; pure.

A summary is cut where people write "and" (`/ , & + ;`), then where they set a label apart (`: - ( |`).  A piece means a
person if its words are some of the person's name ("Ann", "A. Archer") or have all of it among others; case and accents
do not count, and words of the trade ("early shift", the board's name, hours) are no names.  Nobody is guessed: "Ann
Baker" is not Ann Archer, and "Ann" is nobody where two have that name.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache

from helpdesk.shifts.values import Attendee, Occurrence, Person, Shift

NAMELESS = "(no name)"
MAX_PIECES = 10

_AND = re.compile(r"[/,&+;]|\s(?:and|und|et)\s", re.IGNORECASE)
_LABEL = re.compile(r"[:()|\[\]–—]|\s-+(?=\s)")  # noqa: RUF001 -- the dashes of word processors
_WORD = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['’]s\b")  # noqa: RUF001 -- and their apostrophe
_ADDRESS = re.compile(r"[^\s<>(),;:/\"]+@[^\s<>(),;:/\"]+")
_DOUBLE = re.compile(r"([aou])e|(?<=a)a")  # Juergen is Jürgen, Aasen is Åsen
_HOUR = re.compile(r"\d+(?:h|am|pm)?")
_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "æ": "a", "œ": "o", "\u0131": "i", "þ": "th", "ð": "d"}
)
"""Letters that Unicode does not take for others with an accent."""


@lru_cache(maxsize=1_000)
def words(text: str) -> Sequence[str]:
    """The words of a name without case, accents and signs: "Jürgen O'Neil" is jurgen, o, neil."""
    plain = _POSSESSIVE.sub("", text).casefold().translate(_LETTERS)
    letters = unicodedata.normalize("NFKD", plain)
    folded = _DOUBLE.sub(r"\1", "".join(one for one in letters if not unicodedata.combining(one)))
    return tuple(_WORD.findall(folded))


_TRADE = frozenset(
    words(
        "shift shifts shifter shifters duty on call oncall rota roster team support helpdesk the week weekend day days"
        " early late night nights morning afternoon evening am pm first second third primary secondary backup main deputy"
        " remote home office holiday mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday"
        " utc"
    )
)


@dataclass(frozen=True, slots=True)
class Team:
    """Whom a calendar can mean; `trade` are words that are no names, `index` finds people by each word of their names."""

    people: tuple[Person, ...]
    trade: frozenset[str]
    index: Mapping[str, tuple[Person, ...]] = field(repr=False)

    @classmethod
    def of(cls, people: Iterable[Person], board: str) -> "Team":
        """The team of a board; the words of the board's name are no names."""
        known = tuple(people)
        index: dict[str, tuple[Person, ...]] = {}
        for one in known:
            for word in dict.fromkeys(words(one.name)):
                index[word] = (*index.get(word, ()), one)
        return cls(known, _TRADE | frozenset(words(board)), index)

    def about(self, found: Iterable[str]) -> Sequence[Person]:
        """Everybody who has one of these words in the name."""
        named = {one for word in found for one in self.index.get(word, ())}
        return [one for one in self.people if one in named] if named else ()


def shift(occurrence: Occurrence, team: Team) -> Shift:
    """Who has the shift: whom the summary names, else who is invited."""
    people, unknown = read(occurrence.summary, team)
    if not people and (invited := _invited(occurrence.attendees, team)):
        people, unknown = invited, ()
    if not people and not unknown:
        unknown = (occurrence.summary or NAMELESS,)
    return Shift(occurrence.start, occurrence.end, tuple(people), tuple(unknown))


def read(summary: str, team: Team) -> tuple[Sequence[Person], Sequence[str]]:
    """The people of a summary in its order, and the words that mean nobody."""
    people = [found for one in _ADDRESS.findall(summary) for found in _at(one, team)]
    unknown: list[str] = []
    for part in _joined(_AND.split(_ADDRESS.sub(" ", summary))[:MAX_PIECES], team):
        pieces = [piece for piece in _LABEL.split(part) if _meant(piece, team)]
        known = [person for piece in pieces for person in _people(words(piece), team)]
        people += known
        if not known and pieces:
            unknown.append(" ".join(" ".join(pieces).split()))
    return tuple(dict.fromkeys(people)), tuple(dict.fromkeys(unknown))


def hint(name: str, team: Team) -> str:
    """What an unknown name may stand for, to end a sentence; "" when nothing comes near."""
    several = [person.name for person in _candidates(words(name), team)]
    if len(several) > 1:
        return f"it may be {' or '.join(several)}"
    near = {" ".join(words(person.name)): person.name for person in team.people}
    near |= {word: person.name for person in team.people for word in words(person.name) if len(word) > 2}
    found = dict.fromkeys(
        near[one] for one in get_close_matches(" ".join(words(name)), near, n=2, cutoff=0.75)
    )
    return f"did you mean {' or '.join(found)}?" if found else ""


def _joined(parts: Sequence[str], team: Team) -> Sequence[str]:
    """Put "Archer, Ann" together again."""
    joined: list[str] = []
    for part in parts:
        both = [*words(joined[-1]), *words(part)] if joined else []
        if len(both) == 2 and any(sorted(both) == sorted(words(one.name)) for one in team.about(both)):
            joined[-1] = " ".join(both)
        else:
            joined.append(part)
    return joined


def _meant(piece: str, team: Team) -> bool:
    """Whether a piece has a word that could be a name; "Day" is one where somebody has it."""
    found = words(piece)
    return any(not _is_trade(word, team) for word in found) or bool(_people(found, team))


def _is_trade(word: str, team: Team) -> bool:
    return word in team.trade or _HOUR.fullmatch(word) is not None


def _people(found: Sequence[str], team: Team) -> Sequence[Person]:
    """Everybody whose whole name is there, else the only one whom the words fit."""
    whole = [person for person in team.about(found) if set(words(person.name)) <= set(found)]
    longest = [
        one for one in whole if not any(set(words(one.name)) < set(words(other.name)) for other in whole)
    ]
    if longest:
        return longest
    candidates = _candidates(found, team)
    return candidates if len(candidates) == 1 else ()


def _candidates(found: Sequence[str], team: Team) -> Sequence[Person]:
    """Everybody whose name has all these words; if nobody's has, the words of the trade are left out."""
    for some in (found, [word for word in found if not _is_trade(word, team)]):
        fitting = [person for person in team.about(some) if _fits(some, words(person.name))]
        if fitting:
            return fitting
    return ()


def _fits(found: Sequence[str], name: Sequence[str]) -> bool:
    """Whether each word is one of the name; a letter may stand for one of its other words, but not for all of them."""
    left = list(name)
    full = [word for word in found if len(word) > 1]
    for word in [*full, *(word for word in found if len(word) == 1)]:
        same = next((one for one in left if one == word or (len(word) == 1 and one[0] == word)), None)
        if same is None:
            return False
        left.remove(same)
    return bool(full)


def _at(address: str, team: Team) -> Sequence[Person]:
    return [person for person in team.people if address.casefold() in person.addresses]


def _invited(attendees: Iterable[Attendee], team: Team) -> Sequence[Person]:
    found = [_at(one.address, team) or read(one.name, team)[0] for one in attendees]
    return tuple(dict.fromkeys(person for people in found for person in people))
