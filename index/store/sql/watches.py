"""Watches, the links that they are to judge, and what their owners are to be told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from index.store.sql import columns, statements
from index.store.sql.database import MAX_ID, Database, Row, Transaction
from index.store.sql.words import UNREAD
from index.types.query import QueryEmbedding
from index.types.searches import Asked
from index.types.watches import COUNTED_S, MOST_PENDING, TOLD_S, Notice, Stage, Unjudged, Watch

# What `_watch_of` takes.
WATCH = """id, space, owner, asked, group_id, settings, vector, parts, truncated, revision, made_at,
    paused, searched, bar FROM watches"""
# What is still to be told, and there to be shown.
PENDING = "sent_at IS NULL AND link IS NOT NULL"


class Watches:
    """The watches of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.version = 0

    # ---- watches

    async def add(self, watch: Watch) -> int:
        """Keep a watch; returns its id."""
        vector, parts = columns.query_blob(watch.embedding) if watch.embedding else (None, None)
        truncated = watch.embedding.truncated if watch.embedding else None

        async def write(db: Transaction) -> int:
            return await statements.returned(
                db,
                """INSERT INTO watches (space, owner, asked, group_id, settings, vector, parts,
                truncated, revision, made_at, paused, searched, bar)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id""",
                *(watch.space, watch.owner, json.dumps(watch.asked.to_json()), watch.group),
                *(json.dumps(dict(watch.settings)), vector, parts, truncated, watch.revision),
                *(watch.made_at, watch.paused, watch.searched, watch.bar),
            )

        id = await self._database.write(write)
        self.version += 1
        return id

    async def remove(self, ids: Collection[int]) -> None:
        """Forget watches, and what was to be told of them."""

        async def write(db: Transaction) -> None:
            await db.execute(
                "DELETE FROM watches WHERE id IN (numbers(?))",
                list(ids),
            )
            self._database.note_deletion()

        await self._database.write(write)
        self.version += 1

    async def pause(self, id: int, why: str) -> None:
        """Tell nothing more of a watch, for this reason; "": let it go on. What waited to be told
        when it was paused is never told."""

        async def write(db: Transaction) -> None:
            await db.execute("UPDATE watches SET paused = ? WHERE id = ?", why, id)
            await db.execute("DELETE FROM notices WHERE watch = ? AND sent_at IS NULL", id)

        await self._database.write(write)
        self.version += 1

    async def embedded(self, id: int, embedding: QueryEmbedding) -> None:
        """Keep the embedding of a watch by another model. What it was compared with is no more."""
        vector, parts = columns.query_blob(embedding)
        await self._database.execute(
            """UPDATE watches SET vector = ?, parts = ?, truncated = ?, revision = ?, searched = 0,
            bar = -1 WHERE id = ?""",
            *(vector, parts, embedding.truncated, embedding.revision, id),
        )
        self.version += 1

    async def compared(self, id: int, searched: int, bar: float) -> None:
        """Note with what a link was compared that was judged by a watch."""
        await self._database.execute(
            "UPDATE watches SET searched = ?, bar = ? WHERE id = ?", searched, bar, id
        )
        self.version += 1

    async def get(self, id: int) -> Watch | None:
        """The watch with this id; None when it was removed."""
        rows = await self._database.rows(f"SELECT {WATCH} WHERE id = ?", id)
        return _watch_of(rows[0]) if rows else None

    async def of_owner(self, space: int, owner: int) -> list[Watch]:
        """The watches of an owner, oldest first."""
        rows = await self._database.rows(
            f"SELECT {WATCH} WHERE space = ? AND owner = ? ORDER BY id", space, owner
        )
        return [_watch_of(row) for row in rows]

    async def active(self, space: int) -> list[Watch]:
        """The watches of a space that are not paused, oldest first."""
        rows = await self._database.rows(
            f"SELECT {WATCH} WHERE space = ? AND paused = '' ORDER BY id", space
        )
        # Hundreds take some 10 ms.
        return await asyncio.to_thread(lambda: [_watch_of(row) for row in rows])

    async def paused(self, why: str) -> list[Watch]:
        """The watches that are paused for this reason."""
        rows = await self._database.rows(f"SELECT {WATCH} WHERE paused = ?", why)
        return [_watch_of(row) for row in rows]

    async def outdated(self, revision: str) -> list[Watch]:
        """The watches that are not paused and that another model than this one has embedded."""
        # Written so that an index has them: this is asked for each new picture. SQLite would read
        # all watches for their order.
        rows = await self._database.rows(
            f"""SELECT {WATCH} WHERE paused = '' AND revision < ?1
            UNION ALL SELECT {WATCH} WHERE paused = '' AND revision > ?1""",
            revision,
        )
        return sorted(map(_watch_of, rows), key=lambda watch: watch.id)

    async def owners(self) -> list[tuple[int, int]]:
        """Who has watches: each space and owner."""
        rows = await self._database.rows("SELECT DISTINCT space, owner FROM watches")
        return [(space, owner) for space, owner in rows]

    async def count(self, space: int) -> int:
        """How many watches a space has."""
        rows = await self._database.rows("SELECT COUNT(*) FROM watches WHERE space = ?", space)
        return int(rows[0][0])

    # ---- links to be judged

    async def unjudged(self, *, after: int = 0, limit: int) -> list[Unjudged]:
        """Links that can be judged now, by id, from above `after`."""
        rows = await self._database.rows(
            """SELECT space, link, stage FROM unjudged JOIN links ON links.id = unjudged.link
            WHERE link > ? AND stage != ? ORDER BY link LIMIT ?""",
            *(after, int(Stage.UNREAD), limit),
        )
        return [Unjudged(space, link, Stage(stage)) for space, link, stage in rows]

    async def judged(self, link: Unjudged, notices: Sequence[Notice], *, await_words: bool) -> None:
        """Keep what came of judging a link.

        notices      of which owners are to be told; one for a link that a watch has told of before
                     changes nothing
        await_words  judge it again when its words were read
        """

        async def write(db: Transaction) -> None:
            await _put_notices(db, notices)
            if await_words and link.stage is Stage.SHOWN:
                # Its words may have been read meanwhile.
                await db.execute(
                    f"""UPDATE unjudged SET stage = CASE WHEN EXISTS (
                        SELECT 1 FROM links JOIN transcripts ON transcripts.item = links.item
                        WHERE links.id = unjudged.link AND stale = 0 AND NOT {UNREAD})
                        THEN CAST(? AS INTEGER) ELSE CAST(? AS INTEGER) END
                    WHERE link = ?""",
                    *(int(Stage.READ), int(Stage.UNREAD), link.link),
                )
            else:
                await db.execute("DELETE FROM unjudged WHERE link = ?", link.link)

        await self._database.write(write)

    async def to_be_told(self, notices: Sequence[Notice]) -> None:
        """Keep what came of judging a link so far, which is to be judged once more."""
        await self._database.write(lambda db: _put_notices(db, notices))

    async def drop_unjudged(self, posted_before: float) -> None:
        """Judge no more what was posted before then (Unix seconds): it is not new any more."""
        await self._database.execute(
            """DELETE FROM unjudged WHERE EXISTS (
            SELECT 1 FROM links WHERE links.id = unjudged.link AND posted_at < ?)""",
            posted_before,
        )

    # ---- what is to be told

    async def due(self, now: float) -> dict[int, list[Notice]]:
        """What is to be told by now, by watch, oldest first; only what nobody has begun to send."""
        return _by_watch(await self._notices(f"{PENDING} AND sending = '' AND due <= ?", now))

    async def begun(self) -> dict[str, list[Notice]]:
        """What may have been sent, by the name of the message."""
        found: dict[str, list[Notice]] = {}
        for notice in await self._notices("sending != '' AND sent_at IS NULL"):
            found.setdefault(notice.sending, []).append(notice)
        return found

    async def next_due(self) -> dict[int, float]:
        """When something is to be told next (Unix seconds), by space."""
        rows = await self._database.rows(
            f"""SELECT space, min(due) FROM notices JOIN watches ON watches.id = notices.watch
            WHERE {PENDING} AND sending = '' GROUP BY space"""
        )
        return {space: due for space, due in rows}  # noqa: C416 (mypy can't see pairs in rows)

    async def _notices(self, where: str, *params: Any) -> list[Notice]:
        # A link that is gone is 0, which no link is.
        rows = await self._database.rows(
            f"SELECT id, watch, COALESCE(link, 0), due, sending FROM notices WHERE {where}",
            *params,
        )
        # Put in order here: for that, SQLite would read all that was ever told.
        return sorted((Notice(*row) for row in rows), key=lambda notice: notice.id)

    async def pending_of(self, space: int, owner: int) -> dict[int, list[Notice]]:
        """What waits to be told to an owner, by watch."""
        return _by_watch(
            await self._notices(
                f"""{PENDING} AND watch IN (
                SELECT id FROM watches WHERE space = ? AND owner = ?)""",
                *(space, owner),
            )
        )

    async def sending(self, ids: Collection[int], name: str) -> None:
        """Note that a message of this name is going to be sent, which tells of these notices; "":
        that it was not."""
        await self._database.execute(
            "UPDATE notices SET sending = ? WHERE id IN (numbers(?))",
            *(name, list(ids)),
        )

    async def sent(self, watch: Watch, name: str, at: float, *, counts: bool = True) -> None:
        """Note that the message of this name was sent then (Unix seconds).

        counts   among the messages to its owner
        """

        async def write(db: Transaction) -> None:
            await db.execute(
                "UPDATE notices SET sent_at = ? WHERE sending = ? AND sent_at IS NULL", *(at, name)
            )
            if counts:
                await db.execute(
                    "INSERT INTO tellings (space, owner, at) VALUES (?, ?, ?)",
                    *(watch.space, watch.owner, at),
                )

        await self._database.write(write)

    async def put_off(self, ids: Collection[int], due: float) -> None:
        """Tell of these notices from then on (Unix seconds)."""
        await self._database.execute(
            "UPDATE notices SET due = ? WHERE id IN (numbers(?))",
            *(due, list(ids)),
        )

    async def drop(self, ids: Collection[int]) -> None:
        """Never tell of these notices."""
        await self._database.execute(
            "DELETE FROM notices WHERE id IN (numbers(?))",
            list(ids),
        )

    async def sent_since(self, space: int, owner: int, since: float) -> list[float]:
        """When messages were sent to an owner since then (Unix seconds), oldest first. Those of
        watches that were removed meanwhile are among them. Known for `COUNTED_S`."""
        rows = await self._database.rows(
            "SELECT at FROM tellings WHERE space = ? AND owner = ? AND at >= ? ORDER BY at",
            *(space, owner, since),
        )
        return [at for (at,) in rows]

    async def told(self, watch: int, links: Collection[int]) -> set[int]:
        """Those of these links of which a watch has told its owner, or is telling them now."""
        rows = await self._database.rows(
            """SELECT link FROM notices WHERE watch = ? AND sending != ''
            AND link IN (numbers(?))""",
            *(watch, list(links)),
        )
        return {link for (link,) in rows}

    async def expire(self, now: float) -> None:
        """Forget what was told long ago, or was never told since its link is gone."""

        async def write(db: Transaction) -> None:
            await db.execute("DELETE FROM tellings WHERE at < ?", now - COUNTED_S)
            await db.execute(
                """DELETE FROM notices WHERE sent_at < ?
                OR (link IS NULL AND sent_at IS NULL AND sending = '')""",
                now - TOLD_S,
            )

        await self._database.write(write)


