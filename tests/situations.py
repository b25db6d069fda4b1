"""Threads in the situations that most stories begin with."""

from helpdesk.model import Role
from tests.simulated import Simulated, troubles
from tests.threads import DAY


def begun(*labels: str) -> Simulated:
    """A settled open thread of two user mails, with these labels."""
    world = Simulated()
    world.mail(*labels)
    world.settle()
    world.mail(role=Role.SHIFTER)
    world.wait(DAY).settle()
    assert troubles(world) == []
    return world


def finished(*labels: str) -> Simulated:
    """A thread that a human archived a day ago."""
    world = begun(*labels)
    world.archive(1)
    world.settle()
    assert world.open is False
    assert troubles(world) == []
    world.wait(DAY)
    return world


def markers(world: Simulated) -> set[str]:
    """What calls for attention."""
    state = world.state
    found = {"reopened": state.reopened, "expert_comment": state.expert_comment, "bounce": state.bounce}
    return {name for name, marker in found.items() if marker is not None}
