"""Which tables of a gallery are moved, and how their rows are read in parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Tables that are not copied: each engine makes them of the others, or they are of one engine alone.
MADE_ANEW = {
    *("words", "near_words", "word_terms"),  # the index of words is made from `transcripts`
    *("settled", "touched"),  # of the files beside SQLite's, and of what PostgreSQL's bots follow
    *("space_versions", "writers", "magpie_schema"),
}


@dataclass(frozen=True)
class Table:
    """A table with the same columns in both engines.

    key      the columns that tell its rows apart; (): rows may be equal
    by       a column with an index, whose numbers cut the table in parts; None: it is small, and
             read as a whole
    parents  columns that name the id of a row of another table
    updated  a changed row is changed in place, since other tables name it
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    by: str | None = None
    parents: tuple[tuple[str, str], ...] = ()
    updated: bool = False

    def key_of(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """The key of a row."""
        return tuple(row[self.columns.index(name)] for name in self.key)

    def ordered(self, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Rows of one part in an order that doesn't depend on the engine."""
        if not self.key:
            return sorted(rows, key=repr)
        places = [self.columns.index(name) for name in (self.by, *self.key) if name]
        return sorted(rows, key=lambda row: tuple(row[place] for place in places))


def _table(
    name: str,
    columns: str,
    key: str,
    by: str | None = None,
    *,
    updated: bool = False,
    **parents: str,
) -> Table:
    return Table(
        name, tuple(columns.split()), tuple(key.split()), by, tuple(parents.items()), updated
    )


def results_table(name: str) -> Table:
    """A table with what a derivation made."""
    return _table(name, "item data", "item", "item", item="items")


# A table stands after those that it names.
_BEFORE = (
    _table("identity", "id", ""),
    _table("model", "id name revision dimension", "id"),
    _table("ocr", "id revision", "id"),
    _table("welcoming", "since", ""),
    _table("derivations", "name revision id details", "name"),
    _table("items", "id key kind width height text partial", "id", "id", updated=True),
    _table("groups", "space id parent private closed_since", "space id", "space", updated=True),
    _table("embeddings", "item vectors", "item", "item", item="items"),
)
_AFTER = (
    _table("transcripts", "item lines stale", "item", "item", item="items"),
    _table("moments", "item frame second still", "item frame", "item", item="items"),
    _table(
        "links",
        "id space group_id source slot item owner posted_at name spoiler details",
        "id",
        "id",
        updated=True,
        item="items",
    ),
    _table("unread", "link", "link", "link", link="links"),
    _table("cursors", "space group_id newest oldest complete", "space group_id", "space"),
    _table("watched", "space group_id", "space group_id", "space"),
    _table("jobs", "id space kind status state", "id", "id"),
    _table("retention", "space days", "space", "space"),
    _table("departed", "space since", "space", "space"),
    _table("searches", "id space owner params vector truncated made_at parts", "id"),
    _table("left_out", "space owner upto", "space owner", "space"),
    _table(
        "not_copies", "space item other", "item other space", "item", item="items", other="items"
    ),
    _table("noted_groups", "space group_id owners", "space group_id", "space"),
    _table("passes", "space group_id item", "item space group_id", "item", item="items"),
    _table("notes", "space source group_id named id", "space source", "space"),
    _table(
        "watches",
        "id space owner asked group_id settings vector parts truncated revision made_at paused "
        "searched bar",
        "id",
        "id",
        updated=True,
    ),
    _table("unjudged", "link stage", "link", "link", link="links"),
    _table(
        "notices",
        "id watch link due sending sent_at",
        "id",
        "id",
        watch="watches",
        link="links",
    ),
    _table("welcomes", "space group_id source reading", "space", "space"),
    _table("tellings", "space owner at", "", "space"),
)
# Made by triggers when a fingerprint comes; compared, but not copied.
HASHES = _table("hashes", "item hashes", "item", "item", item="items")


def tables_to_copy(results: Sequence[str]) -> tuple[Table, ...]:
    """All tables, in the order in which their rows can be added.

    results   the tables with what derivations made
    """
    return (*_BEFORE, *map(results_table, sorted(results)), *_AFTER)


# A gallery that has a row in one of these is not empty: it has something that somebody would miss.
MISSED = tuple(
    table.name
    for table in (*_BEFORE, *_AFTER)
    if table.name
    not in {"identity", "model", "ocr", "welcoming", "derivations", "searches", "departed"}
)
