"""What a job may know of the daemon's environment: no secret, and what our interpreter cannot start without."""

import os
from collections.abc import Mapping

NAMES = ("PATH", "HOME", "LANG", "TZ", "LD_LIBRARY_PATH")
"""The last is for a Python of environment modules or of an LCG view: it finds its own library by it, and does not start without."""


def inherited(*more: str) -> Mapping[str, str]:
    """These, and `more`, as far as they are set."""
    return {name: os.environ[name] for name in (*NAMES, *more) if name in os.environ}
