"""The rows that search compares, read from PostgreSQL."""

from __future__ import annotations

import asyncio

from index.search.spaces import SpaceChanges
from index.store.postgres.database import Database
from index.store.postgres.transaction import Transaction
from index.store.sql import columns, statements
from index.store.sql.derivations import switch_embeddings, table_of
from index.types.derivations import REEMBEDDING
from index.types.records import Changes, Entries

# Rows read at once when the vectors are loaded: 8 MB of vectors of 512 numbers.
CHUNK_ROWS = 4096


class RowSource:
    """The rows of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self, space: int) -> int:
        """The number of the newest change of a space's links; 0: it has none."""
        rows = await self._database.rows(
            "SELECT version FROM space_versions WHERE space = ?", space
        )
        return int(rows[0][0]) if rows else 0

    async def changed(self, space: int, dimension: int, since: int | None) -> SpaceChanges:
        """What changed in a space after this change; everything, where that is not known."""

        async def read(db: Transaction) -> SpaceChanges:
            known = await db.rows(
                "SELECT version, since FROM space_versions WHERE space = ?", space
            )
            version, kept_since = known[0] if known else (0, 0)
            if since is None or since < kept_since or not known:
                return SpaceChanges(version, None, await self._chunks(db, space, dimension, None))
            touched = [
                link
                for (link,) in await db.rows(
                    "SELECT DISTINCT link FROM touched WHERE space = ? AND version > ?",
                    *(space, since),
                )
            ]
            return SpaceChanges(version, touched, await self._chunks(db, space, dimension, touched))

        return await self._database.read(read)

    async def _chunks(
        self, db: Transaction, space: int, dimension: int, links: list[int] | None
    ) -> list[Entries]:
        """The rows of a space by the ids of their links; of these links, if given."""
        among, params = ("", []) if links is None else ("AND links.id IN (numbers(?))", [links])
        chunks = []
        async for rows in db.chunks(
            f"""SELECT links.id, links.space, links.group_id, items.kind = 'text',
                links.owner, links.posted_at, length(vectors), vectors
            FROM links JOIN items ON items.id = links.item
            JOIN embeddings ON embeddings.item = links.item
            WHERE links.space = ? {among} ORDER BY links.id""",
            *(space, *params),
            size=CHUNK_ROWS,
        ):
            chunks.append(
                await asyncio.to_thread(columns.chunk_of, self._database.place, rows, dimension)
            )
        return chunks

    async def switch_model(self) -> Changes:
        """Make the results of the re-embedding the gallery's embeddings, in one transaction.

        Links whose item has none are removed: a look at their source finds them again. Saved
        searches are removed too, since their vectors are of the old model.
        """

        async def write(db: Transaction) -> Changes:
            changes = await statements.drop_links(
                db, f"item NOT IN (SELECT item FROM {table_of(REEMBEDDING)})"
            )
            await switch_embeddings(db)
            await db.execute("DELETE FROM searches")
            self._database.note_deletion()
            return changes

        return await self._database.write(write)
