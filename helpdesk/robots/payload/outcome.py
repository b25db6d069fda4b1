"""How a payload can end: the exit codes of docs/robots.md, which say in which phase it failed."""

from enum import IntEnum


class Exit(IntEnum):
    """Ten codes a phase; 60 and more are the runner's, which ends a payload at its limits."""

    OK = 0
    USAGE = 2
    NOT_FOUND = 10
    CANNOT_CONNECT = 11
    CORRUPT = 12
    REFUSED = 13
    TOO_SLOW = 14
    WRONG_DATA = 20
    EVENTS_MISSING = 21
    CRASHED = 30
    WRONG_ANSWER = 31
    CANNOT_WRITE = 40
    DISK_FULL = 41
    ENVIRONMENT = 50


class Limit(IntEnum):
    """The limits of a job, as the exit codes of the runner that ended it."""

    WALL = 60
    MEMORY = 61
    DISK = 62
    OUTPUT = 63


PHASES = {1: "stage-in", 2: "stage-in", 3: "payload", 4: "stage-out", 5: "environment"}
"""Tens of the code -> the record's phase: bad data is the storage's, so a stage-in failure."""


class PayloadError(Exception):
    """The payload ends here, with this code, and says why in one line."""

    def __init__(self, code: Exit, words: str) -> None:
        super().__init__(words)
        self.code = code
