"""What is made from items beside their embeddings: the same in every store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from index.store.interface import Store
from index.types.derivations import REEMBEDDING, PendingItem
from index.types.records import Derived
from tests.index.store.conftest import Open
from tests.index.store.samples import GENERAL, MODEL, link, picture

TEXT = picture(3, kind="text")
SEEN = Derived("1", b"what was seen")


@pytest.fixture
async def store(open_store: Open) -> Store:
    """A store with two pictures and a text, and a derivation that has begun."""
    store = await open_store(derivations=(REEMBEDDING, "pixels"))
    await store.model_record.set(MODEL)
    items = [picture(1), picture(2), TEXT]
    await store.writes.commit([(one, link("1", str(n))) for n, one in enumerate(items)])
    await store.derivations.begin("pixels", "1", {"size": 8})
    return store


async def test_all_is_pending_until_it_was_made(store: Store) -> None:
    derivations = store.derivations
    assert await derivations.count_pending("pixels") == 3
    await derivations.put("pixels", picture(1).key, SEEN)
    assert await derivations.get("pixels", picture(1).key) == SEEN
    assert await derivations.get("pixels", picture(2).key) is None
    assert await derivations.count_pending("pixels") == 2
    assert [item.key for item in await derivations.pending("pixels")] == [picture(2).key, TEXT.key]
    assert len(await derivations.pending("pixels", limit=1)) == 1
    assert await derivations.pending("pixels", kind="text") == [
        PendingItem(TEXT.key, "text", TEXT.text)
    ]
    assert await derivations.pending_slots("pixels", 1, "1") == {"1", "2"}
    assert await derivations.count_pending(REEMBEDDING) == 3


async def test_it_comes_with_the_item_and_is_committed_with_it(store: Store) -> None:
    derived = {"pixels": SEEN}
    await store.writes.commit([(replace(picture(9), derived=derived), link("9"))])
    await store.writes.commit([(replace(picture(1), derived=derived), link("1", "0"))])
    for number, made in ((9, derived), (1, derived), (2, {})):
        item = await store.items.item_of_group(picture(number).key, 1, GENERAL.id)
        assert item is not None
        assert item.derived == made


async def test_the_same_revision_keeps_what_was_made_and_another_deletes_it(
    store: Store, open_store: Open
) -> None:
    begun = await store.derivations.begun("pixels")
    await store.derivations.put("pixels", picture(1).key, SEEN)
    await store.close()
    store = await open_store(derivations=(REEMBEDDING, "pixels"))
    assert await store.derivations.begin("pixels", "1", {"size": 8}) == begun
    assert await store.derivations.get("pixels", picture(1).key) == SEEN
    other = await store.derivations.begin("pixels", "2", {})
    assert begun is not None
    assert other.id != begun.id
    assert await store.derivations.count_pending("pixels") == 3


async def test_what_has_not_begun_or_is_of_another_revision_is_not_kept(store: Store) -> None:
    await store.derivations.put("pixels", picture(1).key, Derived("2", b"other"))
    await store.derivations.put(REEMBEDDING, picture(1).key, SEEN)
    await store.derivations.put("pixels", b"no such item", SEEN)
    await store.writes.commit(
        [(replace(picture(1), derived={"pixels": Derived("2", b"x")}), link("1", "0"))]
    )
    assert await store.derivations.count_pending("pixels") == 3
    await store.derivations.put("pixels", picture(1).key, SEEN)
    await store.derivations.drop("pixels")
    assert await store.derivations.begun("pixels") is None
    assert await store.derivations.count_pending("pixels") == 3
    with pytest.raises(ValueError, match="no derivation 'colours'"):
        await store.derivations.begin("colours", "1", {})


async def test_it_is_deleted_with_the_last_link_of_its_item(store: Store) -> None:
    await store.writes.commit([(picture(1), link("7"))])
    await store.derivations.put("pixels", picture(1).key, SEEN)
    await store.writes.remove_sources(1, ["1"])
    assert await store.derivations.get("pixels", picture(1).key) == SEEN
    await store.writes.remove_sources(1, ["7"])
    await store.writes.commit([(picture(1), link("1"))])
    assert await store.derivations.get("pixels", picture(1).key) is None
