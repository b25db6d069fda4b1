"""The settings as data: which keys there are, and how a right value is written."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from helpdesk.settings.base import Section
from helpdesk.settings.root import Settings


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the configuration, or one of its tables."""

    path: tuple[str, ...]  # ("imap", "host")
    field: FieldInfo
    table: type[Section] | None  # what the keys of a table are
    repeated: bool  # [[people]] and its like

    @property
    def header(self) -> str:
        """The table that the key stands in, as it is written: `[imap]`, `[[site.queue]]` or nothing."""
        name = ".".join(self.path)
        return f"[[{name}]]" if self.repeated else f"[{name}]"

    @property
    def example(self) -> str:
        """A right value, as TOML, or nothing where only a table helps."""
        examples = self.field.examples or []
        default = None if self.field.is_required() else self.field.default
        value = examples[0] if examples else default
        return "" if value is None or self.table is not None else toml(value)


def keys_of(table: type[Section], path: tuple[str, ...] = ()) -> dict[str, Key]:
    """The keys that a table may hold, by the name that they have in the file."""
    found = {}
    for attribute, field in table.model_fields.items():
        name = field.alias or attribute
        inner, repeated = _inner(field.annotation)
        found[name] = Key((*path, name), field, inner, repeated)
    return found


def every_key(table: type[Section] = Settings, path: tuple[str, ...] = ()) -> Iterator[Key]:
    """All keys and tables of a configuration, in order; a table comes before its keys."""
    for key in keys_of(table, path).values():
        yield key
        if key.table is not None:
            yield from every_key(key.table, key.path)


def _inner(annotation: Any) -> tuple[type[Section] | None, bool]:
    """Find the table class in `Imap`, `OAuth2 | None` or `tuple[Person, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation, False
    for argument in get_args(annotation):
        if isinstance(argument, type) and issubclass(argument, Section):
            return argument, get_origin(annotation) is tuple
    return None, False


def toml(value: Any) -> str:
    """Write a value as TOML."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{toml(key)} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
