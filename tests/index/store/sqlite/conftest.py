"""The tests of what is SQLite's own run on SQLite alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from index.store.sqlite import SQLiteStore
from tests.index.store.samples import MODEL


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    """A store that is empty, of a model whose vectors have 8 numbers."""
    store = await SQLiteStore.open(tmp_path / "gallery.db")
    await store.model_record.set(MODEL)
    yield store
    await store.close()
