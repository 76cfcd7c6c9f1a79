"""The whole of `index` through its public face, with an embedder that sees colours."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from index import (
    Answer,
    Asked,
    Counts,
    Cursor,
    EmptyQuery,
    Filter,
    Gallery,
    GalleryClosed,
    Group,
    Link,
    LinkGone,
    ModelMismatch,
    PictureUnsupported,
    Query,
)
from tests.index.colours import NAMES, ColourEmbedder, encoded, png

GENERAL, SECRET = Group(10), Group(11)


def link(source: str, group: Group = GENERAL, space: int = 1, slot: str = "a") -> Link:
    return Link(space, group, source, slot, name=f"{source}.png")


@pytest.fixture
async def gallery(place: str, embedder: ColourEmbedder) -> AsyncIterator[Gallery]:
    gallery = await Gallery.open(place, embedder)
    yield gallery
    await gallery.close()


def sources(answer: Answer) -> list[str]:
    return [hit.link.source for hit in answer.hits]


async def _add_colours(gallery: Gallery) -> None:
    for name in NAMES:
        await gallery.add(png(name), link(name))


# ---- asking


async def test_words_find_a_picture(gallery: Gallery) -> None:
    await _add_colours(gallery)
    answer = await gallery.find(Query(text="something  red\n"), Filter(1, frozenset({10})), k=2)
    assert sources(answer)[0] == "red"
    assert [hit.rank for hit in answer.hits] == [1, 2]
    assert answer.hits[0].link == link("red")
    assert answer.hits[0].score > answer.hits[1].score
    assert (answer.searched, answer.more, answer.truncated) == (5, True, None)


async def test_pictures_and_texts_answer_each_other(gallery: Gallery) -> None:
    await _add_colours(gallery)
    for text in ("a red thing", "a blue thing"):
        await gallery.commit([(await gallery.embed_text(text), link(text))])
    picture = Query(image=png((250, 20, 10)))

    async def best(query: Query, kind: str) -> str:
        answer = await gallery.find(query, Filter(1, kind=kind), k=1)  # type: ignore[arg-type]
        return sources(answer)[0]

    assert await best(Query(text="blue"), "image") == "blue"
    assert await best(picture, "image") == "red"
    assert await best(picture, "text") == "a red thing"
    assert await best(Query(text="blue"), "text") == "a blue thing"
    hits = (await gallery.find(picture, Filter(1, kind="text"), k=9)).hits
    assert (hits[0].kind, hits[0].text) == ("text", "a red thing")
    both = await gallery.find(Query(text="blue"), Filter(1, kind=None), k=20)
    assert both.searched == 7


async def test_words_and_a_picture_are_asked_together(gallery: Gallery) -> None:
    await _add_colours(gallery)
    query = Query(text="green", image=png("red"))
    assert sources(await gallery.find(query, Filter(1), k=1)) == ["yellow"]
    embedding = await gallery.embed_query(query)
    parts = [await gallery.embed_query(Query(text="green"))]
    parts.append(await gallery.embed_query(Query(image=png("red"))))
    total = parts[0].vector + parts[1].vector
    assert np.allclose(embedding.vector, total / np.linalg.norm(total), atol=1e-6)


async def test_more_like_one_that_is_there(gallery: Gallery) -> None:
    await _add_colours(gallery)
    found = await gallery.find(Query(text="yellow"), Filter(1), k=1)
    like = Query(like=found.hits[0].id)
    assert sources(await gallery.find(like, Filter(1), k=1)) == ["yellow"]
    others = await gallery.find(like, Filter(1, but_not_source="yellow"), k=9)
    assert set(sources(others)) == set(NAMES) - {"yellow"}
    await gallery.remove_sources(1, ["yellow"])
    with pytest.raises(LinkGone):
        await gallery.find(like, Filter(1), k=1)


async def test_pages_follow_each_other(gallery: Gallery) -> None:
    await _add_colours(gallery)
    embedding = await gallery.embed_query(Query(text="white"))
    pages: list[Answer] = []
    for _ in range(4):
        after = pages[-1].hits[-1].position if pages else None
        pages.append(await gallery.search(embedding, Filter(1, frozenset({10})), k=2, after=after))
        if not pages[-1].more:
            break
    whole = await gallery.search(embedding, Filter(1, frozenset({10})), k=9)
    assert [s for page in pages for s in sources(page)] == sources(whole)
    assert [hit.rank for page in pages for hit in page.hits] == [1, 2, 3, 4, 5]
    assert [page.more for page in pages] == [True, True, False]
    end = pages[-1].hits[-1].position
    beyond = await gallery.search(embedding, Filter(1, frozenset({10})), k=2, after=end)
    assert (beyond.hits, beyond.more, beyond.searched) == ([], False, 5)


async def test_groups_limit_before_ranking(gallery: Gallery) -> None:
    for n in range(30):
        await gallery.add(png((255, n, 0)), link(f"secret {n}", SECRET))
    await gallery.add(png("blue"), link("public"))
    answer = await gallery.find(Query(text="red"), Filter(1, frozenset({10})), k=5)
    assert sources(answer) == ["public"]
    assert (answer.searched, answer.more) == (1, False)
    assert (await gallery.find(Query(text="red"), Filter(1, frozenset()), k=5)).hits == []
    assert (await gallery.find(Query(text="red"), Filter(2), k=5)).hits == []


async def test_animation_is_found_by_each_of_its_frames(gallery: Gallery) -> None:
    first, *others = [Image.new("RGB", (24, 24), NAMES[name]) for name in ("red", "green", "blue")]
    data = encoded(first, "GIF", save_all=True, append_images=others)
    await gallery.add(data, link("animated"))
    await gallery.add(png((128, 128, 128)), link("grey"))
    for frame, name in enumerate(("red", "green", "blue")):
        answer = await gallery.find(Query(text=name), Filter(1), k=9)
        assert sources(answer) == ["animated", "grey"]
        assert answer.hits[0].frame == frame


async def test_nothing_asked(gallery: Gallery) -> None:
    with pytest.raises(EmptyQuery):
        await gallery.embed_query(Query(text="  \n"))


async def test_long_question_says_what_was_read(gallery: Gallery) -> None:
    await _add_colours(gallery)
    answer = await gallery.find(Query(text="red " * 30), Filter(1), k=1)
    assert answer.truncated == " ".join(["red"] * 8)


async def test_half_a_letter_is_no_reason_to_fail(gallery: Gallery) -> None:
    await _add_colours(gallery)
    answer = await gallery.find(Query(text="red \ud83d\0"), Filter(1), k=1)
    assert sources(answer) == ["red"]
    with pytest.raises(EmptyQuery):
        await gallery.embed_text(" \n")


async def test_query_that_is_no_picture(gallery: Gallery) -> None:
    with pytest.raises(PictureUnsupported):
        await gallery.embed_query(Query(image=b"<svg/>"))


async def test_question_is_remembered(gallery: Gallery) -> None:
    await _add_colours(gallery)
    embedding = await gallery.embed_query(Query(text="red"))
    id = await gallery.bookkeeping.save_search(1, 7, Asked("red"), embedding)
    saved = await gallery.bookkeeping.search_by_id(id)
    assert saved is not None
    assert saved.embedding is not None
    first = await gallery.search(embedding, Filter(1), k=5)
    again = await gallery.search(saved.embedding, Filter(1), k=5)
    assert first.hits == again.hits
    assert await gallery.bookkeeping.search_by_id("nothing") is None


# ---- adding and removing


async def test_bytes_that_a_group_has_are_neither_decoded_nor_embedded_again(
    gallery: Gallery, embedder: ColourEmbedder
) -> None:
    for source in ("1", "2"):
        await gallery.add(png("red"), link(source))
        await gallery.commit([(await gallery.embed_text("red", 1, 10), link(source, slot="b"))])
    assert embedder.calls == [("images", 1), ("texts", 1)]
    assert await gallery.links.count() == Counts(1, 1, 4)


@pytest.mark.parametrize(("space", "group"), [(1, SECRET), (2, GENERAL)])
async def test_what_another_group_has_is_decoded_and_embedded_as_if_nobody_had_it(
    gallery: Gallery, embedder: ColourEmbedder, space: int, group: Group
) -> None:
    await gallery.add(png("red"), link("1", group, space))
    text = await gallery.embed_text("red", space, group.id)
    await gallery.commit([(text, link("2", group, space))])
    embedder.calls.clear()
    await gallery.add(png("red"), link("3"))
    await gallery.embed_text("red", 1, GENERAL.id)
    assert embedder.calls == [("images", 1), ("texts", 1)]
    assert (await gallery.links.count()).images == 1


async def test_a_picture_that_is_asked_with_is_always_decoded_and_embedded(
    gallery: Gallery, embedder: ColourEmbedder
) -> None:
    """Otherwise the time would tell that it is in the gallery, or that others ask with it."""
    await gallery.add(png("red"), link("1"))
    await gallery.add(png("blue"), link("2", SECRET, space=2))
    embedder.calls.clear()
    embedder.delay_s = 0.05
    asked = [Query(image=png(colour)) for colour in ("red", "blue", "green", "green")]
    await asyncio.gather(*(gallery.embed_query(query) for query in asked))
    assert sum(count for _, count in embedder.calls) == len(asked)


async def test_words_that_were_asked_before_are_read_again(
    gallery: Gallery, embedder: ColourEmbedder
) -> None:
    for _ in range(2):
        await gallery.embed_query(Query(text="red"))
    assert embedder.calls == [("texts", 1)] * 2


async def test_same_bytes_at_once_share_the_work_within_a_group(
    gallery: Gallery, embedder: ColourEmbedder
) -> None:
    embedder.go.clear()
    places = [(1, 10)] * 10 + [(1, 11), (2, 10)]
    links = [Link(space, Group(group), "1", "") for space, group in places]
    tasks = [asyncio.create_task(gallery.embed_picture(png("red"), one)) for one in links]
    await asyncio.to_thread(embedder.called.wait)
    tasks[0].cancel()
    embedder.go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert all(result is results[1] for result in results[1:10])
    assert not any(result is results[1] for result in results[10:])
    assert sum(count for _, count in embedder.calls) == 3


async def test_removed_picture_is_found_by_nobody(gallery: Gallery) -> None:
    await _add_colours(gallery)
    assert await gallery.remove_sources(1, ["red", "unknown"]) == 1
    assert await gallery.links.slots(1, "red") == set()
    answer = await gallery.find(Query(text="red"), Filter(1), k=9)
    assert "red" not in sources(answer)
    assert answer.searched == 4


async def test_edit_that_drops_a_picture(gallery: Gallery) -> None:
    items = [
        (await gallery.embed_picture(png(name)), link("1", slot=name)) for name in ("red", "blue")
    ]
    await gallery.commit(items, [Cursor(1, 10, 5, 5)])
    assert await gallery.links.known(1, 10) == {"1": {"red", "blue"}}
    assert await gallery.keep_slots(1, "1", {"blue"}) == 1
    answer = await gallery.find(Query(text="red"), Filter(1), k=9)
    assert [hit.link.slot for hit in answer.hits] == ["blue"]


async def test_everything_is_there_after_a_restart(
    tmp_path: Path, embedder: ColourEmbedder
) -> None:
    gallery = await Gallery.open(tmp_path / "g.db", embedder)
    await _add_colours(gallery)
    await gallery.commit(
        [], [Cursor(1, 10, 9, 3)], [await gallery.bookkeeping.new_job(1, "reindex", {})]
    )
    await gallery.bookkeeping.watch(1, 10)
    await gallery.remove_sources(1, ["white"])
    before = await gallery.find(Query(text="red"), Filter(1), k=9)
    await gallery.close()
    gallery = await Gallery.open(tmp_path / "g.db", embedder)
    after = await gallery.find(Query(text="red"), Filter(1), k=9)
    assert after.hits == before.hits
    assert await gallery.bookkeeping.cursors(1) == {10: Cursor(1, 10, 9, 3)}
    assert await gallery.bookkeeping.watched(1) == {10}
    assert await gallery.links.spaces() == {1}
    assert len(await gallery.bookkeeping.jobs(1)) == 1
    await gallery.close()


async def test_adding_removing_and_searching_at_once(gallery: Gallery) -> None:
    """What was acknowledged as added is found, what was acknowledged as removed never is."""
    there: set[str] = set()
    leaving: set[str] = set()
    gone: set[str] = set()

    async def write(worker: int) -> None:
        for n in range(25):
            name = f"{worker}-{n}"
            await gallery.add(png((worker * 20, n * 9, 40)), link(name))
            there.add(name)
            if n % 3 == 0:
                there.discard(name)
                leaving.add(name)
                await gallery.remove_sources(1, [name])
                gone.add(name)

    async def ask() -> None:
        embedding = await gallery.embed_query(Query(text="red"))
        for _ in range(40):
            must, must_not = set(there), set(gone)
            answer = await gallery.search(embedding, Filter(1, frozenset({10})), k=1000)
            found = set(sources(answer))
            assert must <= found | leaving
            assert not found & must_not
            await asyncio.sleep(0.002)

    async with asyncio.TaskGroup() as group:
        for worker in range(4):
            group.create_task(write(worker))
            group.create_task(ask())
    answer = await gallery.find(Query(text="red"), Filter(1), k=1000)
    assert set(sources(answer)) == there
    assert (await gallery.links.count()).links == len(there)


async def test_embedding_of_another_dimension_is_refused(gallery: Gallery) -> None:
    picture = await gallery.embed_picture(png("red"))
    wrong = type(picture)(picture.key, "image", np.ones((1, 7), np.float32))
    with pytest.raises(ValueError, match="7 numbers, not 3"):
        await gallery.commit([(wrong, link("1"))])


# ---- the model


async def test_gallery_refuses_to_mix_models(tmp_path: Path, tiny_clip: Path) -> None:
    path = tmp_path / "g.db"
    gallery = await Gallery.open(path, ColourEmbedder())
    await gallery.add(png("red"), link("1"))
    await gallery.close()
    with pytest.raises(ModelMismatch) as refused:
        await Gallery.open(path, str(tiny_clip))
    assert "'colours'" in str(refused.value)
    assert str(tiny_clip) in str(refused.value)
    assert "another file" in str(refused.value)
    newer = ColourEmbedder()
    newer.revision = "2"
    with pytest.raises(ModelMismatch, match="earlier version of 'colours'"):
        await Gallery.open(path, newer)


async def test_empty_gallery_takes_another_model(tmp_path: Path, tiny_clip: Path) -> None:
    path = tmp_path / "g.db"
    await (await Gallery.open(path, ColourEmbedder())).close()
    gallery = await Gallery.open(path, str(tiny_clip))
    assert (gallery.model, gallery.dimension) == (str(tiny_clip), 24)
    await gallery.add(png("red"), link("1"))
    await gallery.close()


async def test_gallery_remembers_its_model_and_loads_it_when_needed(
    tmp_path: Path, tiny_clip: Path
) -> None:
    path = tmp_path / "g.db"
    gallery = await Gallery.open(path, str(tiny_clip))
    await gallery.add(png("red"), link("1"))
    await gallery.close()
    gallery = await Gallery.open(path, read_only=True)
    info = await gallery.links.model()
    assert info is not None
    assert (info.name, info.dimension) == (str(tiny_clip), 24)
    assert (await gallery.find(Query(text="a dog"), Filter(1), k=5)).searched == 1
    await gallery.close()


# ---- closing


async def test_closing_lets_commits_finish_and_fails_the_rest(tmp_path: Path) -> None:
    gallery = await Gallery.open(tmp_path / "g.db", ColourEmbedder(delay_s=0.02))
    names = [f"{n}" for n in range(60)]
    tasks = [
        asyncio.create_task(gallery.add(png((n, 100, 3)), link(name)))
        for n, name in enumerate(names)
    ]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await gallery.close()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    acknowledged = [n for n, result in zip(names, results, strict=True) if result is None]
    refused = [r for r in results if r is not None]
    assert refused
    assert all(isinstance(result, GalleryClosed) for result in refused)
    again = await Gallery.open(tmp_path / "g.db", ColourEmbedder())
    kept = set(await again.links.known(1, 10))
    assert set(acknowledged) <= kept
    await again.close()
    await gallery.close()  # a second time does nothing


def test_import_is_cheap_and_knows_no_discord() -> None:
    code = (
        "import sys, index; print([m for m in ('discord', 'torch', 'transformers', 'rich')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stdout.strip() == "[]"
