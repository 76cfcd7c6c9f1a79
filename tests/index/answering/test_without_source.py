"""A picture is never the answer to itself, though it be stored while the question is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from index import Filter, Gallery, Group, Link, Query, Sort
from tests.index.colours import NAMES, ColourEmbedder, png

RED = png("red")
OTHERS = Filter(1, but_not_source="posted")


def link(source: str) -> Link:
    return Link(1, Group(10), source, "a", name=f"{source}.png")


@pytest.fixture
async def gallery(place: str, embedder: ColourEmbedder) -> AsyncIterator[Gallery]:
    gallery = await Gallery.open(place, embedder)
    for name in NAMES:
        await gallery.add(png(name), link(name))
    yield gallery
    await gallery.close()


@pytest.fixture
def halfway(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture that is asked with is stored as soon as the links to leave out are read."""
    resolved = gallery.links.resolved

    async def then_stored(filter: Filter) -> Filter:
        read = await resolved(filter)
        await gallery.add(RED, link("posted"))
        return read

    monkeypatch.setattr(gallery.links, "resolved", then_stored)


async def ranked(gallery: Gallery) -> list[str]:
    answer = await gallery.find(Query(image=RED), OTHERS, k=9, guesses=True)
    ids = [id for hit in answer.hits for id in (hit.id, *hit.copies)]
    links = await gallery.links.with_ids(OTHERS.space, ids)
    return [found.source for found, _, _ in links.values()]


async def listed(gallery: Gallery) -> list[str]:
    nothing = await gallery.embed_query(Query())
    answer = await gallery.search(nothing, OTHERS, k=9, sort=Sort.NEWEST)
    return [hit.link.source for hit in answer.hits]


async def copies(gallery: Gallery) -> list[str]:
    return [copy.link.source for copy in await gallery.copies_of(RED, OTHERS)]


@pytest.mark.usefixtures("halfway")
@pytest.mark.parametrize("ask", [ranked, listed, copies])
async def test_a_picture_that_is_stored_halfway_is_left_out(
    gallery: Gallery, ask: Callable[[Gallery], Awaitable[list[str]]]
) -> None:
    found = await ask(gallery)
    assert await gallery.links.slots(1, "posted")  # it was stored
    assert "red" in found
    assert "posted" not in found
