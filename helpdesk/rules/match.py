"""Team rules: which of them a new mail meets, and why.

Expressions are RE2, ignore case and search anywhere; all conditions of a rule must hold.  Rules are asked in order and the first that
matches ends the search, unless it says `continue`.  A shadow rule only reports: it never ends the search, so trying one out changes
nothing.  `explain` evaluates with the same conditions, and tests/test_match.py holds the two together.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from helpdesk.model import Role
from helpdesk.rules.facts import Hit
from helpdesk.settings.patterns import Pattern, compile_pattern
from helpdesk.text import safe_text

MAX_BODY = 64 * 1024  # bytes of UTF-8, as much as RE2 is given
_SHOWN = 60
_HEADER = "header "  # before the name of a field, in the name of its condition


@dataclass(frozen=True, slots=True)
class TeamRule:
    """One `[[rule]]`; an expression or value that is None or missing is no condition."""

    name: str
    sender: str | None = None
    recipient: str | None = None
    subject: str | None = None
    body: str | None = None
    header: Mapping[str, str] = field(default_factory=dict)  # field name -> expression
    list_id: str | None = None  # the List-Id itself, not an expression
    role: Role | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    star: bool = False
    continues: bool = False
    shadow: bool = False


class MailFacts(NamedTuple):
    """What a rule can look at."""

    sender: str
    recipients: tuple[str, ...]
    subject: str
    body: str
    headers: Mapping[str, tuple[str, ...]]  # lower-case name -> values
    list_id: str
    role: Role


@dataclass(frozen=True, slots=True)
class Tested:
    """One condition: did it hold, and on what text (safe to show)."""

    condition: str  # `sender`, `header X-Mailer`, ...
    wanted: str
    held: bool
    on: str  # what matched, or the beginning of what did not


@dataclass(frozen=True, slots=True)
class Explained:
    """One rule: did it match, was it asked at all, and what would it do."""

    hit: Hit
    matched: bool
    reached: bool  # False: an earlier rule ended the search
    tested: tuple[Tested, ...]


@dataclass(frozen=True, slots=True)
class _Condition:
    name: str
    wanted: str
    pattern: Pattern | None  # None: the text must be equal

    def find(self, texts: Sequence[str]) -> str | None:
        """Return what matched in the first text that does."""
        for text in texts:
            if self.pattern is None:
                found = text if text == self.wanted else None
            else:
                match = self.pattern.search(text)
                found = None if match is None else match.group()
            if found is not None:
                return found
        return None

    def test(self, texts: Sequence[str]) -> Tested:
        """Say whether it held, and on what."""
        found = self.find(texts)
        shown = ", ".join(texts)[:1000] if found is None else found
        return Tested(self.name, self.wanted, held=found is not None, on=safe_text(shown, limit=_SHOWN))


class Matcher:
    """The rules of a team, compiled once."""

    def __init__(self, rules: Iterable[TeamRule]) -> None:
        self._rules = tuple((rule, _conditions(rule)) for rule in rules)

    def matches(self, facts: MailFacts) -> tuple[Hit, ...]:
        """Say what the rules want, in their order."""
        texts = _Texts(facts)
        hits = []
        for rule, conditions in self._rules:
            if all(one.find(texts[one.name]) is not None for one in conditions):
                hits.append(_hit(rule))
                if _ends(rule):
                    break
        return tuple(hits)

    def explain(self, facts: MailFacts) -> tuple[Explained, ...]:
        """Say of every rule, reached or not, which of its conditions hold and on what text."""
        texts = _Texts(facts)
        reached, explained = True, []
        for rule, conditions in self._rules:
            tested = tuple(one.test(texts[one.name]) for one in conditions)
            matched = all(one.held for one in tested)
            explained.append(Explained(_hit(rule), matched, reached, tested))
            reached = reached and not (matched and _ends(rule))
        return tuple(explained)


def _hit(rule: TeamRule) -> Hit:
    return Hit(rule.name, rule.add, rule.remove, star=rule.star, shadow=rule.shadow)


def _ends(rule: TeamRule) -> bool:
    return not (rule.continues or rule.shadow)


def _conditions(rule: TeamRule) -> tuple[_Condition, ...]:
    """Compile; `ValueError` says which expression is none."""
    searched = {
        "sender": rule.sender,
        "recipient": rule.recipient,
        "subject": rule.subject,
        "body": rule.body,
    }
    searched |= {f"{_HEADER}{name.lower()}": expression for name, expression in rule.header.items()}
    conditions = [
        _Condition(name, expression, compile_pattern(expression))
        for name, expression in searched.items()
        if expression is not None
    ]
    if rule.list_id is not None:
        conditions.append(_Condition("list", rule.list_id.lower(), None))
    if rule.role is not None:
        conditions.append(_Condition("role", rule.role.value, None))
    return tuple(conditions)


class _Texts(dict[str, Sequence[str]]):
    """Each condition's texts, put together when it asks for them: one of them has to match."""

    def __init__(self, facts: MailFacts) -> None:
        super().__init__()
        self._facts = facts

    def __missing__(self, name: str) -> Sequence[str]:
        read = _READERS.get(name)
        headers = self._facts.headers
        found = headers.get(name.removeprefix(_HEADER), ()) if read is None else read(self._facts)
        self[name] = found
        return found


def _body(facts: MailFacts) -> Sequence[str]:
    if len(facts.body) * 4 > MAX_BODY:
        return (facts.body.encode("utf-8", "replace")[:MAX_BODY].decode("utf-8", "ignore"),)
    return (facts.body,)


_READERS: Mapping[str, Callable[[MailFacts], Sequence[str]]] = {
    "sender": lambda facts: (facts.sender,),
    "recipient": lambda facts: facts.recipients,
    "subject": lambda facts: (facts.subject,),
    "body": _body,
    "list": lambda facts: (facts.list_id,),
    "role": lambda facts: (facts.role.value,),
}
