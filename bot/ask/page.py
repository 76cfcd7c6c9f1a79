"""A page of an answer: the pictures that it shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import discord

from bot.media.pictures import Picture
from index import Group, Hit, Position, Verdict

# Pictures on a page, one below the other: six fill the screen of a phone. Each has three of the 40
# components that a message may have, and costs a request.
PAGE_SIZE = 6


@dataclass(frozen=True, slots=True)
class ShownHit:
    """A hit, and its picture as its message had it when it was read.

    as_of    `Writer.now` before the message was asked for
    copies   near-copies of the picture, each as a hit
    still    of an animation or a video, a small WebP of the frame that fits
    """

    hit: Hit
    picture: Picture
    message: discord.Message
    as_of: int
    copies: tuple[Hit, ...] = ()
    still: bytes | None = None

    @property
    def groups(self) -> list[Group]:
        """Where it and its copies are."""
        return [one.link.group for one in (self.hit, *self.copies)]


@dataclass(slots=True)
class ResultPage:
    """A page of an answer.

    start    where the page before it ended; None for the first page
    end      where the next page begins; None if nothing was found
    more     whether there may be another page
    guesses  whether it also shows what doesn't fit
    verdict  whether anything fits
    any      whether there is anything that could be shown as a guess
    """

    start: Position | None = None
    end: Position | None = None
    more: bool = False
    guesses: bool = False
    verdict: Verdict = Verdict.SURE
    any: bool = False
    shown: list[ShownHit] = field(default_factory=list)
    unreadable: int = 0
    truncated: str | None = None  # the words that were read, where the text was too long

    @property
    def first(self) -> int:
        """How many pictures of the answer come before it."""
        return self.start.rank if self.start else 0

    @property
    def numbered(self) -> list[tuple[int, ShownHit]]:
        """Its pictures, numbered within the answer."""
        return list(enumerate(self.shown, start=self.first + 1))
