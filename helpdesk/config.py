"""From a TOML file to settings: every problem at once, each with its line and what to write instead."""

import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from helpdesk.errors import ConfigError
from helpdesk.settings import Settings
from helpdesk.settings.keys import Key, every_key, keys_of
from helpdesk.tomllines import Loc, lines_of

_INIT = "`helpdesk init` writes a new one"
_SECRETS = re.compile(r"pass(word|wd|phrase)?|.*secret|.*token", re.IGNORECASE)


def load(path: Path) -> Settings:
    """Read and check a configuration; no secret is read."""
    settings = settings_of(path, _read(path))
    if settings.store.has_password and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(
            (f"{path}: [store] url: holds a password and others may read this file; chmod 600 {path}",)
        )
    return settings


def settings_of(path: Path, text: str) -> Settings:
    """Check a configuration's text; relative paths in it become relative to the folder of `path`."""
    document = _document(path, text)
    try:
        return Settings.model_validate(document, context={"folder": path.absolute().parent})
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise ConfigError(tuple(_problems(path, text, details))) from None  # its text may quote a secret


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        problem = f"{path}: there is no configuration file; {_INIT}"
    except IsADirectoryError:
        problem = f"{path}: is a directory and not a configuration file; {_INIT}"
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problem = f"{path}:{line}: is not UTF-8 text; save it as UTF-8, or {_INIT}"
    except OSError as error:
        problem = f"{path}: cannot be read ({error.strerror}); {_INIT}"
    raise ConfigError((problem,))


def _document(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.fullmatch(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error))
        reason, line = (found[1], found[2]) if found else (str(error), None)
        where = line or str(text.count("\n") + 1)
        raise ConfigError((f"{path}:{where}: is not TOML: {reason}",)) from None
    except RecursionError:
        raise ConfigError((f"{path}: is not TOML: nested too deeply",)) from None


def _problems(path: Path, text: str, details: list[ErrorDetails]) -> Iterator[str]:
    lines = lines_of(text)
    found = []
    for detail in details:
        loc = tuple(part for part in detail["loc"] if part != "[key]")
        found.append((_line(lines, loc), f"{_where(loc)}: {_sentence(detail, loc)}"))
    for line, words in sorted(found, key=lambda problem: problem[0]):
        yield f"{path}:{line}: {words}" if line else f"{path}: {words}"


def _line(lines: Mapping[Loc, int], loc: Loc) -> int:
    """The line of the longest part of the path that is written anywhere; 0 when nothing is."""
    return next((lines[loc[:end]] for end in range(len(loc), 0, -1) if loc[:end] in lines), 0)


def _trail(loc: Loc) -> list[Key]:
    """The known keys along a path, as far as they are known."""
    trail: list[Key] = []
    known = keys_of(Settings)
    for part in loc:
        if isinstance(part, int):
            continue
        if part not in known:
            break
        trail.append(known[part])
        table = known[part].table
        known = keys_of(table, known[part].path) if table is not None else {}
    return trail


def _where(loc: Loc) -> str:
    """Name a place as people write it: `[imap] host`, `[[rule]] when.subject`, `[[site.queue]] engine`."""
    names = [str(part) for part in loc if not isinstance(part, int)]
    depth = 0
    for position, key in enumerate(_trail(loc), start=1):
        if key.table is not None and (position == 1 or key.repeated):
            depth = position
    if depth == 0:
        return ".".join(names)
    return " ".join([_trail(loc)[depth - 1].header, ".".join(names[depth:])]).rstrip()


def _sentence(detail: ErrorDetails, loc: Loc) -> str:
    trail = _trail(loc)
    if detail["type"] == "extra_forbidden":
        return _unknown(str(loc[-1]), keys_of(Settings) if not trail else _known_in(trail[-1]))
    key = trail[-1] if trail else None
    words = _words(detail, key)
    if detail["type"] == "crosscheck" or key is None or not key.example:
        return words
    return f"{words}{'' if detail['type'] == 'missing' else '; for example'} {key.path[-1]} = {key.example}"


def _known_in(key: Key) -> dict[str, Key]:
    return keys_of(key.table, key.path) if key.table is not None else {}


def _unknown(name: str, known: Mapping[str, Key]) -> str:
    near = get_close_matches(name.lower(), known, n=1)
    if "password_file" in known and _SECRETS.fullmatch(name):
        return (
            "a secret does not belong in this file; write password_file, password_env or password_credential"
        )
    if near:
        return f"unknown key; did you mean {near[0]}?"
    homes = sorted(
        {
            Key(key.path[:-1], key.field, None, repeated=False).header
            for key in every_key()
            if key.path[-1] == name
        }
    )
    if homes:
        return f"unknown key; it belongs in {' or '.join(homes)}"
    return f"unknown key; known here: {', '.join(known)}"


_WORDS = {
    "string_type": "must be a string in quotes",
    "path_type": "must be a string in quotes",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "too_short": "must not be empty",
    "string_too_long": "must be at most {max_length} characters long",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "string_pattern_mismatch": "must match {pattern}",
}


def _words(detail: ErrorDetails, key: Key | None) -> str:
    """Say one pydantic error in words for the person who writes the file."""
    table = key.header if key is not None and key.table is not None else ""
    match detail["type"]:
        case "missing":
            return f"missing; write {table}".rstrip()
        case "model_type" | "dict_type" | "tuple_type" if table:
            return f"must be written {table}" + (", once for each" if table.startswith("[[") else "")
        case "model_type" | "dict_type":
            return "must be a table { ... }"
        case "tuple_type":
            return "must be an array [ ... ]"
        case kind if kind in _WORDS:
            return _WORDS[kind].format(**detail.get("ctx", {}))
        case _:
            return detail["msg"].removeprefix("Value error, ")
