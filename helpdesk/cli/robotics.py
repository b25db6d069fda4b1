"""`helpdesk robots`: test jobs, their records, and what follows from them."""

from collections import Counter, deque
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from helpdesk.cli import screen, shell
from helpdesk.cli.progress import bar
from helpdesk.cli.reports import when
from helpdesk.report import utc
from helpdesk.robots import datasets, exchange
from helpdesk.store import records

robots = typer.Typer(
    cls=shell.Shell,
    no_args_is_help=True,
    help="Test jobs to every site: run, status, records, verdicts, pin, evaluate, import, export.",
)

Site = Annotated[
    list[str] | None, typer.Option("--site", help="Only this site; repeatable. Default: every site.")
]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since", metavar="TIME", parser=shell.moment, help="Only what was learned from then on: ISO 8601."
    ),
]


@robots.callback()
def _before(config: shell.BoardConfig = None) -> None:
    """Test jobs to every site, and what follows from them."""


def make_data(
    name: Annotated[str, typer.Argument(metavar="SET", help=f"One of {', '.join(datasets.DATASETS)}.")],
    to: Annotated[
        Path,
        typer.Option(
            "--to", help="The file to write (ROOT; zpairs: CSV); its manifest is written beside it."
        ),
    ],
    events: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many events.")] = 100_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same physics.")] = 1,
    as_json: shell.Json = False,
) -> None:
    """Make a data set for test jobs from small real samples (bhh and zpairs are synthetic), with the right answers beside it."""
    with bar(f"{name}", events) as (progress, task):
        manifest = datasets.make(
            name, events, to, seed=seed, progress=lambda done: progress.advance(task, done)
        )
    if as_json:
        screen.document(
            {
                "file": str(to),
                "events": manifest.events,
                "size": manifest.size,
                "sha256": manifest.sha256,
                "answers": dict(manifest.answers),
            }
        )
    else:
        screen.say(
            f"{to}: {manifest.events:,} events, {manifest.size:,} octets; {datasets.manifest_of(to).name} has the right answers."
        )


def show_records(
    site: Annotated[str | None, typer.Option("--site", help="Only this site.")] = None,
    since: Since = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what did not succeed.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="The latest so many.")] = 50,
    as_json: shell.Json = False,
    config: shell.Config = None,
) -> None:
    """List what test jobs found, the latest last; codes that no table knows are listed at the end."""
    settings = shell.load(config)
    with shell.reading(settings) as conn:
        wanted = (one for one in records.read(conn, site=site, since=since) if not failed or one.error_class)
        found = list(deque(wanted, maxlen=most))
    if as_json:
        screen.document([exchange.as_document(one) for one in found])
        return
    screen.table(
        ("ended (UTC)", "site", "template", "outcome", "phase", "node", "why"),
        [
            (
                when(utc(one.t_final)) if one.t_final else "",
                one.site,
                one.template,
                one.state.value,
                one.phase.value if one.phase else "",
                one.node,
                f"{one.native_code} {one.native_text}".strip(),
            )
            for one in found
        ],
        fixed=2,
    )
    unknown = Counter(one.native_code for one in found if one.error_class == "unknown" and one.native_code)
    if unknown:
        screen.heading("Codes that no table knows")
        screen.table(("code", "times"), [(code, str(count)) for code, count in unknown.most_common()])


def export(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="FILE.jsonl, FILE.csv or FILE.parquet.")],
    site: Annotated[str | None, typer.Option("--site", help="Only this site.")] = None,
    since: Since = None,
    config: shell.Config = None,
) -> None:
    """Write records to a file; its ending says the format."""
    settings = shell.load(config)
    with shell.reading(settings) as conn:
        count = exchange.write(records.read(conn, site=site, since=since), target)
    screen.say(f"{target}: {count:,} records")
