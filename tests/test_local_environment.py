"""What jobs on this machine know of the daemon's environment."""

import pytest

from helpdesk.robots.engines import local


def test_a_job_gets_what_python_needs_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that finds its libraries by LD_LIBRARY_PATH starts in a job as well; passwords stay with the daemon."""
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/python/lib")
    monkeypatch.setenv("HELPDESK_PASSWORD", "secret")
    known = local._inherited()
    assert known["LD_LIBRARY_PATH"] == "/opt/python/lib"
    assert "secret" not in known.values()
