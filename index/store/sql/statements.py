"""Statements that several writes share; each is part of a transaction that its caller holds."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from index.store.sql import columns, words
from index.store.sql.database import Transaction
from index.types.records import Changes, Cursor, EmbeddedPicture, Group, Job, Link


async def permitted(
    db: Transaction, items: Sequence[tuple[EmbeddedPicture, Link]]
) -> list[tuple[EmbeddedPicture, Link]]:
    """Those but for what its owner wants left out, and what is older than its space keeps."""
    spaces = list({link.space for _, link in items})
    there = "space IN (numbers(?))"
    out = await db.rows(f"SELECT space, owner, upto FROM left_out WHERE {there}", spaces)
    kept_s = await db.rows(f"SELECT space, days * 86400 FROM retention WHERE {there}", spaces)
    left_out = {(space, owner): upto for space, owner, upto in out}
    oldest = {space: time.time() - seconds for space, seconds in kept_s}
    return [
        (picture, link)
        for picture, link in items
        if link.posted_at > left_out.get((link.space, link.owner), -math.inf)
        and link.posted_at >= oldest.get(link.space, -math.inf)
    ]


# What somebody said of items, by table and column: it goes with the last link of its space.
SAID = (("not_copies", "item"), ("not_copies", "other"), ("passes", "item"))


async def put_groups(db: Transaction, links: Sequence[Link]) -> None:
    """Keep the groups of these links, as they are now."""
    groups = {(link.space, link.group) for link in links}
    moved = await _links_that_move(db, groups)
    await words.drop(db, moved)
    await db.execute_many(
        """INSERT INTO groups (space, id, parent, private) VALUES (?, ?, ?, ?)
        ON CONFLICT (space, id)
        DO UPDATE SET parent = excluded.parent, private = excluded.private""",
        [(space, group.id, group.parent, int(group.private)) for space, group in groups],
    )
    await words.add(db, moved)


async def _links_that_move(db: Transaction, groups: Collection[tuple[int, Group]]) -> list[int]:
    """The links with words in those of these groups whose place among others has changed."""
    now = {(space, group.id): (group.parent, int(group.private)) for space, group in groups}
    links: list[int] = []
    for space in {space for space, _ in groups}:
        ids = [id for one, id in now if one == space]
        known = await db.rows(
            "SELECT id, parent, private FROM groups WHERE space = ? AND id IN (numbers(?))",
            *(space, ids),
        )
        moved = [id for id, *place in known if tuple(place) != now[space, id]]
        if moved:
            there = "space = ? AND group_id IN (numbers(?))"
            links += await words.links_with_words(db, there, space, moved)
    return links


async def put_item(db: Transaction, picture: EmbeddedPicture) -> tuple[int, EmbeddedPicture]:
    """The item with these bytes, which is added unless it is there already.

    returns  its id, and the picture with the vectors that are kept: those of the first time
    """
    found = await db.rows(
        """SELECT id, vectors FROM items JOIN embeddings ON embeddings.item = items.id
        WHERE key = ?""",
        picture.key,
    )
    if found:
        id, vectors = found[0]
        kept = np.frombuffer(vectors, np.float32).reshape(-1, picture.vectors.shape[1])
        return int(id), replace(picture, vectors=kept)
    id = await returned(
        db,
        """INSERT INTO items (key, kind, width, height, text, partial)
        VALUES (?, ?, ?, ?, ?, ?) RETURNING id""",
        picture.key,
        picture.kind,
        picture.width,
        picture.height,
        picture.text,
        int(picture.partial),
    )
    # float32: float16 would halve the file, but the exact second ranking needs the vectors as
    # the model gave them, and so would a later change of precision.
    await db.execute(
        "INSERT INTO embeddings (item, vectors) VALUES (?, ?)", id, columns.blob(picture.vectors)
    )
    await db.execute_many(
        "INSERT INTO moments (item, frame, second, still) VALUES (?, ?, ?, ?)",
        [(id, frame, one.second, one.still) for frame, one in enumerate(picture.moments)],
    )
    return id, picture


async def put_link(
    db: Transaction, item: int, link: Link
) -> tuple[int, tuple[int, int, int, float] | None]:
    """Keep a link. returns  its id, and the item, group, owner and time that it had before; None
    for these when it is new."""
    found = await db.rows(
        """SELECT id, item, group_id, owner, posted_at FROM links
        WHERE space = ? AND source = ? AND slot = ?""",
        *(link.space, link.source, link.slot),
    )
    values = (
        link.group.id,
        item,
        link.owner,
        link.posted_at,
        link.name,
        int(link.spoiler),
        json.dumps(dict(link.details)),
    )
    if found:
        id, *before = found[0]
        elsewhere = (before[0], before[1]) != (item, link.group.id)
        if elsewhere:
            await words.drop(db, [id])
        await db.execute(
            """UPDATE links SET group_id = ?, item = ?, owner = ?, posted_at = ?, name = ?,
            spoiler = ?, details = ? WHERE id = ?""",
            *(*values, id),
        )
        if elsewhere:
            await db.execute("DELETE FROM unread WHERE link = ?", id)
            await words.begin_link(db, id)
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
    await words.begin_link(db, id)
    return id, None


async def put_cursors(db: Transaction, cursors: Sequence[Cursor]) -> None:
    """Keep these cursors, each in place of its group's earlier one."""
    await db.execute_many(
        """INSERT INTO cursors (space, group_id, newest, oldest, complete) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (space, group_id) DO UPDATE SET newest = excluded.newest,
            oldest = excluded.oldest, complete = excluded.complete""",
        [(c.space, c.group, c.newest, c.oldest, int(c.complete)) for c in cursors],
    )


