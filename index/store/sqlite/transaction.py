"""A transaction of SQLite, as the shared parts of a store see it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import aiosqlite

from index.store.sql.database import Row, Said
from index.store.sqlite import settled, words
from index.store.sqlite.dialect import parameters, statement


class Transaction:
    """The transaction that a connection is in.

    connection   the same for what is SQLite's alone
    """

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.connection = connection

    async def rows(self, sql: str, *params: Any) -> list[Row]:
        """All rows that a statement gives."""
        return list(await self.connection.execute_fetchall(statement(sql), parameters(params)))

    async def execute(self, sql: str, *params: Any) -> int:
        """Run a statement; returns how many rows it has changed."""
        done = await self.connection.execute(statement(sql), parameters(params))
        return max(done.rowcount, 0)

    async def execute_many(self, sql: str, many: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each of these lists of parameters."""
        await self.connection.executemany(statement(sql), map(parameters, many))

    async def put_words(self, said: Sequence[tuple[int, Said]]) -> None:
        """Have links in the index of words that are not in it yet."""
        await words.put(self.connection, said)

    async def take_words(self, said: Sequence[tuple[int, Said]]) -> None:
        """Take links out of the index of words."""
        await words.take(self.connection, said)

    async def clear_words(self) -> None:
        """Have no link in the index of words."""
        await words.clear(self.connection)

    async def merge_words(self) -> None:
        """Leave nothing in the index of words of links that were taken out, and make it quick."""
        await words.merge(self.connection)

    async def create_results(self, table: str) -> None:
        """Make a table with the columns `item` and `data`.

        Of the shape of `embeddings` but for a column's name. Not WITHOUT ROWID: secure_delete
        leaves copies in index pages.
        """
        await self.connection.execute(
            f"""CREATE TABLE {table} (
                item INTEGER PRIMARY KEY REFERENCES items ON DELETE CASCADE,
                data BLOB NOT NULL
            )"""
        )

    async def follow(self, changed: Mapping[int, Collection[int]]) -> None:
        """Nothing: one process alone writes to a file, and knows what it wrote."""

    async def forget_space(self, space: int) -> None:
        """Nothing: what is kept of a space is in its tables."""

    async def hold_rules(self, spaces: Collection[int], *, to_change: bool = False) -> None:
        """Nothing: there is one writer."""

    async def hold_item(self, key: bytes) -> None:
        """Nothing: there is one writer."""

    async def touch(self, links: Collection[int]) -> None:
        """Note that these links are no longer as the files beside this one have them."""
        await settled.touch(self.connection, links)
