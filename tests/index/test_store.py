"""The file: what is kept, what goes, and each way it can be refused."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiosqlite
import numpy as np
import pytest

from index.store.sqlite import Store, migrations
from index.types.errors import (
    GalleryClosed,
    StoreCorrupt,
    StoreFull,
    StoreLocked,
    StoreTooNew,
    StoreUnreachable,
)
from index.types.query import QueryEmbedding
from index.types.records import Counts, Cursor, EmbeddedPicture, Group, Link, ModelInfo
from index.types.searches import Asked, ShownBy

GENERAL = Group(10)
THREAD = Group(11, parent=10, private=True)


def picture(number: int, frames: int = 1, kind: str = "image") -> EmbeddedPicture:
    rng = np.random.default_rng(number)
    vectors = rng.normal(size=(frames, 8)).astype(np.float32)
    text = f"text {number}" if kind == "text" else None
    return EmbeddedPicture(rng.bytes(32), kind, vectors, 640, 480, text)  # type: ignore[arg-type]


def link(source: str, slot: str = "a", group: Group = GENERAL, space: int = 1) -> Link:
    return Link(space, group, source, slot, owner=5, posted_at=12.5, name=f"{source}.png")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "gallery.db")
    await store.set_model(ModelInfo("m", "1", 8))
    yield store
    await store.close()


ASKED = Asked("a dog", True, shown_by=ShownBy(10, "1234567890123456789", 1, 3), public=True)


def rows_of(store: Store, sql: str) -> list[tuple[object, ...]]:
    db = sqlite3.connect(store.path)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


async def test_link_comes_back_as_it_was_committed(store: Store) -> None:
    posted = Link(
        1, THREAD, "77", "e:0:image", 5, 1700000000.25, "näht.png", True, {"kind": "embed", "n": 1}
    )
    changes = await store.commit([(picture(1, frames=3), posted)])
    assert changes.added is not None
    (id,) = changes.added.links.tolist()
    assert (await store.links([id, 999]))[id] == (posted, "image", None)
    item = await store.item_of_link(id)
    assert item is not None
    assert np.array_equal(item.vectors, picture(1, frames=3).vectors)
    assert (item.width, item.height) == (640, 480)
    assert await store.groups(1) == [THREAD]


async def test_commit_is_idempotent_per_slot(store: Store) -> None:
    for _ in range(3):
        await store.commit([(picture(1), link("1", "a")), (picture(2), link("1", "b"))])
    assert await store.count() == Counts(2, 0, 2)
    changes = await store.commit([(picture(1), link("1", "a"))])
    assert (list(changes.removed), changes.added) == ([], None)


async def test_slot_with_other_bytes_replaces_the_earlier_picture(store: Store) -> None:
    first = await store.commit([(picture(1), link("1"))])
    second = await store.commit([(picture(2), link("1"))])
    assert first.added is not None
    assert second.added is not None
    assert list(second.removed) == second.added.links.tolist() == first.added.links.tolist()
    assert await store.count() == Counts(1, 0, 1)
    assert await store.item(picture(1).key) is None


async def test_links_are_counted_in_all_or_in_some_groups(store: Store) -> None:
    await store.commit([(picture(1), link("1")), (picture(1), link("2")), (picture(2), link("3"))])
    assert await store.count_links() == 3
    assert await store.count_links(1, [GENERAL.id]) == 3
    assert await store.count_links(1, [THREAD.id]) == 0
    assert await store.count_links(2, [GENERAL.id]) == 0


async def test_same_bytes_are_kept_once_until_the_last_link_goes(store: Store) -> None:
    await store.commit([(picture(1), link("1")), (picture(1), link("2"))])
    assert await store.count() == Counts(1, 0, 2)
    await store.remove_sources(1, ["1"])
    assert await store.count() == Counts(1, 0, 1)
    await store.remove_sources(1, ["2"])
    assert await store.count() == Counts(0, 0, 0)
    assert rows_of(store, "SELECT * FROM embeddings") == []


async def test_removed_bytes_are_gone_from_the_files(store: Store) -> None:
    gone, kept = picture(1, frames=4), picture(2, kind="text")
    many = [(picture(n), link(str(n))) for n in range(10, 200)]
    await store.commit([(gone, link("secret-source")), (kept, link("2")), *many])
    assert gone.vectors.tobytes() in _all_bytes(store.path)
    await store.remove_sources(1, ["secret-source"])
    left = _all_bytes(store.path)
    assert gone.vectors[0].tobytes() not in left
    assert gone.key not in left
    assert kept.vectors.tobytes() in left


async def test_removed_bytes_are_gone_even_if_somebody_was_reading(store: Store) -> None:
    gone = picture(1, frames=4)
    await store.commit([(gone, link("1"))])
    reading = sqlite3.connect(store.path)
    reading.execute("BEGIN")
    reading.execute("SELECT * FROM links").fetchall()
    await store.remove_sources(1, ["1"])
    assert gone.vectors.tobytes() in _all_bytes(store.path)
    reading.close()
    await store.watch(1, 10)  # any next write
    assert gone.vectors.tobytes() not in _all_bytes(store.path)


async def test_what_was_deleted_right_before_a_kill_is_gone_from_the_files(tmp_path: Path) -> None:
    path, gone = tmp_path / "gallery.db", picture(1)
    store = await Store.open(path)
    await store.set_model(ModelInfo("m", "1", 8))
    await store.commit([(gone, link("1"))])
    await store.close()
    dying = f"""
