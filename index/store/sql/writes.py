"""Writes of links, each in one transaction with all that belongs to it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from index.store.sql import columns, statements
from index.store.sql.database import Database, Transaction
from index.store.sql.derivations import put_derived
from index.store.sql.watches import put_unjudged
from index.types.records import Changes, Cursor, EmbeddedPicture, Job, Link

# Pictures that are written by the same statements: a statement has at most 32,766 parameters.
MOST_AT_ONCE = 1_000
# Tables beside the links whose rows belong to a space.
TABLES_OF_A_SPACE = (
    *("cursors", "watched", "jobs", "searches", "left_out", "retention", "departed"),
    *("not_copies", "noted_groups", "passes", "notes", "watches", "tellings", "welcomes"),
)


class Writes:
    """Adds and removes links in one database.

    derivations  names of those whose results are kept with an item
    """

    def __init__(self, database: Database, derivations: Collection[str]) -> None:
        self._database = database
        self._derivations = derivations

    async def commit(
        self,
        wanted: Sequence[tuple[EmbeddedPicture, Link]],
        cursors: Sequence[Cursor] = (),
        jobs: Sequence[Job] = (),
        *,
        new: bool = False,
        announced: bool = False,
    ) -> Changes:
        """Keep items, links, cursors and jobs in one transaction; what search must follow.

        Links that their owners want left out, and those older than their space keeps, are left out.

        new        let watches judge the links that were not there before, or showed something else
        announced  let watches judge all of the links: history may have brought them a moment before
                   they were announced
        """

        async def write(db: Transaction) -> Changes:
            permitted = await statements.permitted(db, wanted)
            # When the same slot comes twice, the last one counts.
            last = {(link.space, link.source, link.slot): (one, link) for one, link in permitted}
            written = []
            for start in range(0, len(last), MOST_AT_ONCE):
                part = list(last.values())[start : start + MOST_AT_ONCE]
                written += await self._put(db, part)
            removed: list[int] = []
            added: list[tuple[int, EmbeddedPicture, Link]] = []
            dropped: list[int] = []
            to_judge: list[int] = []
            for item, kept, link, one in written:
                shows_new = one.before is None or one.before[0] != item
                if announced or (new and shows_new):
                    to_judge.append(one.id)
                if one.before == (item, link.group.id, link.owner, link.posted_at):
                    continue  # nothing that search would notice
                if one.before is not None:
                    removed.append(one.id)
                    dropped.append(one.before[0])
                added.append((one.id, kept, link))
            await db.touch(removed)
            await statements.drop_orphans(db, dropped, {link.space for _, link in permitted})
            await statements.put_cursors(db, cursors)
            await statements.put_jobs(db, jobs)
            if to_judge:
                await put_unjudged(db, to_judge)
            if dropped:
                self._database.note_deletion()
            changes = Changes(removed, columns.entries_of(added))
            await db.follow(statements.by_space((link.space, id) for id, _, link in added))
            return changes

        return await self._database.write(write)

    async def _put(
        self, db: Transaction, part: Sequence[tuple[EmbeddedPicture, Link]]
    ) -> list[tuple[int, EmbeddedPicture, Link, statements.PutLink]]:
        """Keep items with their links. returns  for each the item, with the vectors that are kept,
        and what was written"""
        pictures, links = [one for one, _ in part], [link for _, link in part]
        await statements.put_groups(db, links)
        items = await statements.put_items(db, pictures)
        derived = [(items[one.key][0], one.derived) for one in pictures]
        await put_derived(db, derived, self._derivations)
        shown = [items[picture.key] for picture in pictures]
        put = await statements.put_links(
            db, [(item, link) for (item, _), link in zip(shown, links, strict=True)]
        )
        return [
            (item, kept, link, one)
            for (item, kept), link, one in zip(shown, links, put, strict=True)
        ]

    async def keep_slots(self, space: int, source: str, slots: Collection[str]) -> Changes:
        """Drop the links of this source whose slot is not listed."""
        return await self._remove(
            "space = ? AND source = ? AND slot NOT IN (texts(?))",
            space,
            source,
            list(slots),
        )

    async def remove_sources(self, space: int, sources: Collection[str]) -> Changes:
        """Drop all links of these sources."""
        return await self._remove(
            "space = ? AND source IN (texts(?))",
            space,
            list(sources),
        )

    async def remove_group(self, space: int, group: int) -> Changes:
        """Drop the links and cursors of a group and of those hanging from it."""
        mine = """space = ?1 AND group_id IN
            (SELECT ?2 UNION SELECT id FROM groups WHERE space = ?1 AND parent = ?2)"""

        async def write(db: Transaction) -> Changes:
            await db.execute(f"DELETE FROM cursors WHERE {mine}", space, group)
            return await self._drop(db, mine, space, group)

        return await self._database.write(write)

    async def remove_space(self, space: int) -> Changes:
        """Drop everything of a space: links, cursors, watched groups, jobs, searches, rules."""

        async def write(db: Transaction) -> Changes:
            await db.hold_rules([space], to_change=True)  # else another process's write could stay
            changes = await self._drop(db, "space = ?", space)
            for table in TABLES_OF_A_SPACE:
                await db.execute(f"DELETE FROM {table} WHERE space = ?", space)
            await db.forget_space(space)
            self._database.note_deletion()
            return changes

        return await self._database.write(write)

    async def leave_out(self, space: int, owner: int, upto: float) -> Changes:
        """Drop an owner's links posted up to then, and what they asked; take no such link again."""

        async def write(db: Transaction) -> Changes:
            await db.hold_rules([space], to_change=True)
            await db.execute(
                """INSERT INTO left_out (space, owner, upto) VALUES (?, ?, ?)
                ON CONFLICT (space, owner) DO UPDATE SET upto = excluded.upto
                WHERE excluded.upto > left_out.upto""",
                *(space, owner, upto),
            )
            mine = "space = ? AND owner = ? AND posted_at <= ?"
            changes = await self._drop(db, mine, space, owner, upto)
            for table in ("searches", "watches", "tellings"):
                await db.execute(f"DELETE FROM {table} WHERE space = ? AND owner = ?", space, owner)
            self._database.note_deletion()
            return changes

        return await self._database.write(write)

    async def remove_older(self, space: int, posted_before: float) -> Changes:
        """Drop the links of a space that were posted before then (Unix seconds)."""
        return await self._remove("space = ? AND posted_at < ?", space, posted_before)

    async def _remove(self, where: str, *params: Any) -> Changes:
        return await self._database.write(lambda db: self._drop(db, where, *params))

    async def _drop(self, db: Transaction, where: str, *params: Any) -> Changes:
        changes = await statements.drop_links(db, where, *params)
        if changes.removed:
            self._database.note_deletion()
        return changes
