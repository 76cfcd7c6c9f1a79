"""The embeddings of the model that will follow."""

from __future__ import annotations

import secrets
from typing import Any

import aiosqlite
import numpy as np

from index.store.sqlite import columns
from index.store.sqlite.database import Database
from index.types.records import (
    ModelInfo,
)


class Succession:
    """The embeddings of the model that will follow, in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def successor(self) -> ModelInfo | None:
        """The model that will follow; its embeddings are being made."""
        rows = await self._database.rows("SELECT name, revision, dimension FROM successor")
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

        return await self._database.write(write)

    async def remake(self, key: bytes, vectors: np.ndarray[Any, np.dtype[np.float32]]) -> None:
        """Keep the successor's vectors of an item that is here."""
        await self._database.execute(
            "INSERT OR REPLACE INTO successor_embeddings SELECT id, ? FROM items WHERE key = ?",
            columns.blob(vectors),
            key,
        )

    async def texts_left_behind(self) -> list[tuple[bytes, str]]:
        """Keys and words of the texts that the successor has not embedded."""
        rows = await self._database.rows(
            """SELECT key, text FROM items WHERE kind = 'text'
            AND id NOT IN (SELECT item FROM successor_embeddings)"""
        )
        return [(key, text) for key, text in rows]

    async def slots_left(self, space: int, source: str) -> set[str]:
        """The slots of a source whose pictures the successor has not embedded."""
        rows = await self._database.rows(
            """SELECT slot FROM links WHERE space = ? AND source = ?
            AND item NOT IN (SELECT item FROM successor_embeddings)""",
            space,
            source,
        )
        return {slot for (slot,) in rows}

    async def left_behind(self) -> int:
        """How many items the successor has not embedded."""
        rows = await self._database.rows(
            "SELECT COUNT(*) FROM items WHERE id NOT IN (SELECT item FROM successor_embeddings)"
        )
        return int(rows[0][0])
