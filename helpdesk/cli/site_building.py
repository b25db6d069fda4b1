"""`helpdesk site build`: static pages about all sites."""

import os
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from helpdesk import app, reporting, wiring
from helpdesk.cli import screen, shell
from helpdesk.errors import UsageError
from helpdesk.reports import pictures, weeks
from helpdesk.settings import Settings
from helpdesk.shifts.wording import counted
from helpdesk.sitepages.build import Told, pages

site = typer.Typer(cls=shell.Shell, no_args_is_help=True, help="Pages about sites: build.")


@site.callback()
def _before(config: shell.BoardConfig = None) -> None:
    """Pages about sites."""


def build(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the pages go; it is made if it is not there.")
    ],
    now: shell.Now = None,
    config: shell.Config = None,
) -> None:
    """Write static pages about all sites: a grid of sites and days, and a page for each; any web server, or none, shows them.

    They load nothing. No name of a person and nothing of anybody's mail is on them; ends of logs of failed test jobs are. What else
    lies in DIR is left alone.
    """
    settings = shell.load(config)
    told, moment = _read(settings, now)
    made = pages(settings.board.name, told, moment)
    _write(folder, made)
    without = (
        ""
        if pictures.available()
        else ", without pictures: matplotlib is not installed (pip install '.[reports]')"
    )
    screen.say(f"{folder / 'index.html'}: {counted(len(made), 'page')}{without}")


def _read(settings: Settings, now: datetime | None) -> tuple[list[Told], datetime]:
    telling = wiring.sites_telling(settings)
    tested = {name for _, name in telling.lanes}
    with shell.reading(settings) as conn:
        moment = now or app.present(conn.engine)
        reader = reporting.Reader(telling, conn, moment)
        found = []
        for one in settings.site:
            if one.name in tested:
                week = weeks.running(moment, reporting.zone_of(telling, one.name))
                found.append(
                    Told(
                        reader.report(one.name, week),
                        reader.report(one.name, week.before),
                        one.region or "",
                        one.tier,
                    )
                )
    return found, moment


def _write(folder: Path, made: Mapping[str, str]) -> None:
    """Each file in one step: who reads meanwhile reads the old one or the new one."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        handle, draft = tempfile.mkstemp(prefix=".", suffix=".html", dir=folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(draft).chmod(0o644)
            Path(draft).replace(folder / name)
        finally:
            Path(draft).unlink(missing_ok=True)
