"""The embedded servers, up: IMAP with the board's mailbox, and the post."""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from helpdesk.demo.cast import ARCHIVE, BOARD, LOGIN, MEMBERS, PASSWORD
from helpdesk.demo.clock import Clock
from helpdesk.demo.imap import ImapServer
from helpdesk.demo.loop import Loop
from helpdesk.demo.post import Post, Round
from helpdesk.errors import UsageError
from helpdesk.mailbox.account import Account, Password
from helpdesk.mailbox.connect import connect

HOST = "127.0.0.1"
FOLDERS = (ARCHIVE, "Sent")


@dataclass(frozen=True, slots=True)
class Servers:
    """Where they listen, and the post, which knows what left for the world."""

    imap_port: int
    smtp_port: int
    post: Post


@contextmanager
def servers(imap_port: int, smtp_port: int, clock: Clock) -> Iterator[Servers]:
    """Start both (port 0: any that is free); UsageError says what to do about a port that cannot be had."""
    with ExitStack() as stack:
        for_imap = stack.enter_context(listening(imap_port, "--imap-port"))
        for_smtp = stack.enter_context(listening(smtp_port, "--smtp-port"))
        loop = stack.enter_context(Loop("demo-servers"))
        imap = ImapServer(loop, for_imap)
        imap.start()
        stack.callback(imap.stop)
        imap.add_user(LOGIN, PASSWORD)
        postman = connect(account(imap.port))
        stack.callback(postman.close)
        for name in FOLDERS:
            postman.create(name)

        def deliver(mail: bytes) -> None:
            postman.append("INBOX", mail, (), clock.now)

        post = Post(loop, for_smtp, Round(MEMBERS, BOARD, deliver, lambda: clock.now), imap.port)
        post.start()
        stack.callback(post.stop)
        yield Servers(imap.port, post.port, post)


def account(imap_port: int) -> Account:
    """The login that everybody in the demo shares, as a team shares its mailbox."""
    return Account(HOST, imap_port, "none", LOGIN, lambda: Password(PASSWORD))


def listening(port: int, option: str) -> socket.socket:
    """A socket on the loopback; `option` is what to change when that fails."""
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        why = {errno.EADDRINUSE: "is in use", errno.EACCES: "is not for ordinary users"}
        said = why.get(error.errno or 0, f"cannot be used ({error.strerror})")
        raise UsageError(
            f"port {port} {said}: give another one with {option}, or leave {option} out and a free one is taken"
        ) from error
