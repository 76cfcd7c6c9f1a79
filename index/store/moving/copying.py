"""One pass over two galleries, after which the copy has what the source has.

The source may change during a pass. So a row may come before the row that it names, or the copy may
still have an old row where a new one wants to be. Both are left to the next pass. Once the source
rests, a pass finds nothing more to do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from index.store.moving.check import Rows, parts, rows_of
from index.store.moving.tables import Table
from index.store.sql.database import Database, Transaction

# Called with the name of a table, and how many of its rows were copied or removed.
Tell = Callable[[str, int, int], None]

# What is still named by a link can't be removed yet.
_UNLESS_NAMED = {
    "items": "AND NOT EXISTS (SELECT 1 FROM links WHERE links.item = items.id)",
    "groups": "AND NOT EXISTS (SELECT 1 FROM links WHERE links.space = groups.space "
    "AND links.group_id = groups.id)",
}


async def one_pass(source: Database, target: Database, tables: Sequence[Table], tell: Tell) -> int:
    """Copy what differs, and remove what the source no longer has; how many rows differed.

    What is the same is only read.
    """
    removed = {}
    for table in reversed(tables):
        removed[table.name] = await _remove(source, target, table) if table.key else 0
    differing = 0
    for table in tables:
        copied = await _copy(source, target, table)
        if copied or removed[table.name]:
            tell(table.name, copied, removed[table.name])
        differing += copied + removed[table.name]
    return differing


async def _remove(source: Database, target: Database, table: Table) -> int:
    """Remove the rows whose keys the source doesn't have."""
    count = 0
    async for part in parts(target, table):
        there = await rows_of(target, table, part, table.key)
        if not there:
            continue
        gone = set(there) - set(await rows_of(source, table, part, table.key))
        if gone:
            count += len(gone)
            await _write(target, partial(_delete, table=table, keys=gone))
    return count


async def _copy(source: Database, target: Database, table: Table) -> int:
    """Copy the rows that the target lacks, or has otherwise."""
    count = 0
    async for part in parts(source, table):
        rows = await rows_of(source, table, part)
        there = await rows_of(target, table, part)
        if not table.key:
            if table.ordered(rows) != table.ordered(there):
                count += max(len(rows), 1)
                await _write(target, partial(_replace, table=table, part=part, rows=rows))
            continue
        known = {table.key_of(row): row for row in there}
        changed = [row for row in rows if known.get(table.key_of(row)) != row]
        if changed:
            count += len(changed)
            await _write(target, partial(_put, table=table, rows=changed, known=known))
    return count


async def _write(target: Database, fn: Callable[[Transaction], Awaitable[None]]) -> None:
    target.note_deletion()  # a row that is changed is deleted, too
    await target.write(fn)


async def _put(db: Transaction, table: Table, rows: Rows, known: Mapping[Any, Any]) -> None:
    """Have these rows. Part of a transaction.

    known   the rows that are there, by their keys
    """
    rows = await _with_parents(db, table, rows)
    old = [row for row in rows if table.key_of(row) in known]
    if table.updated:
        await _update(db, table, old)
        rows = [row for row in rows if table.key_of(row) not in known]
    else:
        # Not changed in place: what is kept by the table's triggers is made when a row comes.
        await _delete(db, table, map(table.key_of, old))
    await _insert(db, table, rows)


async def _with_parents(db: Transaction, table: Table, rows: Rows) -> Rows:
    """Those of the rows that name nothing which isn't there yet."""
    for column, parent in table.parents:
        place = table.columns.index(column)
        named = sorted({row[place] for row in rows} - {None})
        found = await db.rows(f"SELECT id FROM {parent} WHERE id IN (numbers(?))", named)
        there = {None, *(id for (id,) in found)}
        rows = [row for row in rows if row[place] in there]
    if table.name == "links":
        space, group = table.columns.index("space"), table.columns.index("group_id")
        spaces = sorted({row[space] for row in rows})
        groups = await db.rows("SELECT space, id FROM groups WHERE space IN (numbers(?))", spaces)
        there = set(map(tuple, groups))
        rows = [row for row in rows if (row[space], row[group]) in there]
    return rows


async def _insert(db: Transaction, table: Table, rows: Rows) -> None:
    values = ", ".join("?" for _ in table.columns)
    await db.execute_many(
        f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({values}) "
        "ON CONFLICT DO NOTHING",
        rows,
    )


async def _update(db: Transaction, table: Table, rows: Rows) -> None:
    others = [name for name in table.columns if name not in table.key]
    places = [table.columns.index(name) for name in others]
    await db.execute_many(
        f"UPDATE {table.name} SET {', '.join(f'{name} = ?' for name in others)} "
        f"WHERE {' AND '.join(f'{name} = ?' for name in table.key)}",
        [(*(row[place] for place in places), *table.key_of(row)) for row in rows],
    )


async def _delete(db: Transaction, table: Table, keys: Iterable[Sequence[Any]]) -> None:
    await db.execute_many(
        f"DELETE FROM {table.name} WHERE {' AND '.join(f'{name} = ?' for name in table.key)} "
        f"{_UNLESS_NAMED.get(table.name, '')}",
        list(keys),
    )


async def _replace(db: Transaction, table: Table, part: tuple[int, int] | None, rows: Rows) -> None:
    """Let a part have these rows and no others. Part of a transaction."""
    if part is None:
        await db.execute(f"DELETE FROM {table.name}")
    else:
        await db.execute(
            f"DELETE FROM {table.name} WHERE {table.by} > ? AND {table.by} <= ?", *part
        )
    await _insert(db, table, rows)
