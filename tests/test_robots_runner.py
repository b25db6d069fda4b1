"""The runner keeps hold of everything that its job starts."""

import os
import subprocess
import sys
import time

import pytest

from helpdesk.robots.payload.descendants import _children, descendants


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists the children of a process")
def test_children_that_come_and_go() -> None:
    """A process that ends while the runner looks at it does not take the runner with it."""
    churn = subprocess.Popen(["/bin/sh", "-c", "while :; do /bin/true; done"])
    try:
        deadline, seen = time.monotonic() + 20, 0
        while seen < 20_000 and time.monotonic() < deadline:
            seen += len(descendants())
        assert churn.pid in descendants()
        assert churn.pid in _children(os.getpid())
    finally:
        churn.kill()
        churn.wait()
    assert churn.pid not in descendants()
    assert seen > 1000
