"""What to do about an alarm: the paragraph that its mail quotes, read from the runbook that ships with the package."""

from functools import cache
from importlib.resources import files

_FALLBACK = "Look at `helpdesk check` and `helpdesk plan`; `helpdesk resume` approves what they show."


@cache
def _paragraphs() -> dict[str, str]:
    text = files("helpdesk").joinpath("runbook.md").read_text("utf-8")
    found: dict[str, str] = {}
    for section in text.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        found[title.strip().strip("`")] = body.strip()
    return found


def paragraph(alarm: str) -> str:
    """The paragraph for an alarm, or where to look when there is none."""
    return _paragraphs().get(alarm, _FALLBACK)