async def put_jobs(db: Transaction, jobs: Sequence[Job]) -> None:
    """Keep the status and state of these jobs."""
    await db.execute_many(
        "UPDATE jobs SET status = ?, state = ? WHERE id = ?",
        [(job.status, json.dumps(dict(job.state)), job.id) for job in jobs],
    )


async def drop_orphans(db: Transaction, items: Collection[int], spaces: Collection[int]) -> None:
    """Delete those of these items that no link shows any more, and groups without links in these
    spaces.

    What belongs to an item, its vectors and what was derived from it, is deleted with it. What was
    said of it in a space that shows it no more is deleted, though another space shows it.
    """
    if not items:
        return
    await drop_said(db, items)
    await db.execute(
        """DELETE FROM items WHERE id IN (numbers(?))
        AND NOT EXISTS (SELECT 1 FROM links WHERE links.item = items.id)""",
        list(items),
    )
    await db.execute(
        """DELETE FROM groups WHERE space IN (numbers(?)) AND NOT EXISTS (SELECT 1 FROM links
        WHERE links.space = groups.space AND links.group_id = groups.id)""",
        list(spaces),
    )


async def drop_said(db: Transaction, items: Collection[int] | None = None) -> None:
    """Delete what was said of items in spaces that show them no more; of all items, or of these."""
    for table, column in SAID:
        among, values = "", list[list[int]]()
        if items is not None:
            among, values = f"{column} IN (numbers(?)) AND", [list(items)]
        await db.execute(
            f"""DELETE FROM {table} WHERE {among} NOT EXISTS (SELECT 1 FROM links
            WHERE links.item = {table}.{column} AND links.space = {table}.space)""",
            *values,
        )


async def returned(db: Transaction, sql: str, *params: Any) -> int:
    """The one number that a statement gives back."""
    ((number,),) = await db.rows(sql, *params)
    return int(number)


async def drop_links(db: Transaction, where: str, *params: Any) -> Changes:
    """Delete links, and with them the items and groups that no other link needs."""
    await words.drop(db, await words.links_with_words(db, where, *params))
    removed = await db.rows(f"DELETE FROM links WHERE {where} RETURNING id, item, space", *params)
    changes = Changes(
        removed=[id for id, _, _ in removed], dropped=Counter(space for _, _, space in removed)
    )
    await db.touch(changes.removed)
    await db.follow(changes)
    await drop_orphans(db, [item for _, item, _ in removed], set(changes.dropped))
    return changes
