"""Which kind of store a place has: a file, or a database server."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from index.store.interface import Store
from index.store.sqlite import SQLiteStore
from index.types.address import Place, is_address


async def open_store(
    place: Place, *, read_only: bool = False, derivations: Collection[str]
) -> Store:
    """The store at a place, made or brought to the newest shape when needed.

    place        a file's path, or the address of a database of PostgreSQL
    derivations  names of those that there are
    raises       StoreError
    """
    if is_address(place):
        # Imported here: the rest needs no PostgreSQL.
        from index.store.postgres import PostgresStore

        return await PostgresStore.open(str(place), read_only=read_only, derivations=derivations)
    return await SQLiteStore.open(Path(place), read_only=read_only, derivations=derivations)
