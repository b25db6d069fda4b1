"""What one command asks for.  Each verb has a function; a new one is a line in `_VERBS`."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from helpdesk.commands import Command, Item, Mistake, Verb, naming
from helpdesk.model import FIXED, TAKEN, URGENT, WAITING, LabelKind

MAX_THREADS = 20
UNREAD = "this was not read: commands stand together at the top of a mail; other words are read in an answer to a digest"
HELP = "`helpdesk: help` lists what can be asked for"

_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{5,10}")  # Crockford's base 32, as thread ids are written
_TICKET = re.compile(r"[#A-Za-z0-9][A-Za-z0-9._/:#-]{0,39}")
_SEPARATORS = re.compile(r"[\s,;]+")
_ENDS = ".,;:!"
_UNTIL = re.compile(r"(?:(?P<site>.{0,200}?) )?(?:until|till|til) (?P<when>.{1,100})", re.IGNORECASE)
_LENGTH = re.compile(
    r"(?:(?P<site>.{0,200}?) )?(?:for )?(?P<when>[0-9]{1,4} ?(?:hours?|days?|weeks?|h|d|w))", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Known:
    """The names that a command may use."""

    board: str
    kinds: Mapping[str, LabelKind]  # every label
    sites: Collection[str] = ()

    @property
    def wheres(self) -> list[str]:
        """The labels that something can be escalated to."""
        return [name for name, kind in self.kinds.items() if kind is LabelKind.WHERE]


@dataclass(frozen=True, slots=True)
class _Line:
    """A command in parts: the verb is taken off."""

    said: str  # what followed the verb
    words: tuple[str, ...]
    known: Known

    @property
    def parts(self) -> list[str]:
        return [part for part in _SEPARATORS.split(self.said.strip(_ENDS + " ")) if part]

    def is_id(self, part: str) -> bool:
        """Whether it looks like a thread's id, so that it may be left out where a name follows."""
        bare = part.lower().removeprefix(f"{self.known.board.lower()}-")
        return bare != part.lower() or _ID.fullmatch(bare) is not None


Understood = Command | Mistake


def understand(item: Item, known: Known) -> Understood:
    """What the command asks for, or why that cannot be said."""
    said = item.line.strip()
    if item.words and not said:
        return Mistake(UNREAD)
    for name, verb in _VERBS.items():
        if said[: len(name)].lower() == name and not said[len(name) : len(name) + 1].isalnum():
            return verb(_Line(said[len(name) :], item.words, known))
    return _unknown(said)


def _unknown(said: str) -> Mistake:
    first = said.strip(_ENDS + " ").partition(" ")[0].lower()[:40]
    if not first:
        return Mistake(f"nothing is asked for: {HELP}")
    near = get_close_matches(first, [*_VERBS, "tell"], n=1)
    if near:
        return Mistake(f"{first!r} is no command: {'tell user' if near[0] == 'tell' else near[0]!r}? {HELP}")
    return Mistake(f"{first!r} is no command: {HELP}")


def _threads(verb: Verb, label: str = "") -> Callable[[_Line], Understood]:
    """Verbs that take threads and nothing else."""

    def understood(line: _Line) -> Understood:
        wrong = _wrong_threads(line.parts)
        return wrong or Command(verb, tuple(dict.fromkeys(line.parts)), label)

    return understood


