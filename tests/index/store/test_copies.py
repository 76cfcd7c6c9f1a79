"""Fingerprints, their hashes, and pairs that are no copies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from index.store.interface import Store
from index.types.derivations import FINGERPRINT
from index.types.records import Derived
from tests.index.store.samples import link, picture

A, B = (bytes(range(n, n + 40)) for n in (0, 100))


@pytest.fixture
async def store(store: Store) -> Store:
    """Three pictures: two with fingerprints, in two links and one; and one without."""
    await store.derivations.begin(FINGERPRINT, "1", {})
    one, other = (
        replace(picture(n), derived={FINGERPRINT: Derived("1", data)})
        for n, data in ((1, A), (2, B))
    )
    await store.writes.commit(
        [(one, link("1")), (one, link("2")), (other, link("3")), (picture(3), link("4"))]
    )
    return store


async def rows_of(store: Any, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await store.database.rows(sql)]


async def ids(store: Store, *sources: str) -> list[int]:
    return [(await store.links.ids_of_source(1, source))["a"] for source in sources]


async def test_hashes_are_the_beginnings_of_fingerprints_by_link(store: Store) -> None:
    (rows,) = [chunk async for chunk in store.copies.hashes(1)]
    assert rows["link"].tolist() == await ids(store, "1", "2", "3")
    assert rows["hashes"].tobytes() == A[:16] * 2 + B[:16]
    assert set(rows["group"]) == {10}
    again = await store.copies.hashes_of_items([picture(2).key], [1])
    assert again["link"].tolist() == await ids(store, "3")
    fingerprints = await store.copies.fingerprints(await ids(store, "1", "3", "4"))
    assert [data for _, data in fingerprints.values()] == [A, B]


async def test_other_reads_see_what_was_erased_while_hashes_are_read(store: Store) -> None:
    chunks = store.copies.hashes(1, size=1)
    assert (await anext(chunks))["link"].tolist() == await ids(store, "1")
    await store.writes.remove_sources(1, ["2"])
    assert await store.links.ids_of_source(1, "2") == {}
    assert [chunk["link"].tolist() async for chunk in chunks] == [await ids(store, "3")]


async def test_hashes_follow_their_fingerprints(store: Store) -> None:
    await store.derivations.put(FINGERPRINT, picture(2).key, Derived("1", A))
    assert (await store.copies.hashes_of_items([picture(2).key], [1]))["hashes"].tobytes() == A[:16]
    await store.writes.remove_sources(1, ["3"])
    assert await rows_of(store, "SELECT count(*) FROM hashes") == [(1,)]
    await store.derivations.begin(FINGERPRINT, "2", {})  # all are made again
    assert await rows_of(store, "SELECT count(*) FROM hashes") == [(0,)]


async def test_a_pair_is_no_copy_until_either_is_erased_and_only_in_its_space(
    store: Store,
) -> None:
    one, again, other, third = await ids(store, "1", "2", "3", "4")
    await store.bookkeeping.not_a_copy(1, other, one)
    await store.bookkeeping.not_a_copy(1, one, other)  # said twice
    await store.bookkeeping.not_a_copy(1, one, again)  # the same picture
    await store.bookkeeping.not_a_copy(2, one, third)  # of another space
    assert await store.copies.not_copies([one, again, other, third]) == {
        frozenset((one, other)),
        frozenset((again, other)),
    }
    await store.writes.remove_sources(1, ["3"])
    assert await rows_of(store, "SELECT * FROM not_copies") == []
    await store.bookkeeping.not_a_copy(1, one, third)
    await store.writes.remove_space(1)
    assert await rows_of(store, "SELECT * FROM not_copies") == []


async def test_what_was_said_goes_with_the_last_link_of_its_space(store: Store) -> None:
    """Another space shows the same pictures, so the items stay."""
    elsewhere = [(picture(n), link(f"elsewhere {n}", space=2)) for n in (1, 2)]
    await store.writes.commit(elsewhere)
    again, other = await ids(store, "2", "3")

    async def said() -> list[tuple[object, ...]]:
        tables = ("not_copies", "passes")
        return [(await rows_of(store, f"SELECT count(*) FROM {table}"))[0] for table in tables]

    async def say() -> None:
        await store.bookkeeping.not_a_copy(1, again, other)
        await store.bookkeeping.let_pass(1, 10, again)

    await say()
    await store.writes.remove_sources(1, ["1"])  # "2" shows the same
    assert await said() == [(2,), (1,)]
    await store.writes.remove_sources(1, ["2"])
    assert await said() == [(0,), (0,)]
    await store.writes.commit([(picture(1), link("2"))])
    (again,) = await ids(store, "2")
    await say()
    await store.writes.commit([(picture(3), link("2"))])  # an edit shows another picture
    assert await said() == [(0,), (0,)]
