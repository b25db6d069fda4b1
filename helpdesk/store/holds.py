"""What is held: by a brake, until a person approves what is shown with `helpdesk resume`."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from helpdesk.report import Hold
from helpdesk.store import meta

KEY = "held"
APPROVED = "approved"
BOARD = frozenset({"gone", "uidvalidity", "label_loss", "clock"})
"""Brakes that hold the whole board; every other name is a rule, or `mails`."""


def current(conn: Connection) -> list[Hold]:
    """Everything that is held now."""
    return [Hold(what, why) for what, why in json.loads(meta.get(conn, KEY) or "[]")]


def update(
    conn: Connection, new: Iterable[tuple[str, str]], now: datetime, *, approval: Collection[str] = ()
) -> list[Hold]:
    """Take in what this observation holds; a person's approval clears what was shown to him, and nothing else.

    What happens once more in this very look, under a name that he approved, was not shown.
    """
    shown, new = current(conn), list(new)
    known = {h.what for h in shown}
    fresh = [Hold(what, why) for what, why in new if what not in known or what in approval]
    if approval:
        seen = known.intersection(approval) - {h.what for h in fresh}
        meta.put(conn, APPROVED, " ".join((now.isoformat(), *sorted(seen))))
    held = [h for h in shown if h.what not in approval] + fresh
    _put(conn, held)
    return held


def hold_rules(conn: Connection, why: Iterable[tuple[str, str]]) -> list[Hold]:
    """Hold rules whose plan is implausible."""
    held = current(conn)
    known = {h.what for h in held}
    new = [Hold(what, reason) for what, reason in why if what not in known]
    _put(conn, held + new)
    return new


def approved(conn: Connection, now: datetime) -> frozenset[str]:
    """What a person approved, if this is the run that carries it out."""
    at, *whats = (meta.get(conn, APPROVED) or "never").split(" ")
    return frozenset(whats) if at == now.isoformat() else frozenset()


def held_rules(conn: Connection) -> frozenset[str]:
    """The rules that may not act."""
    return frozenset(h.what for h in current(conn)) - BOARD


def board_is_held(held: Sequence[Hold]) -> bool:
    """Whether nothing may be done at all."""
    return any(h.what in BOARD for h in held)


def _put(conn: Connection, held: Sequence[Hold]) -> None:
    meta.put(conn, KEY, json.dumps([[h.what, h.why] for h in held]))
