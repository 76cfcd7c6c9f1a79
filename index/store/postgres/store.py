"""The store of a gallery in a database of PostgreSQL, put together of its parts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection

from index.concurrency import Pool
from index.search.sizes import Sizes
from index.search.spaces import SpaceIndex
from index.store.postgres.database import Database
from index.store.postgres.rows import RowSource
from index.store.sql import store
from index.types.derivations import NAMES
from index.types.searches import SEARCH_LIFE_S


class PostgresStore(store.SharedParts):
    """A gallery's database; made by `open`."""

    def __init__(
        self, database: Database, search_life_s: float, derivations: Collection[str]
    ) -> None:
        super().__init__(database, search_life_s, derivations)
        self.database = database
        self.rows = RowSource(database)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        read_only: bool = False,
        search_life_s: float = SEARCH_LIFE_S,
        derivations: Collection[str] = NAMES,
    ) -> PostgresStore:
        """The store at this address, made or brought to the newest shape when needed.

        search_life_s  how long saved searches can be run again
        derivations    names of those that there are
        raises         StoreTooNew, StoreUnreachable, StoreFull, StoreCorrupt
        """
        if not all(re.fullmatch("[a-z_]+", name) for name in derivations):
            raise ValueError(f"these can't be names of tables: {derivations}")
        database = await Database.open(url, read_only=read_only)
        if read_only:
            return cls(database, search_life_s, ())  # derives nothing, and some have no table yet
        try:
            tables = await database.rows(
                "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
            )
            await store.begin(database, derivations, {name for (name,) in tables})
        except BaseException:
            await database.close()
            raise
        return cls(database, search_life_s, derivations)

    @property
    def place(self) -> str:
        """The address, without a password."""
        return self.database.place

    def vector_index(
        self,
        searching: Pool,
        settling: Pool,
        compacting: Pool,
        closed: asyncio.Event,
        *,
        write: bool,
        sizes: Sizes,
    ) -> SpaceIndex:
        """An index that has in memory what is asked for."""
        return SpaceIndex(self.rows, searching, closed, sizes=sizes)

    async def state(self) -> object:
        """Something that differs from what it was before if another process has written since."""
        return await self.database.state()

    async def vacuum(self) -> None:
        """Give back the room of what was removed."""
        await self.database.vacuum()

    async def close(self) -> None:
        """Let running writes finish, refuse later ones, and give the connections back."""
        await self.database.close()
