"""Copies of a gallery that is being written, and the way back."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from index import Filter, Gallery, Group, Link, Query, StoreCorrupt, StoreLocked, StoreUnreachable
from index.cli.main import main
from index.store.sqlite.backup import back_up, restore
from tests.index.colours import ColourEmbedder, png


def link(n: int) -> Link:
    return Link(1, Group(10), str(n), "a")


@pytest.fixture
async def gallery(tmp_path: Path) -> AsyncIterator[Gallery]:
    gallery = await Gallery.open(tmp_path / "g.db", ColourEmbedder())
    yield gallery
    await gallery.close()


async def test_a_copy_made_under_writes_holds_all_that_was_committed_before_it(
    gallery: Gallery, tmp_path: Path
) -> None:
    written, stop = 0, asyncio.Event()

    async def write() -> None:
        nonlocal written
        while not stop.is_set():
            await gallery.add(png((written % 256, written // 256, 7)), link(written))
            written += 1

    writing = asyncio.create_task(write())
    for n in range(5):
        while written < (n + 1) * 20:  # noqa: ASYNC110 (plain waiting says it best)
            await asyncio.sleep(0.01)
        before = written
        await asyncio.to_thread(back_up, tmp_path / "g.db", tmp_path / f"{n}.db")
        copy = await Gallery.open(tmp_path / f"{n}.db", ColourEmbedder(), read_only=True)
        kept = await copy.links.known(1, 10)
        assert {str(m) for m in range(before)} <= kept.keys()
        assert len(kept) <= written + 1
        answer = await copy.find(Query(image=png((3, 0, 7))), Filter(1), k=1)
        assert answer.hits[0].score == pytest.approx(1, abs=1e-4)
        await copy.close()
    stop.set()
    await writing


async def test_restoring_brings_back_the_copy_and_keeps_what_was_there(
    gallery: Gallery, tmp_path: Path
) -> None:
    await gallery.add(png("red"), link(1))
    back_up(tmp_path / "g.db", tmp_path / "copy.db")
    await gallery.add(png("blue"), link(2))
    with pytest.raises(StoreLocked):
        restore(tmp_path / "copy.db", tmp_path / "g.db")
    await gallery.close()
    restore(tmp_path / "copy.db", tmp_path / "g.db")
    for name, sources in (("g.db", {"1"}), ("g.db.before", {"1", "2"})):
        opened = await Gallery.open(tmp_path / name, ColourEmbedder())
        assert (await opened.links.known(1, 10)).keys() == sources
        await opened.close()


async def test_what_cannot_be_a_backup_changes_nothing(gallery: Gallery, tmp_path: Path) -> None:
    await gallery.add(png("red"), link(1))
    await gallery.close()
    path = tmp_path / "g.db"
    whole = path.read_bytes()
    (tmp_path / "words.db").write_text("no database at all, only words" * 100)
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE t (x)").connection.close()
    (tmp_path / "cut.db").write_bytes(whole[: len(whole) // 2])
    for name in ("words.db", "other.db", "cut.db"):
        with pytest.raises(StoreCorrupt):
            restore(tmp_path / name, path)
    with pytest.raises(StoreUnreachable, match="no such file"):
        restore(tmp_path / "none.db", path)
    with pytest.raises(StoreUnreachable, match="never overwrites"):
        back_up(path, tmp_path / "words.db")
    assert path.read_bytes() == whole


async def test_a_backup_is_for_its_owner_only(gallery: Gallery, tmp_path: Path) -> None:
    back_up(tmp_path / "g.db", tmp_path / "copy.db")
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


def test_both_as_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def filled() -> None:
        gallery = await Gallery.open(tmp_path / "g.db", ColourEmbedder())
        await gallery.add(png("red"), link(1))
        await gallery.close()

    asyncio.run(filled())
    database = ["--db", str(tmp_path / "g.db")]
    assert main(["backup", str(tmp_path / "copy.db"), *database]) == 0
    assert "is a copy of" in capsys.readouterr().out
    assert main(["restore", str(tmp_path / "copy.db"), *database]) == 0
    assert "g.db.before" in capsys.readouterr().out
    assert main(["restore", str(tmp_path / "none.db"), *database]) == 2
    assert "no such file" in capsys.readouterr().err
