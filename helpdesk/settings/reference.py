"""docs/configuration.md, written from the settings themselves: `python -m helpdesk.settings.reference`.

The JSON schema of the settings (https://json-schema.org, as pydantic derives it) has every key with its type, limits,
default, examples and meaning; here it becomes tables for people.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from helpdesk.settings.root import Settings

Schema = Mapping[str, Any]

_HEAD = """# Configuration

One TOML file a board, `helpdesk.toml` by default. `helpdesk init` writes a commented one; `helpdesk check` lists every problem at once with
its line and the nearest known key. Relative paths are relative to the folder of the file; durations carry their unit in their name; unknown keys
are errors. This page is written from the settings (`python -m helpdesk.settings.reference`).
"""


def reference() -> str:
    """The whole page, as Markdown."""
    schema = Settings.model_json_schema()
    sections = [
        "\n".join(
            _section(
                f"[[{name}]]" if _is_table(one) else f"[{name}]", one, schema["$defs"], one["description"]
            )
        )
        for name, one in schema["properties"].items()
    ]
    return "\n".join([_HEAD, *sections]) + "\n"


def _section(title: str, schema: Schema, known: Schema, meaning: str) -> Iterator[str]:
    """A heading, the keys as a table, then the tables inside it."""
    table = _resolve(schema, known)
    yield f"## `{title}`\n\n{_sentence(meaning)}\n"
    yield "| key | value | default | meaning |\n|---|---|---|---|"
    nested: list[tuple[str, Schema, str]] = []
    for name, one in table["properties"].items():
        inner = _resolve(one, known)
        if "properties" in inner:
            path = title.strip("[]") + f".{name}"
            nested.append((f"[[{path}]]" if _is_table(one) else f"[{path}]", one, one.get("description", "")))
            continue
        required = name in table.get("required", ())
        cells = (f"`{name}`", _value(one, known), "required" if required else _default(one), _meaning(one))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""
    for path, one, description in nested:
        yield from _section(path, one, known, description or _docstring(one, known))


def _docstring(schema: Schema, known: Schema) -> str:
    """The docstring of the class behind a table."""
    return str(_resolve(schema, known).get("description", ""))


def _is_table(schema: Schema) -> bool:
    return _solid(schema).get("type") == "array"


def _solid(schema: Schema) -> Schema:
    """What a key may be beside absent."""
    return next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)


def _resolve(schema: Schema, known: Schema) -> Schema:
    """The schema behind references, lists and alternatives."""
    one = _solid(schema)
    if one.get("type") == "array":
        one = _solid(one["items"]) if isinstance(one.get("items"), Mapping) else one
    return known[one["$ref"].rpartition("/")[2]] if "$ref" in one else one


def _value(schema: Schema, known: Schema) -> str:
    one = _solid(schema)
    inner = _resolve(schema, known)
    if "enum" in inner:
        kind = ", ".join(f"`{value}`" for value in inner["enum"])
    elif inner.get("type") == "object":
        kind = "a table: name = text"
    else:
        kind = {
            "string": "text",
            "integer": "whole number",
            "number": "number",
            "boolean": "`true` or `false`",
        }.get(str(inner.get("type")), "text")
        kind = {"path": "path", "date": "date"}.get(str(inner.get("format")), kind)
    return f"list of {kind}" if one.get("type") == "array" else kind + _limits(one)


def _limits(schema: Schema) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    if not low:
        return ""
    return f", above {low}" if "exclusiveMinimum" in schema else f", {low} or more"


def _default(schema: Schema) -> str:
    default = schema.get("default")
    if schema.get("writeOnly"):  # pydantic masks what may hold a secret: there the example is the default
        default = schema["examples"][0]
    if default is None or default in ([], {}, ""):
        return "none"
    return f"`{json.dumps(default)}`"


def _meaning(schema: Schema) -> str:
    examples = schema.get("examples", ())
    shown = f" (e.g. `{json.dumps(examples[0], ensure_ascii=False)}`)" if examples else ""
    return str(schema.get("description", "")) + shown


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


if __name__ == "__main__":
    sys.stdout.write(reference())
