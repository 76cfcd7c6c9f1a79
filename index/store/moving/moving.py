"""Moves a gallery from SQLite to PostgreSQL, or back.

Passes (`copying`) make the copy the same as the source, until one finds nothing to do. A move that
was interrupted goes on where it was, since rows that are the same are only read. Meanwhile a mark
in the copy keeps bots from it. The mark goes when nobody writes the source any more, and all rows
were read anew on both sides and are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from index.store.moving.check import TableCheck, check
from index.store.moving.copying import Tell, one_pass
from index.store.moving.sides import Side, source_at, target_at
from index.store.moving.tables import HASHES, MISSED, Table, tables_to_copy
from index.store.sql import words
from index.store.sql.database import Database, Transaction
from index.store.sql.derivations import table_of
from index.store.sql.store import INCOMPLETE
from index.types.address import is_address, shown
from index.types.derivations import NAMES
from index.types.errors import MoveRefused

# While the source is in use, there may always be a little more to copy.
MOST_PASSES = 6


@dataclass(frozen=True)
class Moved:
    """What a move did.

    complete  the copy is the same, and can be used; else the source was in use, and the move is
              to be run again
    checks    of each table
    """

    complete: bool
    checks: tuple[TableCheck, ...]


async def move(source: str, target: str, tell: Tell) -> Moved:
    """Copy a gallery; go on with it where that was begun before.

    source, target   files, or addresses of databases: one of each
    raises           MoveRefused, StoreError
    """
    _refuse_one_kind(source, target)
    async with source_at(source) as here, target_at(target) as there:
        tables = await _tables(here)
        compared = (*tables, HASHES)
        if not await _begin(here, there, tables):
            return await _compare_again(here, there, compared)
        for _ in range(MOST_PASSES):
            if not await one_pass(here.database, there.database, tables, tell):
                break
        await there.raise_ids(await here.greatest_ids())
        checks = await check(here.database, there.database, compared)
        if await here.in_use():
            return Moved(False, checks)
        _refuse_different(there.database.place, checks)
        await there.database.write(_complete)
        return Moved(True, checks)


def _refuse_one_kind(source: str, target: str) -> None:
    """raises   MoveRefused unless one is a file, and the other one a database"""
    if is_address(source) != is_address(target):
        return
    place = shown(target)
    if source == target or (
        not is_address(source) and Path(source).resolve() == Path(target).resolve()
    ):
        raise MoveRefused(place, f"{place} is both FROM and TO; name two places.")
    if is_address(source):
        raise MoveRefused(
            place, "Both are databases of PostgreSQL; copy one with pg_dump and pg_restore."
        )
    raise MoveRefused(place, "Both are files; copy one with magpie backup COPY --db FROM.")


async def _tables(side: Side) -> tuple[Table, ...]:
    results = {name for name in await side.tables() if name.startswith(table_of(""))}
    return tables_to_copy(sorted(results))


async def _begin(here: Side, there: Side, tables: Sequence[Table]) -> bool:
    """Mark the target as the incomplete copy of the source; False when it is a complete one.

    raises   MoveRefused when it is, or has, another gallery
    """
    known = await there.tables()
    ours, theirs = await _identity(here.database), await _identity(there.database)
    place = there.database.place
    marked = INCOMPLETE in known
    if ours != theirs and (marked or await _has_something(there.database)):
        raise MoveRefused(
            place, f"{place} has another gallery already. Name an empty database, or a new file."
        )
    if ours == theirs and not marked:
        return False
    if not marked:
        await _refuse_another_model(here.database, there.database)
    missing = {table.name for table in tables if table.name not in known}
    missing |= {table_of(name) for name in NAMES} - known

    async def write(db: Transaction) -> None:
        for name in sorted(missing):
            await db.create_results(name)
        if not marked:
            await db.execute(f"CREATE TABLE {INCOMPLETE} (source text NOT NULL)")
            await db.execute("DELETE FROM identity")
            await db.execute("INSERT INTO identity (id) VALUES (?)", ours)
        await db.clear_words()
        await db.execute("DELETE FROM word_terms")

    await there.database.write(write)
    return True


async def _compare_again(here: Side, there: Side, tables: Sequence[Table]) -> Moved:
    """What a copy is that was complete once. raises   MoveRefused when one of the two changed"""
    place = there.database.place
    checks = await check(here.database, there.database, tables)
    if differing := [one.name for one in checks if not one.same]:
        raise MoveRefused(
            place,
            f"{place} was a complete copy, and one of the two has changed since, in "
            f"{', '.join(differing)}. Nothing was written, since what came to the copy would be "
            "lost. To move again, name an empty database, or a new file.",
        )
    return Moved(True, checks)


async def _complete(db: Transaction) -> None:
    """Index the words, and let bots use the copy. A transaction's work."""
    await words.begin(db)
    await db.execute(f"DROP TABLE {INCOMPLETE}")


async def _identity(database: Database) -> bytes:
    ((id,),) = await database.rows("SELECT id FROM identity")
    return bytes(id)


async def _has_something(database: Database) -> bool:
    for name in MISSED:
        if await database.rows(f"SELECT 1 FROM {name} LIMIT 1"):
            return True
    return False


async def _refuse_another_model(source: Database, target: Database) -> None:
    """raises   MoveRefused when a bot has begun the target with another model"""
    sql = "SELECT name, revision FROM model"
    ours, theirs = await source.rows(sql), await target.rows(sql)
    if theirs and [tuple(row) for row in ours] != [tuple(row) for row in theirs]:
        raise MoveRefused(
            target.place,
            f"{target.place} was begun with the model {theirs[0][0]!r}, and FROM has another one, "
            "or another version of it. Name an empty database, or a new file.",
        )


def _refuse_different(place: str, checks: Sequence[TableCheck]) -> None:
    if differing := [one.name for one in checks if not one.same]:
        raise MoveRefused(
            place,
            f"The copy in {place} is not the same as its source, in {', '.join(differing)}. Run "
            "the same command again; if it says this again, please report it.",
        )
