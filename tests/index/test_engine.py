"""Rows that follow the store: read from it, and settling beside writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from index import Gallery
from tests.index.test_settled import World


async def test_many_vectors_that_can_not_settle_are_read_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Segments keep whole bytes of bits: rows of other dimensions stay in memory."""
    world = World(dimension=60)
    gallery = await Gallery.open(tmp_path / "g.db", world.embedder)
    await world.put(gallery, [str(n) for n in range(400)])
    await gallery.close()
    monkeypatch.setattr("index.engine.LOAD_ROWS", 100)
    gallery = await Gallery.open(tmp_path / "g.db", world.embedder)
    await world.check(gallery)
    await gallery.close()
