"""What another robot measured keeps its identity, today and after an upgrade."""

import json
from datetime import UTC, datetime
from pathlib import Path

from helpdesk.robots import exchange
from helpdesk.robots.record import Record

NOW = datetime(2026, 6, 8, 12, 0, tzinfo=UTC)
ROW = {
    "site": "DESY-HH",
    "status": "critical",
    "t_final": 1780000000,
    "wall_s": 12.5,
    "attempt": 2,
    "cores": 4,
    "blame": "site",
    "native_code": "pilot:1099",
    "retries": 3,
    "raw": {"b": 1, "a": [2]},
    "input_files": "7",
}


def taken(tmp_path: Path, *rows: object) -> list[Record]:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    found = exchange.read(file, weight=0.5, campaign="sam", now=NOW)
    return [one for one in found if isinstance(one, Record)]


def test_the_identity_of_a_row_stays(tmp_path: Path) -> None:
    """These ids are in databases: a row that is imported again by a newer helpdesk must not become a second record."""
    found = taken(tmp_path, ROW, {"site": "CERN", "state": "ok"})
    assert [one.job for one in found] == [
        "import-610d380bef631b1141ef4b8f",
        "import-78724c413c26199d93f116e3",
    ]


def test_a_row_keeps_its_attempt_and_cores(tmp_path: Path) -> None:
    """A retry is told as one, since it counts for less; what cannot be a count is none."""
    odd = {**ROW, "attempt": 0, "cores": "many"}
    assert [(one.attempt, one.cores) for one in taken(tmp_path, ROW, odd)] == [(2, 4), (1, 1)]
