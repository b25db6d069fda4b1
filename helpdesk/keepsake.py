"""What the mail in the folder `Board` keeps for the day on which the database is lost: what people decided about sites, and what was mailed of them.

A header of that mail, `X-Helpdesk-Sites`: a proof (HMAC of the board's secret), then JSON, deflated, in base64.  A database that is empty, or
older than the mail, takes it in.  What it cannot give back is test records: robots find by themselves again who fails.
"""

import binascii
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.parser import BytesParser
from textwrap import wrap
from typing import Any, Final

from sqlalchemy import Connection

from helpdesk.board import Board
from helpdesk.mailids import seal
from helpdesk.occasions.incident_mails import is_told
from helpdesk.occasions.site_mails import told_of
from helpdesk.store import incidents, keepsakes, requests, site_orders
from helpdesk.store.keepsakes import Pair, Told
from helpdesk.store.site_orders import Kind, SiteOrder

FIELD: Final = "X-Helpdesk-Sites"
MOST: Final = 1_000_000  # octets of the JSON: a hundred thousand decisions are no decisions
LOST: Final = "the board: lifted when the database was lost"


@dataclass(frozen=True, slots=True)
class Keepsake:
    """What held at a moment."""

    at: datetime
    orders: tuple[SiteOrder, ...]
    out: frozenset[Pair]
    failing: frozenset[Pair]


def words(board: Board, conn: Connection, now: datetime) -> str:
    """What is to be kept, as JSON; "" for a board without robots."""
    if not board.sites_telling.lanes:
        return ""
    told = {
        "orders": [_row(one) for one in site_orders.in_force(conn, now)],
        "out": sorted(told_of(conn)),
        "failing": sorted(
            part.name for one in incidents.current(conn) if is_told(board, conn, one) for part in one.parts
        ),
    }
    return json.dumps(told)


def header(board: Board, told: str, now: datetime) -> bytes:
    """The header that keeps these words; nothing for none."""
    if not told:
        return b""
    whole = json.dumps({"board": board.name, "at": now.isoformat(), **json.loads(told)})
    text = b64encode(zlib.compress(whole.encode(), 9)).decode("ascii")
    lines = [seal(text, board.sending.secret), *wrap(text, 76)]
    return f"{FIELD}: {f'{chr(13)}{chr(10)} '.join(lines)}\r\n".encode("ascii")


def read(board: Board, octets: bytes) -> Keepsake | None:
    """What a header keeps; None if this board did not write it."""
    proof, *lines = str(BytesParser().parsebytes(octets, headersonly=True).get(FIELD, "")).split()
    if not lines or proof != seal("".join(lines), board.sending.secret):
        return None
    try:
        known = json.loads(zlib.decompressobj().decompress(b64decode("".join(lines)), MOST))
        return _keepsake(known) if known["board"] == board.name else None
    except (ValueError, LookupError, TypeError, zlib.error, binascii.Error):  # of a helpdesk of another day
        return None


def enter(conn: Connection, found: Keepsake, now: datetime) -> None:
    """Make what held then hold again, where the database does not know better."""
    known = {_identity(one): one for one in site_orders.in_force(conn, now)}
    held = {_identity(one) for one in found.orders}
    for one in found.orders:
        if _identity(one) not in known and (one.until is None or one.until > now):
            site_orders.add(conn, one)
    ended = [one for key, one in known.items() if key not in held and one.at <= found.at]
    site_orders.lift(conn, ended, found.at, LOST)
    keepsakes.put(conn, Told(now, found.out, found.failing))
    requests.ring(conn)


def _identity(order: SiteOrder) -> tuple[str, Kind, datetime, str]:
    return order.site, order.kind, order.at, order.by


def _row(order: SiteOrder) -> Sequence[Any]:
    until = None if order.until is None else order.until.isoformat()
    return [order.site, order.kind.value, order.at.isoformat(), until, order.by, order.team, order.why]


def _keepsake(known: Mapping[str, Any]) -> Keepsake:
    return Keepsake(
        datetime.fromisoformat(known["at"]),
        tuple(_order(*row) for row in known["orders"]),
        frozenset((experiment, site) for experiment, site in known["out"]),
        frozenset((experiment, what) for experiment, what in known["failing"]),
    )


def _order(site: str, kind: str, at: str, until: str | None, by: str, team: bool, why: str) -> SiteOrder:  # noqa: PLR0913, PLR0917 -- a row of JSON
    end = None if until is None else datetime.fromisoformat(until)
    return SiteOrder(site, Kind(kind), datetime.fromisoformat(at), end, by, bool(team), why)
