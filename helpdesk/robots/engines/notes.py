"""What an engine writes down about a batch: itself before its batch system hears of it, and what that calls it afterwards."""

from pathlib import Path

from helpdesk.robots.engine import Batch, EngineError
from helpdesk.robots.engines import folders
from helpdesk.robots.engines.folders import JobFolder
from helpdesk.robots.payloads import pack


def write(root: Path, batch: Batch) -> tuple[list[JobFolder], bool]:
    """Write a batch down before a batch system hears of it; its jobs, and whether it was not there yet.

    An `EngineError` is for good: nothing was handed over, so the batch can be planned again under another tag.
    """
    new = not folders.jobs_of(root, batch.tag)
    try:
        return folders.write_batch(root, batch), new
    except OSError as error:
        raise EngineError(f"{root}: {error.strerror}", passing=False) from error


def prepare(root: Path) -> None:
    """Make the folder of an engine, with the payload in it; `EngineError` if that cannot be."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        pack(root / "payload.pyz")
    except OSError as error:
        raise EngineError(f"{root}: {error.strerror}", passing=False) from error


def note(root: Path, tag: str, name: str, said: str) -> None:
    """Write down what a batch system calls a batch."""
    try:
        (root / tag / name).write_text(said, encoding="utf-8")
    except OSError as error:
        raise EngineError(f"{root}: {error.strerror}", passing=True) from error


def noted(root: Path, tag: str, name: str) -> str:
    """What was written down; "" if nothing was."""
    try:
        return (root / tag / name).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
