"""A gallery of each shape that the file ever had is opened, and nothing is lost."""

from __future__ import annotations

import lzma
import math
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from index import Filter, Gallery, Query, Sort
from index.store.sqlite import SQLiteStore, migrations
from index.types.derivations import REEMBEDDING
from index.types.records import ModelInfo
from tests.index.colours import ColourEmbedder, png
from tests.index.store.sqlite import make_released as made

VERSIONS = range(1, migrations.LATEST + 1)
CENTURY_S = 1e10  # saved searches of these galleries never expire


def step(name: str) -> int:
    """The shape in which this step of the migrations ended."""
    return [one.__name__ for one in migrations.STEPS].index(name) + 1


@pytest.fixture(params=VERSIONS, ids=lambda version: f"version {version}")
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def path(tmp_path: Path, version: int) -> Path:
    """The gallery that the Magpie of this version wrote."""
    kept = made.RELEASED / f"{version:02}.db.xz"
    assert kept.exists(), "`python -m tests.index.store.sqlite.make_released` makes it"
    path = tmp_path / "magpie.db"
    path.write_bytes(lzma.decompress(kept.read_bytes()))
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (version,)
    db.close()
    return path


@pytest.fixture
async def gallery(path: Path) -> AsyncIterator[Gallery]:
    gallery = await Gallery.open(path, ColourEmbedder())
    yield gallery
    await gallery.close()


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SQLiteStore]:
    store = await SQLiteStore.open(path, search_life_s=CENTURY_S)
    yield store
    await store.close()


async def test_it_answers_as_it_did_and_goes_on_growing(gallery: Gallery) -> None:
    assert await made.answers_of(gallery) == [answer for *_, answer in made.ANSWERS]
    await gallery.add(png((0, 0, 200)), made.link(70, made.PETS))
    hits = (await gallery.find(*made.ANSWERS[1][:2], k=9)).hits
    assert "1070" in [hit.link.source for hit in hits[:2]]
    await gallery.remove_sources(1, ["1001"])
    hits = (await gallery.find(*made.ANSWERS[0][:2], k=9)).hits
    assert [hit.link.source for hit in hits] == [source for source, *_ in made.RED[1:]]


async def test_the_upgrade_says_what_to_keep(
    path: Path, version: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "index")
    for _ in range(2):
        await (await SQLiteStore.open(path)).close()
    said = [one.getMessage() for one in caplog.records if "backup" in one.getMessage()]
    assert len(said) == (version < migrations.LATEST)


async def test_every_link_is_as_it_was_posted(store: SQLiteStore) -> None:
    for link in (*made.LINKS, made.TEXT):
        (id,) = (await store.links.ids_of_source(link.space, link.source)).values()
        assert (await store.links.with_ids(link.space, [id]))[id][0] == link
    counts = await store.links.count()
    found = await store.watches.count(1)  # the watch was made with one more picture
    assert (counts.images, counts.texts, counts.links) == (6 + found, 1, 8 + found)


async def test_what_the_caller_remembered_is_there(store: SQLiteStore, version: int) -> None:
    book = store.bookkeeping
    assert list((await book.cursors(1)).values()) == list(made.CURSORS)
    assert [await book.watched(space) for space in (1, 2)] == [{10, 12}, {20}]
    (job,) = await book.jobs()
    assert (job.kind, job.status, job.state) == ("reindex", "running", {"what": "missing"})
    searches = await book.searches_of(1, 5)
    # Those of the first versions are dropped on purpose: see the step that does it.
    if version >= step("save_searches_without_vectors"):
        (search,) = searches
        assert (search.asked.words, search.asked.public) == ("blue", True)
    if version >= step("keep_opt_outs_and_retention"):
        assert await book.retention() == {2: 3650}
        assert await book.departed() == {2: made.BEGAN}
        erased = {(1, 8): made.BEGAN} if version >= step("leave_out_up_to_a_moment") else {}
        assert await book.left_out() == {(1, 9): math.inf, **erased}
    if version >= step("note_closed_groups"):
        assert await book.closed_groups() == {(1, 12): made.BEGAN}
    if version >= step("note_what_was_posted_before"):
        assert await book.noted_groups() == {(1, 10): 4}
        assert await book.notes_with_id("900") == [made.NOTE]
    if version >= step("note_where_the_caller_presented_itself"):
        assert await book.welcomes() == [made.WELCOME]


async def test_what_was_made_from_pictures_is_there(gallery: Gallery, version: int) -> None:
    ids = await made.ids_of_links(gallery)
    if version >= step("keep_what_tells_copies"):
        pending = await gallery.derivations.count_pending("fingerprint")
        assert pending == 0
        assert await gallery.bookkeeping.not_copies_of(ids["1001"]) == {ids["1006"]}
    if version >= step("note_what_was_posted_before"):
        passing = await gallery.bookkeeping.passing(1, 10, ids.values())
        assert passing == {ids["1002"]}
    if version >= step("keep_transcripts"):
        says = Filter(1, frozenset({10}), says=("keep out",))
        listed = await gallery.search(
            await gallery.embed_query(Query()), says, k=9, sort=Sort.NEWEST
        )
        assert [hit.link.source for hit in listed.hits] == ["1002"]
        assert await gallery.transcripts.of_links(ids.values()) == {ids["1002"]: made.WORDS}
    if version >= step("keep_moments"):
        assert len(await gallery.links.seconds({ids["1005"]: 1})) == 1


async def test_watches_and_what_they_found_are_there(store: SQLiteStore, version: int) -> None:
    if version < step("keep_watches"):
        assert await store.watches.active(1) == []
        return
    (watch,) = await store.watches.of_owner(1, 5)
    assert (watch.asked.words, watch.settings, watch.revision) == ("red", {"digest": "day"}, "1")
    ((notice,),) = (await store.watches.due(5e9)).values()
    link = await store.links.link(1, notice.link)
    assert link is not None
    assert link.source == "1009"


async def test_a_change_of_models_goes_on(store: SQLiteStore, version: int) -> None:
    if version < step("keep_embeddings_by_a_second_model"):
        assert await store.derivations.begun(REEMBEDDING) is None
        return
    green = await store.links.ids_of_source(1, "1002")
    pending = await store.derivations.pending(REEMBEDDING)
    assert len(pending) == await store.derivations.count_pending(REEMBEDDING)
    await store.rows.switch_model(None)
    assert await store.model_record.get() == ModelInfo("other colours", "2", 3)
    (chunk,) = [chunk async for chunk in store.rows.entries(3)]
    assert list(chunk.links) == list(green.values())
    assert np.array_equal(chunk.vectors, made.AGAIN)


def test_the_files_are_small() -> None:
    sizes = [file.stat().st_size for file in made.RELEASED.iterdir()]
    assert len(sizes) == migrations.LATEST
    assert sum(sizes) < 200_000
