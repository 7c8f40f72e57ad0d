"""Words and how often they occur."""

import re
from collections import Counter

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def count(text: str) -> Counter[str]:
    """How often each word occurs, whatever its case."""
    return Counter(word.casefold() for word in _WORD.findall(text))
