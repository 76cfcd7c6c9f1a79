"""A gallery is moved from a file to PostgreSQL and back, also while it is used."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from index.store.moving import Moved, copying, move
from index.store.moving.tables import HASHES, MADE_ANEW, tables_to_copy
from index.store.opening import open_store
from index.types.derivations import FINGERPRINT, NAMES
from index.types.errors import MoveRefused, StoreUnreachable
from index.types.filter import Filter
from index.types.records import Cursor, Derived, ModelInfo
from tests.index.store.samples import GENERAL, MODEL, THREAD, link, moving, picture
from tests.postgres import on_server

PICTURES = 1_100  # more than two parts of a table
ROOT = Path(__file__).resolve().parents[3]


def silent(table: str, copied: int, removed: int) -> None:
    """Tell nothing."""


@contextlib.asynccontextmanager
async def opened(place: str) -> AsyncIterator[Any]:
    store = await open_store(place, derivations=NAMES)
    try:
        yield store
    finally:
        await store.close()


async def fill(store: Any) -> None:
    """Something in many of the tables."""
    await store.model_record.set(MODEL)
    await store.derivations.begin(FINGERPRINT, "f1", {})
    await store.transcripts.begin("o1")
    await store.writes.commit(
        [
            (picture(n), link(str(n), group=THREAD if n % 7 else GENERAL, space=1 + n % 3))
            for n in range(PICTURES)
        ],
        [Cursor(1, 10, newest=9, oldest=3)],
    )
    await store.writes.commit([(moving(5_000), link("moving"))], new=True)
    for n in range(20):
        data = bytes(range(n, n + 40))
        await store.derivations.put(FINGERPRINT, picture(n).key, Derived("f1", data))
        await store.transcripts.put(picture(n).key, "o1", [f"number {n} of many"])
    await store.bookkeeping.watch(1, 10)
    await store.bookkeeping.new_job(1, "reindex", {"a": 1})
    await store.writes.leave_out(1, 77, float("inf"))


async def change(store: Any) -> None:
    """What a bot does meanwhile: it adds, replaces and erases."""
    await store.writes.commit([(picture(9_000), link("new"))])
    await store.writes.commit([(picture(9_001), link("3", group=THREAD))])
    await store.writes.remove_space(2)
    await store.writes.remove_sources(3, ["5", "8"])


async def seen(place: str) -> dict[str, Any]:
    """What a bot would answer from."""
    async with opened(place) as store:
        outlines = [await store.links.outlines(space) for space in (1, 2, 3)]
        mentions = await store.transcripts.mentions(["number"], Filter(1))
        return {
            "counts": [await store.links.count_links(space) for space in (1, 2, 3)],
            "outlines": repr(outlines),
            "mentions": repr(mentions),
            "known": [await store.links.known(space, 11) for space in (1, 2, 3)],
            "left_out": await store.bookkeeping.left_out(),
            "jobs": await store.bookkeeping.jobs(),
            "cursors": await store.bookkeeping.cursors(1),
            "model": await store.model_record.get(),
            "words": await store.transcripts.get(picture(3).key),
            "fingerprint": await store.derivations.get(FINGERPRINT, picture(3).key),
            "next": await _next_id(store),
        }


async def _next_id(store: Any) -> int:
    ((before,),) = await store.database.rows("SELECT max(id) FROM links")
    return int(before)


def different(moved: Moved) -> list[str]:
    return [one.name for one in moved.checks if not one.same]


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "gallery.db")


async def test_a_gallery_goes_to_postgres_and_back_with_the_same_answers(
    file: str, bare_postgres_url: str, tmp_path: Path
) -> None:
    async with opened(file) as store:
        await fill(store)
        # The link with the greatest id is gone, and nobody may get its id again.
        await store.writes.remove_sources(1, ["moving"])
        await store.writes.commit([(moving(5_000), link("moving"))])
        await store.writes.commit([(picture(8_000), link("last"))])
        ((last,),) = await store.database.rows("SELECT max(id) FROM links")
        await store.writes.remove_sources(1, ["last"])
    before = await seen(file)
    there = await move(file, bare_postgres_url, silent)
    assert there.complete
    rows = {one.name: one.target.rows for one in there.checks}
    assert rows["links"] == PICTURES + 1
    assert rows["hashes"] == rows["transcripts"] == 20
    assert rows["moments"] == 3
    back = str(tmp_path / "back.db")
    assert (await move(bare_postgres_url, back, silent)).complete
    assert [one.target for one in there.checks] == [
        one.target for one in (await move(bare_postgres_url, back, silent)).checks
    ]
    for place in (bare_postgres_url, back):
        assert await seen(place) == before
        async with opened(place) as store:
            await store.writes.commit([(picture(8_001), link("after"))])
            ((new,),) = await store.database.rows("SELECT max(id) FROM links")
            assert new > last


@pytest.mark.parametrize("to_postgres", [True, False])
async def test_what_changes_meanwhile_is_copied_too(
    file: str, bare_postgres_url: str, *, to_postgres: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = (file, bare_postgres_url) if to_postgres else (bare_postgres_url, file)
    async with opened(source) as store:
        await fill(store)
        copy, changed = copying._copy, []

        async def copy_and_change(here: Any, there: Any, table: Any) -> int:
            if table.name == "links" and not changed:
                changed.append(await change(store))  # its pictures were copied already
            return await copy(here, there, table)

        monkeypatch.setattr(copying, "_copy", copy_and_change)
        moved = await move(source, target, silent)
        assert changed
        assert not moved.complete
        assert different(moved) == []
        with pytest.raises(StoreUnreachable, match="being moved there"):
            await open_store(target, derivations=NAMES)
        await store.writes.remove_sources(1, ["0"])
    told: list[str] = []
    moved = await move(source, target, lambda table, *_: told.append(table))
    assert moved.complete
    assert "groups" not in told
    assert await seen(target) == await seen(source)


async def test_a_killed_move_goes_on(file: str, bare_postgres_url: str) -> None:
    async with opened(file) as store:
        await fill(store)
    begun = await asyncio.create_subprocess_exec(
        *(sys.executable, "magpie.py", "move", file, bare_postgres_url),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert begun.stdout is not None
    while not (await begun.stdout.readline()).startswith(b"items"):
        assert not begun.stdout.at_eof()
    begun.send_signal(signal.SIGKILL)
    await begun.wait()
    with pytest.raises(StoreUnreachable, match="being moved there"):
        await open_store(bare_postgres_url, derivations=NAMES)
    told: list[str] = []
    assert (await move(file, bare_postgres_url, lambda table, *_: told.append(table))).complete
    assert "links" in told
    assert "items" not in told  # what is the same is not copied again


async def test_a_broken_row_is_noticed(file: str, bare_postgres_url: str) -> None:
    async with opened(file) as store:
        await fill(store)
        assert not (await move(file, bare_postgres_url, silent)).complete
    # A row that was broken before the end is copied again.
    await on_server(bare_postgres_url, "UPDATE embeddings SET vectors = '\\x00' WHERE item = 3")
    told: list[tuple[str, int, int]] = []
    assert (await move(file, bare_postgres_url, lambda *one: told.append(one))).complete
    assert told == [("embeddings", 1, 0)]
    # A later one is told, and nothing is written.
    await on_server(bare_postgres_url, "UPDATE links SET name = 'other' WHERE id = 3")
    with pytest.raises(MoveRefused, match=r"changed since, in links\."):
        await move(file, bare_postgres_url, silent)
    assert await on_server(bare_postgres_url, "SELECT 1 FROM links WHERE name = 'other'")


async def test_a_row_that_cannot_be_made_the_same_is_told(
    file: str, bare_postgres_url: str
) -> None:
    async with opened(file) as store:
        await fill(store)
        await move(file, bare_postgres_url, silent)
    await on_server(
        bare_postgres_url,
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN new.name = 'spoiled'; RETURN new; END $$",
    )
    await on_server(
        bare_postgres_url,
        "CREATE TRIGGER spoil BEFORE UPDATE ON links FOR EACH ROW EXECUTE FUNCTION spoil()",
    )
    await on_server(bare_postgres_url, "UPDATE links SET spoiler = 1 WHERE id = 3")
    with pytest.raises(MoveRefused, match=r"not the same as its source, in links\."):
        await move(file, bare_postgres_url, silent)
    with pytest.raises(StoreUnreachable, match="being moved there"):
        await open_store(bare_postgres_url, derivations=NAMES)


async def test_a_gallery_of_others_is_not_written(file: str, bare_postgres_url: str) -> None:
    async with opened(file) as store:
        await fill(store)
    async with opened(bare_postgres_url) as store:
        await store.model_record.set(ModelInfo("another", "1", 8))
    with pytest.raises(MoveRefused, match="begun with the model 'another'"):
        await move(file, bare_postgres_url, silent)
    async with opened(bare_postgres_url) as store:
        await store.writes.commit([(picture(1), link("1"))])
        with pytest.raises(MoveRefused, match="A Magpie is connected"):
            await move(file, bare_postgres_url, silent)
    with pytest.raises(MoveRefused, match="has another gallery already"):
        await move(file, bare_postgres_url, silent)
    async with opened(bare_postgres_url) as store:
        assert await store.links.count_links() == 1


async def test_two_places_of_one_kind_are_refused(file: str, bare_postgres_url: str) -> None:
    for source, target, why in (
        (file, file, "both FROM and TO"),
        (file, file + "2", "magpie backup"),
        (bare_postgres_url, bare_postgres_url, "both FROM and TO"),
        (bare_postgres_url, bare_postgres_url + "2", "pg_dump"),
    ):
        with pytest.raises(MoveRefused, match=why):
            await move(source, target, silent)


async def test_every_column_is_moved_or_made_anew(file: str, bare_postgres_url: str) -> None:
    async with opened(file), opened(bare_postgres_url):
        pass
    moved = {
        (table.name, column)
        for table in (*tables_to_copy([f"derived_{name}" for name in NAMES]), HASHES)
        for column in table.columns
    }
    there = await on_server(
        bare_postgres_url,
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema()",
    )
    assert {tuple(row) for row in there if row[0] not in MADE_ANEW} == moved
    with contextlib.closing(sqlite3.connect(file)) as db:
        here = db.execute(
            "SELECT m.name, c.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c "
            "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' "
            "AND m.name NOT LIKE '%words_%'"
        ).fetchall()
    assert {row for row in here if row[0] not in MADE_ANEW} == moved
