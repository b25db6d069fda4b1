"""One process that delivers a huge mail, or runs a cycle and prints its own peak memory in KB."""

import resource
import sys
from pathlib import Path

from helpdesk.mailbox.account import Account, Password
from helpdesk.mailbox.connect import connect
from tests.human import ImapHuman
from tests.servers.dovecot import PASSWORD
from tests.world import CONFIG, World, mail

RULE = '[[rule]]\nname = "body"\nadd = ["docs"]\nwhen = { body = "never there" }\n'


def main() -> None:
    what, port, user, folder, size = sys.argv[1:]
    human = ImapHuman("127.0.0.1", int(port), user, PASSWORD)
    if what == "deliver":
        text = mail("ann@users.example.com", "Huge", "<huge@users.example.com>")
        human.deliver("INBOX", text + (b"y" * 76 + b"\r\n") * (int(size) // 78))
        return
    account = Account("127.0.0.1", int(port), "none", user, lambda: Password(PASSWORD))
    world = World(human, lambda: connect(account), Path(folder), CONFIG + RULE)
    world.tick()
    world.advance(hours=1)
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}\n")


if __name__ == "__main__":
    main()
