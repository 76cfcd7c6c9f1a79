"""A gallery whose rows have settled into files: restarts, kills, damage, and other readers."""

from __future__ import annotations

import asyncio
import logging
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from index import Filter, Gallery, Group, Link, Sizes
from index.search.segment_file import planned, read_header
from index.store.sqlite import SEGMENTS
from index.types.query import QueryEmbedding
from index.types.records import EmbeddedPicture, Floats
from tests.index.colours import ColourEmbedder

ROOT = Path(__file__).resolve().parents[3]
DIMENSION = 64
ROWS = Sizes().settle_rows + 600
QUESTIONS = 25


class Wide(ColourEmbedder):
    """An embedder with a name and a dimension. The tests make the vectors themselves."""

    dimension = DIMENSION


def unit(rng: np.random.Generator, count: int, dimension: int = DIMENSION) -> Floats:
    vectors = rng.normal(size=(count, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class World:
    """What a gallery should hold, and a check that it answers accordingly."""

    def __init__(self, seed: int = 11, dimension: int = DIMENSION) -> None:
        self.rng = np.random.default_rng(seed)
        self.embedder = Wide()
        self.embedder.dimension = dimension
        self.vectors: dict[str, Floats] = {}
        self.made = 0

    def unit(self, count: int) -> Floats:
        return unit(self.rng, count, self.embedder.dimension)

    async def put(self, gallery: Gallery, sources: Sequence[str]) -> None:
        items = []
        for source, vector in zip(sources, self.unit(len(sources)), strict=True):
            self.made += 1
            picture = EmbeddedPicture(self.made.to_bytes(8, "little"), "image", vector[None])
            items.append((picture, Link(1, Group(int(source) % 5), source, "")))
            self.vectors[source] = vector
        await gallery.commit(items)

    async def remove(self, gallery: Gallery, sources: Sequence[str]) -> None:
        await gallery.remove_sources(1, sources)
        for source in sources:
            del self.vectors[source]

    async def check(self, gallery: Gallery) -> None:
        """Every hit is in the gallery and has its right score, hardly one of the best is missing,
        and pictures are found by their own vectors."""
        sources = np.array(list(self.vectors))
        vectors = np.stack(list(self.vectors.values()))
        groups, found = sources.astype(int) % 5, 0
        for query in self.unit(QUESTIONS):
            for allowed in (None, frozenset({1, 3})):
                mine = np.ones(len(sources), bool) if allowed is None else np.isin(groups, [1, 3])
                hits, searched = await ask(gallery, query, allowed)
                assert searched == mine.sum()
                for source, score in hits.items():
                    assert score == pytest.approx(float(self.vectors[source] @ query), abs=1e-5)
                    assert allowed is None or int(source) % 5 in allowed
                found += len(
                    hits.keys() & set(sources[mine][np.argsort(-(vectors[mine] @ query))][:5])
                )
        assert found >= 0.97 * QUESTIONS * 2 * 5
        for source in [*sources[-20:], *self.rng.choice(sources, 5)]:
            hits, _ = await ask(gallery, self.vectors[source], None)
            assert next(iter(hits)) == source


async def ask(
    gallery: Gallery, query: Floats, groups: frozenset[int] | None
) -> tuple[dict[str, float], int]:
    answer = await gallery.search(QueryEmbedding(query), Filter(1, groups), k=5)
    return {hit.link.source: hit.score for hit in answer.hits}, answer.searched


async def settled(gallery: Gallery) -> tuple[str, ...]:
    """The segment files, once there are some and nothing is left to settle."""
    while True:
        now = await gallery._store.rows.settled()
        if now is not None and gallery._engine.idle:
            return now.names
        await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """A folder with a gallery of which all rows but a few have settled."""
    folder, world = tmp_path_factory.mktemp("settled"), World()

    async def fill() -> None:
        gallery = await Gallery.open(folder / "gallery.db", Wide())
        names = [str(n) for n in range(ROWS)]
        for start in range(0, ROWS, 2000):
            await world.put(gallery, names[start : start + 2000])
        await settled(gallery)
        await world.put(gallery, [str(n) for n in range(ROWS, ROWS + 50)])
        await world.check(gallery)
        await gallery.close()

    asyncio.run(fill())
    return folder, world


@pytest.fixture
def copied(filled: tuple[Path, World], tmp_path: Path) -> tuple[Path, World]:
    """A copy of it, which one test may change."""
    folder, world = filled
    shutil.copytree(folder, tmp_path / "copy")
    mine = World(seed=12)
    mine.vectors, mine.made = dict(world.vectors), world.made
    return tmp_path / "copy" / "gallery.db", mine


def files(path: Path) -> list[Path]:
    return sorted(path.with_name(path.name + SEGMENTS).iterdir())


async def test_settled_rows_come_from_their_files(copied: tuple[Path, World]) -> None:
    path, world = copied
    before = [(file.name, file.stat().st_mtime_ns) for file in files(path)]
    gallery = await Gallery.open(path, Wide())
    assert gallery._engine.rows.unsettled < 1000
    await world.check(gallery)
    await gallery.close()
    assert [(file.name, file.stat().st_mtime_ns) for file in files(path)] == before


async def test_changes_outlive_a_kill(copied: tuple[Path, World]) -> None:
    """A copy of the folder of an open gallery is what a kill at that moment would leave."""
    path, world = copied
    gallery = await Gallery.open(path, Wide())
    await world.remove(gallery, [str(n) for n in range(100, 160)])
    await world.put(gallery, [str(n) for n in range(200, 230)])  # other bytes in the same slots
    await world.put(gallery, [str(n) for n in range(ROWS + 50, ROWS + 90)])
    await world.check(gallery)
    killed = path.parent.with_name("killed")
    shutil.copytree(path.parent, killed)
    await gallery.close()
    again = await Gallery.open(killed / path.name, Wide())
    await world.check(again)
    await again.close()


async def test_many_rows_that_have_not_settled_do_so_when_it_opens(
    copied: tuple[Path, World],
) -> None:
    """A kill may leave more unsettled rows than memory should hold."""
    path, world = copied
    gallery = await Gallery.open(path, Wide())
    await world.put(gallery, [str(n) for n in range(200, 230)])  # other bytes in the same slots
    await world.put(gallery, [str(n) for n in range(ROWS + 50, ROWS + 5000)])
    await gallery.close()
    gallery = await Gallery.open(path, Wide(), sizes=Sizes(load_rows=2000))
    await gallery._engine.stop_settling()
    held = gallery._engine.rows.unsettled
    await world.check(gallery)
    await world.remove(gallery, [str(n) for n in range(ROWS, ROWS + 100)])
    await gallery.close()
    assert held < 2000
    for _ in range(2):
        gallery = await Gallery.open(path, Wide())
        await world.check(gallery)
        await gallery.close()


async def test_removed_vector_is_in_no_file(copied: tuple[Path, World]) -> None:
    path, world = copied
    gone = [world.vectors[str(n)].tobytes() for n in (300, 301, 302)]
    assert all(any(raw in file.read_bytes() for file in files(path)) for raw in gone)
    gallery = await Gallery.open(path, Wide())
    await world.remove(gallery, ["300", "301", "302"])
    everything = [*files(path), path, path.with_name(path.name + "-wal")]
    for file in everything:
        data = file.read_bytes() if file.exists() else b""
        assert not any(raw in data for raw in gone), file
    await gallery.close()


@pytest.mark.parametrize("harm", ["flipped", "short", "missing", "all missing", "foreign"])
async def test_damaged_files_are_made_anew(
    copied: tuple[Path, World], harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, world = copied
    file = files(path)[0]
    data = bytearray(file.read_bytes())
    if harm == "flipped":
        data[planned(read_header(file)).arrays["rotation"][0] + 100] ^= 4
        file.write_bytes(data)
    elif harm == "short":
        file.write_bytes(data[:-4096])
    elif harm == "foreign":
        file.write_bytes(b"not a segment")
    elif harm == "missing":
        file.unlink()
    else:
        shutil.rmtree(file.parent)
    with caplog.at_level(logging.WARNING):
        gallery = await Gallery.open(path, Wide())
    assert "made anew" in caplog.text
    await world.check(gallery)
    await world.remove(gallery, ["7"])
    await world.put(gallery, ["8"])
    await world.check(gallery)
    await gallery.close()


async def test_older_copy_of_a_file_is_not_believed(
    copied: tuple[Path, World], caplog: pytest.LogCaptureFixture
) -> None:
    """A backup may bring such a file back: intact, but with pictures that were removed since."""
    path, world = copied
    older = {file: file.read_bytes() for file in files(path)}
    gallery = await Gallery.open(path, Wide())
    gone = {source: world.vectors[source] for source in ("100", "101", "102")}
    await world.remove(gallery, list(gone))
    settled = gallery._engine.rows.settled()  # as the next compaction does
    await gallery._store.rows.settle(settled)
    await gallery.close()
    for file, data in older.items():
        file.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        gallery = await Gallery.open(path, Wide())
    assert "stale" in caplog.text
    for vector in gone.values():
        hits, searched = await ask(gallery, vector, None)
        assert not hits.keys() & gone.keys()
        assert searched == len(world.vectors)
    await world.check(gallery)
    await gallery.close()


async def test_owner_and_time_that_change_are_followed(copied: tuple[Path, World]) -> None:
    """This holds for a link whose row has settled too, and after a restart."""
    path, world = copied
    gallery = await Gallery.open(path, Wide())
    vector = world.vectors["77"]
    picture = EmbeddedPicture((78).to_bytes(8, "little"), "image", vector[None])
    question = QueryEmbedding(vector)
    for owner, posted in ((5, 100.0), (6, 200.0)):
        await gallery.commit([(picture, Link(1, Group(2), "77", "", owner, posted))])
        for other in (5, 6, 7):
            answer = await gallery.search(question, Filter(1, owners=frozenset({other})), k=5)
            assert [hit.link.source for hit in answer.hits] == ["77"] * (other == owner)
            assert answer.searched == (other == owner)
        for since, until in ((posted, None), (posted - 1, posted + 1), (None, posted)):
            answer = await gallery.search(question, Filter(1, since=since, until=until), k=1)
            found = [hit.link.source for hit in answer.hits]
            assert (found == ["77"]) == (until is None or until > posted)
    await gallery.close()
    again = await Gallery.open(path, Wide())
    answer = await again.search(
        question, Filter(1, frozenset({2}), owners=frozenset({6}), since=150.0), k=5
    )
    assert [hit.link.source for hit in answer.hits] == ["77"]
    await again.close()


async def test_vector_that_changes_on_disk_is_not_believed(
    copied: tuple[Path, World], caplog: pytest.LogCaptureFixture
) -> None:
    path, world = copied
    gallery = await Gallery.open(path, Wide())
    segment = gallery._engine.rows._now.parts[0].segment
    segment.mapped["vectors"][:, 3] *= -1  # of every vector, so that every query meets one
    with caplog.at_level(logging.WARNING):
        await world.check(gallery)
    assert "made anew" in caplog.text
    await gallery.close()


async def test_reader_beside_a_writer(copied: tuple[Path, World]) -> None:
    path, world = copied
    writer = await Gallery.open(path, Wide())
    await world.put(writer, ["17"])
    before = [file.read_bytes() for file in files(path)]
    reader = await Gallery.open(path, Wide(), read_only=True)
    await world.check(reader)
    assert [file.read_bytes() for file in files(path)] == before
    await world.remove(writer, [str(n) for n in range(1000, 3000)])
    answer = await reader.search(QueryEmbedding(unit(world.rng, 1)[0]), Filter(1), k=50)
    assert {hit.link.source for hit in answer.hits} <= set(world.vectors)
    await reader.close()
    await writer.close()


@pytest.mark.slow
async def test_closing_does_not_wait_for_a_compaction(tmp_path: Path) -> None:
    world = World()
    gallery = await Gallery.open(tmp_path / "gallery.db", Wide())
    await world.put(gallery, [str(n) for n in range(ROWS)])
    for _ in range(1000):
        if gallery._engine._settling.running is not None:
            break
        await asyncio.sleep(0.01)
    await asyncio.wait_for(gallery.close(), 30)
    again = await Gallery.open(tmp_path / "gallery.db", Wide())
    await settled(again)
    assert len(files(tmp_path / "gallery.db")) == 1
    await world.check(again)
    await again.close()


def test_small_gallery_does_without_compiled_loops(tmp_path: Path) -> None:
    """Importing numba takes a third of a second, which a small gallery doesn't spend."""
    code = f"""
import asyncio, sys
from tests.index.search.test_settled import *

async def main():
    for start in (0, 500):
        world, gallery = World(), await Gallery.open({str(tmp_path / "gallery.db")!r}, Wide())
        await world.put(gallery, [str(n) for n in range(start, start + 500)])
        await ask(gallery, world.vectors[str(start)], None)
        await gallery.close()

asyncio.run(main())
print("numba" in sys.modules)
"""
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"
