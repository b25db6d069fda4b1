"""Packs the payload into one file that travels with a job, and says how it is called."""

import io
import json
import sys
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from helpdesk.robots.payload.analyses import ANALYSES
from helpdesk.robots.payload.pairs import NAME as PAIRS

_START = """\
import sys

if sys.argv[1:2] == ["run"]:
    from payload.runner import main

    sys.exit(main(sys.argv[2:]))
from payload.__main__ import main

sys.exit(main())
"""
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that ZIP can say: the same sources give the same octets

NAMES = tuple(sorted((*ANALYSES, PAIRS)))
"""The analyses that a `[[template]]` can name as its payload."""


@lru_cache(maxsize=1)
def packed() -> bytes:
    """The payload as a ZIP archive that Python runs; the same octets for the same sources."""
    packet = io.BytesIO()
    with zipfile.ZipFile(packet, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py", _EPOCH), _START)
        for file in sorted(resources.files("helpdesk.robots.payload").iterdir(), key=lambda one: one.name):
            if file.name.endswith(".py"):
                archive.writestr(zipfile.ZipInfo(f"payload/{file.name}", _EPOCH), file.read_bytes())
    return packet.getvalue()


def pack(target: Path) -> Path:
    """Write the packed payload beside its target and move it there, so that nobody runs half of it."""
    if not target.exists() or target.read_bytes() != packed():
        aside = target.with_suffix(".new")
        aside.write_bytes(packed())
        aside.replace(target)
    return target


def argv(
    payload: Path, analysis: str, inputs: list[str], mode: str, expect: Mapping[str, Any]
) -> tuple[str, ...]:
    """The command of a job; `python` is this machine's own, elsewhere the site's wrapper says which."""
    named = (word for url in inputs for word in ("--input", url))
    return (
        sys.executable,
        str(payload),
        analysis,
        *named,
        "--mode",
        mode,
        "--expect",
        json.dumps(dict(expect), sort_keys=True),
    )
