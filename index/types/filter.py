"""Which links may answer a query, and in which order they come."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from index.types.records import Kind, Link

OF_THE_MOMENT = ("groups", "only", "without", "but_not_source")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which links may answer. It is applied before ranking, so that a link which may not answer
    changes nothing about an answer, not even its length.

    groups          ids of the allowed groups; None: all groups of the space
    kind            "image", "text", or None for both
    owners          only links of these owners; None: of all owners
    but_owners      no links of these owners
    since, until    posted in [since, until), Unix seconds; None: no limit on that side
    has             only links that have all of these traits, which are words of `language.HAS`
    has_not         only links that have none of these
    under           only links whose source is one of these folders, or lies in one; (): all links
    not_under       no links of these folders
    says            only links to pictures in which all of this is written, in whole words in this
                    order, whatever the case and the accents
    only            ids of the links that may answer; None: no condition. A condition that the
                    index has no column for is looked up in the store and handed over in this way
    without         ids of links to leave out
    but_not_source  leave out all links of this source, such as the message that the query's
                    picture was taken from
    """

    space: int
    groups: frozenset[int] | None = None
    kind: Kind | None = "image"
    owners: frozenset[int] | None = None
    but_owners: frozenset[int] = frozenset()
    since: float | None = None
    until: float | None = None
    has: frozenset[str] = frozenset()
    has_not: frozenset[str] = frozenset()
    under: tuple[str, ...] = ()
    not_under: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    only: frozenset[int] | None = None
    without: frozenset[int] = frozenset()
    but_not_source: str | None = None

    def to_json(self) -> dict[str, Any]:
        """What was asked for, without what depends on the moment: groups, and ids of links."""
        kept = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: sorted(value) if isinstance(value, frozenset | tuple) else value
            for name, value in kept.items()
            if name not in OF_THE_MOMENT
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Filter:
        """What `to_json` wrote, by this Magpie or an earlier one with fewer fields."""
        told = dict(kept)
        owner = told.pop("owner", None)  # of an earlier Magpie, whose filters knew one owner
        if owner is not None:
            told["owners"] = [owner]
        for name in ("under", "not_under", "says"):
            if name in told:
                told[name] = tuple(told[name])
        for name in ("owners", "but_owners", "has", "has_not"):
            if told.get(name) is not None:
                told[name] = frozenset(told[name])
        return cls(**told)

    def admits(self, id: int, link: Link, kind: Kind) -> bool:
        """Whether a link may answer. Of a filter that is `Links.resolved`."""
        return (
            link.space == self.space
            and (self.groups is None or link.group.id in self.groups)
            and self.kind in (None, kind)
            and (self.owners is None or link.owner in self.owners)
            and link.owner not in self.but_owners
            and (self.since is None or link.posted_at >= self.since)
            and (self.until is None or link.posted_at < self.until)
            and (self.only is None or id in self.only)
            and id not in self.without
        )

    @property
    def limits(self) -> bool:
        """Whether it leaves out anything beside other spaces, groups and kinds: then there is
        something to list, even without a query."""
        said = (self.owners, self.since, self.until, self.only)
        rest = (self.but_owners, self.has, self.has_not, self.under, self.not_under, self.says)
        return any(one is not None for one in said) or any(rest)


class Sort(enum.Enum):
    """The order of an answer."""

    BEST = "best"  # by score, the greatest first; then by the link's id
    NEWEST = "newest"  # newest first; at the same time, the greater id first
    OLDEST = "oldest"  # the other way round
