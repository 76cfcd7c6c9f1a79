"""The rows that search compares: the same in every store."""

from __future__ import annotations

import numpy as np
import pytest

from index.store.interface import Store
from index.types.errors import StoreCorrupt
from tests.index.store.conftest import Open
from tests.index.store.samples import link, picture


async def test_what_was_kept_is_there_after_opening_again(store: Store, open_store: Open) -> None:
    items = [(picture(n, frames=n % 3 + 1), link(str(n))) for n in range(30)]
    changes = await store.writes.commit(items)
    await store.close()
    store = await open_store()
    (chunk,) = [chunk async for chunk in store.rows.entries(8)]
    assert changes.added is not None
    for name in ("links", "spaces", "groups", "texts", "frames", "vectors"):
        assert np.array_equal(getattr(chunk, name), getattr(changes.added, name))
    assert await store.rows.frames(8) == len(chunk.vectors)


async def test_vector_of_a_wrong_length_is_corrupt(store: Store) -> None:
    await store.writes.commit([(picture(1), link("1"))])
    with pytest.raises(StoreCorrupt, match="length"):
        [chunk async for chunk in store.rows.entries(7)]
