"""Watches: questions that are kept, and that each new link is judged by."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from index.types.query import QueryEmbedding
from index.types.searches import Asked

# The most links of one watch that wait to be told; older ones give way.
MOST_PENDING = 60
# How long it is remembered of which links a watch has told, seconds.
TOLD_S = 90 * 24 * 3600.0
# How long it is remembered when messages were sent to an owner, seconds.
COUNTED_S = 2 * 24 * 3600.0


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """A kept question of an owner.

    id         0 while it isn't kept
    group      where its notices go; None: to the owner alone
    settings   small JSON, opaque here
    embedding  None until it was embedded by the gallery's model
    revision   of the model that embedded it
    made_at    Unix seconds
    paused     why nothing is told, opaque here; "": it isn't paused
    searched   how many links could answer it when a link was last judged by it
    bar        what a link's picture must be like its own, at least, as of then
    """

    id: int
    space: int
    owner: int
    asked: Asked
    group: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    embedding: QueryEmbedding | None = None
    revision: str = ""
    made_at: float = 0.0
    paused: str = ""
    searched: int = 0
    bar: float = -1.0

    def to_json(self) -> dict[str, Any]:
        """What was asked and when, as the export of a member's data shows it."""
        vectors = self.embedding.wanted if self.embedding else []
        return {
            **self.asked.to_json(),
            "group": self.group,
            "settings": dict(self.settings),
            "paused": self.paused,
            "made_at": self.made_at,
            "vectors": [[round(float(one), 5) for one in vector] for vector in vectors],
        }


class Stage(enum.IntEnum):
    """What is next for a link that watches are to judge."""

    SHOWN = 0  # judge it by what it shows
    UNREAD = 1  # wait until its words were read
    READ = 2  # judge it by its words


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A link that watches are to judge."""

    space: int
    link: int
    stage: Stage


@dataclass(frozen=True, slots=True)
class Notice:
    """A link of which the owner of a watch is to be told.

    id      0 while it isn't kept
    due     from when on, Unix seconds
    sending names the message that tells of it, which may have been sent; "": none was begun
    """

    id: int
    watch: int
    link: int
    due: float
    sending: str = ""
