"""What the rules ask of a rota (docs/mail.md section 5); without one there are no shifts, and clocks run as clocks do."""

from datetime import datetime, timedelta

from helpdesk.rules.facts import Policy

WITHOUT_A_START = timedelta(hours=24)
"""What is due at the start of a shift happens after so long, if none starts."""


def at_a_start(policy: Policy, due: datetime) -> datetime:
    """When a thing that is due may happen: at the first start of a shift that is not earlier."""
    rota = policy.rota
    if rota is None or due >= rota.window.end:
        return due  # nothing is known of that time yet: it is decided again when it comes
    start, latest = rota.first_start(due), due + WITHOUT_A_START
    return latest if start is None else min(start, latest)


def covered(policy: Policy, since: datetime, length: timedelta) -> datetime:
    """When shifts have covered so much time; where none are planned to cover it, the clock counts."""
    moment = None if policy.rota is None else policy.rota.covered_for(since, length)
    return since + length if moment is None else moment


def on_duty(policy: Policy, now: datetime) -> tuple[str, ...]:
    """The addresses of who is on duty; in a gap, of a shift with a name that nobody knows, or without shifts: all shifters."""
    people = () if policy.rota is None else policy.rota.on_duty(now)
    return tuple(one.address for one in people) or policy.shifters
