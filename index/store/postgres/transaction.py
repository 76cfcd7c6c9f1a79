"""A transaction of PostgreSQL, as the shared parts of a store see it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeAlias

from index.store.postgres import words
from index.store.postgres.dialect import statement
from index.store.sql.database import Row, Said
from index.types.records import Changes

Connection: TypeAlias = Any  # of asyncpg, which is an extra


class Transaction:
    """The transaction that a connection is in."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def rows(self, sql: str, *params: Any) -> list[Row]:
        """All rows that a statement gives."""
        return list(await self.connection.fetch(statement(sql), *params))

    async def execute(self, sql: str, *params: Any) -> int:
        """Run a statement; returns how many rows it has changed."""
        done = str(await self.connection.execute(statement(sql), *params))
        count = done.rpartition(" ")[2]  # as in "DELETE 3"
        return int(count) if count.isdecimal() else 0

    async def execute_many(self, sql: str, many: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each of these lists of parameters."""
        if many := list(many):
            await self.connection.executemany(statement(sql), many)

    async def put_words(self, said: Sequence[tuple[int, Said]]) -> None:
        """Have links in the index of words that are not in it yet."""
        await self.connection.executemany(words.PUT, [words.row(link, one) for link, one in said])

    async def take_words(self, said: Sequence[tuple[int, Said]]) -> None:
        """Take links out of the index of words."""
        await self.connection.execute(words.TAKE, [link for link, _ in said])

    async def clear_words(self) -> None:
        """Have no link in the index of words."""
        await self.connection.execute(words.CLEAR)

    async def merge_words(self) -> None:
        """Nothing: PostgreSQL merges what waits to be merged by itself."""

    async def create_results(self, table: str) -> None:
        """Make a table with the columns `item` and `data`."""
        await self.connection.execute(
            f"""CREATE TABLE {table} (
                item bigint PRIMARY KEY REFERENCES items ON DELETE CASCADE, data bytea NOT NULL
            )"""
        )

    async def follow(self, changes: Changes) -> None:
        """Nothing yet: rows are searched in memory."""

    async def touch(self, links: Collection[int]) -> None:
        """Nothing: no file beside the database has links."""
