"""Items: the pictures and texts that links show, with their embeddings."""

from __future__ import annotations

from collections.abc import Collection

from index.store.sql import columns
from index.store.sql.database import MAX_ID, Database, Row
from index.store.sql.derivations import table_of
from index.types.records import Derived, EmbeddedPicture

# An item with its vectors. The model is read by the same statement, since another model may take
# over between two statements.
_ITEM = """items.key, items.kind, embeddings.vectors, items.width, items.height, items.text,
    items.partial, (SELECT dimension FROM model), (SELECT revision FROM model)"""


class Items:
    """The items of one database.

    derivations  names of those whose results come with an item
    """

    def __init__(self, database: Database, derivations: Collection[str]) -> None:
        self._database = database
        self._derivations = tuple(derivations)
        self._derived = "".join(
            f""", (SELECT data FROM {table_of(name)} WHERE item = items.id),
            (SELECT revision FROM derivations WHERE name = '{name}')"""
            for name in self._derivations
        )

    async def item_of_group(self, key: bytes, space: int, group: int) -> EmbeddedPicture | None:
        """The item with this key, as it was committed; None when no link of the group shows it."""
        rows = await self._database.rows(
            f"""SELECT {_ITEM} {self._derived}
            FROM items JOIN embeddings ON embeddings.item = items.id
            WHERE items.key = ? AND EXISTS (
                SELECT 1 FROM links WHERE item = items.id AND space = ? AND group_id = ?
            )""",
            key,
            space,
            group,
        )
        return self._picture(rows[0]) if rows else None

    async def item_of_link(self, id: int) -> EmbeddedPicture | None:
        """The item that a link shows; None when there is no such link."""
        if id > MAX_ID:
            return None
        rows = await self._database.rows(
            f"""SELECT {_ITEM} {self._derived} FROM links JOIN items ON items.id = links.item
            JOIN embeddings ON embeddings.item = links.item WHERE links.id = ?""",
            id,
        )
        return self._picture(rows[0]) if rows else None

    def _picture(self, row: Row) -> EmbeddedPicture:
        key, kind, vectors, width, height, text, partial, dimension, revision, *made = row
        derived = {
            name: Derived(made_by, data)
            for name, data, made_by in zip(self._derivations, made[::2], made[1::2], strict=True)
            if data is not None and made_by is not None
        }
        shaped = columns.vectors_of(self._database.place, vectors, dimension)
        return EmbeddedPicture(
            key, kind, shaped, width, height, text, revision, derived, partial=bool(partial)
        )

    async def empty(self) -> bool:
        """Whether there are no items at all."""
        return not await self._database.rows("SELECT 1 FROM items LIMIT 1")
