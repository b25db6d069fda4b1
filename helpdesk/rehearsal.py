"""A mail of each kind with made-up values: templates of an operator are tried with them before a mail is due."""

from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from types import NoneType
from typing import Any, cast, get_args, get_origin, get_type_hints

from helpdesk.mails import Mail

_VALUES = {
    str: "text",
    int: 2,
    float: 2.0,
    bool: True,
    bytes: b"",
    datetime: datetime(2009, 6, 9, 8, 30, tzinfo=UTC),
}


def rehearsals() -> Iterator[Mail]:
    """Each kind twice: with all that it can say, and with no more than it must."""
    for kind in get_args(Mail):
        for full in (True, False):
            yield cast("Mail", _made_up(kind, full=full))


def _made_up(kind: Any, *, full: bool) -> object:
    """A value of a type that mails are made of; TypeError: mails were not made of this so far."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        wanted = [
            one for one in fields(kind) if full or (one.default is MISSING and one.default_factory is MISSING)
        ]
        return cast("Any", kind)(**{one.name: _made_up(hints[one.name], full=full) for one in wanted})
    if get_origin(kind) is tuple:
        return (_made_up(get_args(kind)[0], full=full),) * 2
    if NoneType in get_args(kind):
        return _made_up(get_args(kind)[0], full=full)
    if kind not in _VALUES:
        raise TypeError(f"no value for {kind}")
    return _VALUES[kind]
