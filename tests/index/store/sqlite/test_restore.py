"""A copy takes a gallery's place: what was decided since holds, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
import contextlib
import math
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import aiosqlite
import pytest

from index.cli.main import main
from index.store.sqlite import SQLiteStore, migrations
from index.store.sqlite.backup import back_up, restore
from index.types.errors import StoreLocked, StoreTooNew, StoreUnreachable
from index.types.records import Cursor, Group, Link, Note
from tests.index.store.samples import ASKED, MODEL, link, picture, rows_of

ROOT = Path(__file__).parents[4]
# An admin named channel 10, and category 90 with channel 20. Thread 11 hangs from 10, 21 from 20.
PLACES = (Group(10), Group(11, parent=10), Group(20), Group(21, parent=20))
BEGINNING, END = 1000, 9000  # messages that were read


def posted(source: int, group: Group, owner: int = 5, days_ago: float = 0) -> Link:
    posted_at = time.time() - days_ago * 86400
    return replace(link(str(source), group=group), owner=owner, posted_at=posted_at)


async def fill(store: SQLiteStore) -> None:
    """Message 1001 in the first place, 2002 in the second one, … and a cursor for each."""
    await store.model_record.set(MODEL)
    for mark in (10, 90):
        await store.bookkeeping.watch(1, mark)
    for n, group in enumerate(PLACES, start=1):
        cursor = Cursor(1, group.id, END, BEGINNING, False)
        await store.writes.commit([(picture(n), posted(1001 * n, group))], [cursor])


@contextlib.asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SQLiteStore]:
    store = await SQLiteStore.open(path)
    try:
        yield store
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def filled(path: Path) -> AsyncIterator[SQLiteStore]:
    async with opened(path) as store:
        await fill(store)
        yield store


async def sources(path: Path) -> set[str]:
    async with opened(path) as store:
        return {source for group in PLACES for source in await store.links.known(1, group.id)}


ALL = {"1001", "2002", "3003", "4004"}


async def test_opt_outs_made_since_hold(tmp_path: Path) -> None:
    path, copy = tmp_path / "g.db", tmp_path / "copy.db"
    async with filled(path) as store:
        await store.writes.commit([(picture(8), posted(8000, PLACES[0], owner=6))])
        await store.writes.leave_out(1, 7, math.inf)
        await store.bookkeeping.save_search(1, 6, ASKED)
        back_up(path, copy)
        await store.writes.leave_out(1, 6, math.inf)
        await store.bookkeeping.let_in(1, 7, -math.inf)
    assert restore(copy, path).carried.dropped == 1
    assert await sources(path) == ALL
    async with opened(path) as store:
        assert await store.bookkeeping.left_out() == {(1, 6): math.inf}
        assert await store.bookkeeping.searches_of(1, 6) == []


@pytest.mark.parametrize("moment", ["before the copy", "since"])
async def test_retention_holds(moment: str, tmp_path: Path) -> None:
    path, copy = tmp_path / "g.db", tmp_path / "copy.db"
    async with filled(path) as store:
        await store.writes.commit([(picture(8), posted(500, PLACES[0], days_ago=30))])
        if moment == "since":
            back_up(path, copy)
        await store.bookkeeping.set_retention(1, 7)
        if moment != "since":
            back_up(path, copy)
    restore(copy, path)
    assert await sources(path) == ALL
    async with opened(path) as store:
        assert await store.bookkeeping.retention() == {1: 7}


async def test_a_channel_or_category_that_was_removed_since_stays_away(tmp_path: Path) -> None:
    path, copy = tmp_path / "g.db", tmp_path / "copy.db"
    async with filled(path) as store:
        back_up(path, copy)
        await store.bookkeeping.unwatch(1, 90)
        await store.writes.remove_group(1, 20)  # of the category
        await store.bookkeeping.watch(1, 30)
    restore(copy, path)
    assert await sources(path) == {"1001", "2002"}
    async with opened(path) as store:
        assert await store.bookkeeping.watched(1) == {10, 30}
        assert set(await store.bookkeeping.cursors(1)) == {10, 11}


async def test_what_was_said_of_copies_and_notes_since_holds(tmp_path: Path) -> None:
    path, copy = tmp_path / "g.db", tmp_path / "copy.db"
    async with filled(path) as store:
        one, two, three = [
            (await store.links.ids_of_source(1, source))["a"] for source in ("1001", "2002", "3003")
        ]
        said = store.bookkeeping
        await said.not_a_copy(1, one, two)
        await said.let_pass(1, 10, one)
        await said.set_noted(1, 10, 5)
        back_up(path, copy)
        await said.a_copy_after_all(1, one, two)
        await said.not_a_copy(1, one, three)
        await said.let_pass_no_more(1, 10, one)
        await said.let_pass(1, 10, two)
        await said.set_noted(1, 10, None)
        await said.set_noted(1, 20, 3)
        await said.keep_note(Note(1, 10, "5005", "1001", "99"))
    restore(copy, path)
    async with opened(path) as store:
        assert await store.bookkeeping.not_copies_of(one) == {three}
        assert await store.bookkeeping.passing(1, 10, [one, two]) == {two}
        assert await store.bookkeeping.noted_groups() == {(1, 20): 3}
        assert await store.bookkeeping.loose_notes() == [Note(1, 10, "5005", "1001", "99")]


async def test_deleted_messages_stay_deleted_and_unread_ones_come_back(tmp_path: Path) -> None:
    path, copy = tmp_path / "g.db", tmp_path / "copy.db"
    async with filled(path) as store:
        outside = [BEGINNING, END + 1]  # the present gallery doesn't know of these
        await store.writes.commit(
            [(picture(n), posted(n, PLACES[0])) for n in (*outside, BEGINNING + 2, END)]
        )
        back_up(path, copy)
        await store.writes.remove_sources(1, [str(n) for n in (*outside, BEGINNING + 2, END)])
    restore(copy, path)
    assert await sources(path) == ALL | set(map(str, outside))


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize("read_down_to", [8000, END + 500])
async def test_of_a_channel_that_is_read_again_the_rest_comes_from_reading_it(
    read_down_to: int, complete: bool, tmp_path: Path
) -> None:
    """It was removed and added since the copy, and message 1001 may be deleted meanwhile."""
    path, copy = tmp_path / "g.db", tmp_path / "copy.db"
    newest = END + 1000
    async with filled(path) as store:
        kept = [(picture(8), posted(END - 5, PLACES[0]))]
        read = Cursor(1, 10, END, 0 if complete else BEGINNING, complete)
        await store.writes.commit(kept, [read])
        back_up(path, copy)
        await store.writes.remove_group(1, 10)
        again = kept if read_down_to < END - 5 else []
        await store.writes.commit(again, [Cursor(1, 10, newest, read_down_to, False)])
        present = await store.links.known(1, 10)
    restore(copy, path)
    async with opened(path) as store:
        assert (await store.links.known(1, 10)).keys() == present.keys()
        cursor = (await store.bookkeeping.cursors(1))[10]
        assert cursor == Cursor(1, 10, max(END, read_down_to), read_down_to, False)
    assert await sources(path) >= {"3003", "4004"}


async def test_a_space_that_was_erased_since_stays_away(tmp_path: Path) -> None:
    path, copy = tmp_path / "g.db", tmp_path / "copy.db"
    async with filled(path) as store:
        back_up(path, copy)
        await store.writes.remove_space(1)
    restore(copy, path)
    assert await sources(path) == set()
    async with opened(path) as store:
        assert await store.links.spaces() == set()


async def test_work_that_was_ended_and_questions_that_were_erased_do_not_come_back(
    tmp_path: Path,
) -> None:
    path, copy = tmp_path / "g.db", tmp_path / "copy.db"
    async with filled(path) as store:
        job = await store.bookkeeping.new_job(1, "reindex", {"by": 5})
        await store.bookkeeping.save_search(1, 5, ASKED)
        await store.bookkeeping.close_group(1, 10, 100.0)
        back_up(path, copy)
        await store.writes.commit([], jobs=[replace(job, status="cancelled")])
        await store.bookkeeping.close_group(1, 20, 200.0)
        store.bookkeeping.search_life_s = -1
        await store.bookkeeping.expire_searches()
    restore(copy, path)
    async with opened(path) as store:
        assert await store.bookkeeping.jobs() == []
        assert rows_of(store, "SELECT * FROM searches") == []
        assert await store.bookkeeping.closed_groups() == {(1, 10): 100.0, (1, 20): 200.0}


@pytest.mark.parametrize(
    ("copied", "now", "restored"),
    [
        ("running", "paused", "paused"),
        ("paused", "running", "running"),
        ("running", "done", "running"),
        ("running", "failed", "running"),
        ("done", "cancelled", "done"),
    ],
)
async def test_a_job_goes_on_from_where_it_stood_in_the_copy(
    copied: str, now: str, restored: str, tmp_path: Path
) -> None:
    """What it made since the copy is gone, but not what people ordered."""
    path, copy = tmp_path / "g.db", tmp_path / "copy.db"
    async with filled(path) as store:
        job = await store.bookkeeping.new_job(1, "reindex", {"at": 3})
        await store.writes.commit([], jobs=[replace(job, status=copied)])
        back_up(path, copy)
        await store.writes.commit([], jobs=[replace(job, status=now, state={"at": 9})])
    restore(copy, path)
    async with opened(path) as store:
        [found] = await store.bookkeeping.jobs(active=False)
        assert (found.status, found.state) == (restored, {"at": 3})


@pytest.mark.parametrize("another", [False, True])
async def test_ids_of_links_and_jobs_are_not_given_again(another: bool, tmp_path: Path) -> None:
    """A button of an answer since the copy must not open another picture or job."""
    path, copy = tmp_path / "g.db", tmp_path / "copy.db"
    async with filled(path) as store:
        back_up(path, copy)
    if another:
        path.unlink()
    async with opened(path) as store:
        for n in range(10):
            await store.writes.commit([(picture(20 + n), posted(8500 + n, PLACES[0]))])
        [newest] = rows_of(store, "SELECT max(id) FROM links")
        job = await store.bookkeeping.new_job(1, "reindex", {})
    restore(copy, path)
    async with opened(path) as store:
        await store.writes.commit([(picture(40), posted(8600, PLACES[2]))])
        assert rows_of(store, "SELECT id FROM links WHERE source = '8600'") > [newest]
        assert (await store.bookkeeping.new_job(1, "reindex", {})).id > job.id


async def test_another_gallery_takes_nothing_away_but_its_opt_outs_hold(tmp_path: Path) -> None:
    """As on a new machine, where the bot was started before the copy was restored."""
    path, copy, new = tmp_path / "g.db", tmp_path / "copy.db", tmp_path / "new.db"
    async with filled(path) as store:
        await store.writes.leave_out(1, 7, math.inf)
        await store.bookkeeping.save_search(1, 8, ASKED)
        back_up(path, copy)
    async with opened(new) as store:
        await store.bookkeeping.watch(1, 10)
        await store.writes.leave_out(1, 8, math.inf)
    restored = restore(copy, new)
    assert restored.carried.another
    assert await sources(new) == ALL
    async with opened(new) as store:
        assert await store.bookkeeping.searches_of(1, 8) == []
        assert await store.bookkeeping.left_out() == {(1, 7): math.inf, (1, 8): math.inf}
        assert await store.bookkeeping.watched(1) == {10, 90}


async def test_an_old_copy_restored_first_forgets_nothing_of_a_newer_one(tmp_path: Path) -> None:
    path, old, newer = tmp_path / "g.db", tmp_path / "old.db", tmp_path / "newer.db"
    async with filled(path) as store:
        back_up(path, old)
        await store.writes.leave_out(1, 7, math.inf)
        await store.bookkeeping.watch(1, 30)
        back_up(path, newer)
    path.unlink()
    assert restore(old, path).before is None
    restore(newer, path)
    async with opened(path) as store:
        assert await store.bookkeeping.left_out() == {(1, 7): math.inf}
        assert await store.bookkeeping.watched(1) == {10, 30, 90}
    assert await sources(path) == ALL


async def test_what_an_owner_erased_since_stays_erased(tmp_path: Path) -> None:
    """Up to the later of both moments, also where the replaced gallery is another one."""
    path, copy, new = tmp_path / "g.db", tmp_path / "copy.db", tmp_path / "new.db"
    async with filled(path) as store:
        await store.writes.leave_out(1, 6, 5.0)
        await store.writes.leave_out(1, 7, 9.0)
        back_up(path, copy)
        await store.writes.leave_out(1, 6, 8.0)
    async with opened(new) as store:
        await store.writes.leave_out(1, 7, 6.0)
    restore(copy, path)
    restore(copy, new)
    async with opened(path) as store:
        assert await store.bookkeeping.left_out() == {(1, 6): 8.0, (1, 7): 9.0}
    async with opened(new) as store:
        assert await store.bookkeeping.left_out() == {(1, 6): 5.0, (1, 7): 9.0}


async def test_opt_outs_of_a_gallery_of_an_earlier_version_hold(tmp_path: Path) -> None:
    """As when Magpie was updated, and the copy restored before the first start."""
    path, copy, old = tmp_path / "g.db", tmp_path / "copy.db", tmp_path / "old.db"
    async with filled(path) as store:
        await store.writes.leave_out(1, 7, 100.0)  # erased once, which is less
        back_up(path, copy)
    async with aiosqlite.connect(old) as db:
        for step in migrations.STEPS[:8]:
            await step(db)
        await db.execute("INSERT INTO opted_out VALUES (1, 7)")
        await db.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
        await db.execute("PRAGMA user_version = 8")
        await db.commit()
    restore(copy, old)
    async with opened(old) as store:
        assert await store.bookkeeping.left_out() == {(1, 7): math.inf}


def damage(path: Path, tables: Sequence[str]) -> None:
    """Fill the first page of these tables and their indices with noise."""
    with sqlite3.connect(path) as db:
        ((size,),) = db.execute("PRAGMA page_size")
        marks = ", ".join("?" * len(tables))
        roots = db.execute(
            f"SELECT rootpage FROM sqlite_schema WHERE tbl_name IN ({marks}) AND rootpage", tables
        ).fetchall()
    db.close()
    with path.open("r+b") as file:
        for (root,) in roots:
            file.seek((root - 1) * size)
            file.write(b"\xff" * size)


async def test_of_a_damaged_gallery_what_can_be_read_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, copy = tmp_path / "g.db", tmp_path / "copy.db"
    async with filled(path) as store:
        back_up(path, copy)
        await store.writes.leave_out(1, 6, math.inf)
    damage(path, ["links", "retention"])
    damaged = path.read_bytes()
    assert await asyncio.to_thread(main, ["restore", str(copy), "--db", str(path)]) == 0
    said = capsys.readouterr().out
    assert "could not be read: retention, deletions." in said
    assert (tmp_path / "g.db.before").read_bytes() == damaged
    assert await sources(path) == ALL
    async with opened(path) as store:
        assert await store.bookkeeping.left_out() == {(1, 6): math.inf}


async def test_an_earlier_magpie_goes_back_and_what_it_knows_of_the_newer_holds(
    tmp_path: Path,
) -> None:
    path, copy = tmp_path / "g.db", tmp_path / "copy.db"
    async with filled(path) as store:
        await store.writes.commit([(picture(8), posted(8000, PLACES[0], owner=6))])
        back_up(path, copy)
        await store.writes.leave_out(1, 6, math.inf)
        await store.bookkeeping.set_retention(1, 30)
    with contextlib.closing(sqlite3.connect(path)) as db:  # as a newer Magpie might leave it
        db.execute("ALTER TABLE welcomes ADD COLUMN tone TEXT")
        db.execute("INSERT INTO welcomes VALUES (1, 10, '7', 0, 'kind')")
        db.execute("CREATE TABLE moods (space INTEGER PRIMARY KEY)")
        db.execute(f"PRAGMA user_version = {migrations.LATEST + 1}")
        db.commit()
    with pytest.raises(StoreTooNew) as refused:
        await SQLiteStore.open(path)
    assert f"magpie restore BACKUP --db {path}" in str(refused.value)
    restored = await asyncio.to_thread(restore, copy, path)
    assert restored.before is not None
    assert restored.carried.unread == ("servers that were welcomed",)
    assert await sources(path) == ALL
    async with opened(path) as store:
        assert await store.bookkeeping.left_out() == {(1, 6): math.inf}
        assert await store.bookkeeping.retention() == {1: 30}
        assert await store.links.ids_of_source(1, "8000") == {}


@pytest.mark.parametrize("content", [b"", b"no database at all, only words" * 200])
async def test_a_file_that_is_no_gallery_is_kept_and_told(content: bytes, tmp_path: Path) -> None:
    path, copy = tmp_path / "g.db", tmp_path / "copy.db"
    async with filled(path):
        back_up(path, copy)
    path.write_bytes(content)
    carried = restore(copy, path).carried
    assert carried.another or "retention" in carried.unread
    assert (tmp_path / "g.db.before").read_bytes() == content
    assert await sources(path) == ALL


async def test_no_gallery_that_was_kept_is_overwritten(tmp_path: Path) -> None:
    path, copy = tmp_path / "g.db", tmp_path / "copy.db"
    async with filled(path) as store:
        back_up(path, copy)
        await store.writes.commit([(picture(9), posted(9500, PLACES[0]))])
    original = path.read_bytes()
    names = [restore(copy, path).before for _ in range(3)]
    assert names == [tmp_path / f"g.db{end}" for end in (".before", ".before.2", ".before.3")]
    assert (tmp_path / "g.db.before").read_bytes() == original
    assert await sources(tmp_path / "g.db.before") == ALL | {"9500"}
    restore(tmp_path / "g.db.before", path)  # the way back
    assert await sources(path) == ALL | {"9500"}


async def test_a_gallery_is_not_restored_from_itself_nor_while_it_is_read(tmp_path: Path) -> None:
    path, copy = tmp_path / "g.db", tmp_path / "copy.db"
    async with filled(path):
        back_up(path, copy)
    with pytest.raises(StoreUnreachable, match="the gallery itself"):
        restore(path, path)
    writing = sqlite3.connect(path, isolation_level=None)
    reading = sqlite3.connect(path, isolation_level=None)
    reading.execute("BEGIN")
    reading.execute("SELECT * FROM links").fetchall()
    writing.execute("UPDATE links SET name = 'last'")
    with pytest.raises(StoreLocked):
        restore(copy, path)
    reading.close()
    writing.close()
    restore(copy, path)
    db = sqlite3.connect(tmp_path / "g.db.before")
    assert {name for (name,) in db.execute("SELECT name FROM links")} == {"last"}
    db.close()


# Restores in a child for each step, in which the child is killed: before the first change of a
# file's name, the second, … and before each file that is opened for writing.
ENDED_AT_EACH_STEP = """
import os, shutil, sys
from pathlib import Path
from index.store.sqlite.backup import restore

