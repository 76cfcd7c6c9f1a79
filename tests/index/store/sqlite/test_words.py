"""The index of words in FTS5."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from index.store.sql.transcripts import LEAST_MERGED
from index.store.sqlite import SQLiteStore
from tests.index.store.samples import MODEL, link, picture
from tests.index.store.test_transcripts import read, said


async def test_the_index_is_made_again_for_other_terms(tmp_path: Path) -> None:
    store = await SQLiteStore.open(tmp_path / "gallery.db")
    await store.model_record.set(MODEL)
    await read(store, 1, "some words")
    await store.close()
    with contextlib.closing(sqlite3.connect(store.path)) as db, db:
        db.execute("UPDATE word_terms SET revision = 'earlier'")
        db.execute("INSERT INTO words (words) VALUES ('delete-all')")
    store = await SQLiteStore.open(tmp_path / "gallery.db")
    assert await said(store, "some words") == ["1"]
    await store.close()


async def test_the_index_of_words_is_merged_now_and_then(
    store: SQLiteStore, tmp_path: Path
) -> None:
    one = picture(1)
    await store.writes.commit([(one, link("1"))])
    await store.transcripts.begin("r1")
    for n in range(LEAST_MERGED):
        await store.transcripts.put(one.key, "r1", [f"word{n}"])
    with contextlib.closing(sqlite3.connect(tmp_path / "gallery.db")) as db:
        ((pieces,),) = db.execute("SELECT COUNT(DISTINCT segid) FROM words_idx").fetchall()
    assert pieces == 1