import os, sqlite3
db = sqlite3.connect({str(path)!r}, isolation_level=None)
for statement in ("PRAGMA secure_delete = ON", "DELETE FROM links", "DELETE FROM embeddings",
                  "DELETE FROM items"):
    db.execute(statement)
os._exit(9)"""
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", dying], check=False)
    assert gone.key in _all_bytes(path)
    store = await Store.open(path)
    await store.watch(1, 10)  # any next write
    assert gone.key not in _all_bytes(path)
    await store.close()


async def test_compacting_leaves_not_even_a_stray_hash(store: Store) -> None:
    pictures = {str(n): picture(n, kind="text" if n % 3 else "image") for n in range(900)}
    chance = random.Random(3)
    waiting = chance.sample(sorted(pictures), len(pictures))
    gone: set[str] = set()
    for start in range(0, 900, 60):
        batch = [(pictures[n], link(f"source-{n:>08}")) for n in waiting[start : start + 60]]
        await store.commit(batch)
        leaving = set(chance.sample(waiting[: start + 60], 30 + start // 4)) - gone
        await store.remove_sources(1, [f"source-{n:>08}" for n in leaving])
        gone |= leaving
    await store.compact()
    left = _all_bytes(store.path)
    for n, one in pictures.items():
        parts = (one.key, f"source-{n:>08}".encode(), one.vectors.tobytes())
        assert [part in left for part in parts] == [n not in gone] * 3
    assert (await store.count()).links == 900 - len(gone)


async def test_a_file_without_strays_is_not_written_anew(store: Store) -> None:
    await store.commit([(picture(1), link("1")), (picture(2), link("2"))])
    await store.remove_sources(1, ["1"])
    await store.compact()
    before = store.path.stat().st_mtime_ns
    await store.compact()
    assert store.path.stat().st_mtime_ns == before
    await store.remove_sources(1, ["2"])
    await store.compact()
    assert store.path.stat().st_mtime_ns > before


def _all_bytes(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))


async def test_edit_keeps_the_slots_that_are_named(store: Store) -> None:
    await store.commit([(picture(n), link("1", slot)) for n, slot in enumerate("abc")])
    changes = await store.keep_slots(1, "1", ["b", "z"])
    assert len(changes.removed) == 2
    assert set(await store.links_of_source(1, "1")) == {"b"}


async def test_group_goes_with_what_hangs_from_it(store: Store) -> None:
    await store.commit(
        [
            (picture(1), link("1")),
            (picture(2), link("2", group=THREAD)),
            (picture(3), link("3", group=Group(12))),
        ],
        [Cursor(1, group, 9, 1) for group in (10, 11, 12)],
    )
    assert len((await store.remove_group(1, 10)).removed) == 2
    assert [group.id for group in await store.groups(1)] == [12]
    assert set(await store.cursors(1)) == {12}
    assert await store.count() == Counts(1, 0, 1)


async def test_space_goes_with_everything(store: Store) -> None:
    for space in (1, 2):
        cursor = Cursor(space, 10, 9, 1, True)
        await store.commit([(picture(space), link("1", space=space))], [cursor])
        await store.watch(space, 10)
        await store.new_job(space, "reindex", {"done": 1})
        await store.save_search(space, 5, Asked(), QueryEmbedding(np.ones(8, np.float32)))
    await store.remove_space(1)
    assert await store.spaces() == {2}
    for table in ("links", "groups", "cursors", "watched", "jobs", "searches"):
        assert rows_of(store, f"SELECT DISTINCT space FROM {table}") == [(2,)]
    assert await store.count() == Counts(1, 0, 1)


async def test_cursor_and_picture_commit_together_or_not_at_all(store: Store) -> None:
    broken = Link(1, GENERAL, "2", "a", details={"n": object()})
    with pytest.raises(TypeError):
        await store.commit([(picture(1), link("1")), (picture(2), broken)], [Cursor(1, 10, 9, 1)])
    assert await store.count() == Counts(0, 0, 0)
    assert await store.cursors(1) == {}
    await store.commit([(picture(1), link("1"))], [Cursor(1, 10, 9, 1)])
    assert await store.cursors(1) == {10: Cursor(1, 10, 9, 1)}


async def test_counts_are_limited_to_groups(store: Store) -> None:
    await store.commit(
        [
            (picture(1), link("1")),
            (picture(1), link("2", group=THREAD)),
            (picture(3, kind="text"), link("3", group=THREAD)),
            (picture(4), link("4", space=2)),
        ]
    )
    assert await store.count() == Counts(2, 1, 4)
    assert await store.count(1) == Counts(1, 1, 3)
    assert await store.count(1, {11}) == Counts(1, 1, 2)
    assert await store.count(1, set()) == Counts(0, 0, 0)


async def test_jobs_are_remembered_and_their_ids_never_used_again(store: Store) -> None:
    job = await store.new_job(1, "reindex", {"done": 0})
    assert await store.jobs(1) == [job]
    done = type(job)(job.id, 1, "reindex", "done", {"done": 7})
    await store.commit([], jobs=[done])
    assert await store.jobs(1) == []
    assert await store.jobs(1, active=False) == [done]
    await store.remove_space(1)
    assert (await store.new_job(1, "reindex", {})).id > job.id


async def test_search_can_be_asked_again_for_a_week(store: Store) -> None:
    embedding = QueryEmbedding(np.arange(8, dtype=np.float32), "the words")
    id = await store.save_search(1, 5, ASKED, embedding)
    found = await store.search_by_id(id)
    assert found is not None
    assert (found.id, found.space, found.owner, found.asked) == (id, 1, 5, ASKED)
    assert found.embedding is not None
    assert np.array_equal(found.embedding.vector, embedding.vector)
    assert found.embedding.truncated == "the words"
    store.search_life_s = -1
    assert await store.search_by_id(id) is None
    await store.expire_searches()
    assert rows_of(store, "SELECT * FROM searches") == []
    assert b"a dog" not in store.path.with_name(store.path.name + "-wal").read_bytes()


async def test_search_saved_by_an_earlier_version_is_read(store: Store) -> None:
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
    found = await store.search_by_id("old")
    assert found is not None
    assert (found.asked, found.embedding) == (ASKED, None)
    (again,) = await store.searches_of(1, 5)
    assert again.to_json() == {**kept, "made_at": row[-1]}


async def test_keeping_and_dropping_questions_goes_through_no_table(store: Store) -> None:
    """A busy server keeps tens of thousands of them a week."""
    said: list[str] = []
    assert store._writer is not None
    await store._writer.set_trace_callback(said.append)
    await store.save_search(1, 5, Asked())
    await store.expire_searches()
    changes = [one for one in said if one.startswith(("INSERT", "DELETE"))]
    assert len(changes) == 2
    for one in changes:
        plan = rows_of(store, f"EXPLAIN QUERY PLAN {one}")
        assert not any("SCAN" in str(step) for step in plan), plan


async def test_cancelled_caller_leaves_no_half_transaction(store: Store) -> None:
    async def commit(number: int) -> None:
        items = [(picture(number * 100 + n), link(f"{number}", str(n))) for n in range(5)]
        await store.commit(items, [Cursor(1, number, 1, 0)])

    tasks = [asyncio.create_task(commit(number)) for number in range(20)]
    for i, task in enumerate(tasks):
        await asyncio.sleep(0.001)
        if i % 2:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.watch(1, 1)  # waits behind whatever still runs
    counts = rows_of(store, "SELECT source, COUNT(*) FROM links GROUP BY source")
    assert {count for _, count in counts} == {5}
    assert {int(str(source)) for source, _ in counts} == set(await store.cursors(1))


async def test_closed_store_says_so(store: Store) -> None:
    await store.close()
    with pytest.raises(GalleryClosed):
        await store.count()
    with pytest.raises(GalleryClosed):
        await store.watch(1, 1)


# ---- opening


async def test_what_was_kept_is_there_after_opening_again(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "deep" / "down" / "g.db")
    await store.set_model(ModelInfo("m", "1", 8))
    items = [(picture(n, frames=n % 3 + 1), link(str(n))) for n in range(30)]
    changes = await store.commit(items)
    await store.close()
    store = await Store.open(tmp_path / "deep" / "down" / "g.db")
    (chunk,) = [chunk async for chunk in store.entries(8)]
    assert changes.added is not None
    for name in ("links", "spaces", "groups", "texts", "frames", "vectors"):
        assert np.array_equal(getattr(chunk, name), getattr(changes.added, name))
    assert await store.frames(8) == len(chunk.vectors)
    await store.close()


async def test_second_process_is_refused_and_reading_allowed(store: Store) -> None:
    await store.commit([(picture(1), link("1"))])
    with pytest.raises(StoreLocked) as refused:
        await Store.open(store.path)
    assert str(store.path) in str(refused.value)
    reader = await Store.open(store.path, read_only=True)
    await store.commit([(picture(2), link("2"))])
    assert await reader.count() == Counts(2, 0, 2)
    with pytest.raises(StoreUnreachable, match="reading only"):
        await reader.watch(1, 1)
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
            asyncio.run(Store.open(path))
        holder.kill()
    asyncio.run(_opened_and_closed(path))


async def _opened_and_closed(path: Path) -> None:
    await (await Store.open(path)).close()


async def test_newer_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    await (await Store.open(path)).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {migrations.LATEST + 1}")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match="newer Magpie"):
        await Store.open(path)
    with pytest.raises(StoreTooNew):
        await Store.open(path, read_only=True)
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
        await Store.open(path)
    assert path.read_bytes() == content


async def test_somebody_elses_database_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "photos.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE albums (name TEXT)")
    db.commit()
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="another program"):
        await Store.open(path)
    assert path.read_bytes() == before


async def test_truncated_gallery_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    store = await Store.open(path)
    await store.set_model(ModelInfo("m", "1", 8))
    await store.commit([(picture(n, frames=200), link(str(n))) for n in range(20)])
    await store.close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(StoreCorrupt):
        await _read_all(path)


async def _read_all(path: Path) -> None:
    store = await Store.open(path)
    try:
        [chunk async for chunk in store.entries(8)]
    finally:
        await store.close()


async def test_vector_of_a_wrong_length_is_corrupt(store: Store) -> None:
    await store.commit([(picture(1), link("1"))])
    with pytest.raises(StoreCorrupt, match="length"):
        [chunk async for chunk in store.entries(7)]


async def test_full_disk_keeps_what_was_there(store: Store) -> None:
    """A limit on the file's pages is, to SQLite, a full disk."""
    await store.commit([(picture(1), link("1"))], [Cursor(1, 10, 1, 0)])
    assert store._writer is not None
    await store._writer.execute_fetchall("PRAGMA max_page_count = 40")
    large = [(picture(n, frames=200), link(str(n))) for n in range(2, 60)]
    with pytest.raises(StoreFull, match="no room left"):
        await store.commit(large, [Cursor(1, 10, 59, 0)])
    assert await store.count() == Counts(1, 0, 1)
    assert await store.cursors(1) == {10: Cursor(1, 10, 1, 0)}
    await store._writer.execute_fetchall("PRAGMA max_page_count = 100000")
    await store.commit(large, [Cursor(1, 10, 59, 0)])
    assert (await store.count()).links == 59


