"""The store of a gallery in one SQLite file, put together of its parts."""

from __future__ import annotations

from pathlib import Path

from index.store.sqlite.bookkeeping import Bookkeeping
from index.store.sqlite.database import Database
from index.store.sqlite.items import Items
from index.store.sqlite.links import Links
from index.store.sqlite.model import ModelRecord
from index.store.sqlite.rows import RowSource
from index.store.sqlite.succession import Succession
from index.store.sqlite.writes import Writes
from index.types.searches import SEARCH_LIFE_S


class SQLiteStore:
    """A gallery's file; made by `open`."""

    def __init__(self, database: Database, search_life_s: float) -> None:
        self.database = database
        self.links = Links(database)
        self.items = Items(database)
        self.writes = Writes(database)
        self.bookkeeping = Bookkeeping(database, search_life_s)
        self.model_record = ModelRecord(database)
        self.succession = Succession(database)
        self.rows = RowSource(database)

    @classmethod
    async def open(
        cls, path: Path, *, read_only: bool = False, search_life_s: float = SEARCH_LIFE_S
    ) -> SQLiteStore:
        """The store in the file `path`, made or brought to the newest shape when needed.

        search_life_s  how long saved searches can be run again
        raises         StoreLocked, StoreCorrupt, StoreTooNew, StoreUnreachable, StoreFull
        """
        return cls(await Database.open(path, read_only=read_only), search_life_s)

    @property
    def path(self) -> Path:
        """The file."""
        return self.database.path

    async def compact(self) -> None:
        """Write the file anew, so that not even stray bytes of what was removed are left."""
        await self.database.vacuum()

    async def close(self) -> None:
        """Let running writes finish, refuse later ones, and give the file back."""
        await self.database.close()
