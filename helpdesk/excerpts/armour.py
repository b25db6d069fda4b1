"""Lines that machines read: what PGP puts around a signed text (RFC 9580, section 7), and pictures written out in letters.

An encrypted text stays: there is nothing else to show.
"""

import re

from helpdesk.excerpts.kinds import Kind, Lines

_BEGIN = re.compile(r"-----BEGIN PGP (?P<what>SIGNED MESSAGE|SIGNATURE|PUBLIC KEY BLOCK)-----")
_HEADER = re.compile(r"(?:Hash|Version|Charset|Comment): ")
_PICTURE = re.compile(r"[ \t>]*!?\[[^\[\]]{0,200}\]\(data:[a-z]+/\S{20,}.*", re.IGNORECASE)


def mark(lines: Lines, kinds: list[Kind]) -> None:
    """Mark pictures and the armour; a block that does not end ends with the first line that is no base64."""
    inside = ""
    for number, line in enumerate(lines):
        found = _BEGIN.match(line)
        if found:
            inside = found["what"]
        elif not _belongs(line, inside):
            inside = ""
        if (inside or _PICTURE.match(line)) and kinds[number] is Kind.OWN:
            kinds[number] = Kind.SIGNATURE
        if line.startswith("-----END PGP"):
            inside = ""


def _belongs(line: str, inside: str) -> bool:
    return (
        _HEADER.match(line) is not None
        or (inside != "SIGNED MESSAGE" and " " not in line)
        or line.startswith("-----END")
    )
