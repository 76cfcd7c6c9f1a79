"""A gallery in a database of PostgreSQL; importing it needs no extra, opening one does."""

from index.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
