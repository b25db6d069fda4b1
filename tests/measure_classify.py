"""Measure classification on real mail: how many mails of each nature, and which.

Run it alone:  python -m tests.measure_classify PATH [PATH ...]

A PATH is an mbox file, or a folder of mails, one a file, looked at with all that is below; a line for each, and with --names those that
are neither human nor what most of their folder are.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from helpdesk.mailbox.classify import classify
from helpdesk.mailbox.parse import UnparseableError, parse_header
from helpdesk.model import Nature
from tests.measure_threading import headers_of


def natures(path: Path) -> Iterator[tuple[str, Nature, str]]:
    """Each mail's name, nature and the evidence; what has no header field is passed over."""
    if path.is_dir():
        for file in sorted(one for one in path.rglob("*") if one.is_file()):
            try:
                told = classify(parse_header(file.read_bytes()), own=False, destination=False)
            except UnparseableError:
                continue
            yield str(file.relative_to(path)), told.nature, told.why
    else:
        for number, header in enumerate(headers_of(path.read_bytes())):
            told = classify(header, own=False, destination=False)
            yield f"mail {number}", told.nature, told.why


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--names", action="store_true", help="name the exceptions")
    asked = parser.parse_args()
    for path in asked.paths:
        found: dict[Nature, list[tuple[str, str]]] = defaultdict(list)
        for name, nature, why in natures(path):
            found[nature].append((name, why))
        counts = Counter({nature: len(names) for nature, names in found.items()})
        listed = ", ".join(f"{count} {nature.value}" for nature, count in counts.most_common())
        sys.stdout.write(f"{path.name}: {counts.total()} mails: {listed}\n")
        usual = counts.most_common(1)[0][0] if counts else None
        for nature, name, why in (
            (nature, name, why)
            for nature, mails in found.items()
            if nature is not usual
            for name, why in mails
        ):
            if asked.names:
                sys.stdout.write(f"  {nature.value}: {name}: {why}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
