"""What holds for every process that runs tests: assertions that tell their values, and the measuring of coverage.

Each process of `make test` measures itself, from before it loads any of helpdesk, and leaves a file for `coverage combine`.
"""

import os
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest
from coverage import Coverage

pytest.register_assert_rewrite("tests")  # a helper that fails tells what it compared, as a test does

UNMEASURED: Final = (
    "contract",
    "stories",
    *(
        f"test_{name}"
        for name in ("incidents", "loops", "machine_", "sending_killed", "sending_machine", "site_commands")
    ),
)
"""Where whole boards run, cycle after cycle: measuring takes half as long again, and the tests of the parts reach every line."""

_coverage = Coverage(data_suffix=True, auto_data=False) if os.environ.get("MEASURE") else None
if _coverage is not None:
    _coverage.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Look away from the tests that are not measured, and from what they set up."""
    away = item.path.relative_to(Path(__file__).parent / "tests").parts[0].startswith(UNMEASURED)
    if _coverage is not None and away:
        _coverage.stop()
    try:
        return (yield)
    finally:
        if _coverage is not None and away:
            _coverage.start()


def pytest_unconfigure() -> None:
    """Leave what was measured."""
    if _coverage is not None:
        _coverage.stop()
        _coverage.save()
