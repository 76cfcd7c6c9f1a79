"""What a caller remembers beside the pictures."""

from __future__ import annotations

import json
import math
import secrets
import time
from collections.abc import Collection, Mapping
from typing import Any

from index.store.sql import columns, statements
from index.store.sql.copies import drop_not_a_copy, put_not_a_copy
from index.store.sql.database import Database, Row, Transaction
from index.types.query import QueryEmbedding
from index.types.records import Cursor, Job, Note, Welcome
from index.types.searches import Asked, SavedSearch

# What `_search_of` takes.
SEARCH = "id, space, owner, params, vector, truncated, made_at, parts FROM searches"


class Bookkeeping:
    """What is remembered beside the pictures of one database.

    search_life_s  how long saved searches can be run again
    """

    def __init__(self, database: Database, search_life_s: float) -> None:
        self._database = database
        self.search_life_s = search_life_s

    async def let_in(self, space: int, owner: int, after: float) -> None:
        """Let the links of this owner be added that are posted after then (Unix seconds)."""

        async def write(db: Transaction) -> None:
            of_owner = "space = ? AND owner = ?"
            if after == -math.inf:
                await db.execute(f"DELETE FROM left_out WHERE {of_owner}", space, owner)
            else:
                await db.execute(
                    f"UPDATE left_out SET upto = ? WHERE {of_owner} AND upto > ?",
                    *(after, space, owner, after),
                )
            self._database.note_deletion()

        await self._database.write(write)

    async def left_out(self) -> dict[tuple[int, int], float]:
        """By (space, owner): up to when their links are left out (Unix seconds); infinity: all."""
        rows = await self._database.rows("SELECT space, owner, upto FROM left_out")
        return {(space, owner): upto for space, owner, upto in rows}

    async def set_retention(self, space: int, days: int | None) -> None:
        """Keep pictures for this many days from now on; None: no limit."""

        async def write(db: Transaction) -> None:
            # Else another process could write what is older after those links are removed.
            await db.hold_rules([space], to_change=True)
            if days is None:
                await db.execute("DELETE FROM retention WHERE space = ?", space)
            else:
                await db.execute(
                    """INSERT INTO retention (space, days) VALUES (?, ?)
                    ON CONFLICT (space) DO UPDATE SET days = excluded.days""",
                    *(space, days),
                )

        await self._database.write(write)

    async def retention(self) -> dict[int, int]:
        """The days that pictures are kept, of each space that has a limit."""
        rows = await self._database.rows("SELECT space, days FROM retention")
        return {space: days for space, days in rows}  # noqa: C416 (mypy can't see pairs in rows)

    async def days_kept(self, space: int) -> int | None:
        """The days that a space keeps pictures; None: no limit."""
        rows = await self._database.rows("SELECT days FROM retention WHERE space = ?", space)
        return int(rows[0][0]) if rows else None

    async def depart(self, space: int, since: float) -> None:
        """Note that a space was left (Unix seconds); an earlier note stays."""
        await self._database.execute(
            "INSERT INTO departed (space, since) VALUES (?, ?) ON CONFLICT DO NOTHING", space, since
        )

    async def come_back(self, space: int) -> None:
        """Take away the note that a space was left."""
        await self._database.execute("DELETE FROM departed WHERE space = ?", space)

    async def departed(self) -> dict[int, float]:
        """The spaces that were left, each since when (Unix seconds)."""
        rows = await self._database.rows("SELECT space, since FROM departed")
        return {space: since for space, since in rows}  # noqa: C416 (mypy can't see pairs in rows)

    async def not_a_copy(self, space: int, link: int, other: int) -> None:
        """Note that two links of a space show no copies of each other, whatever they look like."""

        async def write(db: Transaction) -> None:
            await put_not_a_copy(db, space, link, other)

        await self._database.write(write)

    async def a_copy_after_all(self, space: int, link: int, other: int) -> None:
        """Take that back."""

        async def write(db: Transaction) -> None:
            await drop_not_a_copy(db, space, link, other)

        await self._database.write(write)

    async def not_copies_of(self, link: int) -> set[int]:
        """The links of its space whose pictures somebody called no copies of this one's."""
        rows = await self._database.rows(
            """SELECT other.id FROM links AS one
            JOIN not_copies ON not_copies.space = one.space AND not_copies.item = one.item
            JOIN links AS other ON other.space = one.space AND other.item = not_copies.other
            WHERE one.id = ?""",
            link,
        )
        return {id for (id,) in rows}

    async def close_group(self, space: int, group: int, since: float) -> None:
        """Note that the caller cannot read a group (Unix seconds). An earlier note stays. The note
        is removed with the group's last link."""
        await self._database.execute(
            """UPDATE groups SET closed_since = ?
            WHERE space = ? AND id = ? AND closed_since IS NULL""",
            since,
            space,
            group,
        )

    async def open_group(self, space: int, group: int) -> None:
        """Take away the note that the caller cannot read a group."""
        await self._database.execute(
            "UPDATE groups SET closed_since = NULL WHERE space = ? AND id = ?", space, group
        )

    async def closed_groups(self) -> dict[tuple[int, int], float]:
        """The groups that the caller cannot read, by space and id, each since when."""
        rows = await self._database.rows(
            "SELECT space, id, closed_since FROM groups WHERE closed_since IS NOT NULL"
        )
        return {(space, id): since for space, id, since in rows}

    async def set_noted(self, space: int, group: int, owners: int | None) -> None:
        """Note pictures of a group that were posted before, until so many owners have posted one;
        None: note none."""
        if owners is None:
            await self._database.execute(
                "DELETE FROM noted_groups WHERE space = ? AND group_id = ?", space, group
            )
        else:
            await self._database.execute(
                """INSERT INTO noted_groups (space, group_id, owners) VALUES (?, ?, ?)
                ON CONFLICT (space, group_id) DO UPDATE SET owners = excluded.owners""",
                *(space, group, owners),
            )

    async def noted_groups(self) -> dict[tuple[int, int], int]:
        """The groups of which pictures are noted, by space and id, each with its limit."""
        rows = await self._database.rows("SELECT space, group_id, owners FROM noted_groups")
        return {(space, group): owners for space, group, owners in rows}

    async def let_pass(self, space: int, group: int, link: int) -> None:
        """Never note in a group what this link of the space shows."""
        await self._database.execute(
            """INSERT INTO passes (space, group_id, item)
            SELECT space, ?, item FROM links WHERE id = ? AND space = ? ON CONFLICT DO NOTHING""",
            group,
            link,
            space,
        )

    async def let_pass_no_more(self, space: int, group: int, link: int) -> None:
        """Take that back."""
        await self._database.execute(
            """DELETE FROM passes WHERE space = ? AND group_id = ?
            AND item = (SELECT item FROM links WHERE id = ?)""",
            space,
            group,
            link,
        )

    async def passing(self, space: int, group: int, links: Collection[int]) -> set[int]:
        """Those of these links of which nothing is noted in a group, whatever shows the same."""
        rows = await self._database.rows(
            """SELECT links.id FROM links JOIN passes USING (space, item)
            WHERE unindexed(links.space) = ? AND passes.group_id = ?
            AND links.id IN (numbers(?))""",
            space,
            group,
            list(links),
        )
        return {id for (id,) in rows}

    async def keep_note(self, note: Note) -> None:
        """Remember which note stands below a source."""
        await self._database.execute(
            """INSERT INTO notes (space, source, group_id, named, id) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (space, source) DO UPDATE SET group_id = excluded.group_id,
                named = excluded.named, id = excluded.id""",
            *(note.space, note.source, note.group, note.named, note.id),
        )

    async def forget_note(self, space: int, source: str) -> None:
        """Forget the note below a source, which is gone."""
        await self._database.execute(
            "DELETE FROM notes WHERE space = ? AND source = ?", space, source
        )

    async def note_below(self, space: int, source: str) -> Note | None:
        """The note below a source, also one that stands for none yet; None when there is none."""
        rows = await self._database.rows(
            """SELECT space, group_id, source, named, id FROM notes
            WHERE space = ? AND source = ?""",
            *(space, source),
        )
        return Note(*rows[0]) if rows else None

    async def notes_with_id(self, id: str) -> list[Note]:
        """The notes with this id; it may be one that stands for none yet."""
        rows = await self._database.rows(
            "SELECT space, group_id, source, named, id FROM notes WHERE id = ?", id
        )
        return [Note(*row) for row in rows]

    async def loose_notes(self) -> list[Note]:
        """Notes below sources without links, or that name one: the pictures were erased, so the
        notes are to go."""
        rows = await self._database.many_rows(
            """SELECT space, group_id, source, named, id FROM notes
            WHERE NOT EXISTS (SELECT 1 FROM links
                WHERE links.space = notes.space AND links.source = notes.source)
            OR NOT EXISTS (SELECT 1 FROM links
                WHERE links.space = notes.space AND links.source = notes.named)"""
        )
        return [Note(*row) for row in rows]

    async def keep_welcome(self, welcome: Welcome) -> None:
        """Remember where the caller presented itself to a space, in place of an earlier one."""
        await self._database.execute(
            """INSERT INTO welcomes (space, group_id, source, reading) VALUES (?, ?, ?, ?)
            ON CONFLICT (space) DO UPDATE SET group_id = excluded.group_id,
                source = excluded.source, reading = excluded.reading""",
            *(welcome.space, welcome.group, welcome.source, welcome.reading),
        )

    async def forget_welcome(self, space: int) -> None:
        """Forget it: the space was left."""
        await self._database.execute("DELETE FROM welcomes WHERE space = ?", space)

    async def welcomes(self) -> list[Welcome]:
        """Where the caller presented itself."""
        rows = await self._database.rows("SELECT space, group_id, source, reading FROM welcomes")
        return [Welcome(space, group, source, bool(on)) for space, group, source, on in rows]

    async def welcoming_since(self) -> float:
        """From when on the caller presents itself, in Unix seconds; 0: this file is as old as
        that. Spaces that it joined earlier know it already."""
        return float((await self._database.rows("SELECT since FROM welcoming"))[0][0])

    async def watch(self, space: int, group: int) -> None:
        """Mark a group as watched."""
        await self._database.execute(
            "INSERT INTO watched (space, group_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            *(space, group),
        )

    async def unwatch(self, space: int, group: int) -> None:
        """Take the mark away; the group's pictures stay."""
        await self._database.execute(
            "DELETE FROM watched WHERE space = ? AND group_id = ?", space, group
        )

    async def watched(self, space: int) -> set[int]:
        """The groups of a space that are marked as watched."""
        rows = await self._database.rows("SELECT group_id FROM watched WHERE space = ?", space)
        return {group for (group,) in rows}

    async def cursors(self, space: int) -> dict[int, Cursor]:
        """The cursor of each group of a space that has one."""
        rows = await self._database.rows(
            "SELECT group_id, newest, oldest, complete FROM cursors WHERE space = ?", space
        )
        return {
            group: Cursor(space, group, newest, oldest, bool(complete))
            for group, newest, oldest, complete in rows
        }

    async def new_job(self, space: int, kind: str, state: Mapping[str, Any]) -> Job:
        """A new running job with an id of its own."""

        async def write(db: Transaction) -> int:
            return await statements.returned(
                db,
                "INSERT INTO jobs (space, kind, status, state) VALUES (?, ?, 'running', ?)"
                " RETURNING id",
                space,
                kind,
                json.dumps(state),
            )

        return Job(await self._database.write(write), space, kind, "running", dict(state))

    async def jobs(self, space: int | None = None, *, active: bool = True) -> list[Job]:
        """Jobs, oldest first; `active`: only those running or paused."""
        where, values = ("1 = 1", []) if space is None else ("space = ?", [space])
        if active:
            where += " AND status IN ('running', 'paused')"
        rows = await self._database.rows(
            f"SELECT id, space, kind, status, state FROM jobs WHERE {where} ORDER BY id", *values
        )
        return [
            Job(id, space, kind, status, json.loads(state))
            for id, space, kind, status, state in rows
        ]

    async def save_search(
        self,
        space: int,
        owner: int,
        asked: Asked,
        embedding: QueryEmbedding | None = None,
    ) -> str:
        """A short id under which this search can be run again."""
        id = secrets.token_urlsafe(9)
        vector, parts = columns.query_blob(embedding) if embedding else (None, None)
        truncated = embedding.truncated if embedding else None
        row = (id, space, owner, json.dumps(asked.to_json()), vector, truncated, time.time(), parts)
        await self._database.execute(
            """INSERT INTO searches
            (id, space, owner, params, vector, truncated, made_at, parts)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
            *row,
        )
        return id

    async def search_by_id(self, id: str) -> SavedSearch | None:
        """The search saved under this id; None when it was removed or is too old."""
        rows = await self._database.rows(
            f"SELECT {SEARCH} WHERE id = ? AND made_at >= ?",
            id,
            time.time() - self.search_life_s,
        )
        return _search_of(rows[0]) if rows else None

    async def searches_of(self, space: int, owner: int) -> list[SavedSearch]:
        """The saved searches of an owner, oldest first."""
        rows = await self._database.rows(
            f"SELECT {SEARCH} WHERE space = ? AND owner = ? ORDER BY made_at", space, owner
        )
        return [_search_of(row) for row in rows]

    async def expire_searches(self) -> None:
        """Remove the saved searches that are too old to be run again.

        This is not done with each new search: when a write has deleted something, the log must be
        moved into the file and emptied, which takes longer than the write.
        """
        old = time.time() - self.search_life_s

        async def write(db: Transaction) -> None:
            if await db.execute("DELETE FROM searches WHERE made_at < ?", old):
                self._database.note_deletion()

        await self._database.write(write)


def _search_of(row: Row) -> SavedSearch:
    """The saved search in a row of `SEARCH`."""
    id, space, owner, params, vector, truncated, made_at, parts = row
    embedding = None if vector is None else columns.query_of(vector, parts, truncated)
    return SavedSearch(id, space, owner, Asked.from_json(json.loads(params)), embedding, made_at)
