"""From one model to another while the gallery answers: both are real, and kills are real."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path

import numpy as np
import pytest

from index import Filter, Gallery, Group, Link, ModelChanged, ModelMismatch, Query
from index.copies.lookup import HashSource, Rows
from tests.index import checkpoints
from tests.index.colours import png

ROOT = Path(__file__).resolve().parents[2]
PICTURES = 24


@pytest.fixture(scope="session")
def other_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another model, with vectors of another length."""
    folder = tmp_path_factory.mktemp("models").resolve() / "other"
    return checkpoints.tiny_clip(folder, seed=5, projection=16)


def picture(n: int) -> bytes:
    return png((n * 10 % 256, n * 37 % 256, n * 91 % 256))


def link(n: int) -> Link:
    return Link(1, Group(10), str(n), "a")


@pytest.fixture
async def filled(tmp_path: Path, tiny_clip: Path) -> Path:
    """A gallery of pictures and a text, embedded by the tiny CLIP."""
    path = tmp_path / "g.db"
    gallery = await Gallery.open(path, str(tiny_clip))
    for n in range(PICTURES):
        await gallery.add(picture(n), link(n))
    text = await gallery.embed_text("some words")
    await gallery.commit([(text, link(1000))])
    await gallery.close()
    return path


Open = Callable[[Path, Path], Awaitable[Gallery]]


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Opens a gallery that may have another model; all are closed in the end."""
    galleries: list[Gallery] = []

    async def open_it(path: Path, model: Path) -> Gallery:
        galleries.append(await Gallery.open(path, str(model), gradually=True))
        return galleries[-1]

    yield open_it
    for gallery in galleries:
        await gallery.close()


async def look_again(gallery: Gallery, numbers: range) -> None:
    for n in numbers:
        await gallery.add(picture(n), link(n))


async def found(gallery: Gallery, n: int) -> tuple[str, float]:
    """The best answer to a picture that is in the gallery, and its score."""
    answer = await gallery.find(Query(image=picture(n)), Filter(1), k=1)
    return answer.hits[0].link.source, answer.hits[0].score


async def check(gallery: Gallery, numbers: range) -> None:
    for n in numbers:
        source, score = await found(gallery, n)
        assert (source, score) == (str(n), pytest.approx(1, abs=1e-3))


async def test_the_model_of_before_answers_until_the_other_has_seen_everything(
    opened: Open, filled: Path, tiny_clip: Path, other_clip: Path
) -> None:
    gallery = await opened(filled, other_clip)
    assert (gallery.model, gallery.reembedding.wanted, gallery.dimension) == (
        str(tiny_clip), str(other_clip), 24,
    )  # fmt: skip
    assert gallery.reembedding.id is None
    await check(gallery, range(PICTURES))
    await gallery.reembedding.begin()
    assert await gallery.reembedding.left_behind() == PICTURES + 1
    await look_again(gallery, range(PICTURES))
    assert await gallery.reembedding.left_behind() == 1  # the text, whose words are at hand
    assert gallery.dimension == 24
    await check(gallery, range(PICTURES))
    assert await gallery.reembedding.switch() == {}
    assert (gallery.model, gallery.reembedding.wanted, gallery.dimension) == (
        str(other_clip),
        None,
        16,
    )
    await check(gallery, range(PICTURES))
    texts = await gallery.find(Query(text="some words"), Filter(1, kind="text"), k=1)
    assert texts.hits[0].link.source == "1000"


async def test_after_the_switch_the_vectors_are_those_of_a_gallery_made_anew(
    opened: Open, filled: Path, other_clip: Path, tmp_path: Path
) -> None:
    gallery = await opened(filled, other_clip)
    await gallery.reembedding.begin()
    await look_again(gallery, range(PICTURES))
    await gallery.reembedding.switch()
    fresh = await opened(tmp_path / "fresh.db", other_clip)
    await look_again(fresh, range(PICTURES))
    for n in range(PICTURES):
        switched = await gallery.embed_picture(picture(n))
        anew = await fresh.embed_picture(picture(n))
        assert np.allclose(switched.vectors, anew.vectors, atol=1e-6)


async def test_what_the_other_model_could_not_see_leaves_and_can_come_again(
    opened: Open, filled: Path, other_clip: Path
) -> None:
    gallery = await opened(filled, other_clip)
    await gallery.reembedding.begin()
    await look_again(gallery, range(3, PICTURES))
    assert await gallery.reembedding.switch() == {1: 3}
    assert await gallery.links.slots(1, "0") == set()
    await look_again(gallery, range(3))
    await check(gallery, range(PICTURES))


async def test_pictures_that_come_and_go_meanwhile_are_followed(
    opened: Open, filled: Path, other_clip: Path
) -> None:
    gallery = await opened(filled, other_clip)
    await gallery.reembedding.begin()
    await look_again(gallery, range(PICTURES))
    await gallery.add(picture(100), link(100))
    await gallery.remove_sources(1, ["5"])
    await check(gallery, range(100, 101))
    await gallery.reembedding.switch()
    await check(gallery, range(100, 101))
    assert (await found(gallery, 5))[0] != "5"
    assert (await gallery.links.count()).links == PICTURES + 1


async def test_what_was_embedded_before_the_switch_is_kept_after_it_or_refused(
    opened: Open, filled: Path, other_clip: Path
) -> None:
    gallery = await opened(filled, other_clip)
    alone = await gallery.embed_picture(picture(50))
    question = await gallery.embed_query(Query(text="anything"))
    await gallery.reembedding.begin()
    both = await gallery.embed_picture(picture(51))
    await look_again(gallery, range(PICTURES))
    await gallery.reembedding.switch()
    await gallery.commit([(both, link(51))])
    await check(gallery, range(51, 52))
    with pytest.raises(ModelChanged):
        await gallery.commit([(alone, link(50))])
    with pytest.raises(ModelChanged, match="ask once more"):
        await gallery.search(question, Filter(1), k=1)


class PausedHashes:
    """Hashes of a store that are read when `go_on` is set."""

    def __init__(self, copies: HashSource) -> None:
        self._copies = copies
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def hashes(self, space: int) -> AsyncIterator[Rows]:
        self.begun.set()
        await self.go_on.wait()
        async for rows in self._copies.hashes(space):
            yield rows

    async def hashes_of_items(self, keys: Collection[bytes], spaces: Collection[int]) -> Rows:
        return await self._copies.hashes_of_items(keys, spaces)


@pytest.mark.parametrize("by_link", [False, True])
async def test_copies_are_not_looked_for_with_vectors_of_the_model_before(
    opened: Open, filled: Path, other_clip: Path, by_link: bool
) -> None:
    gallery = await opened(filled, other_clip)
    await gallery.reembedding.begin()
    await look_again(gallery, range(PICTURES))
    (link_of_0,) = (await gallery.links.ids_of_source(1, "0")).values()
    asked_for = link_of_0 if by_link else picture(0)
    paused = PausedHashes(gallery._store.copies)
    gallery._lookup._source = paused
    asked = asyncio.create_task(gallery.copies_of(asked_for, Filter(1)))
    await paused.begun.wait()  # its vectors are made, and its search is next
    await gallery.reembedding.switch()
    paused.go_on.set()
    with pytest.raises(ModelChanged):
        await asked
    assert {copy.link.source for copy in await gallery.copies_of(picture(0), Filter(1))} >= {"0"}


async def test_questions_are_answered_during_the_switch(
    opened: Open, filled: Path, other_clip: Path
) -> None:
    gallery = await opened(filled, other_clip)
    await gallery.reembedding.begin()
    await look_again(gallery, range(PICTURES))
    switching = asyncio.create_task(gallery.reembedding.switch())
    asked = 0
    while not switching.done() or asked < 3:
        try:
            await check(gallery, range(asked % PICTURES, asked % PICTURES + 1))
        except ModelChanged:
            continue  # embedded before, searched after: said so, and asked again
        asked += 1
    assert await switching == {}


async def test_wanting_the_model_of_before_again_lets_the_other_go(
    opened: Open, filled: Path, tiny_clip: Path, other_clip: Path
) -> None:
    gallery = await opened(filled, other_clip)
    await gallery.reembedding.begin()
    await look_again(gallery, range(PICTURES // 2))
    await gallery.close()
    gallery = await opened(filled, tiny_clip)
    assert gallery.reembedding.wanted is None
    assert gallery.reembedding.id is None
    assert await gallery.reembedding.left_behind() == PICTURES + 1


async def test_a_model_of_before_that_is_gone_is_said_to_be(
    opened: Open, filled: Path, tiny_clip: Path, other_clip: Path
) -> None:
    hidden = tiny_clip.with_name("hidden")
    await asyncio.to_thread(tiny_clip.rename, hidden)
    try:
        with pytest.raises(ModelMismatch, match="can't be mixed"):
            await opened(filled, other_clip)
    finally:
        await asyncio.to_thread(hidden.rename, tiny_clip)


CHILD = textwrap.dedent(
    """
    import asyncio, sys
    from index import Gallery
    from tests.index.test_reembedding import PICTURES, look_again

    async def main():
        gallery = await Gallery.open(sys.argv[1], sys.argv[2], gradually=True)
        await gallery.reembedding.begin()
        for n in range(PICTURES):
            await look_again(gallery, range(n, n + 1))
            print("seen", n, flush=True)
        print("switching", flush=True)
        await gallery.reembedding.switch()
        print("switched", flush=True)
        await asyncio.sleep(60)

    asyncio.run(main())
    """
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "later_s"),
    [("seen 9", 0), ("switching", 0), ("switching", 0.004), ("switched", 0)],
)
async def test_a_kill_at_any_point_loses_nothing(
    opened: Open, filled: Path, tiny_clip: Path, other_clip: Path, line: str, later_s: float
) -> None:
    await asyncio.to_thread(kill_at, line, later_s, filled, other_clip)
    gallery = await opened(filled, other_clip)
    switched = gallery.reembedding.wanted is None
    assert gallery.model == str(other_clip if switched else tiny_clip)
    await check(gallery, range(PICTURES))
    if not switched:
        assert gallery.reembedding.id is not None
        kept = PICTURES + 1 - await gallery.reembedding.left_behind()
        assert kept >= {"seen 9": 10}.get(line, PICTURES)
        await look_again(gallery, range(PICTURES))
        assert await gallery.reembedding.switch() == {}
        await check(gallery, range(PICTURES))
    assert (await gallery.links.count()).links == PICTURES + 1


def kill_at(line: str, later_s: float, path: Path, model: Path) -> None:
    """Run the child, and kill it as soon as it has printed `line`, or a little later."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(model)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        for printed in child.stdout:
            if printed.strip() == line:
                break
        else:
            pytest.fail("the child ended by itself")
        if later_s:
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(later_s)
        child.send_signal(signal.SIGKILL)
