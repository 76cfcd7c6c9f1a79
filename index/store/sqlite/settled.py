"""Which links are in segment files, and which of those were removed or replaced since."""

from __future__ import annotations

import json
from collections.abc import Collection

import aiosqlite

from index.types.records import Settled


async def touch(db: aiosqlite.Connection, links: Collection[int]) -> None:
    """Note that these links are no longer as the files have them, if they are in any. Part of a
    transaction."""
    await db.execute(
        """INSERT OR IGNORE INTO touched SELECT value FROM json_each(?)
        WHERE value <= (SELECT newest FROM settled)""",
        (json.dumps(list(links)),),
    )


async def put_settled(db: aiosqlite.Connection, settled: Settled | None) -> None:
    """Keep which links are in files. Part of a transaction."""
    await db.execute("DELETE FROM settled")
    await db.execute("DELETE FROM touched")
    if settled is not None:
        await db.execute(
            "INSERT INTO settled VALUES (1, ?, ?)", (json.dumps(settled.names), settled.newest)
        )
        await touch(db, settled.touched)
