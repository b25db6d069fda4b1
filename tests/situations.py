"""Threads in the situations that most stories begin with."""

from helpdesk.model import WAITING, Role
from tests.simulated import Crash, Simulated, troubles
from tests.threads import DAY, VIP


def begun(*labels: str) -> Simulated:
    """A settled open thread of a user's mail and a shifter's answer, with these labels."""
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


def closing_by_hand(crash: Crash | None = None, *labels: str) -> Simulated:
    """A thread whose human close has just been decided; copy 2 is still to come."""
    world = begun(*(labels or (WAITING, VIP)))
    world.archive(1)
    world.run()
    world.wait(world.policy.settle).cycle(crash)
    return world


def closing_by_the_bot(crash: Crash | None = None) -> Simulated:
    """A thread whose auto-close has just been decided."""
    world = begun(WAITING, VIP)
    world.wait(8 * DAY).cycle(crash)
    return world


def reopening(crash: Crash | None = None) -> Simulated:
    """A closed thread to which a user has just written."""
    world = finished(VIP)
    world.mail()
    world.cycle(crash)
    return world
