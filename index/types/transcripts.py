"""Transcripts: the words that were read in pictures."""

from __future__ import annotations

from dataclasses import dataclass

from index.types.records import Link

# What is kept of one transcript, in letters. A page of a book has some 3,000.
MAX_LETTERS = 8_000


@dataclass(frozen=True, slots=True)
class PendingTranscript:
    """A picture whose words nobody has read yet.

    id     of the picture, by which a list of them goes on
    key    of the picture, for `Transcripts.put`
    link   a place where its bytes can be fetched: the newest
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
