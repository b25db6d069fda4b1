"""`helpdesk robots evaluate`: verdicts beside published rules, in simulated worlds."""

import sys
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from helpdesk.cli import robots_screen, screen
from helpdesk.errors import UsageError
from helpdesk.robots import evaluate as evaluation
from helpdesk.robots.evaluate import REPORTED, Plan

MOST_SEEDS = 100


def evaluate(
    world: Annotated[
        Literal["textbook", "rough"], typer.Option(help="What the world is like (docs/verdicts.md).")
    ] = "textbook",
    seeds: Annotated[
        str, typer.Option(metavar="N,N,...", help="Which worlds; 1 to 99 are for tuning, report others.")
    ] = ",".join(map(str, REPORTED)),
    days: Annotated[float, typer.Option(min=3, max=400, help="How long each is played.")] = 30,
    sites: Annotated[
        int | None, typer.Option(min=4, max=1000, show_default="100 or 60", help="How many sites it has.")
    ] = None,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Ours alone at five thresholds: delay against false exclusions.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print one JSON document, and nothing else, on stdout (docs/verdicts.md)."
        ),
    ] = False,
) -> None:
    """Let the verdicts, the published rules of other robots and an oracle decide side by side in simulated worlds.

    It reads no configuration and touches nothing. Thirty days of a hundred sites take minutes.
    """
    plan = Plan(world, _seeds(seeds), days, sites, sweep)
    with _bar() as bar:
        task = bar.add_task("playing", total=1.0)
        told = evaluation.evaluate(plan, lambda done: bar.update(task, completed=done))
    if as_json:
        screen.document(told)
    else:
        robots_screen.show(told)


def _seeds(text: str) -> tuple[int, ...]:
    try:
        found = tuple(dict.fromkeys(int(one) for one in text.split(",")))
    except ValueError:
        raise UsageError(f"--seeds: {text!r} is no list of numbers; for example 101,102") from None
    if len(found) > MOST_SEEDS:
        raise UsageError(f"--seeds: at most {MOST_SEEDS}")
    return found


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
