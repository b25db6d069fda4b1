"""What to do about what is held: a sentence each; `helpdesk.runbook` has the paragraph."""

from collections.abc import Iterable, Sequence

from helpdesk.report import Hold

_OTHERWISE = "`helpdesk plan` shows it, `helpdesk resume` approves it."
_REMEDIES = {
    "clock": "Set the clock right, or wait until it has caught up.",
    "outbox": "`helpdesk outbox list` shows the mails; retry or drop each.",
    "server": "`helpdesk check --probe` shows what the server keeps.",
    "convergence": "`helpdesk check --probe` shows what the server keeps.",
}


def remedies(held: Iterable[Hold]) -> Sequence[str]:
    """Each remedy once, in the order of what is held."""
    return list(dict.fromkeys(_REMEDIES.get(one.what, _OTHERWISE) for one in held))
