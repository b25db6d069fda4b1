"""How often the knee is found, and how often its interval holds it: `python -m tests.measure_knee [SEEDS]` (docs/loadtest.md)."""

import statistics
import sys

from helpdesk.robots.load import knee, steps
from tests.load_site import RAMP, WORLDS, World, ramp


def measure(world: World, seeds: range, each: int = 30) -> dict[str, float]:
    """Shares over seeds."""
    covered, values, widths, none = 0, [], [], 0
    for seed in seeds:
        found = knee.find(steps.points(*ramp(world.make(seed), RAMP, each)), seed)
        assert found is not None
        none += found.jobs is None
        top = found.high if found.high is not None else float("inf")
        if world.knee is None or world.knee > RAMP[-1]:
            covered += found.high is None
        else:
            covered += found.low is not None and found.low <= world.knee <= top
        if found.jobs is not None:
            values.append(found.jobs)
            if found.low is not None and found.high is not None:
                widths.append((found.high - found.low) / found.jobs)
    n = len(seeds)
    return {
        "none": none / n,
        "covered": covered / n,
        "median": statistics.median(values) if values else float("nan"),
        "width": statistics.median(widths) if widths else float("nan"),
    }


def main() -> None:
    seeds = range(101, 101 + (int(sys.argv[1]) if len(sys.argv) > 1 else 40))
    for each in (15, 30):
        for world in WORLDS:
            told = measure(world, seeds, each)
            print(  # noqa: T201 - a measurement for people
                f"{each:3d} jobs a step  {world.name:13s} knee {world.knee!s:5.5s} found {told['median']:5.1f}"
                f"  no knee {told['none']:4.0%}  interval holds it {told['covered']:4.0%}  width {told['width']:4.0%}"
            )


if __name__ == "__main__":
    main()
