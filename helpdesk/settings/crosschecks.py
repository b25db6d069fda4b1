"""What must hold between the sections of a configuration.

The checks read the raw document, so that they speak even while single keys are wrong: a person who repairs a
configuration hears everything at once.  What is not a string is left to the types.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from helpdesk.labels import BUILTIN, OF_SITES, Label, keyword_of
from helpdesk.settings.robots import POPULAR

Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where."""

    loc: Loc
    sentence: str


def cross_problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Find everything that is wrong between the sections."""
    yield from _people(document)
    yield from _duplicates(document, "rule", "name")
    yield from _duplicates(document, "site", "name")
    yield from _aliases(document)
    yield from _duplicates(document, "template", "name")
    yield from _duplicates(document, "cocktail", "name")
    yield from _duplicates(document, "dataset", "name")
    yield from _duplicates(document, "destination", "label")
    yield from _labels(document)
    yield from _rules(document)
    yield from _references(document)
    yield from _secret(document)


def strings(document: object, *path: str) -> Iterator[tuple[Loc, str]]:
    """Every string at a path in which `*` stands for each element of an array, or each key of a table."""
    if not path:
        if isinstance(document, str):
            yield (), document
        return
    for key, value in _children(document, path[0]):
        for loc, text in strings(value, *path[1:]):
            yield (key, *loc), text


def _children(document: object, step: str) -> Iterator[tuple[str | int, object]]:
    if isinstance(document, Mapping):
        yield from ((key, value) for key, value in document.items() if step in ("*", key))
    elif isinstance(document, list | tuple) and step == "*":
        yield from enumerate(document)


def _people(document: Mapping[str, Any]) -> Iterator[Problem]:
    owners: dict[str, Loc] = {}
    for loc, address in strings(document, "people", "*", "addresses", "*"):
        first = owners.setdefault(address.lower(), loc)
        if first[:2] != loc[:2]:
            yield Problem(loc, f"{address} belongs to two people")
        elif first != loc:
            yield Problem(loc, f"{address} is there twice")
    for _, address in strings(document, "board", "list_address"):
        if address.lower() in owners:
            yield Problem(
                owners[address.lower()], f"{address} is the list's address: no person writes from it"
            )
    yield from _duplicates(document, "people", "name")


def _duplicates(document: Mapping[str, Any], section: str, key: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for loc, name in strings(document, section, "*", key):
        if name in seen:
            yield Problem(loc, f"there is another [[{section}]] with {key} = {name!r}")
        seen.add(name)


def _aliases(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Another name of a site means that site alone."""
    owners = {name: loc[:2] for loc, name in strings(document, "site", "*", "name")}
    for loc, alias in strings(document, "site", "*", "aliases", "*"):
        if owners.setdefault(alias, loc[:2]) != loc[:2]:
            yield Problem(loc, f"{alias} is a name of another site")


def _builtin(document: Mapping[str, Any]) -> tuple[Label, ...]:
    """A board with sites has one label more, unless it does without."""
    robots = document.get("robots")
    without = isinstance(robots, Mapping) and robots.get("site_trouble") is False
    return BUILTIN if without or not document.get("site") else (*BUILTIN, *OF_SITES)