folder, taken = Path(sys.argv[1]), Path(sys.argv[2])
os.umask(0)
step, code = 0, 9
while code == 9:
    shutil.copytree(taken, folder / str(step))
    child = os.fork()
    if child == 0:
        left = step
        def count(event, arguments):
            global left
            changes = event.split(".")[0] == "os" and event not in ("os.listdir", "os.scandir")
            if changes or event in ("sqlite3.connect", "open", "shutil.copyfile", "shutil.rmtree"):
                left -= 1
                if left < 0:
                    os._exit(9)
        sys.addaudithook(count)
        restore(folder / str(step) / "copy.db", folder / str(step) / "g.db")
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    step += 1
print(step)
sys.exit(code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
async def test_wherever_a_restore_is_ended_there_is_a_whole_gallery(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir(mode=0o700)
    async with filled(taken / "g.db") as store:
        back_up(taken / "g.db", taken / "copy.db")
        await store.writes.commit([(picture(9), posted(9500, PLACES[0]))])
        await store.writes.leave_out(1, 6, math.inf)
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", ENDED_AT_EACH_STEP, str(tmp_path), str(taken)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    found = []
    for step in range(int(ended.stdout)):
        folder = tmp_path / str(step)
        for file in folder.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, (step, file.name)
        found.append(await sources(folder / "g.db"))
        async with opened(folder / "g.db") as store:
            assert (1, 6) in await store.bookkeeping.left_out()
        names = {file.name for file in folder.iterdir()}
        assert names <= {"g.db", "g.db.lock", "copy.db", "g.db.before"}, step
        if "g.db.before" in names:
            assert found[-1] == ALL
            assert await sources(folder / "g.db.before") == ALL | {"9500"}
    assert found.index(ALL) > 5
    assert found == sorted(found, key=len, reverse=True)  # the old one, then the new one


async def test_what_was_called_no_copy_holds_in_a_restored_gallery(
    store: SQLiteStore, tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        await store.writes.commit([(picture(number), link(str(number)))])
    one, other, third = [
        (await store.links.ids_of_source(1, source))["a"] for source in ("1", "2", "3")
    ]
    await store.bookkeeping.not_a_copy(1, one, third)
    back_up(store.path, tmp_path / "copy.db")
    await store.bookkeeping.not_a_copy(1, one, other)
    await store.close()
    restore(tmp_path / "copy.db", store.path)
    restored = await SQLiteStore.open(store.path)
    assert len(await restored.copies.not_copies([one, other, third])) == 2
    await restored.close()
