"""Items: the pictures and texts that links show, with their embeddings."""

from __future__ import annotations

import sqlite3

from index.store.sqlite import columns
from index.store.sqlite.database import Database
from index.types.records import (
    EmbeddedPicture,
)

# The largest number that SQLite takes.
MAX_ID = 2**63 - 1
# In the statement that reads vectors: another model may take over between two statements.
_MODELS = """(SELECT dimension FROM model), (SELECT revision FROM model),
    (SELECT dimension FROM successor)"""


class Items:
    """The items of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def item(self, key: bytes) -> EmbeddedPicture | None:
        """The item with this key, as it was committed; None when it isn't here."""
        rows = await self._database.rows(
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
        rows = await self._database.rows(
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
        shaped = columns.vectors_of(self._database.path, vectors, dimension)
        successor = columns.vectors_of(self._database.path, following, next_) if following else None
        return EmbeddedPicture(key, kind, shaped, width, height, text, revision, successor)

    async def empty(self) -> bool:
        """Whether nothing is kept here yet."""
        return not await self._database.rows("SELECT 1 FROM items LIMIT 1")
