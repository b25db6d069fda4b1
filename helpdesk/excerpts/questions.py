"""The sentence in which the author asks: for the first line of what an expert reads."""
# ruff: noqa: RUF001  question marks of other scripts

import re

MAX_QUESTION = 300  # characters
ENOUGH = 5  # words: "Any ideas?" asks nothing that an expert could answer
DENSE = 10  # characters, in scripts without blanks

_ADDRESS = re.compile(r"[a-z]{2,10}://\S{1,500}")  # its question mark asks nothing
_BETWEEN = re.compile(r"(?<=[.!?]) +|(?<=[？。！؟])")
_ASKS = re.compile(r"[?？؟][)\"'”»*_]{0,3}$")


def question(words: str) -> str:
    """Find the first sentence that asks for something, else the first that asks at all, else nothing; lines are joined."""
    asked = [sentence for paragraph in words.split("\n\n") for sentence in _sentences(paragraph)]
    telling = (
        one for one in asked if len(one.split()) >= ENOUGH or (not one.isascii() and len(one) >= DENSE)
    )
    return next(telling, asked[0] if asked else "")


def _sentences(paragraph: str) -> list[str]:
    own = " ".join(line.strip() for line in paragraph.split("\n") if not line.lstrip().startswith(">"))
    found = [
        sentence.strip(" *_-") for sentence in _BETWEEN.split(_ADDRESS.sub("", own)) if _ASKS.search(sentence)
    ]
    return [one for one in found if len(one) <= MAX_QUESTION and any(map(str.isalpha, one))]
