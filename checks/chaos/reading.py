"""Reads a gallery's rows as another program does, while the bot uses it: from its file, or from its
database in PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

Place: TypeAlias = Path | str  # a file, or the address of a database
Rows: TypeAlias = Sequence[Sequence[Any]]

PATIENCE_S = 5.0


class Unreadable(Exception):
    """The file is locked or not there yet, or the server can't be reached."""


def rows(place: Place, *statements: str) -> list[Rows]:
    """The rows that each statement gives. raises   Unreadable"""
    if isinstance(place, Path):
        return _of_file(place, statements)
    # In a thread, since there the caller's loop does not run.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _of_database(place, statements)).result()


def _of_file(path: Path, statements: Sequence[str]) -> list[Rows]:
    uri = f"file:{path}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=PATIENCE_S)) as db:
            return [db.execute(one).fetchall() for one in statements]
    except sqlite3.Error as error:
        raise Unreadable(str(error)) from error


async def _of_database(address: str, statements: Sequence[str]) -> list[Rows]:
    import asyncpg  # an extra

    try:
        db = await asyncpg.connect(address, timeout=PATIENCE_S, command_timeout=PATIENCE_S)
        try:
            return [await db.fetch(one) for one in statements]
        finally:
            db.terminate()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise Unreadable(str(error)) from error
