"""How the program starts: what it loads stays as long as it runs, so the garbage collector need not look at it.

The collector goes over everything that is alive, again and again, while a program loads: that is a fourth of the time that
loading takes.  Later, nearly all that a first sync makes holds no ring: a collection frees nothing and costs a tenth.
"""

import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager

COLLECT_AFTER = 50_000
"""New containers until the collector looks for rings among them (Python's own number is in the hundreds)."""


def main() -> None:
    """The program `helpdesk`."""
    gc.disable()
    with ending_at_once():
        from helpdesk import cli  # noqa: PLC0415 -- this is what must not be watched
    settle()
    cli.main()


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Ctrl-C ends the program without a word: nothing has begun, and a traceback through imports helps nobody."""
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    yield
    if ours:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def settle() -> None:
    """All that is here now stays; from now on, look seldom."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    gc.enable()
