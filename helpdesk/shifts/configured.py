"""From settings to the keeper of a board's rota: nothing here opens or reads anything."""

from collections.abc import Iterator
from pathlib import Path

from helpdesk.settings import Settings
from helpdesk.shifts.keeper import Keeper
from helpdesk.shifts.names import Team
from helpdesk.shifts.source import Source
from helpdesk.shifts.values import Person

_TEAM = {"shifter", "expert", "admin"}


def keeper(settings: Settings, *, keep: bool = True) -> Keeper | None:
    """What keeps the rota of this board; None without a calendar.  Without `keep` it writes no copy."""
    shifts = settings.shifts
    if shifts.calendar is None:
        return None
    source = Source(shifts.calendar, shifts.ca_file)
    return Keeper(source, _copy(settings), team(settings), settings.board.timezone, keep)


def team(settings: Settings) -> Team:
    """Whom the calendar can name: everybody but people who are only contacts of sites."""
    return Team.of(_people(settings), settings.board.name)


def _people(settings: Settings) -> Iterator[Person]:
    for one in settings.people:
        if _TEAM.intersection(one.roles):
            zone = one.timezone or settings.board.timezone
            yield Person(one.name, one.addresses, zone, shifter="shifter" in one.roles)


def _copy(settings: Settings) -> Path | None:
    """Beside the SQLite database; where that is a server, beside the board's secret; nowhere for one in memory."""
    beside = settings.store.file or settings.board.secret_file
    return None if beside is None else beside.with_suffix(".calendar")
