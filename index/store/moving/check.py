"""Compares two galleries: how many rows each table has, and a checksum of them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from index.store.moving.tables import Table
from index.store.sql.database import MAX_ID, Database

Rows: TypeAlias = list[tuple[Any, ...]]
# Numbers of a part: more than the first, and at most the second.
Part: TypeAlias = tuple[int, int]

# A part has so many rows, or more where many have the same number.
ROWS_OF_A_PART = 500
CHECKSUM_BYTES = 16


@dataclass(frozen=True)
class Checked:
    """What one gallery has in a table."""

    rows: int
    checksum: str


@dataclass(frozen=True)
class TableCheck:
    """What both galleries have in a table."""

    name: str
    source: Checked
    target: Checked

    @property
    def same(self) -> bool:
        """Whether it is the same."""
        return self.source == self.target


async def check(
    source: Database, target: Database, tables: Sequence[Table]
) -> tuple[TableCheck, ...]:
    """All rows of both, read anew."""
    return tuple(
        [
            TableCheck(table.name, await checked(source, table), await checked(target, table))
            for table in tables
        ]
    )


async def checked(database: Database, table: Table) -> Checked:
    """What a table has. The checksum doesn't depend on the engine, nor on the order of rows."""
    hash, count = hashlib.blake2b(digest_size=CHECKSUM_BYTES), 0
    async for part in parts(database, table):
        rows = await rows_of(database, table, part)
        count += len(rows)
        for row in table.ordered(rows):
            for value in row:
                data = value if isinstance(value, bytes) else repr(value).encode()
                # With its length, so that no two rows run into each other.
                hash.update(f"{type(value).__name__} {len(data)} ".encode())
                hash.update(data)
    return Checked(count, hash.hexdigest())


async def parts(database: Database, table: Table) -> AsyncIterator[Part | None]:
    """The parts of a table, which have all numbers that there can be; None: the whole table."""
    if table.by is None:
        yield None
        return
    after = -MAX_ID
    while True:
        last = await database.rows(
            f"SELECT {table.by} FROM {table.name} WHERE {table.by} > ?1 "
            f"ORDER BY {table.by} LIMIT 1 OFFSET {ROWS_OF_A_PART - 1}",
            after,
        )
        upto = int(last[0][0]) if last else MAX_ID
        yield after, upto
        if not last:
            return
        after = upto


async def rows_of(
    database: Database, table: Table, part: Part | None, columns: Sequence[str] = ()
) -> Rows:
    """The rows of one part; of these columns, else all."""
    sql = f"SELECT {', '.join(columns or table.columns)} FROM {table.name}"
    if part is None:
        found = await database.many_rows(sql)
    else:
        found = await database.many_rows(f"{sql} WHERE {table.by} > ? AND {table.by} <= ?", *part)
    return [tuple(row) for row in found]
