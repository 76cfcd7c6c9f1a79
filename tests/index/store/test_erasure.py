"""What is erased is in no row of any table, in a file as in PostgreSQL."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from index.store.interface import Store
from index.store.sqlite import SQLiteStore
from index.types.derivations import FINGERPRINT
from index.types.records import Derived
from index.types.searches import Asked
from index.types.watches import Watch
from tests.index.store.samples import link, moving, picture

PRINT = bytes(range(100, 140))  # whose beginning is kept as hashes, too
KEPT_PRINT = bytes(range(180, 220))


async def everything(store: Any) -> bytes:
    """All values of all rows, one after the other."""
    tables = (
        # A virtual table can't be read; its rows are in tables of its own.
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        if isinstance(store, SQLiteStore)
        else "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    )
    found = b""
    for (table,) in await store.database.rows(tables):
        for row in await store.database.rows(f'SELECT * FROM "{table}"'):
            values = (one if isinstance(one, bytes) else str(one).encode() for one in row)
            found += b"|".join(values) + b"\n"
    return found


async def fill(store: Store) -> tuple[list[bytes], list[bytes]]:
    """Owner 5 has a picture, its words, a question and a watch, and so has owner 6.

    -> what is kept of the first one, and what of the other
    """
    await store.derivations.begin(FINGERPRINT, "1", {})
    await store.transcripts.begin("r1")
    traces = []
    for owner, name, print_, moved in ((5, "secret", PRINT, 1), (6, "other", KEPT_PRINT, 2)):
        one = replace(moving(moved), derived={FINGERPRINT: Derived("1", print_)})
        of = replace(link(f"{name}-source"), owner=owner, name=f"{name}-name.png")
        await store.writes.commit([(one, of)])
        await store.transcripts.put(one.key, "r1", [f"{name}-words"])
        asked = Asked(f"{name} question")
        await store.bookkeeping.save_search(1, owner, asked)
        await store.watches.add(Watch(0, 1, owner, Asked(f"{name} watch")))
        texts = ("-source", "-name.png", "-words", " question", " watch")
        texts_of = [f"{name}{text}".encode() for text in texts]
        of_item = [one.key, one.vectors.tobytes(), print_, print_[:16], b"still-of-%d-at" % moved]
        traces.append(texts_of + of_item)
    return traces[0], traces[1]


@pytest.mark.parametrize("way", ["the member erases", "the server is erased"])
async def test_what_is_erased_is_in_no_row(store: Store, way: str) -> None:
    gone, kept = await fill(store)
    there = await everything(store)
    assert [trace for trace in gone + kept if trace not in there] == []
    if way == "the member erases":
        await store.writes.leave_out(1, owner=5, upto=1e9)
    else:
        gone, kept = gone + kept, []
        await store.writes.leave_out(1, owner=9, upto=math.inf)
        await store.writes.remove_space(1)
    there = await everything(store)
    assert [trace for trace in gone if trace in there] == []
    assert [trace for trace in kept if trace not in there] == []


async def test_what_a_message_had_goes_with_it_and_what_others_show_stays(store: Store) -> None:
    both, gone = picture(1), picture(2)
    await store.writes.commit([(both, link("1")), (gone, link("1", slot="b")), (both, link("2"))])
    await store.writes.remove_sources(1, ["1"])
    there = await everything(store)
    assert both.key in there
    assert gone.key not in there
    assert gone.vectors.tobytes() not in there
