"""What `helpdesk check` finds about the shift calendar: it is read once, and nothing of it is kept."""

from collections.abc import Iterator
from datetime import datetime

from helpdesk.errors import HelpdeskError, UnreachableError
from helpdesk.findings import Finding
from helpdesk.settings import Settings
from helpdesk.shifts.configured import keeper
from helpdesk.shifts.rota import Rota

_NAME = "shifts"
_TODO = "`helpdesk shifts` reads it again; see [shifts] calendar"


def shift_findings(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Whether the calendar can be read, and whether it is right for the week ahead; nothing without one."""
    calendar = keeper(settings, keep=False)
    if calendar is None:
        return
    try:
        found = calendar.read(now, asked_at=now).rota
    except UnreachableError as error:
        yield Finding(_NAME, ok=False, what=str(error), todo=_TODO, unreachable=True)
    except (HelpdeskError, OSError) as error:
        yield Finding(_NAME, ok=False, what=str(error), todo=_TODO)
    else:
        yield _judged(found, now)


def _judged(found: Rota, now: datetime) -> Finding:
    if found.origin.trouble:
        return Finding(
            _NAME, ok=False, what=f"{found.origin.trouble}; the last good copy is used", todo=_TODO
        )
    running = ", ".join(person.name for person in found.on_duty(now))
    problems = found.problems(now)
    todo = f"{'; '.join(problems)} (`helpdesk shifts`)" if problems else ""
    return Finding(
        _NAME, ok=True, what=f"the calendar can be read; on duty: {running or 'nobody'}", todo=todo
    )
