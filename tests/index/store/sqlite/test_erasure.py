"""What is deleted is overwritten, in the file and in its log."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

from index.store.sqlite import SQLiteStore
from tests.index.store.samples import (
    ASKED,
    MODEL,
    all_bytes,
    link,
    picture,
    rows_of,
)


async def test_removed_bytes_are_gone_from_the_files(store: SQLiteStore) -> None:
    gone, kept = picture(1, frames=4), picture(2, kind="text")
    many = [(picture(n), link(str(n))) for n in range(10, 200)]
    await store.writes.commit([(gone, link("secret-source")), (kept, link("2")), *many])
    assert gone.vectors.tobytes() in all_bytes(store.path)
    await store.writes.remove_sources(1, ["secret-source"])
    left = all_bytes(store.path)
    assert gone.vectors[0].tobytes() not in left
    assert gone.key not in left
    assert kept.vectors.tobytes() in left


async def test_removed_bytes_are_gone_even_if_somebody_was_reading(store: SQLiteStore) -> None:
    gone = picture(1, frames=4)
    await store.writes.commit([(gone, link("1"))])
    reading = sqlite3.connect(store.path)
    reading.execute("BEGIN")
    reading.execute("SELECT * FROM links").fetchall()
    await store.writes.remove_sources(1, ["1"])
    assert gone.vectors.tobytes() in all_bytes(store.path)
    reading.close()
    await store.bookkeeping.watch(1, 10)  # any next write
    assert gone.vectors.tobytes() not in all_bytes(store.path)


async def test_what_was_deleted_right_before_a_kill_is_gone_from_the_files(tmp_path: Path) -> None:
    path, gone = tmp_path / "gallery.db", picture(1)
    store = await SQLiteStore.open(path)
    await store.model_record.set(MODEL)
    await store.writes.commit([(gone, link("1"))])
    await store.close()
    dying = f"""
import os, sqlite3
db = sqlite3.connect({str(path)!r}, isolation_level=None)
for statement in ("PRAGMA secure_delete = ON", "DELETE FROM links", "DELETE FROM embeddings",
                  "DELETE FROM items"):
    db.execute(statement)
os._exit(9)"""
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", dying], check=False)
    assert gone.key in all_bytes(path)
    store = await SQLiteStore.open(path)
    await store.bookkeeping.watch(1, 10)  # any next write
    assert gone.key not in all_bytes(path)
    await store.close()


async def test_compacting_leaves_not_even_a_stray_hash(store: SQLiteStore) -> None:
    pictures = {str(n): picture(n, kind="text" if n % 3 else "image") for n in range(900)}
    chance = random.Random(3)
    waiting = chance.sample(sorted(pictures), len(pictures))
    gone: set[str] = set()
    for start in range(0, 900, 60):
        batch = [(pictures[n], link(f"source-{n:>08}")) for n in waiting[start : start + 60]]
        await store.writes.commit(batch)
        leaving = set(chance.sample(waiting[: start + 60], 30 + start // 4)) - gone
        await store.writes.remove_sources(1, [f"source-{n:>08}" for n in leaving])
        gone |= leaving
    await store.vacuum()
    left = all_bytes(store.path)
    for n, one in pictures.items():
        parts = (one.key, f"source-{n:>08}".encode(), one.vectors.tobytes())
        assert [part in left for part in parts] == [n not in gone] * 3
    assert (await store.links.count()).links == 900 - len(gone)


async def test_a_file_without_strays_is_not_written_anew(store: SQLiteStore) -> None:
    await store.writes.commit([(picture(1), link("1")), (picture(2), link("2"))])
    await store.writes.remove_sources(1, ["1"])
    await store.vacuum()
    before = store.path.stat().st_mtime_ns
    await store.vacuum()
    assert store.path.stat().st_mtime_ns == before
    await store.writes.remove_sources(1, ["2"])
    await store.vacuum()
    assert store.path.stat().st_mtime_ns > before


async def test_expired_search_is_gone_from_the_log(store: SQLiteStore) -> None:
    await store.bookkeeping.save_search(1, 5, ASKED)
    store.bookkeeping.search_life_s = -1
    await store.bookkeeping.expire_searches()
    assert rows_of(store, "SELECT * FROM searches") == []
    assert b"a dog" not in store.path.with_name(store.path.name + "-wal").read_bytes()
