"""Between what a shell hands over and a line of the query language.

A shell takes the quotation marks away and hands over separate words. So a word with a blank in it
was quoted as one thing: `-"red car"` arrives as `-red car`, `in:"My Photos"` as `in:My Photos`. A
whole line in quotation marks, such as 'dog -snow' or 'after:2024 dog', is read as it is. Only names
of folders and unwanted words need the quotation marks back; a date of several words needs none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.language.fields import FIELDS
from index.language.tokens import QUOTES

_QUOTABLE = re.compile(r"(-?(?:in|from|without|image):)(.*)", re.DOTALL | re.IGNORECASE)
_OTHER_PART = re.compile(rf"\s-?(?:{'|'.join(FIELDS)}):", re.IGNORECASE)
_MARK = re.compile(f"[{re.escape(QUOTES)}]")
# A part of a line that a shell must hand over as one word.
_PART = re.compile(r'(?:[^\s"]|"(?:\\.|[^"\\])*"?)+')


def joined(words: Sequence[str]) -> str:
    """The line that these words of a command mean."""
    return " ".join(_as_one(word) for word in words)


def _as_one(word: str) -> str:
    """The word as the line has it, in quotation marks where the shell took them away."""
    if not re.search(r"\s", word.strip()) or _MARK.search(word):
        return word
    found = _QUOTABLE.fullmatch(word)
    if found and not _OTHER_PART.search(found[2]):
        return found[1] + _quoted(found[2])
    return f"-{_quoted(word[1:])}" if word.startswith("-") else word


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\") + '"'


def separate(line: str) -> list[str]:
    """The words by which a command says this line: `joined` makes the same line of them."""
    return _PART.findall(line)
