"""Reads of links: what is in the gallery, and how much of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.store.sql import columns, transcripts, word_search
from index.store.sql.database import Database, Row
from index.store.sql.traits import condition, of_space
from index.types.filter import Filter
from index.types.records import (
    Belonging,
    Counts,
    Group,
    Kind,
    Link,
    ModelInfo,
    Moment,
    Outlines,
    key_of,
)

# Stills and words that come with belongings at once: Discord takes files of 10 MB. One picture has
# far less.
MAX_KEPT_BYTES = 6_000_000
MOST_BYTES = 4  # of a letter


class Links:
    """Reads the links of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def slots(self, space: int, source: str) -> set[str]:
        """The slots of one source that are in the gallery."""
        return set(await self.ids_of_source(space, source))

    async def partial_slots(self, space: int, source: str) -> set[str]:
        """The slots of one source that show a picture whose file lacks a part of it."""
        rows = await self._database.rows(
            """SELECT slot FROM links JOIN items ON items.id = links.item
            WHERE space = ? AND source = ? AND partial != 0""",
            space,
            source,
        )
        return {slot for (slot,) in rows}

    async def ids_of_source(self, space: int, source: str) -> dict[str, int]:
        """The slots of one source, each with the id of its link."""
        rows = await self._database.rows(
            "SELECT slot, id FROM links WHERE space = ? AND source = ?", space, source
        )
        return {slot: id for slot, id in rows}  # noqa: C416 (mypy can't see pairs in rows)

    async def seconds(self, frames: Mapping[int, int]) -> dict[int, float]:
        """For each of these links, when this frame of what it shows is shown; only of animations
        and videos, and where it is known."""
        return {link: second for link, second in await self._moments("second", frames)}  # noqa: C416

    async def stills(self, frames: Mapping[int, int]) -> dict[int, bytes]:
        """A small WebP of those frames."""
        return {link: still for link, still in await self._moments("still", frames)}  # noqa: C416

    async def _moments(self, column: str, frames: Mapping[int, int]) -> list[Row]:
        """A column of the moments of these links' frames. An item whose frames were chosen anew
        since, by a Magpie that chooses others, has another number of vectors."""
        return await self._database.rows(
            f"""SELECT links.id, moments.{column} FROM pairs(?, ?) AS asked
            JOIN links ON links.id = asked.one
            JOIN moments ON moments.item = links.item AND moments.frame = asked.other
            JOIN embeddings ON embeddings.item = links.item
            WHERE length(vectors) = (SELECT 4 * dimension FROM model)
                * (SELECT COUNT(*) FROM moments AS every WHERE every.item = links.item)""",
            *(list(frames), list(frames.values())),
        )

    async def resolved(self, filter: Filter) -> Filter:
        """The filter with every condition that only the store can answer turned into ids."""
        if filter.but_not_source is not None:
            links = await self.ids_of_source(filter.space, filter.but_not_source)
            without = filter.without.union(links.values())
            filter = replace(filter, without=without, but_not_source=None)
        if filter.says:
            said = await word_search.saying(self._database, filter.says, filter)
            only = said if filter.only is None else said & filter.only
            filter = replace(filter, only=only, says=())
        wanted = condition(filter)
        if wanted is not None:
            where, values = wanted
            rows = await self._database.many_rows(f"SELECT id FROM links WHERE {where}", *values)
            ids = await asyncio.to_thread(_ids, rows)  # they may be a million
            only = ids if filter.only is None else ids & filter.only
            nothing = frozenset[str]()
            filter = replace(
                filter, only=only, has=nothing, has_not=nothing, under=(), not_under=()
            )
        return filter

    async def known(self, space: int, group: int) -> dict[str, set[str]]:
        """All sources of a group, each with its slots."""
        rows = await self._database.many_rows(
            "SELECT source, slot FROM links WHERE space = ? AND group_id = ?", space, group
        )
        known: dict[str, set[str]] = {}
        for source, slot in rows:
            known.setdefault(source, set()).add(slot)
        return known

    async def outlines(self, space: int) -> Outlines:
        """All pictures of a space in short."""
        rows = await self._database.rows(
            """SELECT links.id, items.id, width, height, posted_at, key, source
            FROM links JOIN items ON items.id = links.item
            WHERE space = ? AND kind = 'image' ORDER BY links.id""",
            space,
        )
        return await asyncio.to_thread(_outlines, rows)

    async def frame_counts(self, ids: Sequence[int]) -> dict[int, int]:
        """How many frames of the animation or video that each of these links shows are searched;
        of a still picture, nothing."""
        rows = await self._database.rows(
            """SELECT links.id, COUNT(*) FROM links JOIN moments ON moments.item = links.item
            WHERE links.id IN (numbers(?)) GROUP BY links.id""",
            list(ids),
        )
        return {id: count for id, count in rows}  # noqa: C416 (mypy can't see pairs in rows)

    async def details(self, space: int, group: int) -> dict[str, Mapping[str, Any]]:
        """All sources of a group, each with the details of one of its links."""
        rows = await self._database.many_rows(
            "SELECT source, details FROM links WHERE space = ? AND group_id = ? ORDER BY id",
            space,
            group,
        )
        return {source: json.loads(details) for source, details in rows}

    async def link(self, space: int, id: int) -> Link | None:
        """The link of a space with this id; None when it has none (any more)."""
        found = await self.with_ids(space, [id])
        return found[id][0] if id in found else None

    async def with_ids(
        self, space: int, ids: Sequence[int]
    ) -> dict[int, tuple[Link, Kind, str | None]]:
        """Those of these links that are (still) there, each with its item's kind and text. A link
        of another space counts as one that isn't there."""
        rows = await self._database.rows(
            f"""SELECT {columns.LINK}
            WHERE unindexed(links.space) = ? AND links.id IN (numbers(?))""",
            space,
            list(ids),
        )
        return {row[0]: (columns.link_of(row), row[12], row[13]) for row in rows}

    async def links_of_picture(self, data: bytes) -> dict[int, Link]:
        """All links to exactly these bytes, by id."""
        key = await asyncio.to_thread(key_of, "image", data)
        rows = await self._database.rows(
            f"SELECT {columns.LINK} WHERE items.key = ? ORDER BY links.id", key
        )
        return {row[0]: columns.link_of(row) for row in rows}

    async def copies(self, ids: Sequence[int], within: Filter) -> dict[int, dict[int, Link]]:
        """For each of these links, the links of the filter's space and groups that show the same
        item, by id. No other link is looked at."""
        where, values = _of_groups(within)
        rows = await self._database.rows(
            f"""SELECT id, item FROM links WHERE item IN
            (SELECT item FROM links WHERE id IN (numbers(?))){where}
            ORDER BY id""",
            list(ids),
            *values,
        )
        links = await self.with_ids(within.space, [id for id, _ in rows])
        items = {id: item for id, item in rows if id in links}
        copies: dict[int, dict[int, Link]] = {}
        for id, item in items.items():
            copies.setdefault(item, {})[id] = links[id][0]
        return {id: copies[items[id]] for id in ids if id in items}

    async def exact_copies(self, picture: bytes | int, within: Filter) -> dict[int, Link]:
        """The links of the filter's space and groups that show these bytes, or what this link
        shows, by id. No other link is looked at, so the time tells nothing of others."""
        key: bytes | int = picture
        if isinstance(picture, bytes):
            key = await asyncio.to_thread(key_of, "image", picture)
        of_item = (
            "key = ?" if isinstance(key, bytes) else "id = (SELECT item FROM links WHERE id = ?)"
        )
        where, values = _of_groups(within)
        rows = await self._database.rows(
            f"SELECT id FROM links WHERE item = (SELECT id FROM items WHERE {of_item}){where}",
            key,
            *values,
        )
        links = await self.with_ids(within.space, [id for (id,) in rows])
        return {id: link for id, (link, _, _) in links.items()}

    async def items(self, ids: Sequence[int]) -> dict[int, int]:
        """The item of each of these links; of one that is gone, nothing."""
        rows = await self._database.rows(
            "SELECT id, item FROM links WHERE id IN (numbers(?))",
            list(ids),
        )
        return {id: item for id, item in rows}  # noqa: C416 (mypy can't see pairs in rows)

    async def groups(self, space: int) -> list[Group]:
        """Every group that has links."""
        rows = await self._database.rows(
            "SELECT id, parent, private FROM groups WHERE space = ? ORDER BY id", space
        )
        return [Group(id, parent, bool(private)) for id, parent, private in rows]

    async def spaces(self) -> set[int]:
        """All spaces that have watched groups or links."""
        rows = await self._database.rows("SELECT space FROM watched UNION SELECT space FROM groups")
        return {space for (space,) in rows}

    async def count(
        self, space: int | None = None, groups: Collection[int] | None = None
    ) -> Counts:
        """How many images, texts and links there are; of a space, of some groups, if given."""
        where, values = of_space(space)
        if groups is not None:
            where, values = f"{where} AND links.group_id IN (numbers(?))", [*values, list(groups)]
        rows = await self._database.many_rows(
            f"""SELECT items.kind, COUNT(DISTINCT items.id), COUNT(*),
                COUNT(DISTINCT CASE WHEN items.partial != 0 THEN items.id END)
            FROM links JOIN items ON items.id = links.item
            WHERE {where} GROUP BY items.kind""",
            *values,
        )
        items = {kind: count for kind, count, *_ in rows}
        links, partial = (sum(row[column] for row in rows) for column in (2, 3))
        return Counts(items.get("image", 0), items.get("text", 0), links, partial)

    async def count_links(self, space: int | None = None, groups: Collection[int] = ()) -> int:
        """How many links there are (nearly, of very many), or those of some groups of a space.

        Quicker than `count`: an index has the answer, where `count` must read every row.
        """
        if space is None:
            return await self._database.count_rows("links")
        rows = await self._database.rows(
            """SELECT COUNT(*) FROM links
            WHERE space = ? AND group_id IN (numbers(?))""",
            space,
            list(groups),
        )
        return int(rows[0][0])

    async def count_of_owner(self, space: int, owner: int) -> int:
        """How many links an owner has."""
        rows = await self._database.rows(
            "SELECT COUNT(*) FROM links WHERE space = ? AND owner = ?", space, owner
        )
        return int(rows[0][0])

    async def owners(
        self, space: int, groups: Collection[int], *, limit: int = 1000
    ) -> dict[int, int]:
        """Whose links these groups have, and how many of each; most first. The time that it takes
        depends on these groups alone."""
        rows = await self._database.rows(
            """SELECT owner, COUNT(*) FROM links by_index(links_of_group)
            WHERE space = ? AND group_id IN (numbers(?))
            GROUP BY owner ORDER BY COUNT(*) DESC, owner LIMIT ?""",
            space,
            list(groups),
            limit,
        )
        return {owner: count for owner, count in rows}  # noqa: C416 (mypy can't see pairs in rows)

    async def belongings(
        self, space: int, owner: int, *, after: int = 0, limit: int = 1000
    ) -> list[tuple[int, Belonging]]:
        """An owner's links with ids above `after`, by id, with all that is kept of each; fewer
        where they have many stills or words."""
        model = await self.model()
        rows = await self._database.rows(
            f"""SELECT id, vectors FROM (
                SELECT links.id, vectors, sum(
                    (SELECT COALESCE(sum(length(still)), 0) FROM moments
                        WHERE moments.item = links.item)
                    + (SELECT COALESCE(sum({MOST_BYTES} * length(lines)), 0) FROM transcripts
                        WHERE transcripts.item = links.item)
                ) OVER (ORDER BY links.id) AS so_far
                FROM links JOIN embeddings ON embeddings.item = links.item
                WHERE space = ? AND owner = ? AND links.id > ? ORDER BY links.id LIMIT ?) AS mine
            WHERE so_far <= ? ORDER BY id""",
            space,
            owner,
            after,
            limit,
            MAX_KEPT_BYTES,
        )
        ids = [id for id, _ in rows]
        links, moments = await self.with_ids(space, ids), await self._all_moments(ids)
        words = await transcripts.of_links(self._database, ids)
        return [
            (
                id,
                Belonging(
                    *links[id],
                    columns.vectors_of(self._database.place, vectors, model.dimension),
                    moments.get(id, ()),
                    words.get(id, ()),
                ),
            )
            for id, vectors in rows
            if id in links and model is not None
        ]

    async def _all_moments(self, ids: Sequence[int]) -> dict[int, list[Moment]]:
        """All moments of what these links show, by link."""
        rows = await self._database.rows(
            """SELECT links.id, second, still
            FROM links JOIN moments ON moments.item = links.item
            WHERE links.id IN (numbers(?)) ORDER BY links.id, frame""",
            list(ids),
        )
        moments: dict[int, list[Moment]] = {}
        for id, second, still in rows:
            moments.setdefault(id, []).append(Moment(second, still))
        return moments

    async def disk_bytes(self) -> int:
        """What the store takes on disk."""
        return await self._database.disk_bytes()

    async def model(self) -> ModelInfo | None:
        """The model whose embeddings are kept; None in an empty gallery."""
        rows = await self._database.rows("SELECT name, revision, dimension FROM model")
        return ModelInfo(*rows[0]) if rows else None


def _of_groups(filter: Filter) -> tuple[str, list[object]]:
    """The condition that a link is of the filter's space and groups; an index has them."""
    if filter.groups is None:
        return " AND space = ?", [filter.space]
    where = " AND space = ? AND group_id IN (numbers(?))"
    return where, [filter.space, sorted(filter.groups)]


def _ids(rows: Sequence[Row]) -> frozenset[int]:
    return frozenset(id for (id,) in rows)


def _outlines(rows: Sequence[Row]) -> Outlines:
    def whole(column: int) -> NDArray[np.int64]:
        return np.array([row[column] for row in rows], np.int64)

    return Outlines(
        links=whole(0),
        items=whole(1),
        widths=whole(2),
        heights=whole(3),
        posted=np.array([row[4] for row in rows], np.float64),
        keys=[row[5] for row in rows],
        sources=[row[6] for row in rows],
    )
