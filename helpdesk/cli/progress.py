"""A progress bar for work that people wait for."""

import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class bar:  # noqa: N801 - reads as a statement
    """A progress bar on a terminal's stderr, nothing elsewhere."""

    def __init__(self, name: str, total: int) -> None:
        console = Console(stderr=True, markup=False, emoji=False, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task(name, total=total)

    def __enter__(self) -> Any:
        self._bar.start()
        return self._bar, self._task

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()
