"""Seeded worlds of sites that fail, in which policies are judged.

`parts` are sites and templates, `troubles` is what happens to them, `jobs` is the fate of one job, `post` is how its
records are delivered, `stream` makes the records in time order.  `textbook` and `rough` are two worlds of these same
parts.  Everything follows from (world, seed): no clock, no I/O.  The figures of a world are drawn anew for each seed, so
that nothing can be tuned to one of them.
"""

from helpdesk.robots.world.parts import World
from helpdesk.robots.world.rough import rough
from helpdesk.robots.world.stream import Stream
from helpdesk.robots.world.textbook import textbook

WORLDS = {"textbook": textbook, "rough": rough}

__all__ = ["WORLDS", "Stream", "World", "rough", "textbook"]
