"""The store of a gallery in one SQLite file, put together of its parts."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from index.store.sql import words
from index.store.sql.bookkeeping import Bookkeeping
from index.store.sql.copies import Copies
from index.store.sql.derivations import Derivations, table_of
from index.store.sql.items import Items
from index.store.sql.links import Links
from index.store.sql.model_record import ModelRecord
from index.store.sql.transcripts import Transcripts
from index.store.sql.watches import Watches
from index.store.sql.writes import Writes
from index.store.sqlite.database import Database
from index.store.sqlite.rows import RowSource
from index.store.sqlite.transaction import Transaction
from index.types.derivations import NAMES
from index.types.searches import SEARCH_LIFE_S


class SQLiteStore:
    """A gallery's file; made by `open`."""

    def __init__(
        self, database: Database, search_life_s: float, derivations: Collection[str]
    ) -> None:
        self.database = database
        self.links = Links(database)
        self.items = Items(database, derivations)
        self.writes = Writes(database, derivations)
        self.bookkeeping = Bookkeeping(database, search_life_s)
        self.model_record = ModelRecord(database)
        self.derivations = Derivations(database, derivations)
        self.copies = Copies(database)
        self.transcripts = Transcripts(database)
        self.watches = Watches(database)
        self.rows = RowSource(database)

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        read_only: bool = False,
        search_life_s: float = SEARCH_LIFE_S,
        derivations: Collection[str] = NAMES,
    ) -> SQLiteStore:
        """The store in the file `path`, made or brought to the newest shape when needed.

        search_life_s  how long saved searches can be run again
        derivations    names of those that there are
        raises         StoreLocked, StoreCorrupt, StoreTooNew, StoreUnreachable, StoreFull
        """
        if not all(re.fullmatch("[a-z_]+", name) for name in derivations):
            raise ValueError(f"these can't be names of tables: {derivations}")
        database = await Database.open(path, read_only=read_only)
        if read_only:
            return cls(database, search_life_s, ())  # derives nothing, and some have no table yet
        try:
            tables = await database.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")
            missing = {table_of(name) for name in derivations} - {name for (name,) in tables}

            async def begin(db: Transaction) -> None:
                for table in missing:
                    await db.create_results(table)
                await words.begin(db)

            await database.write(begin)
        except BaseException:
            await database.close()
            raise
        return cls(database, search_life_s, derivations)

    @property
    def path(self) -> Path:
        """The file."""
        return self.database.path

    async def state(self) -> object:
        """Something that differs from what it was before if another process has written since."""
        return await self.database.version()

    async def vacuum(self) -> None:
        """Write the file anew, so that not even stray bytes of what was removed are left."""
        await self.database.vacuum()

    async def close(self) -> None:
        """Let running writes finish, refuse later ones, and give the file back."""
        await self.database.close()
