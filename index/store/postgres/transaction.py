"""A transaction of PostgreSQL, as the shared parts of a store see it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from index.store.postgres import dialect, words
from index.store.postgres.dialect import statement
from index.store.sql.database import Row, Said

Connection: TypeAlias = Any  # of asyncpg, which is an extra

# So many numbers of changes back it is known which links were changed.
KEPT_CHANGES = 10_000
# In the order of their ids, so that no two transactions wait for each other.
_NEXT_VERSIONS = """INSERT INTO space_versions AS known (space, version, since)
    SELECT space, version, version
    FROM (SELECT space, nextval('versions') AS version
        FROM (SELECT unnest($1::bigint[]) AS space ORDER BY 1) AS ordered) AS numbered
    ON CONFLICT (space) DO UPDATE SET version = excluded.version
    RETURNING space, version, since"""
_TOUCH = """INSERT INTO touched (space, version, link)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])"""
_FORGET_TOUCHED = """WITH forgotten AS (DELETE FROM touched WHERE space = $1 AND version <= $2)
    UPDATE space_versions SET since = $2 WHERE space = $1"""
# By the INSERT of one row that of many. The types of a table's columns are those of the newest
# shape, and of no other: a transaction is refused where the tables have another one.
_OF_COLUMNS: dict[str, str] = {}


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
        if not (many := list(many)):
            return
        if dialect.adds_a_row(sql):
            columns = list(map(list, zip(*many, strict=True)))
            await self.connection.execute(await self._of_columns(statement(sql)), *columns)
        else:
            await self.connection.executemany(statement(sql), many)

    async def _of_columns(self, sql: str) -> str:
        """The INSERT of one row as one of many rows, which come as an array for each column. The
        server does that in about half the time."""
        if sql not in _OF_COLUMNS:
            prepared = await self.connection.prepare(sql)
            types = [one.name for one in prepared.get_parameters()]
            _OF_COLUMNS[sql] = dialect.insert_of_columns(sql, types)
        return _OF_COLUMNS[sql]

    async def chunks(self, sql: str, *params: Any, size: int) -> AsyncGenerator[list[Row]]:
        """The rows that a query gives, `size` at a time."""
        cursor = await self.connection.cursor(statement(sql), *params)
        while rows := await cursor.fetch(size):
            yield list(rows)

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

    async def follow(self, changed: Mapping[int, Collection[int]]) -> None:
        """Note which links have changed, for who has the rows of their spaces in memory. Of two
        transactions that change a space, the second one waits here until the first one has ended,
        so that the numbers of changes become visible in their order."""
        if not changed:
            return
        versions = {}
        for space, version, since in await self.connection.fetch(_NEXT_VERSIONS, list(changed)):
            versions[space] = version
            if version - since > 2 * KEPT_CHANGES:
                await self.connection.execute(_FORGET_TOUCHED, space, version - KEPT_CHANGES)
        rows = [
            (space, versions[space], link) for space, links in changed.items() for link in links
        ]
        await self.connection.execute(_TOUCH, *map(list, zip(*rows, strict=True)))

    async def forget_space(self, space: int) -> None:
        """Keep not even the number of its changes."""
        for table in ("touched", "space_versions"):
            await self.connection.execute(f"DELETE FROM {table} WHERE space = $1", space)

    async def hold_rules(self, spaces: Collection[int], *, to_change: bool = False) -> None:
        """Hold an advisory lock for each space, under its own number. What is read afterwards was
        committed before the lock was given."""
        lock = "pg_advisory_xact_lock" if to_change else "pg_advisory_xact_lock_shared"
        await self.connection.execute(f"SELECT {lock}(unnest($1::bigint[]))", sorted(spaces))

    async def hold_item(self, key: bytes) -> None:
        """Lock its row. Whoever makes a link to it locks it, too, so that it isn't removed."""
        await self.connection.execute("SELECT 1 FROM items WHERE key = $1 FOR UPDATE", key)

    async def touch(self, links: Collection[int]) -> None:
        """Nothing: no file beside the database has links."""