async def _put_notices(db: Transaction, notices: Sequence[Notice]) -> None:
    # Neither may come back that was removed meanwhile.
    await db.execute_many(
        """INSERT INTO notices (watch, link, due, sending)
        SELECT watches.id, links.id, ?, '' FROM watches, links
        WHERE watches.id = ? AND watches.paused = '' AND links.id = ? ON CONFLICT DO NOTHING""",
        [(notice.due, notice.watch, notice.link) for notice in notices],
    )
    for watch in {notice.watch for notice in notices}:
        await db.execute(
            f"""DELETE FROM notices WHERE id IN (SELECT id FROM notices
            WHERE watch = ? AND {PENDING} AND sending = ''
            ORDER BY id DESC LIMIT {MAX_ID} OFFSET ?)""",
            *(watch, MOST_PENDING),
        )


async def put_unjudged(db: Transaction, links: Collection[int]) -> None:
    """Let these links be judged, if their space has a watch that may tell of them."""
    await db.execute(
        """INSERT INTO unjudged (link, stage) SELECT id, 0 FROM links
        WHERE id IN (numbers(?))
        AND EXISTS (SELECT 1 FROM watches WHERE watches.space = links.space AND paused = '')
        ON CONFLICT DO NOTHING""",
        list(links),
    )


async def words_were_read(db: Transaction, item: int) -> None:
    """Let the links to an item be judged by its words, if they wait for that."""
    await db.execute(
        """UPDATE unjudged SET stage = ? WHERE stage = ?
        AND link IN (SELECT id FROM links WHERE item = ?)""",
        *(int(Stage.READ), int(Stage.UNREAD), item),
    )


def _by_watch(notices: Sequence[Notice]) -> dict[int, list[Notice]]:
    found: dict[int, list[Notice]] = {}
    for notice in notices:
        found.setdefault(notice.watch, []).append(notice)
    return found


def _watch_of(row: Row) -> Watch:
    """The watch in a row of `WATCH`."""
    id, space, owner, asked, group, settings, vector, parts, truncated, revision, *rest = row
    made_at, paused, searched, bar = rest
    embedding = None
    if vector is not None:
        embedding = replace(columns.query_of(vector, parts, truncated), revision=revision)
    read: Mapping[str, Any] = json.loads(settings)
    return Watch(
        *(id, space, owner, Asked.from_json(json.loads(asked)), group, read, embedding),
        *(revision, made_at, paused, searched, bar),
    )
