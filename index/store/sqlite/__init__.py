"""A gallery's store in one SQLite file. Nothing outside this package knows SQLite."""

from index.store.sqlite.database import SEGMENTS
from index.store.sqlite.store import SQLiteStore

__all__ = ["SEGMENTS", "SQLiteStore"]
