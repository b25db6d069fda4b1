"""The excluded sites as files that other programs read: always whole, never half written."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from helpdesk.report import utc
from helpdesk.store.verdicts import Change


def document(latest: Mapping[tuple[str, str], Change], now: datetime) -> dict[str, Any]:
    """The blacklist as JSON: by experiment and site, since when and why."""
    found: dict[str, dict[str, Any]] = {}
    for (experiment, site), change in sorted(latest.items()):
        if change.action == "exclude":
            said = {
                "since": utc(change.at),
                "reason": change.reason,
                "by": change.by,
                "cause": change.evidence.get("cause", "evidence"),
                "until": change.evidence.get("until"),
                "policy": change.policy,
            }
            found.setdefault(experiment, {})[site] = said
    return {"generated": utc(now), "excluded": found}


def text(latest: Mapping[tuple[str, str], Change]) -> str:
    """The same as lines: experiment, site, since, reason; tabs between them."""
    rows = [one for _, one in sorted(latest.items()) if one.action == "exclude"]
    return "".join(f"{one.experiment}\t{one.site}\t{utc(one.at)}\t{one.reason}\n" for one in rows)


def write(path: Path, latest: Mapping[tuple[str, str], Change], now: datetime) -> None:
    """Write both files; who reads them meanwhile gets the old or the new one.  OSError if that cannot be done."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for target, content in (
        (path, json.dumps(document(latest, now), indent=1) + "\n"),
        (path.with_suffix(".txt"), text(latest)),
    ):
        aside = target.with_name(f".{target.name}.new")
        aside.write_text(content, encoding="utf-8")
        aside.replace(target)
