"""The log: one line an event on stderr, JSON for machines and colours for people; ids and numbers, never mail.

Lines of ours are a constant sentence with facts beside it; the only foreign words are a server's reasons.  Of what other
libraries log only the constant text is kept, and of an exception only its type and where it happened: the rest may
quote a mail, an address or a secret.  Whatever is written passes `scrub`, which is the net under all this.
"""

import logging
import re
import threading
import traceback
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter

from helpdesk.text import safe_text

MAX_TEXT = 300
MAX_FRAMES = 6

Event = MutableMapping[str, Any]

_SECRETS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"://[^/\s@]*@"), "://"),  # the name and password of a database
    (re.compile(r"[^\s<>\"'()\[\],:;=|]+@[^\s<>\"'()\[\],:;=|]+"), "(address)"),
    (re.compile(r"\b(bearer|plain|xoauth2|oauthbearer)\s+[\w.+/=~-]{12,}", re.IGNORECASE), r"\1 ***"),
    (
        re.compile(r"\b(\w*(?:pass(?:word|wd)?|secret|token|authorization))\s*[=:]\s*\S+", re.IGNORECASE),
        r"\1=***",
    ),
    (re.compile(r"(?=\S*[A-Z])(?=\S*[a-z])(?=\S*\d)[\w+/=.-]{40,}"), "***"),  # tokens, base64
)
_QUOTED = re.compile(r"""(["'`]).*?(?:\1|\Z)""", re.DOTALL)


def scrub(text: str) -> str:
    """Make a text fit for a line that anybody may read: addresses and what looks like a secret are taken out."""
    clean = safe_text(text, limit=4 * MAX_TEXT)
    for pattern, instead in _SECRETS:
        clean = pattern.sub(instead, clean)
    return clean if len(clean) <= MAX_TEXT else f"{clean[: MAX_TEXT - 3]}..."


class Log:
    """The daemon's own lines; each carries the board and the number of the cycle that runs or ran last."""

    def __init__(self, board: str, logger: Any) -> None:
        self.board = board
        self.cycle = 0
        self._logger = logger

    def debug(self, event: str, **facts: object) -> None:
        """For who looks for a fault."""
        self._logger.debug(event, **facts)

    def info(self, event: str, **facts: object) -> None:
        """Something happened, as it should."""
        self._logger.info(event, **facts)

    def warning(self, event: str, **facts: object) -> None:
        """Something did not go well, and is tried again."""
        self._logger.warning(event, **facts)

    def error(self, event: str, **facts: object) -> None:
        """A person must look."""
        self._logger.error(event, **facts)


@contextmanager
def opened(board: str, stream: TextIO, level: int = logging.INFO) -> Iterator[Log]:
    """Send our lines, and the warnings of all libraries, to a stream; afterwards all is as it was."""
    own = logging.getLogger("helpdesk")
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper("iso", utc=True, key="at"),
    ]
    wrapped = structlog.wrap_logger(
        own,
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    log = Log(board, wrapped)
    handler = _Handler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[_constant_text, *shared, structlog.stdlib.add_logger_name],
            processors=[
                _without_content,
                ProcessorFormatter.remove_processors_meta,
                lambda _logger, _name, event: {**event, "board": log.board, "cycle": log.cycle},
                _scrubbed,
                _renderer(stream),
            ],
            use_get_message=False,
        )
    )
    root = logging.getLogger()
    before = root.level, own.level, threading.excepthook
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    own.setLevel(level)
    logging.captureWarnings(True)  # Python's own would print the text that they warn about
    threading.excepthook = lambda args: log.error(
        "a thread ended", **outline(args.exc_value, args.exc_traceback)
    )
    try:
        yield log
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
        root.setLevel(before[0])
        own.setLevel(before[1])
        threading.excepthook = before[2]


def outline(error: BaseException | None, trace: TracebackType | None = None) -> Mapping[str, object]:
    """Name an exception by its type and the places that it came through; its words may quote a mail."""
    frames = traceback.extract_tb(trace or (error.__traceback__ if error else None))[-MAX_FRAMES:]
    where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "where": where}


class _Handler(logging.StreamHandler[TextIO]):
    """A line that cannot be written is lost: the daemon goes on, and nothing is printed in its place."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's name
        pass


def _renderer(stream: TextIO) -> Any:
    if stream.isatty():
        return structlog.dev.ConsoleRenderer(colors=True, timestamp_key="at")
    return structlog.processors.JSONRenderer(sort_keys=True)


def _constant_text(_logger: object, _name: str, event: Event) -> Event:
    """Of a library's line keep what stands in its source: the format without its arguments, no quotations."""
    record: logging.LogRecord = event["_record"]
    text = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    if record.name == "py.warnings":  # file, line and category, then words that are made when they are needed
        text = ":".join(text.split(":")[:3]).rpartition("/")[2]
    event["event"] = _QUOTED.sub("(...)", text.partition("\n")[0])
    return event


def _without_content(_logger: object, _name: str, event: Event) -> Event:
    """Replace tracebacks by their outline, whoever logged them."""
    event.pop("stack_info", None)
    found = event.pop("exc_info", None)
    if isinstance(found, tuple) and found[1] is not None:
        event.update(outline(found[1], found[2]))
    return event


def _scrubbed(_logger: object, _name: str, event: Event) -> Event:
    return {name: _scrub_value(value) for name, value in event.items()}


def _scrub_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {scrub(str(name)): _scrub_value(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_scrub_value(one) for one in value]
    return scrub(str(value))
