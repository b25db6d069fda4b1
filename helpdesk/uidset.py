"""Sets of UIDs as IMAP writes them: compressed ranges (RFC 9051 sequence-set)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UidSet:
    """Sorted, disjoint, closed ranges of UIDs; a set of a million neighbours costs one pair."""

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, uids: Iterable[int]) -> "UidSet":
        """Build from any iterable of UIDs."""
        ranges: list[tuple[int, int]] = []
        for uid in sorted(set(uids)):
            if ranges and ranges[-1][1] == uid - 1:
                ranges[-1] = (ranges[-1][0], uid)
            else:
                ranges.append((uid, uid))
        return cls(tuple(ranges))

    @classmethod
    def span(cls, first: int, last: int) -> "UidSet":
        """The UIDs first..last, both included; empty when last < first."""
        return cls(((first, last),)) if last >= first else cls()

    @classmethod
    def parse(cls, text: str) -> "UidSet":
        """Read `1:3,5,9:7`; `*` is refused, because it means nothing without the folder."""
        ranges: list[tuple[int, int]] = []
        for part in text.split(",") if text else ():
            low, _, high = part.partition(":")
            first, last = int(low), int(high or low)
            ranges.append((min(first, last), max(first, last)))
        merged: list[tuple[int, int]] = []
        for first, last in sorted(ranges):
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        return cls(tuple(merged))

    def __str__(self) -> str:
        return ",".join(f"{a}:{b}" if a != b else str(a) for a, b in self.ranges)

    def __iter__(self) -> Iterator[int]:
        for first, last in self.ranges:
            yield from range(first, last + 1)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __contains__(self, uid: object) -> bool:
        return isinstance(uid, int) and any(first <= uid <= last for first, last in self.ranges)

    def slices(self, octets: int = 8000) -> Iterator["UidSet"]:
        """Cut into sets whose text stays under `octets`, so that a command line stays under 8 kB."""
        start, size = 0, 0
        for index, (first, last) in enumerate(self.ranges):
            length = len(str(first)) + len(str(last)) + 2
            if size + length > octets and index > start:
                yield UidSet(self.ranges[start:index])
                start, size = index, 0
            size += length
        if start < len(self.ranges):
            yield UidSet(self.ranges[start:])

    def batches(self, count: int) -> Iterator["UidSet"]:
        """Cut into sets of at most `count` UIDs, in order."""
        current: list[tuple[int, int]] = []
        room = count
        for first, last in self.ranges:
            low = first
            while low <= last:
                high = min(last, low + room - 1)
                current.append((low, high))
                room -= high - low + 1
                low = high + 1
                if room == 0:
                    yield UidSet(tuple(current))
                    current, room = [], count
        if current:
            yield UidSet(tuple(current))