def _labels(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Two labels must not share a keyword; a [[label]] may describe a built-in or where label by its exact name."""
    names = {label.keyword: label.name for label in _builtin(document)}
    kinds = {label.name: str(label.kind) for label in _builtin(document)}
    for loc, name in strings(document, "destination", "*", "label"):
        yield from _one_keyword(loc, name, names)
        if kinds.setdefault(name, "where") != "where":
            yield Problem(loc, f"{name} is a built-in label and cannot be a destination's")
    described: set[str] = set()
    for loc, name in strings(document, "label", "*", "name"):
        yield from _one_keyword(loc, name, names)
        if name in described:
            yield Problem(loc, f"there is another [[label]] with name = {name!r}")
        described.add(name)
        kind = document["label"][loc[1]].get("kind")
        if kind is not None and kinds.get(name, kind) != kind:
            yield Problem(
                (*loc[:-1], "kind"), f"{name} is a {kinds[name]} label already; write kind = {kinds[name]!r}"
            )


def _one_keyword(loc: Loc, name: str, names: dict[str, str]) -> Iterator[Problem]:
    other = names.setdefault(keyword_of(name), name)
    if other != name:
        yield Problem(loc, f"{name!r} and {other!r} have the same keyword {keyword_of(name)}")


def label_names(document: Mapping[str, Any]) -> set[str]:
    """Names of all labels that a document gives, right or wrong."""
    names = {label.name for label in _builtin(document)}
    names.update(name for _, name in strings(document, "destination", "*", "label"))
    names.update(name for _, name in strings(document, "label", "*", "name"))
    return names


def _rules(document: Mapping[str, Any]) -> Iterator[Problem]:
    known = label_names(document)
    added = list(strings(document, "rule", "*", "add", "*"))
    removed = list(strings(document, "rule", "*", "remove", "*"))
    for loc, name in [*added, *removed]:
        if name not in known:
            yield Problem(loc, f"there is no label {name!r}{_near(name, known)}")
    both = {(loc[1], name) for loc, name in added}
    for loc, name in removed:
        if (loc[1], name) in both:
            yield Problem(loc, f"the rule adds {name!r} and removes it")


def _references(document: Mapping[str, Any]) -> Iterator[Problem]:
    people = {text for _, text in strings(document, "people", "*", "name")}
    people |= {text.lower() for _, text in strings(document, "people", "*", "addresses", "*")}
    for loc, contact in strings(document, "site", "*", "contacts", "*"):
        if contact not in people and contact.lower() not in people:
            yield Problem(loc, f"there is no person {contact!r} in [[people]]{_near(contact, people)}")
    yield from _robots(document)


def _robots(document: Mapping[str, Any]) -> Iterator[Problem]:
    datasets = {text for _, text in strings(document, "dataset", "*", "name")}
    for loc, name in strings(document, "template", "*", "dataset"):
        if name not in datasets and not (name == POPULAR and datasets):
            yield Problem(loc, f"there is no [[dataset]] {name!r}{_near(name, datasets)}")
    yield from _queues(document, "htcondor")
    yield from _queues(document, "arc")
    yield from _far(document)
    cocktails = {text for _, text in strings(document, "cocktail", "*", "name")}
    for loc, name in strings(document, "robots", "cocktail"):
        if name not in cocktails:
            yield Problem(loc, f"there is no [[cocktail]] {name!r}{_near(name, cocktails)}")
    templates = {text for _, text in strings(document, "template", "*", "name")}
    for index, cocktail in _children(document.get("cocktail"), "*"):
        weights = cocktail.get("templates") if isinstance(cocktail, Mapping) else None
        for key, _ in _children(weights, "*"):
            if key not in templates:
                loc = ("cocktail", index, "templates", key)
                yield Problem(loc, f"there is no [[template]] {key!r}{_near(str(key), templates)}")


def _queues(document: Mapping[str, Any], engine: str) -> Iterator[Problem]:
    """An engine that has no queues of its own is told what each name means."""
    known = {str(loc[-1]) for loc, _ in strings(document, "robots", engine, "queues", "*")}
    engines = {loc[:-1]: text for loc, text in strings(document, "site", "*", "queue", "*", "engine")}
    for loc, name in strings(document, "site", "*", "queue", "*", "queue"):
        if engines.get(loc[:-1]) == engine and name not in known:
            yield Problem(loc, f"there is no {name!r} in [robots.{engine}] queues{_near(name, known)}")


def _far(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Jobs of the engine arc see no file of this machine: a data set that lies here would count as the site's fault."""
    engines = {loc[:-1]: text for loc, text in strings(document, "site", "*", "queue", "*", "engine")}
    far = {
        text
        for loc, text in strings(document, "site", "*", "queue", "*", "experiment")
        if engines.get(loc[:-1]) == "arc"
    }
    names = {loc[:-1]: text for loc, text in strings(document, "dataset", "*", "name")}
    here = {
        names.get(loc[:-2]): text
        for loc, text in strings(document, "dataset", "*", "inputs", "*")
        if "://" not in text
    }
    experiments = {loc[:-1]: text for loc, text in strings(document, "template", "*", "experiment")}
    for loc, name in strings(document, "template", "*", "dataset"):
        files = [text for one, text in here.items() if name in {one, POPULAR}]
        if files and experiments.get(loc[:-1]) in far:
            yield Problem(
                loc,
                f"jobs of the engine arc cannot read {files[0]!r}: inputs of their data sets are http(s):// or root:// URLs",
            )


def _secret(document: Mapping[str, Any]) -> Iterator[Problem]:
    board = document.get("board")
    has_file = isinstance(board, Mapping) and "secret_file" in board
    for _, url in strings(document, "store", "url"):
        if url.startswith("postgresql") and not has_file:
            yield Problem(
                ("board",),
                "needs a secret_file, because the database is no SQLite file to put one beside;"
                ' write secret_file = "helpdesk.secret" (the first run makes the file)',
            )


def _near(name: str, known: set[str]) -> str:
    folded = {text.lower(): text for text in sorted(known, reverse=True)}
    near = get_close_matches(name.lower(), folded, n=1)
    return (
        f"; did you mean {folded[near[0]]!r}?" if near else f"; known: {', '.join(sorted(known)) or 'none'}"
    )
