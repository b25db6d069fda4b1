"""pymap in a thread, as `helpdesk demo` runs it: an in-memory IMAP server without CONDSTORE that takes any keyword.

It announces neither CONDSTORE nor QRESYNC: the daemon runs on it as on Exchange or Yahoo (tier plain).
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from helpdesk.demo.imap import ImapServer
from helpdesk.demo.loop import Loop
from helpdesk.demo.servers import listening

PASSWORD: Final = "secret"


@dataclass(frozen=True, slots=True)
class Pymap:
    """A running server; a user exists after `add_user`."""

    port: int
    add_user: Callable[[str], None]
    stop: Callable[[], None]
    host: str = "127.0.0.1"
    password: str = PASSWORD


def start() -> Pymap:
    """Start the server in a thread of its own."""
    with ExitStack() as stack:
        socket = stack.enter_context(listening(0, "a free port"))
        server = ImapServer(stack.enter_context(Loop("pymap")), socket)
        server.start()
        stack.callback(server.stop)
        stop = stack.pop_all().close
    return Pymap(server.port, lambda name: server.add_user(name, PASSWORD), stop)
