"""A mailbox filled fast: MULTIAPPEND (RFC 3502) with literals that wait for nobody (RFC 7888).

As a process of its own, because a million made-up mails leave their mark in memory:

    python -m tests.benchmarks.filling PORT USER COUNT
"""

import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from tests.benchmarks.letters import Letter, internal_date, letters
from tests.benchmarks.plain import Plain

AT_ONCE: Final = 500


def fill(port: int, user: str, mails: Iterable[Letter]) -> None:
    """Store mails, each in its folder and with its flags and date."""
    with Plain(port, user) as line:
        waiting: dict[str, list[Letter]] = defaultdict(list)
        for mail in mails:
            waiting[mail.folder].append(mail)
            if len(waiting[mail.folder]) == AT_ONCE:
                _store(line, mail.folder, waiting.pop(mail.folder))
        for folder, rest in waiting.items():
            _store(line, folder, rest)


def _store(line: Plain, folder: str, mails: Iterable[Letter]) -> None:
    parts = [
        b' (%s) "%s" {%d+}\r\n%s'
        % (" ".join(mail.flags).encode(), internal_date(mail.when).encode(), len(mail.octets), mail.octets)
        for mail in mails
    ]
    line.say(b'APPEND "%s"%s' % (folder.encode(), b"".join(parts)))


if __name__ == "__main__":
    fill(int(sys.argv[1]), sys.argv[2], letters(int(sys.argv[3])))
