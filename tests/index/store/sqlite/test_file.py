"""The file: how it is opened, locked and refused."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from index.store.sqlite import SQLiteStore, migrations
from index.store.sqlite.database import Database
from index.types.errors import (
    StoreCorrupt,
    StoreFull,
    StoreLocked,
    StoreTooNew,
    StoreUnreachable,
)
from index.types.records import Counts, Cursor
from index.types.searches import Asked
from tests.index.store.samples import MODEL, link, picture, rows_of


async def test_second_process_is_refused_and_reading_allowed(store: SQLiteStore) -> None:
    await store.writes.commit([(picture(1), link("1"))])
    with pytest.raises(StoreLocked) as refused:
        await SQLiteStore.open(store.path)
    assert str(store.path) in str(refused.value)
    reader = await SQLiteStore.open(store.path, read_only=True)
    await store.writes.commit([(picture(2), link("2"))])
    assert await reader.links.count() == Counts(2, 0, 2)
    with pytest.raises(StoreUnreachable, match="reading only"):
        await reader.bookkeeping.watch(1, 1)
    await reader.close()


def test_lock_names_the_process_and_ends_with_it(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    code = f"""
import pathlib, sys
from index.store.sqlite import lock
held = lock.hold(pathlib.Path({str(path)!r}))
print("held", flush=True)
sys.stdin.read()
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreLocked, match=f"process {holder.pid}"):
            asyncio.run(SQLiteStore.open(path))
        holder.kill()
    asyncio.run(_opened_and_closed(path))


async def _opened_and_closed(path: Path) -> None:
    await (await SQLiteStore.open(path)).close()


async def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "g.db"
    await _opened_and_closed(path)
    assert path.is_file()


async def test_newer_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    await (await SQLiteStore.open(path)).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {migrations.LATEST + 1}")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match="newer Magpie"):
        await SQLiteStore.open(path)
    with pytest.raises(StoreTooNew):
        await SQLiteStore.open(path, read_only=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"This is no database. " * 100, "it is not an SQLite file"),
        (b"SQLite format 3\0" + bytes(4000), "can't be read as a gallery"),
    ],
)
async def test_file_that_is_no_gallery_is_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "g.db"
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt, match=reason):
        await SQLiteStore.open(path)
    assert path.read_bytes() == content


async def test_somebody_elses_database_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "photos.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE albums (name TEXT)")
    db.commit()
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="another program"):
        await SQLiteStore.open(path)
    assert path.read_bytes() == before


async def test_truncated_gallery_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    store = await SQLiteStore.open(path)
    await store.model_record.set(MODEL)
    await store.writes.commit([(picture(n, frames=200), link(str(n))) for n in range(20)])
    await store.close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(StoreCorrupt):
        await _read_all(path)


async def _read_all(path: Path) -> None:
    store = await SQLiteStore.open(path)
    try:
        [chunk async for chunk in store.rows.entries(8)]
    finally:
        await store.close()


async def test_full_disk_keeps_what_was_there(store: SQLiteStore) -> None:
    """A limit on the file's pages is, to SQLite, a full disk."""
    await store.writes.commit([(picture(1), link("1"))], [Cursor(1, 10, 1, 0)])
    assert store.database._writer is not None
    await store.database._writer.execute_fetchall("PRAGMA max_page_count = 40")
    large = [(picture(n, frames=200), link(str(n))) for n in range(2, 60)]
    with pytest.raises(StoreFull, match="no room left"):
        await store.writes.commit(large, [Cursor(1, 10, 59, 0)])
    assert await store.links.count() == Counts(1, 0, 1)
    assert await store.bookkeeping.cursors(1) == {10: Cursor(1, 10, 1, 0)}
    await store.database._writer.execute_fetchall("PRAGMA max_page_count = 100000")
    await store.writes.commit(large, [Cursor(1, 10, 59, 0)])
    assert (await store.links.count()).links == 59


async def test_folder_that_cannot_be_written(tmp_path: Path, store: SQLiteStore) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnreachable, match="folder can't be made"):
        await SQLiteStore.open(tmp_path / "file" / "g.db")
    with pytest.raises(StoreUnreachable, match="it is a folder"):
        await SQLiteStore.open(tmp_path)


async def test_gallery_on_a_read_only_disk_can_be_searched(tmp_path: Path) -> None:
    path = tmp_path / "disc" / "g.db"
    store = await SQLiteStore.open(path)
    await store.model_record.set(MODEL)
    await store.writes.commit([(picture(1), link("1"))])
    await store.close()
    path.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        reader = await SQLiteStore.open(path, read_only=True)
        assert await reader.links.count() == Counts(1, 0, 1)
        await reader.close()
    finally:
        path.parent.chmod(stat.S_IRWXU)


async def test_reading_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="no such file"):
        await SQLiteStore.open(tmp_path / "g.db", read_only=True)
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreUnreachable, match="nothing was ever added"):
        await SQLiteStore.open(tmp_path / "empty.db", read_only=True)


# Some seconds of work, of which an answer of one row is left.
COUNTING = """WITH RECURSIVE counted(n) AS (
    SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 3000000)
    SELECT COUNT(*) FROM counted"""


async def test_short_reads_do_not_wait_for_a_long_one(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "g.db")
    long = asyncio.create_task(database.many_rows(COUNTING))
    for _ in range(3):
        await database.rows("SELECT COUNT(*) FROM links")
    assert not long.done()
    assert [tuple(row) for row in await long] == [(3_000_000,)]
    await database.close()


async def test_keeping_and_dropping_questions_goes_through_no_table(store: SQLiteStore) -> None:
    """A busy server keeps tens of thousands of them a week."""
    said: list[str] = []
    assert store.database._writer is not None
    await store.database._writer.set_trace_callback(said.append)
    await store.bookkeeping.save_search(1, 5, Asked())
    await store.bookkeeping.expire_searches()
    changes = [one for one in said if one.startswith(("INSERT", "DELETE"))]
    assert len(changes) == 2
    for one in changes:
        plan = rows_of(store, f"EXPLAIN QUERY PLAN {one}")
        assert not any("SCAN" in str(step) for step in plan), plan
