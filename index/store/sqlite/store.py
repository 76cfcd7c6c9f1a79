"""The store of a gallery in one SQLite file, put together of its parts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from pathlib import Path

from index.concurrency import Pool
from index.search.engine import Engine
from index.search.sizes import Sizes
from index.store.sql import store
from index.store.sqlite.database import SEGMENTS, Database
from index.store.sqlite.rows import RowSource
from index.types.derivations import NAMES
from index.types.searches import SEARCH_LIFE_S


class SQLiteStore(store.SharedParts):
    """A gallery's file; made by `open`."""

    def __init__(
        self, database: Database, search_life_s: float, derivations: Collection[str]
    ) -> None:
        super().__init__(database, search_life_s, derivations)
        self.database = database
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
            await store.begin(database, derivations, {name for (name,) in tables})
        except BaseException:
            await database.close()
            raise
        return cls(database, search_life_s, derivations)

    @property
    def place(self) -> str:
        """The file's path, for people."""
        return self.database.place

    @property
    def path(self) -> Path:
        """The file."""
        return self.database.path

    def vector_index(
        self,
        searching: Pool,
        settling: Pool,
        compacting: Pool,
        closed: asyncio.Event,
        *,
        write: bool,
        sizes: Sizes,
    ) -> Engine:
        """An index whose rows are in memory and in files beside this one."""
        segments = self.path.with_name(self.path.name + SEGMENTS)
        pools = searching, settling, compacting
        return Engine(self.rows, segments, *pools, closed, write=write, sizes=sizes)

    async def state(self) -> object:
        """Something that differs from what it was before if another process has written since."""
        return await self.database.version()

    async def vacuum(self) -> None:
        """Write the file anew, so that not even stray bytes of what was removed are left."""
        await self.database.vacuum()

    async def close(self) -> None:
        """Let running writes finish, refuse later ones, and give the file back."""
        await self.database.close()
