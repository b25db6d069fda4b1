"""The figures as people read them, and as programs do."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.figures import Figure

Results = Mapping[str, Sequence[Figure]]


def show(results: Results, described: Mapping[str, object]) -> None:
    """Print the table, and what it was measured on."""
    table = Table("benchmark", "what", "ours", "peer", "figure", "goal", "", show_lines=True)
    for name, figures in results.items():
        for figure in figures:
            note = f"\n({figure.note})" if figure.note else ""
            value = str(figure.value) if figure.value.values else ""
            goal = "" if figure.goal is None else str(figure.goal)
            table.add_row(name, figure.what, figure.ours, f"{figure.peer}{note}", value, goal, figure.met)
    console = Console(markup=False, width=None if Console().is_terminal else 190)
    console.print(table)
    console.print(", ".join(f"{name} {value}" for name, value in described.items()))


def save(path: Path, results: Results, described: Mapping[str, object], at: datetime) -> None:
    """Write the same as JSON."""
    figures = [{"benchmark": name, **figure.as_json()} for name, found in results.items() for figure in found]
    document = {"at": at.isoformat(), "machine": described, "figures": figures}
    path.write_text(json.dumps(document, indent=1) + "\n")
