"""Statements that several writes share; each is part of a transaction that its caller holds."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from index.store.sql import columns, words
from index.store.sql.database import Transaction
from index.types.records import Changes, Cursor, EmbeddedPicture, Group, Job, Link

DAY_S = 86_400


async def permitted(
    db: Transaction, items: Sequence[tuple[EmbeddedPicture, Link]]
) -> list[tuple[EmbeddedPicture, Link]]:
    """Those but for what its owner wants left out, and what is older than its space keeps."""
    spaces = list({link.space for _, link in items})
    await db.hold_rules(spaces)  # else an erasure by another process could miss these links
    there = "space IN (numbers(?))"
    out = await db.rows(f"SELECT space, owner, upto FROM left_out WHERE {there}", spaces)
    kept = await db.rows(f"SELECT space, days FROM retention WHERE {there}", spaces)
    left_out = {(space, owner): upto for space, owner, upto in out}
    oldest = {space: time.time() - DAY_S * days for space, days in kept}
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


async def put_items(
    db: Transaction, pictures: Collection[EmbeddedPicture]
) -> dict[bytes, tuple[int, EmbeddedPicture]]:
    """The items with these bytes, which are added unless they are there already.

    returns  by key the item's id, and the picture with the vectors that are kept: those of the
             first time
    """
    given: dict[bytes, EmbeddedPicture] = {}
    for picture in pictures:
        given.setdefault(picture.key, picture)
    if not given:
        return {}
    these = f"key IN ({', '.join('?' * len(given))})"
    known = await db.rows(
        f"""SELECT key, id, vectors FROM items JOIN embeddings ON embeddings.item = items.id
        WHERE {these}""",
        *given,
    )
    kept = {}
    for key, id, blob in known:
        picture = given.pop(key)
        vectors = np.frombuffer(blob, np.float32).reshape(-1, picture.vectors.shape[1])
        kept[key] = (int(id), replace(picture, vectors=vectors))
    return kept | await _add_items(db, given)


async def _add_items(
    db: Transaction, given: Mapping[bytes, EmbeddedPicture]
) -> dict[bytes, tuple[int, EmbeddedPicture]]:
    """Add items that are not there, by key."""
    if not given:
        return {}
    await db.execute_many(
        """INSERT INTO items (key, kind, width, height, text, partial)
        VALUES (?, ?, ?, ?, ?, ?)""",
        [
            (one.key, one.kind, one.width, one.height, one.text, int(one.partial))
            for one in given.values()
        ],
    )
    marks = ", ".join("?" * len(given))
    rows = await db.rows(f"SELECT key, id FROM items WHERE key IN ({marks})", *given)
    ids = {key: int(id) for key, id in rows}
    # float32: float16 would halve the file, but the exact second ranking needs the vectors as
    # the model gave them, and so would a later change of precision.
    await db.execute_many(
        "INSERT INTO embeddings (item, vectors) VALUES (?, ?)",
        [(ids[key], columns.blob(one.vectors)) for key, one in given.items()],
    )
    await db.execute_many(
        "INSERT INTO moments (item, frame, second, still) VALUES (?, ?, ?, ?)",
        [
            (ids[key], frame, moment.second, moment.still)
            for key, one in given.items()
            for frame, moment in enumerate(one.moments)
        ],
    )
    return {key: (ids[key], one) for key, one in given.items()}


@dataclass(frozen=True, slots=True)
class PutLink:
    """A link that was written.

    before   the item, group, owner and time that it had; None when it is new
    """

    id: int
    before: tuple[int, int, int, float] | None


async def put_links(db: Transaction, links: Sequence[tuple[int, Link]]) -> list[PutLink]:
    """Keep links, each with its item's id; no two are of the same slot."""
    known = await _known_links(db, [link for _, link in links])
    moved = [
        known[_slot(link)][0]
        for item, link in links
        if _slot(link) in known and known[_slot(link)][1:3] != (item, link.group.id)
    ]
    await words.drop(db, moved)
    await db.execute_many(
        """UPDATE links SET group_id = ?, item = ?, owner = ?, posted_at = ?, name = ?,
        spoiler = ?, details = ? WHERE id = ?""",
        [
            (*_values(item, link), known[_slot(link)][0])
            for item, link in links
            if _slot(link) in known
        ],
    )
    if moved:
        await db.execute("DELETE FROM unread WHERE link IN (numbers(?))", moved)
    added = [(item, link) for item, link in links if _slot(link) not in known]
    await db.execute_many(
        """INSERT INTO links (group_id, item, owner, posted_at, name, spoiler, details,
        space, source, slot) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [(*_values(item, link), *_slot(link)) for item, link in added],
    )
    new = await _known_links(db, [link for _, link in added])
    await words.begin_links(db, [*moved, *(id for id, *_ in new.values())])
    return [
        PutLink(known[_slot(link)][0], known[_slot(link)][1:])
        if _slot(link) in known
        else PutLink(new[_slot(link)][0], None)
        for _, link in links
    ]


def _slot(link: Link) -> tuple[int, str, str]:
    return link.space, link.source, link.slot


def _values(item: int, link: Link) -> tuple[Any, ...]:
    """What may change of a link."""
    return (
        *(link.group.id, item, link.owner, link.posted_at, link.name, int(link.spoiler)),
        json.dumps(dict(link.details)),
    )


async def _known_links(
    db: Transaction, links: Sequence[Link]
) -> dict[tuple[int, str, str], tuple[int, int, int, int, float]]:
    """By slot the id, item, group, owner and time of those of these links that are there."""
    known = {}
    sources = list({(link.space, link.source) for link in links})
    if sources:
        marks = ", ".join(["(CAST(? AS BIGINT), CAST(? AS TEXT))"] * len(sources))
        rows = await db.rows(
            f"""SELECT space, source, slot, id, item, group_id, owner, posted_at
            FROM (VALUES {marks}) AS asked
            JOIN links ON links.space = asked.column1 AND links.source = asked.column2""",
            *(value for source in sources for value in source),
        )
        for space, source, slot, id, item, group, owner, posted_at in rows:
            known[space, source, slot] = (id, item, group, owner, posted_at)
    return known


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


def by_space(links: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """Links, each with its space first, by space."""
    found: dict[int, list[int]] = {}
    for space, link in links:
        found.setdefault(space, []).append(link)
    return found


async def drop_links(db: Transaction, where: str, *params: Any) -> Changes:
    """Delete links, and with them the items and groups that no other link needs."""
    await words.drop(db, await words.links_with_words(db, where, *params))
    removed = await db.rows(f"DELETE FROM links WHERE {where} RETURNING id, item, space", *params)
    changes = Changes(
        removed=[id for id, _, _ in removed], dropped=Counter(space for _, _, space in removed)
    )
    await db.touch(changes.removed)
    await db.follow(by_space((space, id) for id, _, space in removed))
    await drop_orphans(db, [item for _, item, _ in removed], set(changes.dropped))
    return changes
