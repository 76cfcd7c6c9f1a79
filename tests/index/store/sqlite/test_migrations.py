"""Files of earlier versions are brought to the newest shape."""

from __future__ import annotations

import json
import math
import sqlite3
import time
from pathlib import Path

import aiosqlite
import numpy as np
import pytest

from index.store.sqlite import SQLiteStore, migrations
from index.types.derivations import REEMBEDDING, BegunDerivation
from index.types.records import Derived, ModelInfo
from tests.index.store.samples import ASKED, THREAD, link, picture


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


async def test_reembedding_under_way_in_a_file_of_version_7_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    old, again = np.eye(8, dtype=np.float32)[:1], np.eye(6, dtype=np.float32)[:1]
    async with aiosqlite.connect(path) as db:
        for step in migrations.STEPS[:7]:
            await step(db)
        await db.execute("INSERT INTO model VALUES (1, 'old', 'r1', 8)")
        await db.execute("INSERT INTO successor VALUES (1, 'new', 'r2', 6, 'the-id')")
        await db.execute("INSERT INTO groups VALUES (1, 10, NULL, 0, NULL)")
        for n in (1, 2):
            item = (n, bytes([n]), "image", 1, 1, None)
            await db.execute("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)", item)
            await db.execute("INSERT INTO embeddings VALUES (?, ?)", (n, old.tobytes()))
            await db.execute(
                "INSERT INTO links VALUES (?, 1, 10, ?, 'a', ?, 5, 0, '', 0, '{}')", (n, str(n), n)
            )
        await db.execute("INSERT INTO successor_embeddings VALUES (1, ?)", (again.tobytes(),))
        await db.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
        await db.execute("PRAGMA user_version = 7")
        await db.commit()
    store = await SQLiteStore.open(path)
    begun = await store.derivations.begun(REEMBEDDING)
    details = {"name": "new", "dimension": 6}
    assert begun == BegunDerivation(REEMBEDDING, "r2", "the-id", details)
    assert await store.derivations.begin(REEMBEDDING, "r2", details) == begun
    made = Derived("r2", again.tobytes())
    assert await store.derivations.get(REEMBEDDING, b"\1") == made
    assert [item.key for item in await store.derivations.pending(REEMBEDDING)] == [b"\2"]
    await store.derivations.put(REEMBEDDING, b"\2", made)
    assert list((await store.rows.switch_model(None)).removed) == []
    assert await store.model_record.get() == ModelInfo("new", "r2", 6)
    assert await store.derivations.begun(REEMBEDDING) is None
    assert await store.derivations.count_pending(REEMBEDDING) == 2
    (chunk,) = [chunk async for chunk in store.rows.entries(6)]
    assert np.array_equal(chunk.vectors, np.concatenate([again, again]))
    await store.close()


async def test_jobs_of_a_file_of_version_8_forget_who_began_them(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    async with aiosqlite.connect(path) as db:
        for step in migrations.STEPS[:8]:
            await step(db)
        job = (1, 1, "reindex", "running", json.dumps({"what": "missing", "asked_by": 123456}))
        await db.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?)", job)
        await db.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
        await db.execute("PRAGMA user_version = 8")
        await db.commit()
    store = await SQLiteStore.open(path)
    assert [job.state for job in await store.bookkeeping.jobs()] == [{"what": "missing"}]
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
    row = ("old", 1, 5, json.dumps(kept), None, None, time.time(), None)
    db.execute("INSERT INTO searches VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    db.commit()
    db.close()
    found = await store.bookkeeping.search_by_id("old")
    assert found is not None
    assert (found.asked, found.embedding) == (ASKED, None)
    (again,) = await store.bookkeeping.searches_of(1, 5)
    assert again.to_json() == {**kept, "made_at": row[6]}


async def test_who_opted_out_in_a_file_of_version_8_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    async with aiosqlite.connect(path) as db:
        for step in migrations.STEPS[:8]:
            await step(db)
        await db.execute("INSERT INTO model VALUES (1, 'm', 'r1', 8)")
        await db.execute("INSERT INTO opted_out VALUES (1, 5)")
        await db.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
        await db.execute("PRAGMA user_version = 8")
        await db.commit()
    store = await SQLiteStore.open(path)
    assert await store.bookkeeping.left_out() == {(1, 5): math.inf}
    await store.writes.commit([(picture(1), link("1"))])
    assert await store.links.slots(1, "1") == set()
    await store.close()


async def test_animations_of_an_earlier_version_have_no_moments(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    step = migrations.STEPS.index(migrations.keep_moments)
    async with aiosqlite.connect(path) as db:
        for earlier in migrations.STEPS[:step]:
            await earlier(db)
        await db.execute("INSERT INTO model VALUES (1, 'm', 'r1', 8)")
        await db.execute("INSERT INTO items VALUES (1, x'01', 'image', 9, 9, NULL)")
        await db.execute("INSERT INTO embeddings VALUES (1, zeroblob(96))")
        await db.execute("INSERT INTO groups (space, id, private) VALUES (1, 10, 0)")
        await db.execute("INSERT INTO links VALUES (7, 1, 10, '1', 'a', 1, 5, 0, 'a.gif', 0, '{}')")
        await db.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
        await db.execute(f"PRAGMA user_version = {step}")
        await db.commit()
    store = await SQLiteStore.open(path)
    assert await store.links.seconds({7: 2}) == {}
    assert (await store.links.with_ids(1, [7]))[7][0].name == "a.gif"
    await store.close()


@pytest.mark.parametrize("used", [True, False])
async def test_a_file_that_was_used_welcomes_from_now_on(tmp_path: Path, *, used: bool) -> None:
    path, began = tmp_path / "g.db", time.time()
    step = migrations.STEPS.index(migrations.note_since_when_spaces_are_welcomed)
    async with aiosqlite.connect(path) as db:
        for earlier in migrations.STEPS[:step]:
            await earlier(db)
        if used:
            await db.execute("INSERT INTO model VALUES (1, 'm', 'r1', 8)")
        await db.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
        await db.execute(f"PRAGMA user_version = {step}")
        await db.commit()
    store = await SQLiteStore.open(path)
    since = await store.bookkeeping.welcoming_since()
    assert since >= began if used else since == 0
    await store.close()
