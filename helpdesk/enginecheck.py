"""What `helpdesk check` finds about the engines that queues of sites use: each is asked what it is, and nothing is sent."""

import asyncio
from collections.abc import Callable, Iterator

from helpdesk.errors import UsageError
from helpdesk.findings import Finding
from helpdesk.robots import kitchen
from helpdesk.robots.engine import Engine, EngineError
from helpdesk.settings import Settings

SHOWN = 10
"""Queues and notes that are named; an engine may have thousands."""


def engine_findings(settings: Settings, progress: Callable[[str], None]) -> Iterator[Finding]:
    """A finding for each engine but `local`: this machine is there, and asking it would make its folder."""
    try:
        engines = kitchen.engines(settings)
    except UsageError as error:
        yield Finding("engines", ok=False, what=str(error), todo="see [robots] in the configuration")
        return
    for name, engine in engines.items():
        if name != "local":
            progress(f"asking the engine {name} ...")
            used = {
                one.queue for site in settings.site for one in site.queue if kitchen.engine_of(one) == name
            }
            yield _finding(f"engine {name}", engine, used)


def _finding(name: str, engine: Engine, used: set[str]) -> Finding:
    try:
        told = asyncio.run(engine.describe())
    except EngineError as error:
        todo = "try again" if error.passing else "see [robots] in the configuration"
        return Finding(name, ok=False, what=str(error), todo=todo, unreachable=error.passing)
    said = "; ".join((f"{told.version or 'no version'}, queues {_some(told.queues)}", *told.notes[:SHOWN]))
    if missing := used - set(told.queues):
        return Finding(
            name,
            ok=False,
            what=f"has no queue {_some(sorted(missing))}: {said}",
            todo="see [[site.queue]] queue",
        )
    return Finding(name, ok=True, what=said)


def _some(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more or "none"
