"""What is deleted is overwritten, in the file and in its log."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from index.store.sql.words import hashed
from index.store.sqlite import SQLiteStore
from tests.index.store.samples import (
    ASKED,
    MODEL,
    all_bytes,
    link,
    moving,
    picture,
    rows_of,
)

ROOT = Path(__file__).parents[4]


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


# In a process of its own, since SQLite reads the name of this folder once.
WORK = """
import asyncio, sys
from pathlib import Path
from index.store.sqlite import SQLiteStore
from tests.index.store.samples import MODEL, link, picture

async def work():
    store = await SQLiteStore.open(Path(sys.argv[1]))
    await store.model_record.set(MODEL)
    many = [(picture(n, frames=20), link(str(n))) for n in range(6000)]
    await store.writes.commit(many)
    await store.database.rows("SELECT vectors FROM embeddings ORDER BY vectors")
    await store.writes.remove_sources(1, [str(n) for n in range(0, 6000, 2)])
    await store.vacuum()
    await store.close()

asyncio.run(work())
"""


async def test_no_temporary_file_lies_elsewhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    before = elsewhere.stat().st_mtime_ns  # SQLite removes the name of such a file at once
    work = [sys.executable, "-c", WORK, str(tmp_path / "gallery.db")]
    temporary = dict.fromkeys(("SQLITE_TMPDIR", "TMPDIR"), str(elsewhere))
    env = os.environ | temporary
    await asyncio.to_thread(subprocess.run, work, check=True, env=env, cwd=ROOT)
    assert elsewhere.stat().st_mtime_ns == before


async def test_the_copy_by_which_a_file_is_written_anew_is_overwritten(store: SQLiteStore) -> None:
    pictures = [picture(n, frames=20) for n in range(2000)]
    await store.writes.commit([(one, link(str(n))) for n, one in enumerate(pictures)])
    copy = store.path.with_name(store.path.name + ".anew")
    found: list[BinaryIO] = []
    done = threading.Event()

    def hold_it() -> None:
        while not done.is_set() and not found:
            with contextlib.suppress(OSError):
                found.append(copy.open("rb"))

    holding = asyncio.create_task(asyncio.to_thread(hold_it))
    for n in range(20):
        await store.writes.remove_sources(1, [str(n)])
        await store.vacuum()
        if found:
            break
    done.set()
    await holding
    with found[0] as held:
        left = held.read()
    assert left.count(0) == len(left) > 1_000_000
    assert not copy.exists()


@pytest.mark.parametrize("ending", [".anew", ".anew-journal", ".magpie-part", ".magpie-part-wal"])
async def test_what_was_left_by_a_kill_is_overwritten_at_the_next_start(
    ending: str, tmp_path: Path
) -> None:
    path = tmp_path / "gallery.db"
    left = path.with_name(path.name + ending)
    left.write_bytes(picture(1).key * 100_000)
    with left.open("rb") as held:
        store = await SQLiteStore.open(path)
        await store.close()
        assert not left.exists()
        assert set(held.read()) == {0}


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


async def test_removed_words_are_gone_from_the_files(store: SQLiteStore) -> None:
    """At once, in any spelling; after the next `vacuum` not even a hash of theirs is left."""
    pictures = {n: picture(n) for n in range(300)}
    await store.writes.commit([(one, link(str(n))) for n, one in pictures.items()])
    await store.transcripts.begin("r1")
    for n, one in pictures.items():
        secret = ["Zebrafish quux", "Überraschung"] if n == 7 else [f"plain words number{n}"]
        await store.transcripts.put(one.key, "r1", secret)
    # FTS5 writes only in what a term differs from the one before it, so the ends are looked for.
    known = hashed(1, [10], ["zebrafish", "quux", "zebrafsh"])
    hashes = [one.lower()[4:].encode() for [one] in known.values()]
    left = all_bytes(store.path)
    assert b"Zebrafish" in left
    assert all(one in left for one in hashes)
    await store.writes.remove_sources(1, ["7"])
    left = all_bytes(store.path).lower()
    for word in ("zebrafish", "quux", "ebrafis", "Überraschung", "berraschung"):
        assert word.lower().encode() not in left
    await store.vacuum()
    left = all_bytes(store.path).lower()
    assert [one for one in hashes if one in left] == []
    assert b"plain words number8" in left


async def test_stills_are_erased_with_their_item_to_the_last_byte(store: SQLiteStore) -> None:
    await store.writes.commit([(moving(1), link("1")), (moving(2), link("2"))])
    await store.writes.remove_sources(1, ["1"])
    await store.vacuum()
    kept = all_bytes(store.path)
    assert b"still-of-1" not in kept
    assert b"still-of-2-at-12" in kept
