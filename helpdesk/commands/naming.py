"""Labels by any spelling that means one only: in any case, as a keyword, or their beginning."""

from collections.abc import Iterable
from difflib import get_close_matches

from helpdesk.commands import Mistake
from helpdesk.labels import keyword_of

SHORTEST = 2  # characters of a beginning
CLOSE_ENOUGH = 0.6
MAX_NAME = 100
_QUOTES = "\"'`\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb .,;"


def find(text: str, names: Iterable[str]) -> str | None:
    """The one name that `text` means; None if it means none, or several."""
    found = _meant(text, names)
    return found[0] if len(found) == 1 else None


def mistake(text: str, names: Iterable[str], what: str) -> Mistake:
    """Why `text` means no name, with the nearest one that is known."""
    known = sorted(names)
    found = _meant(text, known)
    if found:
        return Mistake(f"{text!r} can be {' or '.join(found)}")
    near = nearest(text, known)
    if near is not None:
        return Mistake(f"there is no {what} {text!r}: {near!r}?")
    return Mistake(f"there is no {what} {text!r}; known: {', '.join(known[:20]) or 'none'}")


def nearest(text: str, names: Iterable[str]) -> str | None:
    """The known name that looks most like `text`."""
    by_key = {keyword_of(name): name for name in names}
    close = get_close_matches(_key(text), by_key, n=1, cutoff=CLOSE_ENOUGH)
    return by_key[close[0]] if close else None


def _meant(text: str, names: Iterable[str]) -> list[str]:
    key, known = _key(text), sorted(names)
    if not key:
        return []
    exact = [name for name in known if keyword_of(name) == key]
    return exact or [name for name in known if len(key) >= SHORTEST and keyword_of(name).startswith(key)]


def _key(text: str) -> str:
    return keyword_of(" ".join(text.strip(_QUOTES).split())[:MAX_NAME])
