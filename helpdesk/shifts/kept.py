"""The last good copy of the calendar: one private file, whole or absent; when it was last true is its date.

The first line is JSON (whose calendar it is, what its server said), the rest is the calendar.  It is a cache: it may be
deleted, and a copy of another source counts for nothing.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpdesk.shifts.source import MAX_OCTETS, Source, Validators

_HEAD = 4_096  # octets of the first line, at most


@dataclass(frozen=True, slots=True)
class Copy:
    """A calendar that was good at `read_at`."""

    octets: bytes
    read_at: datetime
    validators: Validators


def load(path: Path | None, source: Source) -> Copy | None:
    """The copy of this source; None where there is none that can be read."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            head = _head(file.readline(_HEAD))
            octets = file.read(MAX_OCTETS + 1)
            read_at = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    except OSError:
        return None
    if head.get("source") != source.key or len(octets) > MAX_OCTETS:
        return None
    return Copy(octets, read_at, Validators(str(head.get("etag", "")), str(head.get("last_modified", ""))))


def _head(line: bytes) -> Mapping[str, Any]:
    try:
        head = json.loads(line)
    except ValueError:
        return {}
    return head if isinstance(head, dict) else {}


def save(path: Path, source: Source, copy: Copy) -> None:
    """Keep a copy (mode 0600); OSError where that cannot be done."""
    head = {
        "source": source.key,
        "etag": copy.validators.etag[:1_000],
        "last_modified": copy.validators.last_modified[:1_000],
    }
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(head).encode() + b"\n" + copy.octets)
        renew(draft, copy.read_at)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def renew(path: Path, read_at: datetime) -> None:
    """The copy was true once more; OSError where that cannot be noted."""
    os.utime(path, (read_at.timestamp(), read_at.timestamp()))
