"""Files of earlier versions are brought to the newest shape."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import aiosqlite

from index.store.sqlite import SQLiteStore, migrations
from tests.index.store.samples import (
    ASKED,
    THREAD,
)


async def test_groups_of_a_file_from_before_count_as_open(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    async with aiosqlite.connect(path) as db:
        for step in migrations.STEPS[:5]:
            await step(db)
        await db.execute("INSERT INTO groups VALUES (1, 11, 10, 1)")
        await db.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
        await db.execute("PRAGMA user_version = 5")
        await db.commit()
    store = await SQLiteStore.open(path)
    assert await store.links.groups(1) == [THREAD]
    assert await store.bookkeeping.closed_groups() == {}
    await store.bookkeeping.close_group(1, 11, 100.0)
    assert await store.bookkeeping.closed_groups() == {(1, 11): 100.0}
    await store.close()


async def test_search_saved_by_an_earlier_version_is_read(store: SQLiteStore) -> None:
    kept = {
        "words": "a dog",
        "picture": True,
        "like": None,
        "source": {"channel": 10, "message": 1234567890123456789, "chosen": 1, "count": 3},
        "public": True,
    }
    db = sqlite3.connect(store.path)
    row = ("old", 1, 5, json.dumps(kept), None, None, time.time())
    db.execute("INSERT INTO searches VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    db.commit()
    db.close()
    found = await store.bookkeeping.search_by_id("old")
    assert found is not None
    assert (found.asked, found.embedding) == (ASKED, None)
    (again,) = await store.bookkeeping.searches_of(1, 5)
    assert again.to_json() == {**kept, "made_at": row[-1]}
