"""What people see: tables that survive 60 columns, and no word of a stranger that the terminal could obey.

Every text goes through `safe_text` here and is printed as it is: no markup, no emoji codes, no highlighting.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from helpdesk.text import safe_block, safe_text

NARROWEST = 40


def document(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """The one JSON document of a command: ASCII, so that it is harmless on a terminal too."""
    typer.echo(json.dumps(value))


def say(text: str = "", style: str = "") -> None:
    """One line, as long as it needs to be."""
    _console().print(Text(safe_text(text, limit=2000), style=style), soft_wrap=True)


def paragraph(text: str) -> None:
    """Sentences that nobody copies: on a terminal no word of theirs is broken at its edge."""
    console = _console()
    console.print(Text(safe_text(text, limit=2000)), soft_wrap=not console.is_terminal)


def heading(text: str) -> None:
    """The name of what follows, after an empty line."""
    say()
    say(text, "bold")


def block(text: str) -> None:
    """Several lines, as they are."""
    _console().print(Text(safe_block(text)), soft_wrap=True)


def complain(text: str) -> None:
    """Sentences for stderr, one a line."""
    for line in safe_block(text).splitlines():
        Console(stderr=True, markup=False, emoji=False, highlight=False).print(Text(line), soft_wrap=True)


def progress(text: str) -> None:
    """What is going on, for a person who waits at a terminal."""
    if sys.stderr.isatty():
        complain(text)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, fixed: int = 1, style: str = "") -> None:
    """A table without lines; the first `fixed` columns keep their width, the others fold."""
    grid = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), style=style)
    for number, name in enumerate(columns):
        grid.add_column(
            name.upper(), header_style="dim", justify="left", no_wrap=number < fixed, overflow="fold"
        )
    for row in rows:
        grid.add_row(*(Text(safe_text(cell, limit=500)) for cell in row))
    _console().print(grid)


def fields(rows: Iterable[tuple[str, str]]) -> None:
    """Names and values, aligned."""
    grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(Text(name), Text(safe_text(value, limit=2000)))
    _console().print(grid)


def interactive() -> bool:
    """Whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _console() -> Console:
    console = Console(markup=False, emoji=False, highlight=False)
    console.width = max(console.width, NARROWEST)
    return console
