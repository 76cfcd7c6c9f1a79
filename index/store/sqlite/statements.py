"""Statements that several writes share, and what becomes of the rows that are read.

Each is part of a transaction that its caller holds.
"""

from __future__ import annotations

import json
import math
import sqlite3
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import aiosqlite
import numpy as np

from index.types.errors import StoreCorrupt
from index.types.records import Cursor, EmbeddedPicture, Entries, Floats, Group, Job, Link, Settled

# What `link_of` takes, then the item's kind and text.
LINK = """links.id, links.space, links.source, links.slot, links.owner, links.posted_at,
    links.name, links.spoiler, links.details,
    groups.id, groups.parent, groups.private, items.kind, items.text
    FROM links JOIN items ON items.id = links.item
    JOIN groups ON groups.space = links.space AND groups.id = links.group_id"""


async def permitted(
    db: aiosqlite.Connection, items: Sequence[tuple[EmbeddedPicture, Link]]
) -> list[tuple[EmbeddedPicture, Link]]:
    """Those that their owner and their space let be kept."""
    spaces = json.dumps(list({link.space for _, link in items}))
    there = "space IN (SELECT value FROM json_each(?))"
    out = await db.execute_fetchall(f"SELECT space, owner FROM opted_out WHERE {there}", (spaces,))
    kept_s = await db.execute_fetchall(
        f"SELECT space, days * 86400 FROM retention WHERE {there}", (spaces,)
    )
    opted_out = {(space, owner) for space, owner in out}
    oldest = {space: time.time() - seconds for space, seconds in kept_s}
    return [
        (picture, link)
        for picture, link in items
        if (link.space, link.owner) not in opted_out
        and link.posted_at >= oldest.get(link.space, -math.inf)
    ]


async def put_groups(db: aiosqlite.Connection, links: Sequence[Link]) -> None:
    """The groups of these links, as they are now."""
    groups = {(link.space, link.group) for link in links}
    await db.executemany(
        """INSERT INTO groups (space, id, parent, private) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET parent = excluded.parent, private = excluded.private""",
        [(space, group.id, group.parent, group.private) for space, group in groups],
    )


async def put_item(db: aiosqlite.Connection, picture: EmbeddedPicture) -> int:
    """The id of the item with these bytes, which may be there already."""
    found = list(await db.execute_fetchall("SELECT id FROM items WHERE key = ?", (picture.key,)))
    if found:
        await put_successor(db, int(found[0][0]), picture)
        return int(found[0][0])
    id = await returned(
        db,
        "INSERT INTO items (key, kind, width, height, text) VALUES (?, ?, ?, ?, ?) RETURNING id",
        picture.key,
        picture.kind,
        picture.width,
        picture.height,
        picture.text,
    )
    # float32: float16 would halve the file, but the exact second ranking and a change of
    # precision later on need the vectors as the model gave them.
    await db.execute("INSERT INTO embeddings VALUES (?, ?)", (id, blob(picture.vectors)))
    await put_successor(db, id, picture)
    return id


async def put_successor(db: aiosqlite.Connection, item: int, picture: EmbeddedPicture) -> None:
    """The item's vectors by the model that is to follow, if one is."""
    if picture.successor is not None:
        await db.execute(
            "INSERT OR REPLACE INTO successor_embeddings SELECT ?, ? FROM successor",
            (item, blob(picture.successor)),
        )


def blob(vectors: Floats) -> bytes:
    """What a column of vectors holds of (frames, d): float32, row by row."""
    return np.ascontiguousarray(vectors, np.float32).tobytes()


async def put_link(
    db: aiosqlite.Connection, item: int, link: Link
) -> tuple[int, tuple[int, int, int, float] | None]:
    """The link's id; and its item, group, owner and time before, when it was there already."""
    found = list(
        await db.execute_fetchall(
            """SELECT id, item, group_id, owner, posted_at FROM links
            WHERE space = ? AND source = ? AND slot = ?""",
            (link.space, link.source, link.slot),
        )
    )
    values = (
        link.group.id,
        item,
        link.owner,
        link.posted_at,
        link.name,
        link.spoiler,
        json.dumps(dict(link.details)),
    )
    if found:
        id, *before = found[0]
        await db.execute(
            """UPDATE links SET group_id = ?, item = ?, owner = ?, posted_at = ?, name = ?,
            spoiler = ?, details = ? WHERE id = ?""",
            (*values, id),
        )
        return id, (before[0], before[1], before[2], before[3])
    id = await returned(
        db,
        """INSERT INTO links (group_id, item, owner, posted_at, name, spoiler, details,
        space, source, slot) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id""",
        *values,
        link.space,
        link.source,
        link.slot,
    )
    return id, None


