"""Transcripts: the words that were read in pictures. They are deleted with their picture."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from index.store.sql import columns, statements, word_search, words
from index.store.sql.database import MAX_ID, Database, Transaction
from index.store.sql.traits import of_space
from index.store.sql.watches import words_were_read
from index.types.filter import Filter
from index.types.query import tidy
from index.types.transcripts import MAX_LETTERS, Mentions, PendingTranscript, Place

# Links to pictures that were never read, that are to be read again, or were not read for this link.
# They are joined: of a condition with OR, PostgreSQL makes a set, and that of every space.
_READ = """LEFT JOIN transcripts AS read ON read.item = links.item AND read.stale = 0
    LEFT JOIN unread ON unread.link = links.id"""
_PENDING = "items.kind = 'image' AND (read.item IS NULL OR unread.link IS NOT NULL)"
_LINKS_AND_ITEMS = "links JOIN items ON items.id = links.item"
_LINKS_OF_ITEM = "SELECT id FROM links WHERE item = ?"
# Links of an item in a space, whose home is that of one of some groups.
_AT_HOME = f"""SELECT links.id FROM links {words.IN_ITS_GROUP}
    WHERE links.item = ?1 AND links.space = ?2 AND {words.HOME} IN (
        SELECT {words.HOME} FROM groups WHERE space = ?2 AND id IN (numbers(?3)))"""

# After so many transcripts the index of words is merged, and after this share of those that are
# kept. Merging 100,000 takes 1.5 s, in which writers wait.
LEAST_MERGED, MERGED_SHARE = 200, 0.1


class Transcripts:
    """The transcripts of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._indexed, self._merge_after = 0, LEAST_MERGED

    async def begin(self, revision: str) -> None:
        """From now on keep what this revision reads. What another one read counts until the picture
        is read again, which is pending."""

        async def write(db: Transaction) -> None:
            known = await db.rows("SELECT revision FROM ocr")
            if [one for (one,) in known] != [revision]:
                await db.execute(
                    """INSERT INTO ocr (id, revision) VALUES (1, ?)
                    ON CONFLICT (id) DO UPDATE SET revision = excluded.revision""",
                    revision,
                )
                await db.execute("UPDATE transcripts SET stale = 1")

        await self._database.write(write)

    async def put(
        self,
        key: bytes,
        revision: str,
        lines: Sequence[str],
        read_in: Collection[Place] | None = None,
    ) -> None:
        """Keep what was read in the picture with this key, if it is there and that revision has
        begun. No lines: it has no words.

        read_in   where it was seen: its links in other channels stay to be read; None: in all
        """
        text = _kept(lines)

        async def write(db: Transaction) -> None:
            await db.hold_item(key)  # else a link of another process could miss these words
            found = await db.rows(
                """SELECT items.id, transcripts.lines FROM items CROSS JOIN ocr
                LEFT JOIN transcripts ON transcripts.item = items.id
                WHERE items.key = ? AND ocr.revision = ?""",
                *(key, revision),
            )
            if not found:
                return
            item, before = found[0]
            shown = [id for (id,) in await db.rows(_LINKS_OF_ITEM, item)]
            if await words.drop(db, shown) and before != text:
                self._database.note_deletion()
            await db.execute(
                """INSERT INTO transcripts (item, lines, stale) VALUES (?, ?, 0)
                ON CONFLICT (item) DO UPDATE SET lines = excluded.lines, stale = 0""",
                *(item, text),
            )
            if before is None:
                await db.execute_many(
                    "INSERT INTO unread (link) VALUES (?)", [(id,) for id in shown]
                )
            await _note_read(db, item, read_in)
            await words.add(db, shown)
            await words_were_read(db, item)

        await self._database.write(write)
        self._indexed += 1
        if self._indexed >= self._merge_after:
            await self._merge()

    async def _merge(self) -> None:
        """Merge the index of words into one piece. A search looks into each piece: in a server of
        300 channels, one takes a fifth of the time of eighteen."""
        self._indexed = 0

        async def write(db: Transaction) -> int:
            await db.merge_words()
            return await statements.returned(db, "SELECT COUNT(*) FROM transcripts")

        kept = await self._database.write(write)
        self._merge_after = max(LEAST_MERGED, int(MERGED_SHARE * kept))

    async def get(self, key: bytes) -> tuple[str, ...] | None:
        """What was read in the picture with this key, line by line; None: nothing yet."""
        rows = await self._database.rows(
            """SELECT lines FROM transcripts JOIN items ON items.id = transcripts.item
            WHERE items.key = ?""",
            key,
        )
        return tuple(rows[0][0].splitlines()) if rows else None

    async def of_links(self, links: Collection[int]) -> dict[int, tuple[str, ...]]:
        """What was read in the pictures of these links, line by line; links to pictures without
        words are left out, and those for which they were not read yet."""
        return await of_links(self._database, links)

    async def mentions(self, phrases: Sequence[str], filter: Filter) -> Mentions:
        """Which links of the filter's space and groups show pictures with which of these phrases,
        and with nearly the same. Nothing else is read, so the time tells nothing of others."""
        return await word_search.mentions(self._database, phrases, filter)

    async def pending(
        self, *, space: int | None = None, after: int = 0, limit: int
    ) -> list[PendingTranscript]:
        """Links to pictures in which words are still to be read for them, newest first.

        after   the id of the last one that was given before; 0: from the newest on
        """
        there, values = of_space(space)
        rows = await self._database.many_rows(
            f"""SELECT items.key, {columns.LINK} {_READ}
            WHERE {_PENDING} AND {there} AND links.id < ?
            ORDER BY links.id DESC LIMIT ?""",
            *(*values, after or MAX_ID, limit),
        )
        return [PendingTranscript(row[1], row[0], columns.link_of(row[1:])) for row in rows]

    async def is_pending(self, key: bytes) -> bool:
        """Whether words are still to be read in the picture with this key, for any of its links."""
        rows = await self._database.rows(
            f"""SELECT 1 FROM {_LINKS_AND_ITEMS} {_READ}
            WHERE items.key = ? AND {_PENDING} LIMIT 1""",
            key,
        )
        return bool(rows)

    async def count_pending(self, space: int | None = None) -> int:
        """How many such pictures there are; of a space, if given. That one is pending elsewhere
        must not be told here."""
        there, values = of_space(space)
        rows = await self._database.many_rows(
            f"""SELECT COUNT(DISTINCT items.id) FROM {_LINKS_AND_ITEMS} {_READ}
            WHERE {there} AND {_PENDING}""",
            *values,
        )
        return int(rows[0][0])

    async def count_unread(self, filter: Filter, *, or_stale: bool = False) -> int:
        """How many links of the filter's space and groups, among `only` if it has that, show a
        picture whose words were not read for them yet. Whether others were read for them doesn't
        count.

        or_stale   also those that are to be read again
        """
        only = None if filter.only is None else sorted(filter.only)
        groups = None if filter.groups is None else sorted(filter.groups)
        rows = await self._database.many_rows(
            f"""SELECT COUNT(*) FROM {_LINKS_AND_ITEMS}
            LEFT JOIN transcripts AS read
                ON read.item = links.item AND (read.stale = 0 OR ?3 = 0)
            LEFT JOIN unread ON unread.link = links.id
            WHERE links.space = ?1 AND {_PENDING}
            AND (links.group_id IN (numbers(?2)) OR ?2 IS NULL)
            AND (links.id IN (numbers(?4)) OR ?4 IS NULL)""",
            filter.space,
            groups,
            int(or_stale),
            only,
        )
        return int(rows[0][0])

    async def redo(self, space: int | None = None, groups: Collection[int] | None = None) -> None:
        """Let pictures be read again: all, or those of a space, or of some of its groups. What was
        read in them counts until then."""
        if space is None:
            await self._database.execute("UPDATE transcripts SET stale = 1")
            return
        allowed = None if groups is None else list(groups)
        await self._database.execute(
            """UPDATE transcripts SET stale = 1 WHERE item IN (
                SELECT item FROM links WHERE space = ?1
                AND (group_id IN (numbers(?2)) OR ?2 IS NULL))""",
            space,
            allowed,
        )


async def of_links(database: Database, links: Collection[int]) -> dict[int, tuple[str, ...]]:
    """As `Transcripts.of_links`."""
    rows = await database.rows(
        f"""SELECT links.id, lines FROM links JOIN transcripts ON transcripts.item = links.item
        WHERE links.id IN (numbers(?)) AND lines != '' AND NOT {words.UNREAD}""",
        list(links),
    )
    return {id: tuple(lines.splitlines()) for id, lines in rows}


async def _note_read(db: Transaction, item: int, places: Collection[Place] | None) -> None:
    """Note that an item was read for its links in these places; None: for all."""
    if places is None:
        await db.execute(f"DELETE FROM unread WHERE link IN ({_LINKS_OF_ITEM})", item)
        return
    for space in {space for space, _ in places}:
        await db.execute(
            f"DELETE FROM unread WHERE link IN ({_AT_HOME})",
            *(item, space, [group for one, group in places if one == space]),
        )


def _kept(lines: Sequence[str]) -> str:
    """The lines as one text, as far as it is kept."""
    return "\n".join(filter(None, map(tidy, lines)))[:MAX_LETTERS]
