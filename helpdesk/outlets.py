"""Where the daemon tells what it does: the log, Prometheus, systemd."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from helpdesk.errors import HelpdeskError, LoginRefusedError, UnreachableError
from helpdesk.logs import Log, outline, scrub
from helpdesk.metrics import Metrics
from helpdesk.report import Report, utc
from helpdesk.store.figures import Figures
from helpdesk.systemd import notify

COUNTS = ("new", "changed", "gone")


@dataclass(slots=True)
class Outlets:
    """All of them at once; remembers only what it said last, so as not to repeat itself."""

    log: Log
    metrics: Metrics
    environment: Mapping[str, str]
    held: list[str] = field(default_factory=list)
    deaf: bool = False  # the watcher has no connection, and that was said
    settled: bool = False  # the last look succeeded: another one like it is not worth a line

    def systemd(self, *words: str) -> None:
        """Tell systemd."""
        notify(self.environment, *words)

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows."""
        notify(self.environment, f"STATUS={scrub(text)}")

    def concluded(self, total: Report, last: Report) -> bool:
        """A run has ended; tells whether it is worth counting anew.  Of actions and holds only ids and names are said."""
        self.metrics.run(total, last)
        for done in total.actions:
            self.log.info("action", id=done.id, kind=done.kind, thread=done.thread, rule=done.rule)
        held = sorted({hold.what for hold in last.held})
        if held != self.held:
            self.log.warning("held", what=held) if held else self.log.info("held no more")
        counts = {name: total.observed[name] for name in COUNTS}
        news = any(counts.values()) or bool(total.actions) or held != self.held or not self.settled
        self.held, self.settled = held, True
        seconds = round(sum(total.seconds.values()), 3)
        tell = self.log.info if news else self.log.debug
        tell("looked", **counts, actions=len(total.actions), seconds=seconds)
        return news

    def counted(self, figures: Figures, last: Report) -> None:
        """Say how much there is."""
        self.metrics.figures(figures)
        holding = f", held: {', '.join(self.held)}" if self.held else ""
        self.status(f"{figures.open_threads} threads are open{holding}; last look {utc(last.now)}")

    def watching(self, *, alive: bool, problem: str) -> None:
        """Say whether news from the mailbox wake us, or only the polls do."""
        self.metrics.watching(watching=alive and not problem)
        if problem and not self.deaf:
            self.log.warning("no news from the mailbox: only polls find changes", reason=problem)
        self.deaf = bool(problem)

    def failed(self, error: Exception, wait: float) -> str:
        """A look failed and is tried again after `wait` seconds; returns the reason in words that may be shown."""
        kind = _kind(error)
        reason = scrub(str(error)) if isinstance(error, HelpdeskError) else type(error).__name__
        self.metrics.failed(kind)
        self.settled = False
        if isinstance(error, UnreachableError) and not isinstance(error, LoginRefusedError):
            self.log.warning("the look failed", kind=kind, reason=reason, again_in=round(wait, 1))
        else:
            where = outline(error)["where"]
            self.log.error("the look failed", kind=kind, reason=reason, again_in=round(wait, 1), where=where)
        self.status(f"the last look failed: {reason}")
        return reason


def _kind(error: Exception) -> str:
    match error:
        case LoginRefusedError():
            return "login_refused"
        case UnreachableError():
            return "unreachable"
        case HelpdeskError():
            return "refused"
        case _:
            return "unexpected"
