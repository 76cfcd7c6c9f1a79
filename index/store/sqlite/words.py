"""The index of words as two tables of FTS5; what they hold, `index/store/sql/words.py` says.

FTS5 keeps what a deleted row had until all of it is merged (`optimize`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import aiosqlite

from index.store.sql.database import Said, WordQuestion, WordTable
from index.types.filter import Filter

TABLES: tuple[WordTable, WordTable] = ("words", "near_words")


async def put(db: aiosqlite.Connection, said: Sequence[tuple[int, Said]]) -> None:
    """Have links that are not there yet."""
    for table, rows in _rows(said):
        await db.executemany(f"INSERT INTO {table} (rowid, terms) VALUES (?, ?)", rows)


async def take(db: aiosqlite.Connection, said: Sequence[tuple[int, Said]]) -> None:
    """Take links out. FTS5 must be told what they had."""
    for table, rows in _rows(said):
        await db.executemany(
            f"INSERT INTO {table} ({table}, rowid, terms) VALUES ('delete', ?, ?)", rows
        )


async def clear(db: aiosqlite.Connection) -> None:
    """Have no link."""
    for table in TABLES:
        await db.execute(f"INSERT INTO {table} ({table}) VALUES ('delete-all')")


async def merge(db: aiosqlite.Connection) -> None:
    """Leave nothing of deleted rows."""
    for table in TABLES:
        await db.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")


def _rows(said: Sequence[tuple[int, Said]]) -> list[tuple[WordTable, list[tuple[int, str]]]]:
    return [
        (table, [(id, " ".join(terms[place])) for id, terms in said])
        for place, table in enumerate(TABLES)
    ]


def statement(
    questions: Sequence[WordQuestion], filter: Filter, *, most: int | None
) -> tuple[str, Sequence[object]]:
    """The statement that gives the numbers of questions with the links found, and its parameters.

    A term is a hash of letters and figures, which FTS5 takes without quotes.
    """
    groups = None if filter.groups is None else json.dumps(sorted(filter.groups))
    # CROSS JOIN keeps the order: each home is asked once, not once for each link.
    selects = [
        f"""SELECT * FROM (SELECT {number}, links.id FROM json_each(?{number + 4}) AS home
        CROSS JOIN {one.table} ON {one.table} MATCH home.value
        CROSS JOIN links ON links.id = {one.table}.rowid
        WHERE links.space = ?1
        AND (?2 IS NULL OR links.group_id IN (SELECT value FROM json_each(?2))) LIMIT ?3)"""
        for number, one in enumerate(questions)
    ]
    matches = [json.dumps(_matches(one)) for one in questions]
    return (
        " UNION ALL ".join(selects),
        (filter.space, groups, -1 if most is None else most, *matches),
    )


def _matches(question: WordQuestion) -> list[str]:
    """What FTS5 is asked for each home."""
    joined = " AND " if question.every else " OR "
    return [joined.join(map(" + ".join, phrases)) for phrases in question.asked]
