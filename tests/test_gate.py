"""What the tests promise to whoever reads their output."""

from types import SimpleNamespace
from typing import cast

import pytest

from tests.world import World


def test_a_helper_that_fails_tells_its_values() -> None:
    """An assertion of a helper shows what it compared, as one of a test does."""
    letter = SimpleNamespace(recipients=("ann@example.org",), content=b"what nobody asked for")
    world = SimpleNamespace(expected=0, mailer=SimpleNamespace(arrived=[letter]))
    with pytest.raises(AssertionError, match=r"assert .*ann@.* == "):
        World.expect_no_mail(cast("World", world))
