"""Files that a job left behind: it may have put anything in their place, and nobody may wait for it.

A pipe has no end, and neither has /dev/zero behind a link: only a file is read, where it lies, and no more of it than was meant.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_HOW = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


def whole(path: Path, limit: int) -> bytes:
    """What is in a file of at most `limit` octets; nothing of what is larger, or no file."""
    try:
        with _opened(path) as file:
            found = file.read(limit + 1)
    except OSError:
        return b""
    return found if len(found) <= limit else b""


def tail(path: Path, most: int) -> bytes:
    """The last octets of a file."""
    try:
        with _opened(path) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - most))
            return file.read(most)
    except OSError:
        return b""


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with open(os.open(path, _HOW), "rb") as file:  # noqa: PTH123 -- of a descriptor
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("no file")
        yield file
