"""Whether a mail says thanks and nothing else, so that nobody need answer it.  Pure, and careful: in doubt it does not."""

import re
from typing import Final

MOST_WORDS: Final = 30

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")  # noqa: RUF001 -- the apostrophe of word processors
_THANKS = re.compile(
    r"\b(?:thank(?:s| you)|thx|cheers|merci|danke|vielen dank|grazie|gracias|obrigad[oa]|dzi[eę]kuj[eę]|tack|bedankt|dank u)\b",
    re.IGNORECASE,
)
_BUT = re.compile(
    r"\b(?:but|still|however|except|unfortunately|again|yet|another|also|not|n't|no|fail\w*|errors?|problems?|wrong|can|could|would|"
    r"please|aber|noch|leider|nicht|kein\w*|fehler|mais|encore|pas|erreur|ma|ancora|non|però|pero|todav[ií]a|a[uú]n)\b|n['’]t\b",  # noqa: RUF001
    re.IGNORECASE,
)


def only_thanks(words: str) -> bool:
    """Tell it of an author's own words, without quotes and signature."""
    if not _THANKS.search(words) or "?" in words or _BUT.search(words):
        return False
    return len(_WORD.findall(words)) <= MOST_WORDS
