"""Do failures sit on some nodes?  A test of each node against all others, and names of nodes in few words.

For a node with k failures in m jobs: the chance of k or more if it failed as often as the other nodes do.  That times the number of
nodes (Bonferroni) must stay below `LEVEL`; the worst is set aside and the others are tested again without it, so that several bad nodes
do not hide each other.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from helpdesk.reports.rates import tail

LEVEL = 0.01
MOST = 20
"""More bad nodes than this are not some nodes."""

LEAST = 2
"""Failures of a node that can be called bad."""

_NUMBERED = re.compile(r"(.*?)([0-9]+)([^0-9]*)")


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes that failures sit on, and the others, with their jobs."""

    names: tuple[str, ...]
    failed: int
    jobs: int
    others: int  # nodes
    others_failed: int
    others_jobs: int


def concentrated(jobs: Mapping[str, int], failed: Mapping[str, int], usual: float) -> Nodes | None:
    """The nodes on which the failures sit, None where they do not; `usual` is the least share that failures have anywhere."""
    bad: list[str] = []
    while len(bad) <= MOST:
        found = min(
            ((_chance(name, jobs, failed, bad, usual), name) for name in failed if name not in bad),
            default=(1.0, ""),
        )
        if found[0] * len(jobs) >= LEVEL:
            break
        bad.append(found[1])
    others = [name for name in jobs if name not in bad]
    if not bad or len(bad) > MOST or not others:
        return None
    return Nodes(
        tuple(sorted(bad, key=_order)),
        sum(failed[name] for name in bad),
        sum(jobs[name] for name in bad),
        len(others),
        sum(failed.get(name, 0) for name in others),
        sum(jobs[name] for name in others),
    )


def _chance(
    name: str, jobs: Mapping[str, int], failed: Mapping[str, int], bad: list[str], usual: float
) -> float:
    """That a node fails so often by bad luck."""
    if failed[name] < LEAST:
        return 1.0
    rest = [one for one in jobs if one != name and one not in bad]
    share = (sum(failed.get(one, 0) for one in rest) + 0.5) / (sum(jobs[one] for one in rest) + 1)
    return tail(failed[name], jobs[name], max(usual, share))


def named(names: Iterable[str]) -> str:
    """wn-117..119, wn-204: without the domain that a node has; consecutive numbers are a range."""
    return ", ".join(_ranges(sorted({one.partition(".")[0] for one in names}, key=_order)))


def _ranges(names: list[str]) -> Iterator[str]:
    parts = [_NUMBERED.fullmatch(one) for one in names]
    steps = [
        (found and (found[1], found[3], len(found[2]), int(found[2]) - place), name, found)
        for place, (name, found) in enumerate(zip(names, parts, strict=True))
    ]
    for key, run in groupby(steps, key=lambda one: one[0]):
        group = list(run)
        first, last = group[0], group[-1]
        if key is None or len(group) == 1:
            yield from (name for _, name, _ in group)
        else:
            end = last[2][2] if last[2] else ""
            yield f"{first[1].removesuffix(key[1])}..{end}{key[1]}"


def _order(name: str) -> tuple[str, int, str]:
    """By number, not by digits."""
    found = _NUMBERED.fullmatch(name.partition(".")[0])
    return (found[1], int(found[2]), name) if found else (name, 0, name)
