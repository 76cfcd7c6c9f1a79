"""Saved searches: what was asked, so that it can be asked again, such as for its next page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from index.types.filter import Filter, Sort
from index.types.query import QueryEmbedding

# How long a saved search can be run again.
SEARCH_LIFE_S = 7 * 24 * 3600.0
# Fields of `Asked` that are only written if not empty.
LISTS = ("minus", "more", "less", "places", "not_places", "understood")


@dataclass(frozen=True, slots=True)
class ShownBy:
    """The source whose picture a search was made with, and which of its pictures that is."""

    group: int
    source: str
    chosen: int = 0  # the number of the picture, from 0
    count: int = 1  # how many pictures the source showed


@dataclass(frozen=True, slots=True)
class Asked:
    """What a search asked.

    with_picture  it was made with a picture, alone or with words
    like          the id of a link, when that picture is in the gallery
    shown_by      where that picture stands, when a source shows it
    public        the answer was for everybody
    filter        what the asker limited it to; what they may see is added when it is run
    minus         what should not be seen
    more, less    ids of the links of which more, or less, is wanted
    places, not_places  ids of the groups, and of what they are parts of, to look in or leave out
    sort          the order of its answer
    line          the question as it was typed, to be changed and asked again
    understood    words of the line that were read as a minus, and that minus; said with each page
    cluster       the name of the cluster of an overview whose pictures are wanted; "" for none
    """

    words: str = ""
    with_picture: bool = False
    like: int | None = None
    shown_by: ShownBy | None = None
    public: bool = False
    filter: Filter | None = None
    minus: tuple[str, ...] = ()
    more: tuple[int, ...] = ()
    less: tuple[int, ...] = ()
    sort: Sort = Sort.BEST
    line: str = ""
    understood: tuple[tuple[str, str], ...] = ()
    places: tuple[int, ...] = ()
    not_places: tuple[int, ...] = ()
    cluster: str = ""

    def to_json(self) -> dict[str, Any]:
        """The JSON that stores keep and that the export of a member's data shows."""
        shown = self.shown_by
        return {
            "words": self.words,
            "picture": self.with_picture,
            "like": self.like,
            "source": shown
            and {
                "channel": shown.group,
                "message": int(shown.source) if shown.source.isdecimal() else shown.source,
                "chosen": shown.chosen,
                "count": shown.count,
            },
            "public": self.public,
            **({"filter": self.filter.to_json()} if self.filter else {}),
            **{name: list(said) for name in LISTS if (said := getattr(self, name))},
            **({"sort": self.sort.value} if self.sort is not Sort.BEST else {}),
            **({"line": self.line} if self.line else {}),
            **({"cluster": self.cluster} if self.cluster else {}),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Asked:
        """What `to_json` wrote."""
        source = kept["source"]
        shown = source and ShownBy(
            source["channel"], str(source["message"]), source["chosen"], source["count"]
        )
        filter = Filter.from_json(kept["filter"]) if "filter" in kept else None
        return cls(
            *(kept["words"], kept["picture"], kept["like"], shown, kept["public"], filter),
            minus=tuple(kept.get("minus", ())),
            more=tuple(kept.get("more", ())),
            less=tuple(kept.get("less", ())),
            sort=Sort(kept.get("sort", Sort.BEST.value)),
            line=kept.get("line", ""),
            understood=tuple((read, minus) for read, minus in kept.get("understood", ())),
            places=tuple(kept.get("places", ())),
            not_places=tuple(kept.get("not_places", ())),
            cluster=kept.get("cluster", ""),
        )


@dataclass(frozen=True, slots=True, eq=False)
class SavedSearch:
    """A search that can be run again.

    id         "" while it isn't saved
    embedding  None when it must not be kept: the query is embedded again then
    made_at    Unix seconds; 0 while it isn't saved
    """

    id: str
    space: int
    owner: int
    asked: Asked
    embedding: QueryEmbedding | None = None
    made_at: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """What was asked and when, as the export of a member's data shows it."""
        return {**self.asked.to_json(), "made_at": self.made_at}
