"""What lies in a job's folder was written far away: whatever it is, it concerns its job alone."""

import json
from pathlib import Path

import pytest

from helpdesk.robots.engine import EngineError
from helpdesk.robots.engines import folders, notes
from helpdesk.robots.payload.runner import EXIT
from tests.contract.test_engine import batch, job


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b"[" * 9_000, b"[" * 900_000, b'{"exit_code": 0}' + b" " * 2_000_000],
    ids=["nothing", "half", "a list", "no ASCII", "deep", "deeper", "large"],
)
def test_a_word_that_is_none(tmp_path: Path, content: bytes) -> None:
    """What no runner writes is no ending."""
    [one] = folders.write_batch(tmp_path, batch("t1", job("a", "exit 0")))
    one.path.mkdir()
    (one.path / EXIT).write_bytes(content)
    assert one.ending() is None


def test_words_of_another_runner(tmp_path: Path) -> None:
    """A node or a signal that is no text of a runner's is cleaned, and short: not every database takes NUL."""
    [one] = folders.write_batch(tmp_path, batch("t1", job("a", "exit 0")))
    one.path.mkdir()
    said = {
        "exit_code": None,
        "signal": "9\0" + "x" * 500,
        "node": "wn\0" + "y" * 500,
        "killed_for": ["wall"],
    }
    (one.path / EXIT).write_text(json.dumps(said))
    status = one.status()
    assert "\0" not in status.node + status.native_code
    assert len(status.node) <= 100
    assert len(status.native_code) <= 40


def test_a_batch_that_cannot_be_written_down(tmp_path: Path) -> None:
    """Where the folder of an engine cannot be written nothing is handed over, so its batch is planned again and not lost."""
    (tmp_path / "full").write_text("a file where a folder should be")
    for work in (
        lambda: notes.prepare(tmp_path / "full"),
        lambda: notes.write(tmp_path / "full", batch("t1", job("a", "exit 0"))),
    ):
        with pytest.raises(EngineError, match="full") as caught:
            work()
        assert not caught.value.passing
