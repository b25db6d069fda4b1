"""Native codes become classes, phases and blame; what nobody knows is kept and listed."""

import csv
from importlib import resources

import pytest

from helpdesk.robots.codes import NOTHING, TABLES, Lookup, table
from helpdesk.robots.payload.outcome import PHASES, Exit, Limit
from helpdesk.robots.record import Blame, Phase


@pytest.mark.parametrize("name", TABLES)
def test_table(name: str) -> None:
    """Every row of every table has each of its columns, and no code stands twice."""
    text = resources.files("helpdesk.robots.codes").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len({row["code"] for row in rows}) == len(rows) == len(table(name)) > 0
    assert all(set(row) == {"code", "class", "phase", "blame", "words"} and all(row.values()) for row in rows)


def test_no_other_table() -> None:
    """Every table that ships is known."""
    shipped = {
        one.name.removesuffix(".csv")
        for one in resources.files("helpdesk.robots.codes").iterdir()
        if one.name.endswith(".csv")
    }
    assert shipped == set(TABLES)


@pytest.mark.parametrize("code", [*(one for one in Exit if one), *Limit])
def test_our_own_codes(code: Exit | Limit) -> None:
    """Every exit code of our payloads and their runner is in the table, in the phase that the payload itself names."""
    meaning = Lookup().meaning(f"payload:{int(code)}")
    assert meaning is not NOTHING
    if int(code) // 10 in PHASES:
        assert meaning.phase == Phase(PHASES[int(code) // 10])


@pytest.mark.parametrize(
    ("native", "error_class", "phase", "blame"),
    [
        ("pilot:1099", "stage_in", Phase.STAGE_IN, Blame.SITE),
        ("pilot:1151", "stage_in_timeout", Phase.STAGE_IN, Blame.SITE),
        ("pilot:1163", "auth", Phase.AUTH, Blame.CENTRAL),
        ("pilot:1332", "black_hole", Phase.ENVIRONMENT, Blame.SITE),
        ("pilot:1377", "software", Phase.ENVIRONMENT, Blame.SITE),
        ("wmcore:50660", "memory", Phase.PAYLOAD, Blame.EXPERIMENT),
        ("slurm:NODE_FAIL", "node", Phase.PAYLOAD, Blame.SITE),
        ("signal:9", "killed", Phase.PAYLOAD, Blame.SITE),
    ],
)
def test_known(native: str, error_class: str, phase: Phase, blame: Blame) -> None:
    """The codes that sites see most have their meaning."""
    found = Lookup().meaning(native)
    assert (found.error_class, found.phase, found.blame) == (error_class, phase, blame)


def test_unknown_is_kept() -> None:
    """A code that no table has means nothing, and is counted; a flood of them is bounded."""
    lookup = Lookup(limit=2)
    for code in ("pilot:9", "pilot:9", "lsf:12", "rubbish", ""):
        assert lookup.meaning(code) is NOTHING
    assert lookup.unknown == {"pilot:9": 2, "lsf:12": 1}
