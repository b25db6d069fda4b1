"""`helpdesk robots import`: what other robots measured, beside a daemon that runs or without one."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from helpdesk import app
from helpdesk.cli import screen, shell
from helpdesk.errors import HeldError
from helpdesk.robots import exchange, kitchen
from helpdesk.robots.exchange import Odd
from helpdesk.robots.record import Record
from helpdesk.settings import Settings
from helpdesk.store import records, requests
from helpdesk.store.core import chunks
from helpdesk.text import safe_text

AT_ONCE = 5000
"""Records in a transaction: a daemon that runs can write in between."""

SHOWN = 20  # rows that make no sense
REASONS = 5  # why records are no evidence


def import_records(
    source: Annotated[
        Path, typer.Argument(metavar="FILE", help="FILE.jsonl or FILE.csv of another robot (docs/robots.md).")
    ],
    campaign: Annotated[str, typer.Option(help="A name for where they come from.")] = "import",
    weight: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="How much one counts beside a job of ours.")
    ] = 0.5,
    as_json: shell.Json = False,
    config: shell.Config = None,
) -> None:
    """Take in what other robots measured (SAM, JobRobot); rows that make no sense are named and left out."""
    settings = shell.load(config)
    odd: list[Odd] = []
    unheard: Counter[str] = Counter()
    rows = exchange.read(source, weight=weight, campaign=safe_text(campaign, limit=60), now=app.clock())
    started = time.monotonic()
    new, running = _take_in(settings, _sorted(settings, rows, odd, unheard))
    if as_json:
        screen.document(
            {
                "new": new,
                "no_evidence": dict(unheard),
                "odd": [{"row": one.number, "why": one.why} for one in odd[:1000]],
                "odd_rows": len(odd),
            }
        )
    else:
        for one in odd[:SHOWN]:
            screen.complain(f"row {one.number}: {one.why}")
        seconds = time.monotonic() - started
        screen.say(f"{new:,} new records in {seconds:.1f} s; {len(odd):,} rows made no sense")
        for why, count in unheard.most_common(REASONS):
            screen.say(f"No verdict hears of {count:,} of the rows: {why}")
        if running:
            screen.say("The daemon that runs on this board takes them into its verdicts with its next step.")
    shell.finish(shell.FAILED if odd else shell.OK)


def _sorted(
    settings: Settings, rows: Iterable[Record | Odd], odd: list[Odd], unheard: Counter[str]
) -> Iterator[Record]:
    """The records among the rows; what makes no sense, and what no verdict hears of, is noted."""
    lanes = {(one.site, one.experiment) for one in kitchen.lanes(settings)}
    templates = {one.name: one.experiment for one in settings.template}
    for one in rows:
        if isinstance(one, Odd):
            odd.append(one)
            continue
        if why := exchange.unheard(one, lanes, templates):
            unheard[why] += 1
        yield one


def _take_in(settings: Settings, found: Iterable[Record]) -> tuple[int, bool]:
    """Write them; how many were new, and whether a daemon runs: it is told."""
    try:
        with app.opened(settings, writing=True) as engine:
            return _put(engine, found), False
    except HeldError:
        with app.opened(settings, writing=False) as engine:
            new = _put(engine, found)
            with engine.begin() as conn:
                told: dict[str, Any] = {}
                requests.ask(conn, requests.RECORDS, told, app.clock())
        return new, True


def _put(engine: Engine, found: Iterable[Record]) -> int:
    new = 0
    for some in chunks(found, AT_ONCE):
        with engine.begin() as conn:
            new += records.add(conn, some)
    return new