async def test_folder_that_cannot_be_written(tmp_path: Path, store: Store) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnreachable, match="folder can't be made"):
        await Store.open(tmp_path / "file" / "g.db")
    with pytest.raises(StoreUnreachable, match="it is a folder"):
        await Store.open(tmp_path)


async def test_gallery_on_a_read_only_disk_can_be_searched(tmp_path: Path) -> None:
    path = tmp_path / "disc" / "g.db"
    store = await Store.open(path)
    await store.set_model(ModelInfo("m", "1", 8))
    await store.commit([(picture(1), link("1"))])
    await store.close()
    path.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        reader = await Store.open(path, read_only=True)
        assert await reader.count() == Counts(1, 0, 1)
        await reader.close()
    finally:
        path.parent.chmod(stat.S_IRWXU)


async def test_reading_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="no such file"):
        await Store.open(tmp_path / "g.db", read_only=True)
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreUnreachable, match="nothing was ever added"):
        await Store.open(tmp_path / "empty.db", read_only=True)


async def test_closed_group_is_noted_until_it_is_open_or_empty(store: Store) -> None:
    items = [(picture(1), link("1")), (picture(2), link("2", group=THREAD))]
    await store.commit(items)
    for group, since in ((10, 100.0), (11, 150.0), (10, 200.0), (12, 100.0)):
        await store.close_group(1, group, since)
    assert await store.closed_groups() == {(1, 10): 100.0, (1, 11): 150.0}
    await store.commit([(picture(3), link("3"))])
    assert (await store.closed_groups())[1, 10] == 100.0
    await store.open_group(1, 10)
    assert set(await store.closed_groups()) == {(1, 11)}
    await store.remove_sources(1, ["2"])
    await store.commit(items)
    assert await store.closed_groups() == {}


async def test_groups_of_a_file_from_before_count_as_open(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    async with aiosqlite.connect(path) as db:
        for step in migrations.STEPS[:5]:
            await step(db)
        await db.execute("INSERT INTO groups VALUES (1, 11, 10, 1)")
        await db.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
        await db.execute("PRAGMA user_version = 5")
        await db.commit()
    store = await Store.open(path)
    assert await store.groups(1) == [THREAD]
    assert await store.closed_groups() == {}
    await store.close_group(1, 11, 100.0)
    assert await store.closed_groups() == {(1, 11): 100.0}
    await store.close()
