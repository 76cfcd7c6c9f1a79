"""The shared parts of a store, put together on a database."""

from __future__ import annotations

from collections.abc import Collection

from index.store.sql import words
from index.store.sql.bookkeeping import Bookkeeping
from index.store.sql.copies import Copies
from index.store.sql.database import Database, Transaction
from index.store.sql.derivations import Derivations, table_of
from index.store.sql.items import Items
from index.store.sql.links import Links
from index.store.sql.model_record import ModelRecord
from index.store.sql.transcripts import Transcripts
from index.store.sql.watches import Watches
from index.store.sql.writes import Writes
from index.types.errors import StoreUnreachable

# A table that is there while a gallery is being moved to this place, see `index.store.moving`.
INCOMPLETE = "moving"


class SharedParts:
    """What a store of either engine has, but for the rows that are searched."""

    def __init__(
        self, database: Database, search_life_s: float, derivations: Collection[str]
    ) -> None:
        self.links = Links(database)
        self.items = Items(database, derivations)
        self.writes = Writes(database, derivations)
        self.bookkeeping = Bookkeeping(database, search_life_s)
        self.model_record = ModelRecord(database)
        self.derivations = Derivations(database, derivations)
        self.copies = Copies(database)
        self.transcripts = Transcripts(database)
        self.watches = Watches(database)


async def begin(database: Database, derivations: Collection[str], tables: Collection[str]) -> None:
    """Make the tables of these derivations where they are not among `tables`, and bring the index
    of words up to date. raises   StoreUnreachable for a copy that isn't complete"""
    if INCOMPLETE in tables:
        raise StoreUnreachable(
            database.place,
            "a gallery is being moved there; run magpie move FROM TO until it says that all is "
            "copied",
        )

    async def write(db: Transaction) -> None:
        for name in derivations:
            if table_of(name) not in tables:
                await db.create_results(table_of(name))
        await words.begin(db)

    await database.write(write)
