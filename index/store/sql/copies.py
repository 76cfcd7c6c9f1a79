"""What copies are told by: fingerprints and their hashes, and what somebody called no copy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence

import numpy as np

from index.copies.lookup import ROW, Rows
from index.store.sql.database import Database, Row, Transaction
from index.store.sql.derivations import table_of
from index.types.derivations import FINGERPRINT

CHUNK_ROWS = 4096
# The columns of lookup.ROW, the hashes as one blob.
_ROWS = """SELECT links.id, links.item, links.space, links.group_id, hashes.hashes
    FROM links JOIN hashes ON hashes.item = links.item"""


class Copies:
    """What copies are told by, in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hashes(self, space: int, size: int = CHUNK_ROWS) -> AsyncIterator[Rows]:
        """The rows of a space's links that show a picture with a fingerprint, `size` at a time.

        Each chunk is read by itself: while one statement stays open, every other read sees the
        gallery as it was when that began, and what is erased stays in the log.
        """
        links = await self._database.many_rows(
            "SELECT id FROM links WHERE space = ? ORDER BY id", space
        )
        for start in range(0, len(links), size):
            some = [id for (id,) in links[start : start + size]]
            rows = await self._database.many_rows(
                f"{_ROWS} WHERE links.id IN (numbers(?)) ORDER BY links.id", some
            )
            if rows:
                yield _rows_of(rows)

    async def hashes_of_items(self, keys: Collection[bytes], spaces: Collection[int]) -> Rows:
        """The rows of the links of these spaces that show items with these keys."""
        # Compared as blobs, so that the index on keys has them.
        marks = ", ".join("?" * len(keys))
        rows = await self._database.rows(
            f"""{_ROWS} WHERE links.item IN (SELECT id FROM items WHERE key IN ({marks}))
            AND links.space IN (numbers(?))""",
            *(*keys, list(spaces)),
        )
        return _rows_of(rows)

    async def fingerprints(self, links: Collection[int]) -> dict[int, tuple[int, bytes]]:
        """By link, its item and the fingerprint of that; links without one are left out."""
        rows = await self._database.rows(
            f"""SELECT links.id, links.item, data FROM links
            JOIN {table_of(FINGERPRINT)} AS made ON made.item = links.item
            WHERE links.id IN (numbers(?)) AND length(data) > 0""",
            list(links),
        )
        return {link: (item, data) for link, item, data in rows}

    async def not_copies(self, links: Collection[int]) -> set[frozenset[int]]:
        """Pairs of these links whose items somebody in their space called no copies."""
        rows = await self._database.rows(
            """WITH chosen AS (SELECT id, space, item FROM links
                WHERE id IN (numbers(?)))
            SELECT one.id, other.id FROM chosen AS one JOIN not_copies
            ON not_copies.space = one.space AND not_copies.item = one.item
            JOIN chosen AS other
            ON other.space = not_copies.space AND other.item = not_copies.other""",
            list(links),
        )
        return {frozenset(pair) for pair in rows}


async def put_not_a_copy(db: Transaction, space: int, link: int, other: int) -> None:
    """Keep that two links of a space show no copies; part of a transaction."""
    await db.execute(
        """INSERT INTO not_copies SELECT one.space, one.item, other.item
        FROM links AS one JOIN links AS other ON other.space = one.space
        WHERE one.space = ?1 AND one.item != other.item
        AND ((one.id = ?2 AND other.id = ?3) OR (one.id = ?3 AND other.id = ?2))
        ON CONFLICT DO NOTHING""",
        *(space, link, other),
    )


async def drop_not_a_copy(db: Transaction, space: int, link: int, other: int) -> None:
    """Take that back; part of a transaction."""
    await db.execute(
        """DELETE FROM not_copies WHERE (space, item, other) IN (
            SELECT one.space, one.item, other.item
            FROM links AS one JOIN links AS other ON other.space = one.space
            WHERE one.space = ?1
            AND ((one.id = ?2 AND other.id = ?3) OR (one.id = ?3 AND other.id = ?2)))""",
        *(space, link, other),
    )


def _rows_of(rows: Sequence[Row]) -> Rows:
    made = np.empty(len(rows), ROW)
    if rows:
        links, items, spaces, groups, hashes = zip(*rows, strict=True)
        made["link"], made["item"], made["space"], made["group"] = links, items, spaces, groups
        made["hashes"] = np.frombuffer(b"".join(hashes), "<u8").reshape(-1, 2)
    return made
