"""A local job sees no secret of the daemon, and what its interpreter cannot start without."""

import pytest

from helpdesk.robots.engines.inherited import inherited


def test_what_a_job_inherits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where to find programs and libraries, and where temporary files go; no password of the daemon's."""
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/python/lib")
    monkeypatch.setenv("TMPDIR", "/scratch")
    monkeypatch.setenv("HELPDESK_IMAP_PASSWORD", "hunter2")
    known = inherited("TMPDIR")
    assert (known["LD_LIBRARY_PATH"], known["TMPDIR"]) == ("/opt/python/lib", "/scratch")
    assert "TMPDIR" not in inherited()
    assert "hunter2" not in known.values()
