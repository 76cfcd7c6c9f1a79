"""What is made from pictures and texts beside their embeddings. Each derivation has a table."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from index.store.sql.database import MAX_ID, Database, Transaction
from index.types.derivations import REEMBEDDING, BegunDerivation, PendingItem
from index.types.records import Derived, Kind


def table_of(name: str) -> str:
    """The table with the results of a derivation."""
    return f"derived_{name}"


class Derivations:
    """The derivations of one database.

    names  of those there are; each has its table
    """

    def __init__(self, database: Database, names: Collection[str]) -> None:
        self._database = database
        self._names = names

    async def begun(self, name: str) -> BegunDerivation | None:
        """The derivation, if it has begun and was neither dropped nor done since."""
        rows = await self._database.rows(
            "SELECT name, revision, id, details FROM derivations WHERE name = ?", name
        )
        if not rows:
            return None
        name, revision, id, details = rows[0]
        return BegunDerivation(name, revision, id, json.loads(details))

    async def begin(self, name: str, revision: str, details: Mapping[str, Any]) -> BegunDerivation:
        """From now on keep what this revision makes. What another revision made is deleted; what
        this one made is kept, as is the id."""
        table = self._table(name)

        async def write(db: Transaction) -> str:
            known = await db.rows(
                "SELECT id FROM derivations WHERE name = ? AND revision = ?", name, revision
            )
            id = str(known[0][0]) if known else secrets.token_urlsafe(9)
            if not known:
                await self._delete_all(db, table)
            await db.execute(
                """INSERT INTO derivations (name, revision, id, details) VALUES (?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, id = excluded.id,
                    details = excluded.details""",
                *(name, revision, id, json.dumps(dict(details))),
            )
            return id

        return BegunDerivation(name, revision, await self._database.write(write), details)

    async def drop(self, name: str) -> None:
        """Delete all that was made, and keep nothing more of it."""
        table = self._table(name)

        async def write(db: Transaction) -> None:
            await db.execute("DELETE FROM derivations WHERE name = ?", name)
            await self._delete_all(db, table)

        await self._database.write(write)

    async def _delete_all(self, db: Transaction, table: str) -> None:
        if await db.execute(f"DELETE FROM {table}"):
            self._database.note_deletion()

    async def put(self, name: str, key: bytes, derived: Derived) -> None:
        """Keep what was made from an item, if the item is there and that revision has begun."""
        table = self._table(name)

        async def write(db: Transaction) -> None:
            items = await db.rows(
                """SELECT items.id FROM items JOIN derivations AS begun
                ON begun.name = ? AND begun.revision = ? WHERE items.key = ?""",
                *(name, derived.revision, key),
            )
            for (item,) in items:
                await _put(db, table, {item: derived.data})

        await self._database.write(write)

    async def get(self, name: str, key: bytes) -> Derived | None:
        """What was made from an item; None when nothing was (yet)."""
        rows = await self._database.rows(
            f"""SELECT begun.revision, data FROM items JOIN {self._table(name)} ON item = items.id
            JOIN derivations AS begun ON begun.name = ? WHERE items.key = ?""",
            name,
            key,
        )
        return Derived(*rows[0]) if rows else None

    async def pending(
        self, name: str, *, kind: Kind | None = None, limit: int | None = None
    ) -> list[PendingItem]:
        """Items that nothing was made from yet, oldest first; of one kind, if given."""
        rows = await self._database.rows(
            f"""SELECT key, kind, text FROM items WHERE (kind = ?1 OR ?1 IS NULL)
            AND {self._lack(name)} ORDER BY id LIMIT ?2""",
            kind,
            MAX_ID if limit is None else limit,
        )
        return [PendingItem(*row) for row in rows]

    async def count_pending(self, name: str) -> int:
        """How many items nothing was made from yet."""
        rows = await self._database.rows(f"SELECT COUNT(*) FROM items WHERE {self._lack(name)}")
        return int(rows[0][0])

    async def pending_sources(self, name: str, space: int) -> set[str]:
        """The sources of a space that show a picture which nothing was made from yet."""
        rows = await self._database.rows(
            f"""SELECT DISTINCT source FROM links JOIN items ON items.id = links.item
            WHERE space = ? AND kind = 'image' AND {self._lack(name)}""",
            space,
        )
        return {source for (source,) in rows}

    async def pending_slots(self, name: str, space: int, source: str) -> set[str]:
        """The slots of one source that show an item which nothing was made from yet."""
        rows = await self._database.rows(
            f"""SELECT slot FROM links JOIN items ON items.id = links.item
            WHERE space = ? AND source = ? AND {self._lack(name)}""",
            space,
            source,
        )
        return {slot for (slot,) in rows}

    def _lack(self, name: str) -> str:
        """The condition for items that nothing was made from yet. They are asked for one by one: a
        set of what was made would be of every space."""
        made = self._table(name)
        return f"NOT EXISTS (SELECT 1 FROM {made} WHERE {made}.item = items.id)"

    def _table(self, name: str) -> str:
        if name not in self._names:
            raise ValueError(f"there is no derivation {name!r}")
        return table_of(name)


async def put_derived(
    db: Transaction,
    made: Sequence[tuple[int, Mapping[str, Derived]]],
    names: Collection[str],
) -> None:
    """Keep what was made from items by revisions that have begun; part of a transaction.

    made   by item; of the same item, the last one counts
    """
    unknown = {name for _, derived in made for name in derived} - set(names)
    if unknown:
        raise ValueError(f"there are no derivations {unknown}")
    begun = await db.rows("SELECT name, revision FROM derivations")
    for name, revision in begun:
        results = {
            item: derived[name].data
            for item, derived in made
            if name in derived and derived[name].revision == revision
        }
        await _put(db, table_of(name), results)


async def _put(db: Transaction, table: str, results: Mapping[int, bytes]) -> None:
    # Not changed in place: what is kept by the table's triggers is made when a row comes.
    if results:
        await db.execute(f"DELETE FROM {table} WHERE item IN (numbers(?))", list(results))
        await db.execute_many(f"INSERT INTO {table} (item, data) VALUES (?, ?)", results.items())


async def switch_embeddings(db: Transaction) -> None:
    """Let the results of the re-embedding be the embeddings, and its model the gallery's.

    Part of a transaction, and quick: tables change their names, no vector is copied. Each item
    must have been embedded again.
    """
    for statement in (
        "DROP TABLE embeddings",
        f"ALTER TABLE {table_of(REEMBEDDING)} RENAME TO embeddings",
        "ALTER TABLE embeddings RENAME COLUMN data TO vectors",
    ):
        await db.execute(statement)
    await db.create_results(table_of(REEMBEDDING))
    begun = await db.rows("SELECT revision, details FROM derivations WHERE name = ?", REEMBEDDING)
    await db.execute("DELETE FROM model")
    for revision, details in begun:
        model = json.loads(details)
        await db.execute(
            "INSERT INTO model (id, name, revision, dimension) VALUES (1, ?, ?, ?)",
            *(model["name"], revision, model["dimension"]),
        )
    await db.execute("DELETE FROM derivations WHERE name = ?", REEMBEDDING)
