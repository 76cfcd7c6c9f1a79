"""The record of the model whose embeddings are kept."""

from __future__ import annotations

from index.store.sql.database import Database, Transaction
from index.types.records import ModelInfo


class ModelRecord:
    """Which model the embeddings of one database are from."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self) -> ModelInfo | None:
        """The model whose embeddings are kept; None when there are none yet."""
        rows = await self._database.rows("SELECT name, revision, dimension FROM model")
        return ModelInfo(*rows[0]) if rows else None

    async def set(self, model: ModelInfo) -> None:
        """Remember whose embeddings are kept; only for a store without any."""

        async def write(db: Transaction) -> None:
            await db.execute(
                """INSERT INTO model (id, name, revision, dimension) VALUES (1, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET name = excluded.name,
                    revision = excluded.revision, dimension = excluded.dimension""",
                *(model.name, model.revision, model.dimension),
            )

        await self._database.write(write)
