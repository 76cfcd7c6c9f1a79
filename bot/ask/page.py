"""A page of an answer: the pictures that it shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import discord

from bot.media.pictures import Picture
from index import Hit, Position

# Pictures on a page: two rows of three in Discord's media gallery, which holds ten. With a line and
# a button for each, the page has 24 of the 40 components that a message may have. Each picture
# costs a request.
PAGE_SIZE = 6


@dataclass(frozen=True, slots=True)
class ShownHit:
    """A hit, and its picture as its message had it when it was read.

    as_of   `Writer.now` before the message was asked for
    """

    hit: Hit
    picture: Picture
    message: discord.Message
    as_of: int


@dataclass(slots=True)
class ResultPage:
    """A page of an answer.

    first   how many pictures of the answer come before it
    end     where the next page begins; None if nothing was found
    more    whether there may be another page
    """

    first: int
    end: Position | None = None
    more: bool = False
    shown: list[ShownHit] = field(default_factory=list)
    unreadable: int = 0
    truncated: str | None = None  # the words that were read, where the text was too long
