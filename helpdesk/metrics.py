"""The numbers that Prometheus asks for: a registry of its own, told by the daemon what happened."""

from collections import Counter as Tally
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from helpdesk.report import Report
from helpdesk.store.figures import Figures

SECONDS = (0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300)
ERROR_KINDS = ("login_refused", "unreachable", "refused", "unexpected")
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Told from one thread only; `text` may be asked by the same."""

    def __init__(self, board: str) -> None:
        self._registry = CollectorRegistry()
        self._gauge("info", "the board that this daemon keeps", "board").labels(board).set(1)
        self._cycles = self._counter("cycles", "cycles that were completed")
        self._seconds = Histogram(
            "helpdesk_cycle_seconds",
            "time of a cycle by stage",
            ["stage"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._commands = self._counter("imap_commands", "IMAP commands in completed cycles")
        self._bytes = self._counter("imap_received_bytes", "bytes received in completed cycles")
        self._connects = self._counter("imap_connects", "IMAP logins; all but the first are reconnects")
        self._observed = self._counter("observed", "messages that came, changed or went", "what")
        self._messages = self._gauge("messages", "messages in the watched folders")
        self._actions = self._counter("actions", "actions planned", "kind", "rule")
        self._pending = self._gauge("pending", "what will be done if nothing happens before", "rule")
        self._held = self._gauge("held", "what a brake holds", "what")
        self._outbox = self._gauge("outbox", "our mails", "state")
        self._threads = self._gauge("threads", "threads", "state")
        self._attention = self._gauge("threads_attention", "open threads that a shifter should look at")
        self._quarantined = self._gauge("quarantined", "mails that could not be read")
        self._last_poll = self._gauge(
            "last_successful_poll_timestamp_seconds", "when the mailbox was last looked at"
        )
        self._failing = self._gauge("poll_failing", "1: no poll has succeeded for too long")
        self._watching = self._gauge("watching", "1: news from the mailbox wake the daemon; 0: only polls do")
        self._errors = self._counter("errors", "looks at the mailbox that failed", "kind")
        for kind in ERROR_KINDS:  # from the start, so that the first failure is an increase
            self._errors.labels(kind)

    def cycle(self, report: Report) -> None:
        """One cycle was completed."""
        self._cycles.inc()
        for stage, seconds in report.seconds.items():
            self._seconds.labels(stage).observe(seconds)
        self._commands.inc(report.observed["commands"])
        self._bytes.inc(report.observed["bytes"])
        for what in ("new", "changed", "gone"):
            self._observed.labels(what).inc(report.observed[what])
        self._messages.set(report.observed["messages"])
        self._last_poll.set(report.now.timestamp())

    def run(self, total: Report, last: Report) -> None:
        """Cycles have converged: what several of them planned is one action; `last` is the last of them."""
        for action in total.actions:
            self._actions.labels(action.kind, action.rule).inc()
        _replace(self._held, Tally(hold.what for hold in last.held))

    def figures(self, figures: Figures) -> None:
        """Count what lies in the database."""
        _replace(self._outbox, figures.outbox)
        _replace(self._threads, {"open": figures.open_threads, "closed": figures.closed_threads})
        self._quarantined.set(figures.quarantined)
        if figures.attention is not None:
            self._attention.set(figures.attention)
        if figures.pending is not None:
            _replace(self._pending, figures.pending)

    def connected(self) -> None:
        """A login succeeded."""
        self._connects.inc()

    def failed(self, kind: str) -> None:
        """A cycle ended in an error."""
        self._errors.labels(kind).inc()

    def failing(self, *, failing: bool) -> None:
        """No poll has succeeded for too long, or one has again."""
        self._failing.set(failing)

    def watching(self, *, watching: bool) -> None:
        """The watcher has a connection, or has none."""
        self._watching.set(watching)

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"helpdesk_{name}", meaning, labels, registry=self._registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"helpdesk_{name}", meaning, labels, registry=self._registry)


def _replace(gauge: Gauge, values: Mapping[str, int]) -> None:
    """Say what there is, and nothing of what was."""
    gauge.clear()
    for label, value in values.items():
        gauge.labels(label).set(value)