async def touch(db: aiosqlite.Connection, links: Sequence[int]) -> None:
    """Note that these links, as far as they have settled, are no longer as they were."""
    await db.execute(
        """INSERT OR IGNORE INTO touched SELECT value FROM json_each(?)
        WHERE value <= (SELECT newest FROM settled)""",
        (json.dumps(list(links)),),
    )


async def put_settled(db: aiosqlite.Connection, settled: Settled | None) -> None:
    """What has settled, and that nothing of it was touched since but what it says itself."""
    await db.execute("DELETE FROM settled")
    await db.execute("DELETE FROM touched")
    if settled is not None:
        await db.execute(
            "INSERT INTO settled VALUES (1, ?, ?)", (json.dumps(settled.names), settled.newest)
        )
        await touch(db, list(settled.touched))


async def put_cursors(db: aiosqlite.Connection, cursors: Sequence[Cursor]) -> None:
    await db.executemany(
        "INSERT OR REPLACE INTO cursors VALUES (?, ?, ?, ?, ?)",
        [(c.space, c.group, c.newest, c.oldest, c.complete) for c in cursors],
    )


async def put_jobs(db: aiosqlite.Connection, jobs: Sequence[Job]) -> None:
    await db.executemany(
        "UPDATE jobs SET status = ?, state = ? WHERE id = ?",
        [(job.status, json.dumps(dict(job.state)), job.id) for job in jobs],
    )


async def drop_orphans(db: aiosqlite.Connection, items: Collection[int]) -> None:
    """Drop those items that no link shows any more (their vectors follow), and empty groups."""
    if not items:
        return
    await db.execute(
        """DELETE FROM items WHERE id IN (SELECT value FROM json_each(?))
        AND NOT EXISTS (SELECT 1 FROM links WHERE links.item = items.id)""",
        (json.dumps(list(items)),),
    )
    await db.execute(
        """DELETE FROM groups WHERE NOT EXISTS (SELECT 1 FROM links
        WHERE links.space = groups.space AND links.group_id = groups.id)"""
    )


async def returned(db: aiosqlite.Connection, sql: str, *params: Any) -> int:
    """The one number a statement gives back."""
    ((number,),) = await db.execute_fetchall(sql, params)
    return int(number)


# ---- rows to data


def link_of(row: sqlite3.Row) -> Link:
    """The link in a row of `LINK`."""
    (_, space, source, slot, owner, posted_at, name, spoiler, details, *group) = row[:12]
    id, parent, private = group
    return Link(
        space=space,
        group=Group(id, parent, bool(private)),
        source=source,
        slot=slot,
        owner=owner,
        posted_at=posted_at,
        name=name,
        spoiler=bool(spoiler),
        details=json.loads(details),
    )


def vectors_of(path: Path, blob: bytes, dimension: int) -> Floats:
    """(frames, d) float32; raises StoreCorrupt when the length doesn't fit."""
    if not blob or len(blob) % (4 * dimension):
        raise StoreCorrupt(path, f"a vector has {len(blob)} bytes, not {4 * dimension}")
    return np.frombuffer(blob, np.float32).reshape(-1, dimension)


def chunk_of(path: Path, rows: Sequence[sqlite3.Row], dimension: int) -> Entries:
    """Rows with vectors, column by column; raises StoreCorrupt when a length doesn't fit."""
    links, spaces, groups, texts, owners, posted, sizes, blobs = zip(*rows, strict=True)
    if any(not size or size % (4 * dimension) for size in sizes):
        raise StoreCorrupt(path, f"a vector has a length that is not {dimension}")
    return Entries(
        links=np.array(links, np.int64),
        spaces=np.array(spaces, np.int64),
        groups=np.array(groups, np.int64),
        texts=np.array(texts, np.bool_),
        owners=np.array(owners, np.int64),
        posted=np.array(posted, np.float64),
        frames=np.array(sizes, np.int64) // (4 * dimension),
        vectors=np.frombuffer(b"".join(blobs), np.float32).reshape(-1, dimension),
    )


def entries_of(added: Sequence[tuple[int, EmbeddedPicture, Link]]) -> Entries | None:
    """Links that were written, by their ids, as search takes them."""
    if not added:
        return None
    # The same slot twice in one commit: the last one counts, as in the file.
    last = {id: (picture, link) for id, picture, link in added}
    return Entries(
        links=np.array(list(last), np.int64),
        spaces=np.array([link.space for _, link in last.values()], np.int64),
        groups=np.array([link.group.id for _, link in last.values()], np.int64),
        texts=np.array([picture.kind == "text" for picture, _ in last.values()], np.bool_),
        owners=np.array([link.owner for _, link in last.values()], np.int64),
        posted=np.array([link.posted_at for _, link in last.values()], np.float64),
        frames=np.array([len(picture.vectors) for picture, _ in last.values()], np.int64),
        vectors=np.concatenate([picture.vectors for picture, _ in last.values()]),
    )
