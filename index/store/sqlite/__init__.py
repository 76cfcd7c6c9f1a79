"""A gallery's store in one SQLite file. Nothing outside this package knows SQLite."""

from index.store.sqlite.database import SEGMENTS
from index.store.sqlite.rows import CHUNK_ROWS

# What index/search/engine.py takes, until it takes a RowSource.
from index.store.sqlite.rows import RowSource as Store
from index.store.sqlite.store import SQLiteStore

__all__ = ["CHUNK_ROWS", "SEGMENTS", "SQLiteStore", "Store"]
