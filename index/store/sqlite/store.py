"""One SQLite file with links, items, embeddings, and what is remembered beside them.

All SQL is here and in `statements`; `connections` opens the file.

Durability. `synchronous = FULL` in WAL mode: a commit is on disk before it is acknowledged,
so a deletion doesn't come back after a power cut. NORMAL would be consistent too, and faster
at one link a commit, but forgets the last commits; FULL still takes hundreds of links a
second one by one and thousands in batches, more than a CPU embeds.

One writer. A write is a whole function handed to `_write`: its own transaction, one after
another, never half done when its caller is cancelled. A second connection reads meanwhile.

Deleted is gone. `secure_delete` overwrites what is removed, and the write-ahead log, which
still has it, is emptied after each removal. When SQLite moves rows between pages it may
leave a name or a hash (of some thousand removed ones, a handful) in the unused part of a
page, where nothing finds it but a look at the raw file; `compact` clears those too.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import sqlite3
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Mapping,
    Sequence,
)
from pathlib import Path
from typing import IO, Any, TypeVar

import aiosqlite
import numpy as np

from index.concurrency import to_completion
from index.store.sqlite import connections, migrations, statements
from index.types.errors import GalleryClosed, StoreUnreachable
from index.types.query import QueryEmbedding
from index.types.records import (
    Belonging,
    Changes,
    Counts,
    Cursor,
    EmbeddedPicture,
    Entries,
    Group,
    Job,
    Kind,
    Link,
    ModelInfo,
    Settled,
    key_of,
)
from index.types.searches import SEARCH_LIFE_S, Asked, SavedSearch

log = logging.getLogger(__name__)
T = TypeVar("T")

# The folder of settled rows is named after the file, with this at the end.
SEGMENTS = ".segments"
# The largest number that SQLite takes.
MAX_ID = 2**63 - 1
# Rows read at once when the vectors are loaded: 8 MB of vectors of 512 numbers.
CHUNK_ROWS = 4096
# The log can't be emptied while somebody reads; such a read takes milliseconds.
CHECKPOINT_TRIES = 4
CHECKPOINT_PAUSE_S = 0.05

# In the statement that reads vectors: another model may take over between two statements.
_MODELS = """(SELECT dimension FROM model), (SELECT revision FROM model),
    (SELECT dimension FROM successor)"""

# What `_search_of` takes.
SEARCH = "id, space, owner, params, vector, truncated, made_at FROM searches"

OF_A_SPACE = ("cursors", "watched", "jobs", "searches", "opted_out", "retention", "departed")


class Store:
    """The gallery's file; made by `open`."""

    def __init__(
        self,
        path: Path,
        reader: aiosqlite.Connection,
        writer: aiosqlite.Connection | None,
        held: IO[str] | None,
        search_life_s: float,
    ) -> None:
        self.path = path
        self.search_life_s = search_life_s
        self._reader = reader
        self._writer = writer
        self._held = held
        self._writing = asyncio.Lock()
        # The log may have what a process deleted that was killed before it emptied the log.
        self._log_has_deleted = True
        self._has_strays = True  # bytes of what was removed may lie in unused parts of pages
        self._closed = False

    @classmethod
    async def open(
        cls, path: Path, *, read_only: bool = False, search_life_s: float = SEARCH_LIFE_S
    ) -> Store:
        """The store in the file `path`, made or brought to the newest shape when needed.

        search_life_s  how long saved searches can be run again
        raises         StoreLocked, StoreCorrupt, StoreTooNew, StoreUnreachable, StoreFull
        """
        path = await asyncio.to_thread(path.resolve)
        with connections.translated(path):
            if read_only:
                return cls(path, await connections.open_reader(path), None, None, search_life_s)
            return await cls._open_writing(path, search_life_s)

    @classmethod
    async def _open_writing(cls, path: Path, search_life_s: float) -> Store:
        held = await asyncio.to_thread(connections.prepare, path)
        try:
            writer = await connections.open_writer(path)
            try:
                reader = await connections.connect(path, read_only=True)
            except BaseException:
                await writer.close()
                raise
        except BaseException:
            held.close()
            raise
        return cls(path, reader, writer, held, search_life_s)

    async def close(self) -> None:
        """Let running writes finish, refuse later ones, and let go of the file."""
        if self._closed:
            return
        self._closed = True
        async with self._writing:
            await self._reader.close()
            if self._writer is not None:
                # The last connection to close empties the log into the file.
                await self._writer.close()
            if self._held is not None:
                self._held.close()

    # ---- one doorway for writing, one for reading

    async def _write(self, fn: Callable[[aiosqlite.Connection], Awaitable[T]]) -> T:
        """What `fn` gives back, run as one transaction that a cancelled caller doesn't stop."""
        return await to_completion(self._transaction(fn))

    async def _transaction(self, fn: Callable[[aiosqlite.Connection], Awaitable[T]]) -> T:
        async with self._writing:
            if self._closed:
                raise GalleryClosed
            if self._writer is None:
                raise StoreUnreachable(self.path, "it was opened for reading only")
            with connections.translated(self.path):
                await self._writer.execute("BEGIN IMMEDIATE")
                try:
                    result = await fn(self._writer)
                    await self._writer.commit()
                except BaseException:
                    await self._writer.rollback()
                    raise
                if self._log_has_deleted:
                    self._has_strays = True
                    await self._empty_log(self._writer)
            return result

    async def _empty_log(self, writer: aiosqlite.Connection) -> None:
        """Move the write-ahead log into the file and cut it to nothing, unless a read is under
        way for long; then the next write tries again."""
        await writer.execute_fetchall("PRAGMA busy_timeout = 0")  # tried again by ourselves
        try:
            for attempt in range(CHECKPOINT_TRIES):
                await asyncio.sleep(CHECKPOINT_PAUSE_S * attempt)
                ((busy, _, _),) = await writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
                if not busy:
                    self._log_has_deleted = False
                    return
            log.info("the write-ahead log is being read and is emptied with the next write")
        finally:
            timeout_ms = int(connections.BUSY_TIMEOUT_S * 1000)
            await writer.execute_fetchall(f"PRAGMA busy_timeout = {timeout_ms}")

    async def _rows(self, sql: str, *params: Any) -> list[sqlite3.Row]:
        if self._closed:
            raise GalleryClosed
        with connections.translated(self.path):
            return list(await self._reader.execute_fetchall(sql, params))

    # ---- the model

    async def model(self) -> ModelInfo | None:
        """The model whose embeddings are kept here; None when there are none yet."""
        rows = await self._rows("SELECT name, revision, dimension FROM model")
        return ModelInfo(*rows[0]) if rows else None

    async def set_model(self, model: ModelInfo) -> None:
        """Remember whose embeddings are kept; only for a store without any."""

        async def write(db: aiosqlite.Connection) -> None:
            await db.execute(
                "INSERT OR REPLACE INTO model (id, name, revision, dimension) VALUES (1, ?, ?, ?)",
                (model.name, model.revision, model.dimension),
            )

        await self._write(write)

    async def successor(self) -> ModelInfo | None:
        """The model that will follow; its embeddings are being made."""
        rows = await self._rows("SELECT name, revision, dimension FROM successor")
        return ModelInfo(*rows[0]) if rows else None

    async def set_successor(self, model: ModelInfo | None) -> str | None:
        """Remember which model will follow; what was made for a different one goes.

        returns  a name for this succession, the same as long as it lasts
        """

        async def write(db: aiosqlite.Connection) -> str | None:
            known = list(await db.execute_fetchall("SELECT revision, succession FROM successor"))
            succession: str | None = None
            if model is not None:
                again = bool(known) and known[0][0] == model.revision
                succession = known[0][1] if again else secrets.token_urlsafe(9)
                await db.execute(
                    "INSERT OR REPLACE INTO successor VALUES (1, ?, ?, ?, ?)",
                    (model.name, model.revision, model.dimension, succession),
                )
                if again:
                    return succession
            else:
                await db.execute("DELETE FROM successor")
            await db.execute("DELETE FROM successor_embeddings")
            return succession

        return await self._write(write)

    async def succeed(self, settled: Settled | None) -> Changes:
        """Let the successor's embeddings be the gallery's, and those of before go, at once.

        Links without one go too: a look at their source finds them again. So do kept questions,
        which the model of before had read. `settled` is of the successor's rows.
        """

        async def write(db: aiosqlite.Connection) -> Changes:
            await db.execute("DELETE FROM settled")
            changes = await self._drop(db, "item NOT IN (SELECT item FROM successor_embeddings)")
            await db.execute("DROP TABLE embeddings")
            await db.execute("ALTER TABLE successor_embeddings RENAME TO embeddings")
            await db.execute(migrations.SUCCESSOR_EMBEDDINGS)
            await db.execute("DELETE FROM model")
            await db.execute(
                "INSERT INTO model SELECT id, name, revision, dimension FROM successor"
            )
            await db.execute("DELETE FROM successor")
            await db.execute("DELETE FROM searches")
            await statements.put_settled(db, settled)
            self._log_has_deleted = True
            return changes

        return await self._write(write)

    async def remake(self, key: bytes, vectors: np.ndarray[Any, np.dtype[np.float32]]) -> None:
        """Keep the successor's vectors of an item that is here."""
        await self._execute(
            "INSERT OR REPLACE INTO successor_embeddings SELECT id, ? FROM items WHERE key = ?",
            statements.blob(vectors),
            key,
        )

    async def texts_left_behind(self) -> list[tuple[bytes, str]]:
        """Keys and words of the texts that the successor has not embedded."""
        rows = await self._rows(
            """SELECT key, text FROM items WHERE kind = 'text'
            AND id NOT IN (SELECT item FROM successor_embeddings)"""
        )
        return [(key, text) for key, text in rows]

    async def slots_left(self, space: int, source: str) -> set[str]:
        """The slots of a source whose pictures the successor has not embedded."""
        rows = await self._rows(
            """SELECT slot FROM links WHERE space = ? AND source = ?
            AND item NOT IN (SELECT item FROM successor_embeddings)""",
            space,
            source,
        )
        return {slot for (slot,) in rows}

    async def left_behind(self) -> int:
        """How many items the successor has not embedded."""
        rows = await self._rows(
            "SELECT COUNT(*) FROM items WHERE id NOT IN (SELECT item FROM successor_embeddings)"
        )
        return int(rows[0][0])

    async def empty(self) -> bool:
        """Whether nothing is kept here yet."""
        return not await self._rows("SELECT 1 FROM items LIMIT 1")

    # ---- adding

    async def commit(
        self,
        wanted: Sequence[tuple[EmbeddedPicture, Link]],
        cursors: Sequence[Cursor] = (),
        jobs: Sequence[Job] = (),
    ) -> Changes:
        """Keep items, links, cursors and jobs in one transaction; what search must follow.

        Links of owners who opted out, and those older than their space keeps, are left out.
        """

        async def write(db: aiosqlite.Connection) -> Changes:
            items = await statements.permitted(db, wanted)
            await statements.put_groups(db, [link for _, link in items])
            removed: list[int] = []
            added: list[tuple[int, EmbeddedPicture, Link]] = []
            dropped: list[int] = []
            for picture, link in items:
                item = await statements.put_item(db, picture)
                id, before = await statements.put_link(db, item, link)
                if before == (item, link.group.id, link.owner, link.posted_at):
                    continue  # nothing that search would notice
                if before is not None:
                    removed.append(id)
                    dropped.append(before[0])
                added.append((id, picture, link))
            await statements.touch(db, removed)
            await statements.drop_orphans(db, dropped)
            await statements.put_cursors(db, cursors)
            await statements.put_jobs(db, jobs)
            self._log_has_deleted |= bool(dropped)
            return Changes(removed, statements.entries_of(added))

        return await self._write(write)

    # ---- what is there

    async def entries(
        self, dimension: int, settled: Settled | None = None, *, successor: bool = False
    ) -> AsyncIterator[Entries]:
        """All links with their vectors, in chunks; with `settled`, only those not in its files.

        successor  with the vectors of the model that will follow, as far as there are any
        """
        table = "successor_embeddings" if successor else "embeddings"
        wheres: list[tuple[str, Any]] = [("id > ?", settled.newest if settled else 0)]
        if settled is not None and settled.touched:
            older = [link for link in settled.touched if link <= settled.newest]
            wheres.append(("id IN (SELECT value FROM json_each(?))", json.dumps(older)))
        for where, param in wheres:
            with connections.translated(self.path):
                async with self._reader.execute(
                    f"""SELECT links.id, links.space, links.group_id, items.kind = 'text',
                        links.owner, links.posted_at, length(vectors), vectors
                    FROM links JOIN items ON items.id = links.item
                    JOIN {table} AS embeddings ON embeddings.item = links.item
                    WHERE links.{where} ORDER BY links.id""",
                    (param,),
                ) as cursor:
                    while rows := list(await cursor.fetchmany(CHUNK_ROWS)):
                        yield await asyncio.to_thread(
                            statements.chunk_of, self.path, rows, dimension
                        )

    async def frames(self, dimension: int, *, successor: bool = False) -> int:
        """How many vectors `entries` will give: the frames of all links."""
        table = "successor_embeddings" if successor else "embeddings"
        rows = await self._rows(
            f"""SELECT total(length(vectors)) FROM links
            JOIN {table} AS embeddings ON embeddings.item = links.item"""
        )
        return int(rows[0][0]) // (4 * dimension)

    async def item(self, key: bytes) -> EmbeddedPicture | None:
        """The item with this key, as it was committed; None when it isn't here."""
        rows = await self._rows(
            f"""SELECT key, kind, embeddings.vectors, width, height, text, successor.vectors,
            {_MODELS}
            FROM items JOIN embeddings ON embeddings.item = id
            LEFT JOIN successor_embeddings AS successor ON successor.item = id WHERE key = ?""",
            key,
        )
        return await self._picture(rows)

    async def item_of_link(self, id: int) -> EmbeddedPicture | None:
        """The item that a link shows."""
        if id > MAX_ID:
            return None
        rows = await self._rows(
            f"""SELECT key, kind, vectors, width, height, text, NULL, {_MODELS}
            FROM links JOIN items ON items.id = links.item
            JOIN embeddings ON embeddings.item = links.item WHERE links.id = ?""",
            id,
        )
        return await self._picture(rows)

    async def _picture(self, rows: list[sqlite3.Row]) -> EmbeddedPicture | None:
        if not rows:
            return None
        key, kind, vectors, width, height, text, following, dimension, revision, next_ = rows[0]
        shaped = statements.vectors_of(self.path, vectors, dimension)
        successor = statements.vectors_of(self.path, following, next_) if following else None
        return EmbeddedPicture(key, kind, shaped, width, height, text, revision, successor)

    async def links(self, ids: Sequence[int]) -> dict[int, tuple[Link, Kind, str | None]]:
        """Those of these links that are still there, each with its kind and text."""
        rows = await self._rows(
            f"SELECT {statements.LINK} WHERE links.id IN (SELECT value FROM json_each(?))",
            json.dumps(list(ids)),
        )
        return {row[0]: (statements.link_of(row), row[12], row[13]) for row in rows}

    async def links_of_key(self, key: bytes) -> dict[int, Link]:
        """All links to the item with this key."""
        rows = await self._rows(
            f"SELECT {statements.LINK} WHERE items.key = ? ORDER BY links.id", key
        )
        return {row[0]: statements.link_of(row) for row in rows}

    async def links_of_source(self, space: int, source: str) -> dict[str, int]:
        """The slots of a source, each with the id of its link."""
        rows = await self._rows(
            "SELECT slot, id FROM links WHERE space = ? AND source = ?", space, source
        )
        return {slot: id for slot, id in rows}  # noqa: C416 (mypy can't see pairs in rows)

    async def slots(self, space: int, source: str) -> set[str]:
        """The slots of one source that are in the gallery."""
        return set(await self.links_of_source(space, source))

    async def link(self, id: int) -> Link | None:
        """The link with this id; None when there is none (any more)."""
        found = await self.links([id])
        return found[id][0] if id in found else None

    async def links_of_picture(self, data: bytes) -> dict[int, Link]:
        """All links to exactly these bytes, by id."""
        return await self.links_of_key(await asyncio.to_thread(key_of, "image", data))

    async def known(self, space: int, group: int) -> dict[str, set[str]]:
        """All sources of a group, each with its slots."""
        rows = await self._rows(
            "SELECT source, slot FROM links WHERE space = ? AND group_id = ?", space, group
        )
        known: dict[str, set[str]] = {}
        for source, slot in rows:
            known.setdefault(source, set()).add(slot)
        return known

    async def details(self, space: int, group: int) -> dict[str, Mapping[str, Any]]:
        """All sources of a group, each with the details of one of its links."""
        rows = await self._rows(
            "SELECT source, details FROM links WHERE space = ? AND group_id = ? ORDER BY id",
            space,
            group,
        )
        return {source: json.loads(details) for source, details in rows}

    async def groups(self, space: int) -> list[Group]:
        """Every group that has links."""
        rows = await self._rows(
            "SELECT id, parent, private FROM groups WHERE space = ? ORDER BY id", space
        )
        return [Group(id, parent, bool(private)) for id, parent, private in rows]

    async def count(
        self, space: int | None = None, groups: Collection[int] | None = None
    ) -> Counts:
        """How many images, texts and links there are; of a space, of some groups, if given."""
        allowed = None if groups is None else json.dumps(list(groups))
        rows = await self._rows(
            """SELECT items.kind, COUNT(DISTINCT items.id), COUNT(*)
            FROM links JOIN items ON items.id = links.item
            WHERE (?1 IS NULL OR links.space = ?1)
            AND (?2 IS NULL OR links.group_id IN (SELECT value FROM json_each(?2)))
            GROUP BY items.kind""",
            space,
            allowed,
        )
        items = {kind: count for kind, count, _ in rows}
        return Counts(items.get("image", 0), items.get("text", 0), sum(row[2] for row in rows))

    async def count_links(self, space: int | None = None, groups: Collection[int] = ()) -> int:
        """How many links there are, or those of some groups of a space: out of an index, where
        `count` needs every row."""
        if space is None:
            rows = await self._rows("SELECT COUNT(*) FROM links")
        else:
            rows = await self._rows(
                """SELECT COUNT(*) FROM links
                WHERE space = ? AND group_id IN (SELECT value FROM json_each(?))""",
                space,
                json.dumps(list(groups)),
            )
        return int(rows[0][0])

    async def disk_bytes(self) -> int:
        """What the file and its write-ahead log take on disk."""
        return await asyncio.to_thread(_disk_bytes, self.path)

    # ---- removing

    async def keep_slots(self, space: int, source: str, slots: Collection[str]) -> Changes:
        """Drop the links of this source whose slot is not listed."""
        return await self._remove(
            "space = ? AND source = ? AND slot NOT IN (SELECT value FROM json_each(?))",
            space,
            source,
            json.dumps(list(slots)),
        )

    async def remove_sources(self, space: int, sources: Collection[str]) -> Changes:
        """Drop all links of these sources."""
        return await self._remove(
            "space = ? AND source IN (SELECT value FROM json_each(?))",
            space,
            json.dumps(list(sources)),
        )

    async def remove_group(self, space: int, group: int) -> Changes:
        """Drop the links and cursors of a group and of those hanging from it."""
        mine = """space = ?1 AND group_id IN
            (SELECT ?2 UNION SELECT id FROM groups WHERE space = ?1 AND parent = ?2)"""

        async def write(db: aiosqlite.Connection) -> Changes:
            await db.execute(f"DELETE FROM cursors WHERE {mine}", (space, group))
            return await self._drop(db, mine, space, group)

        return await self._write(write)

    async def remove_space(self, space: int) -> Changes:
        """Drop everything of a space: links, cursors, watched groups, jobs, searches, rules."""

        async def write(db: aiosqlite.Connection) -> Changes:
            changes = await self._drop(db, "space = ?", space)
            for table in OF_A_SPACE:
                await db.execute(f"DELETE FROM {table} WHERE space = ?", (space,))
            self._log_has_deleted = True
            return changes

        return await self._write(write)

    async def remove_owner(self, space: int, owner: int, *, for_good: bool = False) -> Changes:
        """Drop all links of an owner, and what they asked; `for_good`: and let none come again."""

        async def write(db: aiosqlite.Connection) -> Changes:
            if for_good:
                await db.execute("INSERT OR IGNORE INTO opted_out VALUES (?, ?)", (space, owner))
            changes = await self._drop(db, "space = ? AND owner = ?", space, owner)
            await db.execute("DELETE FROM searches WHERE space = ? AND owner = ?", (space, owner))
            self._log_has_deleted = True
            return changes

        return await self._write(write)

    async def remove_older(self, space: int, posted_before: float) -> Changes:
        """Drop the links of a space that were posted before then (Unix seconds)."""
        return await self._remove("space = ? AND posted_at < ?", space, posted_before)

    async def _remove(self, where: str, *params: Any) -> Changes:
        return await self._write(lambda db: self._drop(db, where, *params))

    async def _drop(self, db: aiosqlite.Connection, where: str, *params: Any) -> Changes:
        """Drop links, and in the same transaction the items and groups nobody needs any more."""
        gone = list(
            await db.execute_fetchall(f"DELETE FROM links WHERE {where} RETURNING id, item", params)
        )
        await statements.touch(db, [id for id, _ in gone])
        await statements.drop_orphans(db, [item for _, item in gone])
        self._log_has_deleted |= bool(gone)
        return Changes(removed=[id for id, _ in gone])

    # ---- settled rows

    async def settled(self) -> Settled | None:
        """Which links are in which files of settled rows; None when none are."""
        # All links are counted by an index in 5 ms of 1,000,000, those up to one in 60.
        rows = await self._rows(
            """SELECT names, newest, (SELECT json_group_array(link) FROM touched),
                (SELECT COUNT(*) FROM links) - (SELECT COUNT(*) FROM links WHERE id > newest)
                - (SELECT COUNT(*) FROM touched JOIN links ON links.id = touched.link)
            FROM settled"""
        )
        if not rows:
            return None
        names, newest, touched, links = rows[0]
        return Settled(tuple(json.loads(names)), newest, frozenset(json.loads(touched)), links)

    async def settle(self, settled: Settled | None) -> None:
        """Remember that; from now on removed and replaced links are noted beside it."""

        await self._write(lambda db: statements.put_settled(db, settled))

    async def compact(self) -> None:
        """Write the file anew, without gaps: takes seconds a gigabyte, in which writes wait.

        Does nothing where nothing was removed since the last time.
        """
        async with self._writing:
            if self._closed:
                raise GalleryClosed
            if self._writer is None:
                raise StoreUnreachable(self.path, "it was opened for reading only")
            if not self._has_strays:
                return
            with connections.translated(self.path):
                await self._writer.execute_fetchall("VACUUM")
                self._has_strays = False
                self._log_has_deleted = True
                await self._empty_log(self._writer)

    # ---- what people and spaces want of what is kept

    async def opt_in(self, space: int, owner: int) -> None:
        """Let the pictures of this owner come again."""
        await self._execute("DELETE FROM opted_out WHERE space = ? AND owner = ?", space, owner)

    async def opted_out(self) -> set[tuple[int, int]]:
        """All (space, owner) who want none of their pictures kept."""
        rows = await self._rows("SELECT space, owner FROM opted_out")
        return {(space, owner) for space, owner in rows}

    async def belongings(
        self, space: int, owner: int, *, after: int = 0, limit: int = 1000
    ) -> list[tuple[int, Belonging]]:
        """Links of an owner with an id above `after`, by id, with all that is kept of each."""
        model = await self.model()
        rows = await self._rows(
            """SELECT links.id, vectors FROM links JOIN embeddings ON embeddings.item = links.item
            WHERE space = ? AND owner = ? AND links.id > ? ORDER BY links.id LIMIT ?""",
            space,
            owner,
            after,
            limit,
        )
        links = await self.links([id for id, _ in rows])
        return [
            (id, Belonging(*links[id], statements.vectors_of(self.path, vectors, model.dimension)))
            for id, vectors in rows
            if id in links and model is not None
        ]

    async def count_of_owner(self, space: int, owner: int) -> int:
        """How many links an owner has."""
        rows = await self._rows(
            "SELECT COUNT(*) FROM links WHERE space = ? AND owner = ?", space, owner
        )
        return int(rows[0][0])

    async def searches_of(self, space: int, owner: int) -> list[SavedSearch]:
        """The saved searches of an owner, oldest first."""
        rows = await self._rows(
            f"SELECT {SEARCH} WHERE space = ? AND owner = ? ORDER BY made_at", space, owner
        )
        return [_search_of(row) for row in rows]

    async def set_retention(self, space: int, days: int | None) -> None:
        """Keep pictures for so many days from now on; None: for as long as they are there."""
        if days is None:
            await self._execute("DELETE FROM retention WHERE space = ?", space)
        else:
            await self._execute("INSERT OR REPLACE INTO retention VALUES (?, ?)", space, days)

    async def retention(self) -> dict[int, int]:
        """The days that pictures are kept, of each space that has a limit."""
        rows = await self._rows("SELECT space, days FROM retention")
        return {space: days for space, days in rows}  # noqa: C416 (mypy can't see pairs in rows)

    async def depart(self, space: int, since: float) -> None:
        """Note that a space was left (Unix seconds); an earlier note stays."""
        await self._execute("INSERT OR IGNORE INTO departed VALUES (?, ?)", space, since)

    async def come_back(self, space: int) -> None:
        """Take that note away."""
        await self._execute("DELETE FROM departed WHERE space = ?", space)

    async def departed(self) -> dict[int, float]:
        """The spaces that were left, each since when."""
        rows = await self._rows("SELECT space, since FROM departed")
        return {space: since for space, since in rows}  # noqa: C416 (mypy can't see pairs in rows)

    async def close_group(self, space: int, group: int, since: float) -> None:
        """Note that nobody can look into a group (Unix seconds), as long as it has links; an
        earlier note stays."""
        await self._execute(
            """UPDATE groups SET closed_since = ?
            WHERE space = ? AND id = ? AND closed_since IS NULL""",
            since,
            space,
            group,
        )

    async def open_group(self, space: int, group: int) -> None:
        """Take that note away."""
        await self._execute(
            "UPDATE groups SET closed_since = NULL WHERE space = ? AND id = ?", space, group
        )

    async def closed_groups(self) -> dict[tuple[int, int], float]:
        """The groups that nobody can look into, by space and id, each since when."""
        rows = await self._rows(
            "SELECT space, id, closed_since FROM groups WHERE closed_since IS NOT NULL"
        )
        return {(space, id): since for space, id, since in rows}

    # ---- remembered beside the pictures

    async def watch(self, space: int, group: int) -> None:
        """Mark a group as watched."""
        await self._execute("INSERT OR IGNORE INTO watched VALUES (?, ?)", space, group)

    async def unwatch(self, space: int, group: int) -> None:
        """Take the mark away."""
        await self._execute("DELETE FROM watched WHERE space = ? AND group_id = ?", space, group)

    async def watched(self, space: int) -> set[int]:
        """The groups of a space that are marked as watched."""
        rows = await self._rows("SELECT group_id FROM watched WHERE space = ?", space)
        return {group for (group,) in rows}

    async def spaces(self) -> set[int]:
        """All spaces that have watched groups or links."""
        rows = await self._rows("SELECT space FROM watched UNION SELECT space FROM groups")
        return {space for (space,) in rows}

    async def cursors(self, space: int) -> dict[int, Cursor]:
        """The cursor of each group of a space that has one."""
        rows = await self._rows(
            "SELECT group_id, newest, oldest, complete FROM cursors WHERE space = ?", space
        )
        return {
            group: Cursor(space, group, newest, oldest, bool(complete))
            for group, newest, oldest, complete in rows
        }

    async def new_job(self, space: int, kind: str, state: Mapping[str, Any]) -> Job:
        """A new running job with an id of its own."""

        async def write(db: aiosqlite.Connection) -> int:
            return await statements.returned(
                db,
                "INSERT INTO jobs (space, kind, status, state) VALUES (?, ?, 'running', ?)"
                " RETURNING id",
                space,
                kind,
                json.dumps(state),
            )

        return Job(await self._write(write), space, kind, "running", dict(state))

    async def jobs(self, space: int | None = None, *, active: bool = True) -> list[Job]:
        """Jobs, oldest first; `active`: only those running or paused."""
        rows = await self._rows(
            """SELECT id, space, kind, status, state FROM jobs
            WHERE (?1 IS NULL OR space = ?1) AND (NOT ?2 OR status IN ('running', 'paused'))
            ORDER BY id""",
            space,
            active,
        )
        return [
            Job(id, space, kind, status, json.loads(state))
            for id, space, kind, status, state in rows
        ]

    async def save_search(
        self,
        space: int,
        owner: int,
        asked: Asked,
        embedding: QueryEmbedding | None = None,
    ) -> str:
        """A short id for this question, by which it can be asked again for a week."""
        id = secrets.token_urlsafe(9)
        vector, truncated = (
            (embedding.vector.tobytes(), embedding.truncated) if embedding else (None, None)
        )
        row = (id, space, owner, json.dumps(asked.to_json()), vector, truncated, time.time())
        await self._execute("INSERT INTO searches VALUES (?, ?, ?, ?, ?, ?, ?)", *row)
        return id

    async def expire_searches(self) -> None:
        """Drop the questions that are too old to be asked again. Not with each new one: from a
        log that has something deleted, every write moves everything into the file."""
        old = time.time() - self.search_life_s

        async def write(db: aiosqlite.Connection) -> None:
            dropped = await db.execute("DELETE FROM searches WHERE made_at < ?", (old,))
            self._log_has_deleted |= dropped.rowcount > 0

        await self._write(write)

    async def search_by_id(self, id: str) -> SavedSearch | None:
        """The question kept under this id, or None when it is gone or too old."""
        rows = await self._rows(
            f"SELECT {SEARCH} WHERE id = ? AND made_at >= ?",
            id,
            time.time() - self.search_life_s,
        )
        return _search_of(rows[0]) if rows else None

    async def _execute(self, sql: str, *params: Any) -> None:
        async def write(db: aiosqlite.Connection) -> None:
            await db.execute(sql, params)

        await self._write(write)


def _search_of(row: sqlite3.Row) -> SavedSearch:
    """The saved search in a row of `SEARCH`."""
    id, space, owner, params, vector, truncated, made_at = row
    embedding = vector and QueryEmbedding(np.frombuffer(vector, np.float32), truncated)
    return SavedSearch(id, space, owner, Asked.from_json(json.loads(params)), embedding, made_at)


def _disk_bytes(path: Path) -> int:
    files = (path.with_name(path.name + end) for end in ("", "-wal", "-shm"))
    segments = path.with_name(path.name + SEGMENTS).glob("*")
    return sum(file.stat().st_size for file in (*files, *segments) if file.exists())