def _wrong_threads(parts: list[str]) -> Mistake | None:
    if len(parts) > MAX_THREADS:
        return Mistake(f"more than {MAX_THREADS} threads in one command")
    odd = next((part for part in parts if not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", part)), None)
    return (
        None if odd is None else Mistake(f"{odd!r} is no thread: its id is five letters and digits or more")
    )


def _label(verb: Verb) -> Callable[[_Line], Understood]:
    """`label [T] NAME`: a first word that looks like an id is one, unless the whole is a label's name."""

    def understood(line: _Line) -> Understood:
        names, parts = line.known.kinds, line.parts
        if not parts:
            return Mistake(f"{verb} needs the name of a label, as in `helpdesk: {verb} x7m2q WAITING`")
        found = naming.find(" ".join(parts), names)
        if found is not None:
            return Command(verb, (), found)
        if len(parts) > 1 and line.is_id(parts[0]):
            found = naming.find(" ".join(parts[1:]), names)
            wrong = naming.mistake(" ".join(parts[1:]), names, "label")
            return wrong if found is None else Command(verb, (parts[0],), found)
        return naming.mistake(" ".join(parts), names, "label")

    return understood


def _escalate(line: _Line) -> Understood:
    """`escalate [T] TO [TICKET]`."""
    parts, names = line.parts, line.known.wheres
    if not parts:
        return Mistake("escalate needs to know where to, as in `helpdesk: escalate x7m2q GGUS`")
    plain = _destination((), parts, names)
    if plain is None and len(parts) > 1 and line.is_id(parts[0]):
        plain = _destination((parts[0],), parts[1:], names)
        parts = parts[1:]
    return plain or naming.mistake(" ".join(parts), names, "destination")


def _destination(threads: tuple[str, ...], parts: list[str], names: list[str]) -> Command | None:
    """The longest beginning that names a destination, and at most one word after it: the ticket's number."""
    for length in (len(parts), len(parts) - 1):
        found = naming.find(" ".join(parts[:length]), names) if length else None
        ticket = "".join(parts[length:])
        if found is not None and (not ticket or _TICKET.fullmatch(ticket)):
            return Command(Verb.ESCALATE, threads, found, ticket)
    return None


def _with_words(verb: Verb, *, needed: bool) -> Callable[[_Line], Understood]:
    """Verbs that may name a thread, and take words behind a colon."""

    def understood(line: _Line) -> Understood:
        parts = line.parts
        if len(parts) > 1:
            return Mistake(f"words stand behind a colon, as in `helpdesk: {verb} {parts[0]}: ...`")
        if needed and not line.words:
            return Mistake(f"{verb} needs words behind a colon, as in `helpdesk: {verb} x7m2q: ...`")
        return _wrong_threads(parts) or Command(verb, tuple(parts), words=line.words)

    return understood


def _undo(line: _Line) -> Understood:
    parts = line.parts
    if len(parts) > 1:
        return Mistake("undo takes one action or one thread")
    return _wrong_threads(parts) or Command(Verb.UNDO, what="".join(parts))


def _wrong(line: _Line) -> Understood:
    """`wrong N`, and what the person says to it."""
    number, _, more = line.said.strip(_ENDS + " #").partition(" ")
    if not re.fullmatch(r"[0-9]{1,4}", number.strip(_ENDS)):
        return Mistake("wrong needs the number of a line of the report, as in `helpdesk: wrong 3`")
    words = tuple(one for one in (more.strip(_ENDS + " "), *line.words) if one)
    return Command(Verb.WRONG, what=str(int(number.strip(_ENDS))), words=words)


def _confirm(line: _Line) -> Understood:
    parts = line.parts
    if len(parts) != 1 or not re.fullmatch(r"[A-Za-z0-9]{8,80}", parts[0]):
        return Mistake("confirm needs the token of the mail that asked")
    return Command(Verb.CONFIRM, what=parts[0].lower())


def _site(verb: Verb) -> Callable[[_Line], Understood]:
    """`retest [SITE]`: verbs that take a site and nothing else."""

    def understood(line: _Line) -> Understood:
        return _about_site(verb, line.said.strip(_ENDS + " "), "", line.known)

    return understood


def _site_until(verb: Verb, *, needed: bool) -> Callable[[_Line], Understood]:
    """`out [SITE] until DATE`, `pause [SITE] 3 days`."""

    def understood(line: _Line) -> Understood:
        said = " ".join(line.said.strip(_ENDS + " \xa0").split())
        found = _UNTIL.fullmatch(said) or _LENGTH.fullmatch(said)
        name, when = (found["site"] or "", found["when"]) if found is not None else (said, "")
        if needed and not when:
            return Mistake(f"{verb} needs a date, as in `helpdesk: {verb} until 18 Jun`")
        return _about_site(verb, name, when, line.known)

    return understood


def _loadtest(line: _Line) -> Understood:
    """`loadtest [SITE] [jobs=200 ramp=1,2,4 ...]`, `loadtest stop [SITE]`."""
    words = line.said.strip(_ENDS + " ").split()
    options = [one for one in words if "=" in one]
    rest = [one for one in words if "=" not in one]
    stops = [one.lower() == "stop" for one in rest]
    if any(stops):
        if options or sum(stops) > 1:
            return Mistake("to stop a load test, write `helpdesk: loadtest stop`, perhaps with its site")
        name = " ".join(one for one, stop in zip(rest, stops, strict=True) if not stop)
        return _about_site(Verb.LOADTEST, name, "stop", line.known)
    return _about_site(Verb.LOADTEST, " ".join(rest), " ".join(options), line.known)


def _about_site(verb: Verb, name: str, when: str, known: Known) -> Understood:
    """A site's name is never guessed: it must be written as it is, in any case."""
    if not name:
        return Command(verb, what=when)
    by_key = {one.casefold(): one for one in known.sites}
    if name.casefold() in by_key:
        return Command(verb, what=when, site=by_key[name.casefold()])
    near = get_close_matches(name.casefold()[:100], by_key, n=1)
    hint = f": {by_key[near[0]]!r}?" if near else ""
    return Mistake(f"there is no site {name[:100]!r}{hint}")


def _help(_line: _Line) -> Understood:
    return Command(Verb.HELP)


_VERBS: Mapping[str, Callable[[_Line], Understood]] = {
    "close": _threads(Verb.CLOSE),
    "reopen": _threads(Verb.REOPEN),
    "label": _label(Verb.LABEL),
    "unlabel": _label(Verb.UNLABEL),
    "waiting": _threads(Verb.LABEL, WAITING),
    "urgent": _threads(Verb.LABEL, URGENT),
    "fixed": _threads(Verb.LABEL, FIXED),
    "taken": _threads(Verb.LABEL, TAKEN),
    "escalate": _escalate,
    "tell user": _with_words(Verb.TELL, needed=False),
    "note": _with_words(Verb.NOTE, needed=True),
    "undo": _undo,
    "wrong": _wrong,
    "confirm": _confirm,
    "status": _threads(Verb.STATUS),
    "help": _help,
    "retest": _site(Verb.RETEST),
    "out": _site_until(Verb.OUT, needed=True),
    "pause": _site_until(Verb.PAUSE, needed=False),
    "resume": _site(Verb.RESUME),
    "back in": _site(Verb.RESUME),
    "loadtest": _loadtest,
}
