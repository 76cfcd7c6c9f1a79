"""The rows that search compares, read from PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from index.store.postgres.database import Database
from index.store.postgres.transaction import Transaction
from index.store.sql import columns, statements
from index.store.sql.derivations import switch_embeddings, table_of
from index.types.derivations import REEMBEDDING
from index.types.records import Changes, Entries, Settled

# Rows read at once when the vectors are loaded: 8 MB of vectors of 512 numbers.
CHUNK_ROWS = 4096


class RowSource:
    """The rows of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(
        self, dimension: int, settled: Settled | None = None, *, successor: bool = False
    ) -> AsyncIterator[Entries]:
        """All links with their vectors, in chunks, by id."""
        chunks = self._database.chunks(
            f"""SELECT links.id, links.space, links.group_id, items.kind = 'text',
                links.owner, links.posted_at, length(vectors), vectors
            FROM links JOIN items ON items.id = links.item
            JOIN {_table(successor=successor)} AS embeddings ON embeddings.item = links.item
            ORDER BY links.id""",
            size=CHUNK_ROWS,
        )
        async with contextlib.aclosing(chunks):
            async for rows in chunks:
                yield await asyncio.to_thread(
                    columns.chunk_of, self._database.place, rows, dimension
                )

    async def frames(self, dimension: int, *, successor: bool = False) -> int:
        """How many vectors `entries` gives: the frames of all links."""
        ((size,),) = await self._database.rows(
            f"""SELECT COALESCE(sum(length(vectors)), 0) FROM links
            JOIN {_table(successor=successor)} AS embeddings ON embeddings.item = links.item"""
        )
        return int(size) // (4 * dimension)

    async def settled(self) -> Settled | None:
        """None: nothing is in files."""
        return None

    async def settle(self, settled: Settled | None) -> None:
        """Nothing: no file has links."""

    async def switch_model(self, settled: Settled | None) -> Changes:
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


def _table(*, successor: bool) -> str:
    """A table expression with the columns `item` and `vectors`."""
    if not successor:
        return "embeddings"
    return f"(SELECT item, data AS vectors FROM {table_of(REEMBEDDING)})"
