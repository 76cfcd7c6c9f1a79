"""A gallery's store in one SQLite file. Nothing outside this package knows SQLite."""

from index.store.sqlite.store import CHUNK_ROWS, SEGMENTS, Store

__all__ = ["CHUNK_ROWS", "SEGMENTS", "Store"]
