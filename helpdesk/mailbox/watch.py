"""The watcher: a connection and a thread of its own that say "look now" and nothing else.

A wake-up that is lost costs time, never correctness: the daemon looks every `poll_seconds` all the same.  So whatever
goes wrong here is a reason to connect again later, and never reaches the daemon.
"""

import random
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from helpdesk.errors import HelpdeskError, LoginRefusedError, UnreachableError
from helpdesk.mailbox.account import Account
from helpdesk.mailbox.backoff import Backoff
from helpdesk.mailbox.connect import open_conversation
from helpdesk.mailbox.conversation import Conversation
from helpdesk.mailbox.idle import Idler, Pace, prepare

STEADY_SECONDS: Final = 60.0
"""A connection that held so long was a good one: the next failure is the first."""

JOIN_SECONDS: Final = 2.0


class Watcher:
    """Calls `wake` when there may be news in the mailbox, and after each new connection, which may have missed some.

    Where the server has no IDLE it ends by itself.  `problem` is why there is no connection now, or "".
    """

    def __init__(
        self,
        account: Account,
        inbox: str,
        wake: Callable[[], None],
        *,
        pace: Pace = Pace(),  # noqa: B008 -- frozen
        backoff: Backoff = Backoff(),  # noqa: B008 -- frozen
    ) -> None:
        self._account = account
        self._inbox = inbox
        self._wake = wake
        self._pace = pace
        self._backoff = backoff
        self._stopping = threading.Event()
        self._ear, self._bell = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self.problem = ""

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End soon, whatever the server does; may be called twice."""
        self._stopping.set()
        with suppress(OSError):  # closed by the first call
            self._bell.send(b"!")
        if self._thread.is_alive():
            self._thread.join(JOIN_SECONDS)
        if not self._thread.is_alive():
            self._bell.close()
            self._ear.close()

    @property
    def alive(self) -> bool:
        """Whether anybody watches; False also where the server cannot tell."""
        return self._thread.is_alive()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                if not self._watch():
                    return
            except (HelpdeskError, OSError) as error:
                failures = 1 if time.monotonic() - started > STEADY_SECONDS else failures + 1
                self.problem = str(error) or type(error).__name__
                self._stopping.wait(self._patience(error, failures))

    def _watch(self) -> bool:
        """Connect and wait for news until told to stop, or False where the server has nothing to tell."""
        conversation = open_conversation(self._account)
        try:
            if not prepare(conversation, self._inbox):
                return False
            self.problem = ""
            self._wait(conversation)
        finally:
            conversation.end()
        return True

    def _wait(self, conversation: Conversation) -> None:
        idler = Idler(conversation, self._ear, self._wake, self._pace)
        self._wake()
        while idler.wait():
            pass

    def _patience(self, error: Exception, failures: int) -> float:
        """Tell how long to stay away; a refused login is not tried often, because accounts get locked."""
        asked = error.retry_after if isinstance(error, UnreachableError) else None
        if isinstance(error, LoginRefusedError):
            asked = max(asked or 0, self._backoff.longest)
        return self._backoff.delay(failures, random.random(), asked)  # noqa: S311 -- no secret
