"""Transcripts: the words that were read in pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from index.types.records import Link

# What is kept of one transcript, in letters. A page of a book has some 3,000.
MAX_LETTERS = 8_000


Place: TypeAlias = tuple[int, int]  # a space and a group of it


@dataclass(frozen=True, slots=True)
class PendingTranscript:
    """A link to a picture whose words are still to be read for it.

    id     of the link, by which a list of them goes on
    key    of the picture, for `Transcripts.put`
    """

    id: int
    key: bytes
    link: Link


@dataclass(frozen=True, slots=True)
class Mentions:
    """Which links show pictures with which of some phrases, by the phrases' numbers.

    exact   in which these stand
    near    in which something stands that differs by a letter; or these
    """

    exact: dict[int, set[int]]
    near: dict[int, set[int]]
